"""Runs inside a private card service's namespaces, started by `pcscd.py`; imports nothing of ours.

Arguments: the number of a control socket, the folder that becomes /run/pcscd, the command that starts pcscd. Messages
on the socket: `start`, `signal N` (to pcscd; waits for its end when the signal ends it), `dial PORT` (answers with a
connected TCP socket: whoever asks need not be in here). Answers: `ok` or `no`. The socket's end ends everything.
"""

import contextlib
import fcntl
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
_LONGEST = 64
_ENDING = (signal.SIGKILL, signal.SIGTERM)
_PATIENCE = 5.0


class _Keeper:
    """Keeps one pcscd."""

    def __init__(self, control: socket.socket, command: list[str]) -> None:
        self._control = control
        self._command = command
        self._daemon: subprocess.Popen[bytes] | None = None

    def serve(self) -> None:
        """Answer until the other end closes."""
        try:
            while request := self._control.recv(_LONGEST).split():
                self._answer(request[0], [int(number) for number in request[1:]])
        finally:
            self._signal(signal.SIGKILL)

    def _answer(self, order: bytes, numbers: list[int]) -> None:
        try:
            if order == b"dial":
                with socket.create_connection(("127.0.0.1", numbers[0]), _PATIENCE) as channel:
                    socket.send_fds(self._control, [b"ok"], [channel.fileno()])
                return
            if order == b"start":
                self._start()
            else:
                self._signal(numbers[0])
            self._control.send(b"ok")
        except (OSError, subprocess.SubprocessError):
            self._control.send(b"no")

    def _start(self) -> None:
        self._signal(signal.SIGKILL)
        self._daemon = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)  # noqa: S603 - given by our parent

    def _signal(self, number: int) -> None:
        if self._daemon is None:
            return
        self._daemon.send_signal(number)
        if number in _ENDING:
            self._daemon.wait(_PATIENCE)
            self._daemon = None


def _prepare(folder: str) -> None:
    """Put the folder where pcscd puts its socket, and switch the loopback interface on."""
    mount = ["mount", "-t", "tmpfs", "none", "/run"]
    subprocess.run(mount, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - nothing of it comes from outside
    Path("/run/pcscd").mkdir()
    subprocess.run(["mount", "--bind", folder, "/run/pcscd"], check=True)  # noqa: S603, S607 - see above
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("16xh", fcntl.ioctl(any_socket, _GET_FLAGS, request))
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


def main() -> None:
    """Prepare the namespaces, say so, and keep pcscd."""
    number, folder, *command = sys.argv[1:]
    with socket.socket(fileno=int(number)) as control:
        _prepare(folder)
        control.send(b"ok")
        with contextlib.suppress(ConnectionResetError):
            _Keeper(control, command).serve()


if __name__ == "__main__":
    main()
