"""The file space of one visit: memory only, ends with the visit."""

import ctypes
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.ends import Ends
from madoguchi.terminal.errors import BoxUnavailable
from madoguchi.terminal.namespaces import mounters, mounts, openers, users
from madoguchi.terminal.ports import SPACE_NAMESPACE, SPACE_UNMOUNTED
from madoguchi.terminal.spawn import Person

_LIBC = ctypes.CDLL(None, use_errno=True)
_MS_NOSUID, _MS_NODEV = 0x2, 0x4
_UMOUNT_NOFOLLOW = 0x8
_RECORD = ".unmounted"
_SHARED = {"home": "/home/visit", "tmp": "/tmp", "vartmp": "/var/tmp", "shm": "/dev/shm", "run": "/run"}  # noqa: S108 # paths inside the box


class SpaceHeld(Exception):  # a finding on the way to a proof, never shown
    """The file space cannot be taken away yet."""


class Space(Protocol):
    """Where a visit's files are."""

    kind: str
    policies: Path

    def arguments(self) -> list[str]:
        """Tell bubblewrap what to mount for it."""
        ...

    def keep(self, name: str, content: bytes) -> Path:
        """Put a file there that only the browser's user can read; its place outside the box."""
        ...

    def release(self) -> None:
        """Take it away. Idempotent. Raises `SpaceHeld`."""
        ...

    def holders(self) -> list[int]:
        """Processes that keep it, as far as they can be found."""
        ...


class MountedSpace:
    """A tmpfs that the agent (root) mounts; everything the box can write to lies on it.

    Its end is observed: a *non-lazy* umount succeeds only when nothing on this side holds it, and the kernel tells when
    nothing on any side does (`ends`). In between, a file beside it is the record that outlives the agent. `noswap`
    keeps the data off a swap device where the kernel knows the option (6.4 and later).
    """

    kind = SPACE_UNMOUNTED

    def __init__(self, base: Path, *, size_mib: int, uid: int, gid: int) -> None:
        self._base = base
        self._owner = (uid, gid)
        _directory(base, 0o711)
        _mount(base, f"size={size_mib}m,mode=0711")
        self._device = base.stat().st_dev
        self._ends: Ends | None = _watched(base, self._device)
        for name in _SHARED:
            _directory(base / name, 0o700)
            os.chown(base / name, uid, gid)
        self.policies = base / "policies"
        _directory(self.policies, 0o755)

    def arguments(self) -> list[str]:
        """Bind the parts of the one tmpfs at every writable place."""
        return [part for name, place in _SHARED.items() for part in ("--bind", str(self._base / name), place)]

    def keep(self, name: str, content: bytes) -> Path:
        """Put a file there that only the browser's user can read."""
        place = _write(self._base / name, content)
        os.chown(place, *self._owner)
        return place

    def release(self) -> None:
        """Unmount (never lazily), see its end, and remove the mount point."""
        if self._ends is None:
            return
        if self._mounted():
            _record(self._base).write_text(str(self._device), encoding="ascii")
            if _LIBC.umount2(os.fsencode(self._base), _UMOUNT_NOFOLLOW) != 0:
                raise SpaceHeld(f"umount: {os.strerror(ctypes.get_errno())}")
        if self._ends.standing():
            raise SpaceHeld("the file space is still in use")
        self._ends.close()
        self._ends = None
        _clear(self._base)

    def holders(self) -> list[int]:
        """Processes that keep it. Slow: they are looked for in everybody's files and mappings."""
        inside = openers(self._device) if self._mounted() else users(frozenset({self._device}))
        return inside + mounters(_source(self._base))

    def _mounted(self) -> bool:
        return any(mount.place == self._base for mount in mounts(os.getpid()))


class NamespaceSpace:
    """Memory file systems that bubblewrap makes inside the box's own mount namespace: they die with it."""

    kind = SPACE_NAMESPACE

    def __init__(self, base: Path, *, size_mib: int) -> None:
        self._base = base
        self._size = size_mib << 20
        _directory(base, 0o700)
        self.policies = base / "policies"
        _directory(self.policies, 0o755)

    def arguments(self) -> list[str]:
        """One limited memory file system for every writable place."""
        size = str(self._size)
        return [part for place in _SHARED.values() for part in ("--size", size, "--tmpfs", place)]

    def keep(self, name: str, content: bytes) -> Path:
        """Put a file there that only the browser's user, who is the agent's, can read."""
        return _write(self._base / name, content)

    def release(self) -> None:
        """Remove the directory with the policies."""
        shutil.rmtree(self._base, ignore_errors=True)
        tidy(self._base.parent)

    def holders(self) -> list[int]:
        """Whoever keeps anything of it keeps the box's own file systems, and is found there."""
        return []


