"""Run a command inside a box: `enter.py PID COMMAND…`, as the user that owns the box, with no other rights."""

import ctypes
import fcntl
import os
import sys

_OWNER = 0xB701
"""The ioctl NS_GET_USERNS: bubblewrap's user namespace that owns the others, not the one the browser is in."""


def main() -> None:
    pid, command = sys.argv[1], sys.argv[2:]
    spaces = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in ("ipc", "pid", "mnt")]
    libc = ctypes.CDLL(None, use_errno=True)
    for space in (fcntl.ioctl(spaces[0], _OWNER), *spaces):
        if libc.setns(space, 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    child = os.fork()
    if child == 0:
        os.execvp(command[0], command)  # noqa: S606 # the test's own command
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)


main()
