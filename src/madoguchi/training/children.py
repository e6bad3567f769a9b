"""Child processes that live exactly as long as their parent."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import httpx

_GRACE_SECONDS = 8.0
_READY_SECONDS = 60.0
_STEP_SECONDS = 0.1


class ChildFailed(Exception):
    """A part of the training counter did not start; the message names its log."""

    sentence = "起動できませんでした。示された記録(ログ)を確かめてください。"


class Children:
    """Starts programs in process groups of their own and stops them all, last started first.

    A terminal's Ctrl-C reaches the parent only, so that the order of stopping is the parent's. `setpriv --pdeathsig`
    ends a child whose parent was killed.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start one program; its output goes to `<logs>/<name>.log`."""
        with self._log(name) as log:
            process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                ["/usr/bin/setpriv", "--pdeathsig", "TERM", *argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                process_group=0,
            )
        self._running.append((name, process))

    def wait_ready(self, name: str, url: str) -> None:
        """Wait until `url` answers at all. Raises `ChildFailed` if the program ends or stays silent."""
        deadline = time.monotonic() + _READY_SECONDS
        process = dict(self._running)[name]
        while time.monotonic() < deadline and process.poll() is None:
            try:
                httpx.get(url, timeout=2.0)
            except httpx.TransportError:
                time.sleep(_STEP_SECONDS)
            else:
                return
        raise ChildFailed(f"{name}: {self._logs / f'{name}.log'}")

    def first_ended(self) -> str | None:
        """Name of a program that has ended by itself, if any."""
        return next((name for name, process in self._running if process.poll() is not None), None)

    def stop(self) -> None:
        """TERM to each, last started first; KILL to the group of whoever does not go. Nothing stays."""
        for _, process in reversed(self._running):
            _signal(process, signal.SIGTERM)
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
            _signal(process, signal.SIGKILL)
        self._running.clear()

    def _log(self, name: str) -> IO[bytes]:
        return (self._logs / f"{name}.log").open("ab")


def run_once(argv: Sequence[str]) -> None:
    """Run a program to its end. Raises `ChildFailed` with what it said."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_READY_SECONDS)  # noqa: S603 - our own command line, no shell
    if done.returncode != 0:
        raise ChildFailed(f"{done.stdout}{done.stderr}".strip())


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