def _watched(base: Path, device: int) -> Ends:
    """Watch a space just mounted; one whose end could not be seen is not kept. Raises `BoxUnavailable`."""
    try:
        ends = Ends()
        ends.watch(base, device)
        return ends
    except OSError as error:
        _LIBC.umount2(os.fsencode(base), _UMOUNT_NOFOLLOW)
        base.rmdir()
        raise BoxUnavailable(f"対応の場所の終わりを見張れません: {error} (no watch on the visit's tmpfs)。") from error


def make_space(base: Path, *, config: BoxConfig, person: Person) -> Space:
    """Make a new, empty space for one visit: mounted if the agent may, else inside the box. Raises `BoxUnavailable`."""
    if os.geteuid() == 0:
        return MountedSpace(base, size_mib=config.space_mib, uid=person.uid, gid=person.gid)
    return NamespaceSpace(base, size_mib=config.space_mib)


def unmount(place: Path) -> None:
    """Take away the space of a visit that is mounted at `place`, never lazily. Idempotent. Raises `SpaceHeld`.

    Whoever uses it is looked for before the umount: a file handed out of a box belongs to the box's own mount and does
    not make this one busy, and the mount that stays is the record that outlives the agent. Other mounts of it are
    looked for afterwards, by the source that no other space has: a copy in another namespace may go with this one.
    """
    while found := [mount for mount in mounts(os.getpid()) if mount.place == place]:
        if pids := openers(found[-1].device):
            raise SpaceHeld(f"the file space is used by processes {pids}")
        if _LIBC.umount2(os.fsencode(place), _UMOUNT_NOFOLLOW) != 0:
            raise SpaceHeld(f"umount: {os.strerror(ctypes.get_errno())}")
    if pids := mounters(_source(place)):
        raise SpaceHeld(f"the file space is still mounted for processes {pids}")
    _clear(place)


def unended(runtime: Path) -> list[str]:
    """Who still uses spaces that an earlier agent unmounted without seeing their end; clears those that nobody does.

    Said by device number, which a new file system may have got meanwhile: whoever has that mounted does not count.
    """
    found = []
    for record in sorted(runtime.glob(f"*{_RECORD}")):
        place = record.with_name(record.name.removesuffix(_RECORD))
        pids = users(frozenset({int(record.read_text(encoding="ascii"))})) + mounters(_source(place))
        if pids:
            found.append(f"{place.name} is used by processes {pids}")
        else:
            _clear(place)
    return found


def _record(place: Path) -> Path:
    return place.with_name(place.name + _RECORD)


def _clear(place: Path) -> None:
    """Take the record, the empty mount point and, with the last space, the directory of the spaces away."""
    _record(place).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        place.rmdir()
    tidy(place.parent)


def stale_mounts(below: Path) -> list[Path]:
    """Mount points below a directory, innermost first."""
    places = {mount.place for mount in mounts(os.getpid())}
    return sorted((place for place in places if below in place.parents), key=lambda place: -len(place.parts))


def prepare_runtime(runtime: Path) -> None:
    """Make the directory of the visits' spaces: ours alone, no link. Raises `BoxUnavailable`."""
    runtime.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        runtime.parent.chmod(0o755)
    if not runtime.exists():
        _directory(runtime, 0o711)
    status = runtime.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise BoxUnavailable(f"{runtime} が、この利用者だけの場所ではありません ({runtime} is not ours alone)。")


def _write(place: Path, content: bytes) -> Path:
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
        file.write(content)
    return place


def _directory(place: Path, mode: int) -> None:
    """Make a directory with this mode, whatever the agent's umask is: policies that cannot be read do not hold."""
    place.mkdir()
    place.chmod(mode)


def tidy(runtime: Path) -> None:
    """Take the directory of the spaces away with the last of them."""
    with suppress(OSError):
        runtime.rmdir()


def _source(place: Path) -> str:
    """What the mount calls itself: the name of the visit's directory is random, and never used again."""
    return f"madoguchi-{place.name}"


def _mount(place: Path, options: str) -> None:
    for extra in (",noswap", ""):
        given = (options + extra).encode()
        if _LIBC.mount(_source(place).encode(), os.fsencode(place), b"tmpfs", _MS_NOSUID | _MS_NODEV, given) == 0:
            return
    reason = os.strerror(ctypes.get_errno())
    place.rmdir()
    raise BoxUnavailable(f"対応の場所を作れません: {reason} (the visit's tmpfs cannot be mounted)。")
