"""The office as a process: started, killed and asked as people and tests do."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from whole.helpers import Helper, environment, tail, until

PASSWORD = "counter-practice-1"
FINAL = frozenset({"closed", "withdrawn"})


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def short_folder() -> Iterator[Path]:
    """A temporary folder with a short path: a socket's address has 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="mado-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Office:
    """The server as the command line starts it, in a process group of its own, and the clerk beside it."""

    def __init__(self, folder: Path, *, database_url: str = "", site: str = "https://site.example") -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        more = {"MADOGUCHI_DATABASE_URL": database_url} if database_url else {}
        self._env = environment(MADOGUCHI_STATE=str(folder), **more)
        self._log = folder / "office.log"
        self.clerk = Helper("whole.clerk", log=folder / "clerk.log", env=self._env)
        logout, places = f"{site}/logout", [site]
        self.procedure: str = self.clerk.ask(
            "prepare", password=PASSWORD, start_url=f"{site}/", logout_url=logout, allowed=places, limit=90
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the server, if it does not run, and wait until it answers."""
        if self._process is not None:
            return
        command = ["server", "run", "--state", str(self.folder), "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "madoguchi", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                start_new_session=True,
            )
        until(self._answers, f"the office answers: {self._log}", 60)

    def replace(self) -> None:
        """Kill the server and start it again."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """SIGKILL to the server and all its processes."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End server and clerk."""
        self.kill()
        with self.clerk:
            pass

    def ask(self, do: str, **values: Any) -> Any:
        """Ask the clerk. Raises `Refused`."""
        return self.clerk.ask(do, **values)

    def issue(self) -> str:
        """A ticket's visit."""
        issued: str = self.ask("issue", procedure=self.procedure)["visit"]
        return issued

    def state(self, visit: str) -> str:
        """Where a visit stands."""
        found: str = self.ask("visit", visit=visit)["state"]
        return found

    def faults(self, terminal: str) -> list[str]:
        """What is wrong with the terminal's records."""
        found: list[str] = self.ask("audit", terminal=terminal)["faults"]
        return found

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the office ended:\n{tail(self._log)}"
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/login/", timeout=5).status_code == 200
        return False


@contextmanager
def office(*, database_url: str = "", site: str = "https://site.example") -> Iterator[Office]:
    """An office of the test's own."""
    with short_folder() as folder:
        made = Office(folder, database_url=database_url, site=site)
        try:
            yield made
        finally:
            made.close()


def database_name() -> str:
    """A name for a database of one office's own."""
    return f"whole_{secrets.token_hex(4)}"
