"""What the core's tests run against: boxes in memory, a clock they move, an office that runs the real table."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from madoguchi.card import MemoryReader
from madoguchi.protocol import (
    Assignment,
    Procedure,
)
from madoguchi.terminal.enrol import Credentials
from madoguchi.terminal.errors import BoxUnavailable, WipeUnproven
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, LOGOUT_VISITED, SPACE_NONE, Plate, Screen, WipeProof

START = datetime(2022, 8, 17, 10, 0, tzinfo=UTC)
PROCEDURE = Procedure(
    code="payment_service",
    label="キャッシュレス決済サービスの申込(架空)",
    start_url="http://points.test/",
    logout_url="http://points.test/logout",
    allowed=("http://points.test",),
)


class SimClock:
    """Stands still until told to move."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.offset = timedelta(0)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds) + self.offset

    def monotonic(self) -> float:
        return self.seconds

    def forward(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class TagCard:
    """A card of which only the tag matters."""

    tag: str

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:  # noqa: ARG002
        return b"", 0x9000

    def power_off(self) -> None:
        return None


CARD_A = TagCard("a" * 64)
CARD_B = TagCard("b" * 64)


def tag_reading(reader: MemoryReader) -> Callable[[], str]:
    """Reads the tag as the real function does: connecting, with everything that can go wrong then."""

    def read() -> str:
        with reader.connect():
            card = reader.card
            assert isinstance(card, TagCard)
            return card.tag

    return read


@dataclass
class MemoryScreen:
    """A screen of one colour; keeps what reached it."""

    size: tuple[int, int] = (1024, 768)
    got: list[tuple[Any, ...]] = field(default_factory=list)

    def frame(self) -> bytes | None:
        return base64.b64decode(_JPEG)

    def click(self, x: int, y: int, button: int = 1) -> None:
        self.got.append(("click", x, y, button))

    def scroll(self, x: int, y: int, steps: int) -> None:
        self.got.append(("scroll", x, y, steps))

    def key(self, name: str) -> None:
        self.got.append(("key", name))

    def text(self, text: str) -> None:
        self.got.append(("text", text))


class InMemoryBox:
    """A box that can be looked into."""

    def __init__(self, boxes: "InMemoryBoxes", assignment: Assignment, on_death: Callable[[str], None]) -> None:
        self._boxes = boxes
        self.assignment = assignment
        self.die = on_death
        self.curtains: list[bool] = []
        self.alive = True
        self.notices: list[str] = []
        self.plates: list[Plate] = []
        self.idle: float | None = None
        self.visited: list[str] = []
        self.screen: Screen | None = MemoryScreen() if boxes.relay else None

    def curtain(self, down: bool) -> None:
        self._boxes.fail_if("curtain")
        assert self.alive
        self.curtains.append(down)

    @property
    def covered(self) -> bool:
        return bool(self.curtains) and self.curtains[-1]

    def tell(self, plate: Plate) -> None:
        self.plates.append(plate)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def idle_for(self) -> float | None:
        self._boxes.fail_if("idle_for")
        return self.idle

    def logout(self, url: str) -> str:
        self._boxes.fail_if("logout")
        self.visited.append(url)
        return LOGOUT_VISITED

    def destroy(self) -> WipeProof:
        self._boxes.fail_if("destroy")
        self.alive = False
        self._boxes.destroyed += 1
        return self._boxes.proof()


class InMemoryBoxes:
    """Keeps every box ever opened: `alive` is the truth that invariants are checked against.

    `failing` maps a method's name to the error that its next call raises.
    """

    def __init__(self, *, training: bool = False, relay: bool = False) -> None:
        self.training = training
        self.relay = relay
        self.lacks: tuple[str, ...] = ()
        self.opened: list[InMemoryBox] = []
        self.destroyed = 0
        self.prepared: list[Procedure | None] = []
        self.sweeps = 0
        self.failing: dict[str, BaseException] = {}

    @property
    def alive(self) -> list[InMemoryBox]:
        return [box for box in self.opened if box.alive]

    def missing(self) -> tuple[str, ...]:
        return self.lacks

    def prepare(self, procedure: Procedure | None) -> None:
        self.fail_if("prepare")
        self.prepared.append(procedure)

    def open(self, assignment: Assignment, on_death: Callable[[str], None]) -> InMemoryBox:
        self.fail_if("open")
        if self.lacks and not self.training:
            raise BoxUnavailable(*self.lacks)
        box = InMemoryBox(self, assignment, on_death)
        self.opened.append(box)
        return box

    def sweep(self) -> WipeProof:
        self.fail_if("sweep")
        self.sweeps += 1
        left = self.alive
        for box in left:
            box.alive = False
        return self.proof(leftovers=len(left))

    def proof(self, *, leftovers: int = 0) -> WipeProof:
        at = START.isoformat()
        return WipeProof(self.training, LOGOUT_NOT_TRIED, at, at, at, SPACE_NONE, leftovers)

    def fail_if(self, name: str) -> None:
        error = self.failing.pop(name, None)
        if error is not None:
            raise error

    def fail_wipe(self) -> None:
        for name in ("destroy", "sweep"):
            self.failing[name] = WipeUnproven("space held")


def make_credentials() -> Credentials:
    return Credentials(
        terminal="t1",
        name="1番",
        site="本庁舎",
        token="token-0",
        tag_key=b"k" * 32,
        key=Ed25519PrivateKey.generate(),
        seal_key=b"s" * 32,
        token_at=START,
    )


@contextmanager
def failing(boxes: InMemoryBoxes, name: str, error: Exception) -> Iterator[None]:
    boxes.failing[name] = error
    yield
    assert name not in boxes.failing, "the planned failure never happened"


_JPEG = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/4gHYSUNDX1BST0ZJTEUAAQEAAAHIAAAAAAQwAABtbnRyUkdCIFhZWiAH4AABAAEAAAAAAABhY3NwAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAA9tYAAQAAAADTLQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAlkZXNjAAAA8AAAACRyWFlaAAABFAAAABRnWFlaAAABKAAAABRiWFlaAAABPAAAABR3dHB0AAABUAAAABRyVFJDAAABZAAAAChn"
    "VFJDAAABZAAAAChiVFJDAAABZAAAAChjcHJ0AAABjAAAADxtbHVjAAAAAAAAAAEAAAAMZW5VUwAAAAgAAAAcAHMAUgBHAEJYWVogAAAAAAAA"
    "b6IAADj1AAADkFhZWiAAAAAAAABimQAAt4UAABjaWFlaIAAAAAAAACSgAAAPhAAAts9YWVogAAAAAAAA9tYAAQAAAADTLXBhcmEAAAAAAAQA"
    "AAACZmYAAPKnAAANWQAAE9AAAApbAAAAAAAAAABtbHVjAAAAAAAAAAEAAAAMZW5VUwAAACAAAAAcAEcAbwBvAGcAbABlACAASQBuAGMALgAg"
    "ADIAMAAxADb/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////////////////////////////2wBD"
    "AVVaWnhpeOuCguv/////////////////////////////////////////////////////////////////////////wAARCAAMABADASIAAhEB"
    "AxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAv/EABQRAQAAAAAA"
    "AAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AIAEL//Z"
)
