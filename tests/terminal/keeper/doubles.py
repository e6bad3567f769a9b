"""A ground whose boxes are only noted down, and a keeper on it in this very process: for what is said on the line."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from madoguchi.protocol import Procedure
from madoguchi.terminal.errors import BoxUnavailable, WipeUnproven
from madoguchi.terminal.ground import Order
from madoguchi.terminal.keeper import Keeper, listening
from madoguchi.terminal.ports import SPACE_NONE, SPACE_UNMOUNTED, WipeProof
from madoguchi.terminal.spawn import Pipes

NAME = "0123456789abcdef"
TIME = "2026-11-01T09:00:00.000+09:00"


def proof(space: str = SPACE_UNMOUNTED, leftovers: int = 0) -> WipeProof:
    return WipeProof(False, "not_tried", TIME, TIME, TIME, space, leftovers)  # noqa: FBT003


@dataclass
class NotedHold:
    ground: "NotedGround"
    order: Order
    killed: int = 0
    proven: int = 0

    def settle(self) -> None:
        if self.ground.fault:
            raise self.ground.fault
        if self.ground.unsettled:
            raise BoxUnavailable("箱がありません")

    def kill(self) -> None:
        self.killed += 1
        self.ground.events.append("kill")

    def prove(self, *, logout: str) -> WipeProof:
        assert logout == "not_tried"
        self.ground.events.append("prove")
        self.ground.gate.wait(10)
        if self.ground.unprovable:
            raise self.ground.unprovable
        if self.ground.held:
            raise WipeUnproven("held by 123")
        self.proven += 1
        return proof()


@dataclass
class NotedGround:
    lacks: tuple[str, ...] = ()
    held: bool = False
    unsettled: bool = False
    refuses: bool = False
    fault: Exception | None = None
    unprovable: Exception | None = None
    leftovers: int = 0
    holds: list[NotedHold] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    sweeps: int = 0
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def missing(self) -> tuple[str, ...]:
        return self.lacks

    def start(self, order: Order) -> NotedHold:
        order.inner.close()
        self.gate.wait(10)
        if self.refuses:
            raise BoxUnavailable("箱を作れません", "ブラウザがありません")
        self.holds.append(NotedHold(self, order))
        return self.holds[-1]

    def sweep(self) -> WipeProof:
        self.sweeps += 1
        if self.held:
            raise WipeUnproven("leftover space")
        found, self.leftovers = self.leftovers, 0
        return proof(SPACE_NONE, found)


@contextmanager
def keeping(place: Path, ground: NotedGround, *, uid: int | None = None) -> Iterator[Keeper]:
    """A keeper that serves in a thread of this process."""
    stop, halt = os.pipe()
    keeper = Keeper(ground, name=NAME, uid=os.geteuid() if uid is None else uid)
    with listening(place, gid=os.getegid()) as listener:
        thread = threading.Thread(target=keeper.serve, args=(listener, stop))
        thread.start()
        try:
            yield keeper
        finally:
            os.close(halt)
            thread.join()
            os.close(stop)


def dial(place: Path) -> socket.socket:
    """Connect as any program could."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.settimeout(5)
    line.connect(str(place))
    return line


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@contextmanager
def an_order(procedure: Procedure | None = None, size: tuple[int, int] = (1280, 800)) -> Iterator[Order]:
    """An order with pipes of its own; whoever takes it closes the inner ends."""
    pipes = Pipes()
    try:
        given = procedure or Procedure("p", "架空の手続", "https://a.test/start", "https://a.test/out", ("a.test",))
        yield Order(given, size, pipes.inner)
    finally:
        pipes.close_outer()
