"""A card service of one's own: an unmodified pcscd with virtual readers, for training, tests and benchmarks.

vpcd listens on all addresses and asks nobody who they are. It therefore runs in a network namespace that holds nothing
but its own loopback interface; nobody outside reaches it, and it sees no network and no USB reader of the machine. Its
socket appears in a folder: whoever sets `PCSCLITE_CSOCK_NAME` to it *before the first call to PC/SC* (the library
remembers) talks to this service and to no other. Root, or a user who may make user namespaces.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from madoguchi.card import pcscd_inside
from madoguchi.card.errors import ReaderLost, ServiceMissing
from madoguchi.card.vpcd import PORT

_DAEMON = "/usr/sbin/pcscd"
_DRIVERS = Path("/usr/lib/pcsc/drivers/serial")
_SPACES = ("--mount", "--net", "--pid", "--fork", "--kill-child")  # whoever of us dies, pcscd does not stay behind
_PATIENCE = 10.0
_LOOK = 0.01
_LONGEST = 64


class VirtualReader(NamedTuple):
    """One entry of vpcd. It makes two slots, `NAME 00 00` on `port` and `NAME 00 01` on the port after it.

    `driver`: another driver than vpcd's.
    """

    name: str = "Virtual PCD"
    port: int = PORT
    driver: Path | None = None


class PrivatePcscd:
    """pcscd in namespaces of its own. A `with` block starts and ends it."""

    def __init__(self, folder: Path) -> None:
        """Start nothing yet. `folder` is made if need be; its path must be short (a socket's: 107 bytes)."""
        self._folder = folder.resolve()
        self._control: socket.socket | None = None
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def socket_path(self) -> Path:
        """Where the service listens."""
        return self._folder / "run" / "pcscd.comm"

    @property
    def environment(self) -> dict[str, str]:
        """What other programs need in their environment to use this service."""
        return {"PCSCLITE_CSOCK_NAME": str(self.socket_path)}

    def __enter__(self) -> "PrivatePcscd":
        """Make the namespaces and start. Raises `ServiceMissing`."""
        self._driver = vpcd_driver()
        for part in ("run", "none", "readers"):
            (self._folder / part).mkdir(parents=True, exist_ok=True)
        self.plug(VirtualReader())
        try:
            self._open()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start pcscd, again if need be; return when it answers. Raises `ServiceMissing`."""
        self.socket_path.unlink(missing_ok=True)
        self._order("start")
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if time.monotonic() > deadline:
                raise ServiceMissing("pcscd does not answer")
            time.sleep(_LOOK)

    def kill(self) -> None:
        """End pcscd with SIGKILL and wait for its end."""
        self._order(f"signal {signal.SIGKILL:d}")

    def pause(self) -> None:
        """Let pcscd hang: it holds its sockets and answers nothing."""
        self._order(f"signal {signal.SIGSTOP:d}")

    def resume(self) -> None:
        """Let a hanging pcscd go on."""
        self._order(f"signal {signal.SIGCONT:d}")

    def plug(self, *readers: VirtualReader) -> None:
        """Say which readers there are when pcscd starts the next time."""
        entries = [
            f'FRIENDLYNAME "{reader.name}"\nDEVICENAME /dev/null:{reader.port:#x}\n'
            f"LIBPATH {reader.driver or self._driver}\nCHANNELID {reader.port:#x}\n"
            for reader in readers
        ]
        (self._folder / "readers" / "virtual").write_text("\n".join(entries))

    def dial(self, port: int = PORT) -> socket.socket:
        """Connect to a port inside, as a virtual card does. Raises `ReaderLost`."""
        if self._control is None:
            raise ReaderLost("not started")
        self._control.send(f"dial {port}".encode())
        answer, handles, _, _ = socket.recv_fds(self._control, _LONGEST, 1)
        if answer != b"ok" or not handles:
            raise ReaderLost(f"nobody listens on port {port}")
        return socket.socket(fileno=handles[0])

    def close(self) -> None:
        """End pcscd and its namespaces."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._keeper is not None:
            self._keeper.wait(_PATIENCE)
            self._keeper = None

    def _open(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._control = ours
            ours.settimeout(_PATIENCE)
            self._keeper = self._spawn(theirs.fileno())
        try:
            answer = ours.recv(_LONGEST)
        except OSError:
            answer = b""
        if answer != b"ok":
            raise ServiceMissing("no namespaces of one's own")

    def _spawn(self, handle: int) -> "subprocess.Popen[bytes]":
        own_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        inside = [sys.executable, "-I", pcscd_inside.__file__, str(handle), str(self._folder / "run")]
        daemon = [_DAEMON, "--foreground", "--critical", "--config", str(self._folder / "readers")]
        return subprocess.Popen(  # noqa: S603 - nothing of it comes from outside
            ["unshare", *own_user, *_SPACES, "--", *inside, *daemon],  # noqa: S607 - as the system has it
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[handle],
            env={**os.environ, "PCSCLITE_HP_DROPDIR": str(self._folder / "none")},  # no drivers for real readers
        )

    def _order(self, text: str) -> None:
        if self._control is None:
            raise ServiceMissing("not started")
        self._control.send(text.encode())
        if self._control.recv(_LONGEST) != b"ok":
            raise ServiceMissing(text)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(str(self.socket_path)) == 0


def vpcd_driver() -> Path:
    """Find vpcd's driver. Raises `ServiceMissing`, naming what is missing, also of all else that is needed."""
    drivers = sorted(_DRIVERS.glob("libifdvpcd.so*"))
    missing = [name for name in ("unshare", "mount") if shutil.which(name) is None]
    missing += [] if Path(_DAEMON).exists() else ["pcscd"]
    missing += [] if drivers else ["vsmartcard-vpcd"]
    if missing:
        raise ServiceMissing(", ".join(missing))
    return drivers[0]
