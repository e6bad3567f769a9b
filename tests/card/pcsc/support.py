"""The hand at a reader of a real pcscd, and the tools that use it from outside."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from card.support import running
from madoguchi.card import Card, CardError, Connection, ReaderLost, ReaderState
from madoguchi.card.pcsc import PcscReader
from madoguchi.card.pcsc_codes import is_present
from madoguchi.card.pcsc_line import Link
from madoguchi.card.pcscd import PrivatePcscd
from madoguchi.card.vpcd import VpcdSlot

READER = "Virtual PCD 00 00"
SOON = 10.0
"""Seconds: far more than anything here takes."""


def until(condition: Callable[[], bool], seconds: float = SOON) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come about"
        time.sleep(0.005)


def lies() -> bool | None:
    """What pcscd says, asked by a connection of our own; None while presence and count do not fit, or nobody answers.

    Every test begins with an empty reader and a count of 0: a card lies there when the count is odd.
    """
    try:
        link = Link()
        try:
            event = link.look(READER)
        finally:
            link.close()
        return is_present(event) if is_present(event) == bool(event >> 16 & 1) else None
    except ReaderLost:
        return None


def await_card() -> None:
    until(lambda: lies() is True)


def await_empty() -> None:
    until(lambda: lies() is False)


class Hand:
    """Moves cards and waits until pcscd has seen it: MemoryReader's hands, on the real thing."""

    def __init__(self, service: PrivatePcscd, reader: PcscReader) -> None:
        self.slot = VpcdSlot(service.dial)
        self.reader = reader
        self._service = service
        self._kept: Card | None = None
        self._lost = False

    @property
    def card(self) -> Card | None:
        return self.slot.card

    def state(self) -> ReaderState:
        return self.reader.state()

    def wait(self, known: ReaderState, timeout: float) -> ReaderState:
        return self.reader.wait(known, timeout)

    def connect(self) -> AbstractContextManager[Connection]:
        return self.reader.connect()

    def insert(self, card: Card) -> None:
        self.slot.insert(card)
        await_card()

    def remove(self) -> None:
        if self.slot.card is not None:
            self.slot.remove()
            await_empty()

    def swap(self, card: Card) -> None:
        self.remove()
        self.insert(card)

    def lose(self) -> None:
        self._service.kill()
        self._kept, self._lost = self.slot.card, True
        self.slot.remove()

    def recover(self) -> None:
        if self._lost:
            self._lost = False
            self._service.start()
            await_empty()
            if self._kept is not None:
                self.insert(self._kept)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("pcsc")]


def tool(service: PrivatePcscd, home: Path, *command: str, good: bool = True) -> str:
    """Run one of OpenSC's (or openssl's) own programs; return what it said."""
    environment = {**os.environ, **service.environment, "HOME": str(home), "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == good, said
    return said


@contextmanager
def program(service: PrivatePcscd, text: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Another process with a program of its own; goes on once it has said `ready`, and is killed at the end."""
    with running(text, *arguments, **service.environment) as process:
        yield process


def code_of(use: Callable[[], object]) -> str:
    """Name of the error that a use raises; empty for none."""
    try:
        use()
    except CardError as error:
        return error.code
    return ""
