"""Seeing file systems end. The kernel tells a watch when the last use of a file system is over, whoever's it was.

`IN_UNMOUNT` (inotify(7)) comes when the kernel takes a file system apart: no mount of it is left in any namespace, no
file, directory or mapping of it in any process, no descriptor on its way through a socket. The watch itself keeps
nothing alive. The end of a box's root shows that its mount namespace is gone, the end of its message queues that its
IPC namespace is.
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_IN_UNMOUNT = 0x2000
_EVENT = struct.Struct("iIII")
_ROOM = 1 << 14


class Ends:
    """Watches file systems, named by their device numbers. Raises `OSError` when there are too many watches."""

    def __init__(self) -> None:
        self._inotify = _checked(_LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._watched: dict[int, int] = {}

    def watch(self, root: Path, device: int) -> None:
        """Watch the file system whose root this is. Raises `OSError`: not to be had, or another one lies there."""
        handle = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if os.fstat(handle).st_dev != device:
                raise OSError(f"{root}: another file system")
            place = os.fsencode(f"/proc/self/fd/{handle}")
            self._watched[_checked(_LIBC.inotify_add_watch(self._inotify, place, _IN_UNMOUNT))] = device
        finally:
            os.close(handle)

    def standing(self) -> frozenset[int]:
        """The watched ones whose end has not been told."""
        for watch, mask in self._told():
            if mask & _IN_UNMOUNT:
                self._watched.pop(watch, None)
        return frozenset(self._watched.values())

    def close(self) -> None:
        """Look no more. Idempotent."""
        if self._inotify >= 0:
            os.close(self._inotify)
            self._inotify = -1

    def _told(self) -> Iterable[tuple[int, int]]:
        try:
            data = os.read(self._inotify, _ROOM)
        except BlockingIOError:
            return
        place = 0
        while place < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, place)
            yield watch, mask
            place += _EVENT.size + length


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
