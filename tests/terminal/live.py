"""A terminal that runs: agent, watcher and courier in threads, the desk page on a port of its own."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from madoguchi.protocol import TerminalState
from madoguchi.terminal.desk import create_desk
from terminal.doubles import CARD_A
from terminal.rig import Rig

_LIMIT = 20.0


class LiveRig(Rig):
    """A rig whose agent runs by itself; hands, office and faults are used as in `Rig`, then waited for."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.port = free_port()
        super().__init__(folder, desk_port=self.port, poll_seconds=0.05, **config)
        self.home = f"http://127.0.0.1:{self.port}/"
        self._stop = threading.Event()

    def until(self, state: TerminalState) -> None:
        wait_for(lambda: self.now() is state, f"{state}, but it is {self.now()}")

    def seat(self) -> None:
        """Call somebody, who puts a card down: the box is open afterwards."""
        self.office.call()
        self.until(TerminalState.WAITING_CARD)
        self.reader.insert(CARD_A)
        self.until(TerminalState.OPEN)

    @contextmanager
    def running(self) -> Iterator["LiveRig"]:
        server = make_server("127.0.0.1", self.port, create_desk(self.agent), threaded=True)
        threads = [
            threading.Thread(target=self._loop),
            threading.Thread(target=self._poll_on),
            threading.Thread(target=self._watch),
            threading.Thread(target=server.serve_forever),
        ]
        for thread in threads:
            thread.start()
        try:
            self.until(TerminalState.LOCKED)
            yield self
        finally:
            self._stop.set()
            server.shutdown()
            for thread in threads:
                thread.join(_LIMIT)
            server.server_close()
            self.close()

    def _loop(self) -> None:
        self.agent.start()
        self.agent.run(self._stop)

    def _watch(self) -> None:
        # not `run`: its beat goes by the clock, and this clock jumps
        while not self._stop.is_set():
            self.agent.watcher.observe(0.05)

    def _poll_on(self) -> None:
        while not self._stop.wait(self.config.poll_seconds):
            self.agent.poll()


def wait_for(condition: Callable[[], bool], what: str, *, limit: float = _LIMIT) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
