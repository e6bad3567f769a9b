"""A mount namespace of the tests' own: whoever makes one copies, and keeps, what is mounted in the one he came from.

So that the file spaces of these tests' boxes are kept by nobody else's namespace, nor others' by ours.
"""

import ctypes
import os
from pathlib import Path

_CLONE_NEWNS = 0x20000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_MNT_DETACH = 2
_SPACE = " - tmpfs madoguchi"


def live_apart() -> None:
    """As root: mount where nobody else sees it, and let go of others' file spaces. Else there is nothing to mount."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for line in mounts_of(os.getpid()):
        if _SPACE in line:
            libc.umount2(line.split()[4].encode(), _MNT_DETACH)


def beside(pid: int) -> list[str]:
    """What stands before a command that shall run in the mount namespace of this process."""
    return ["nsenter", "--target", str(pid), "--mount", "--"] if os.geteuid() == 0 else []


def mounts_of(pid: int) -> list[str]:
    """What a process has mounted, one line each as in /proc."""
    return Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
