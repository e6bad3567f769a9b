"""The training counter as a process, as `script/server` starts it, and eyes for what it leaves."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.namespaces import environ_of, processes
from madoguchi.training.ports import Ports
from whole.agents import Remains
from whole.apart import beside
from whole.helpers import environment, tail, until

MARK = "MADOGUCHI_TEST_MARK"
START_LIMIT = 90.0
READY = "Ctrl-C stops everything"
_LOGIN = re.compile(r"│ (\S+) +│ (kunren-\w+) +│ (\S+) +│ (\S+) +│")
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class Training:
    """One start. Leaving it kills whatever still runs. `apart`: a process in whose mount namespace it shall run."""

    def __init__(self, state: Path, ports: Ports, *arguments: str, apart: int) -> None:
        self.state, self.ports = state, ports
        self.remains = Remains(BoxConfig(state=state / "terminal"), mounts_of=apart)
        self.mark = secrets.token_hex(8)
        self._out = state.with_name(f"{state.name}-{self.mark}.out")
        command = ["training", "--state", str(state), "--port-base", str(ports.base), *arguments]
        self.begun = time.monotonic()
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [*beside(apart), sys.executable, "-m", "madoguchi", *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment(**{MARK: self.mark}, COLUMNS="160"),
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """What it printed."""
        return self._out.read_text(errors="replace")

    @property
    def logins(self) -> list[tuple[str, ...]]:
        """The printed logins: name, password, role, site."""
        return _LOGIN.findall(self.said)

    @property
    def addresses(self) -> list[str]:
        """The printed addresses."""
        return _ADDRESS.findall(self.said)

    def await_ready(self) -> float:
        """Wait until it says that it runs; how many seconds after its start."""

        def ready() -> bool:
            assert self.process.poll() is None, f"it ended:\n{self.said}{self.logs()}"
            return READY in self.said

        until(ready, lambda: f"the training counter runs:\n{self.said}{self.logs()}", START_LIMIT)
        return time.monotonic() - self.begun

    def await_end(self, limit: float = 15.0) -> int:
        """Wait until it has ended; its exit status."""
        until(lambda: self.process.poll() is not None, lambda: f"it ends:\n{self.said}", limit)
        return int(self.process.returncode)

    def await_nothing_left(self, limit: float = 15.0) -> None:
        """Wait until no process, mount or file of its parts is left."""
        until(lambda: not self.left(), lambda: f"nothing is left: {self.left()}", limit)

    def kill_part(self, name: str) -> None:
        """SIGKILL to one of its parts, named as on the command line."""
        for pid in self._own():
            if Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[2:4] == [b"madoguchi", name.encode()]:
                os.kill(pid, signal.SIGKILL)

    def left(self) -> list[str]:
        """Its processes, and whatever stands of its boxes."""
        return [f"process {pid}" for pid in self._own()] + self.remains.everything()

    def logs(self) -> str:
        """The ends of its parts' logs."""
        return "".join(f"\n--- {log.name}\n{tail(log, 20)}" for log in sorted((self.state / "logs").glob("*.log")))

    def _own(self) -> list[int]:
        return [pid for pid in processes() if environ_of(pid).get(MARK) == self.mark]

    def __enter__(self) -> "Training":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        for pid in self._own():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.remains.await_programs_gone()


def free_ports() -> Ports:
    """Seven free ports in a row, below those that the kernel gives out by itself."""
    for base in (secrets.choice(range(20000, 32000, 10)) for _ in range(100)):
        ports = Ports(base)
        if all(_free(port) for port in ports.all):
            return ports
    raise AssertionError("no seven free ports in a row")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
