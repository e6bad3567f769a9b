"""What the two counters of a replay have in common: people sit down, put cards on readers, and use pages."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from madoguchi.card import Connection, MemoryReader, Reader, ReaderState
from madoguchi.replay.pages import Pages

MakePages = Callable[[str], Pages]
"""A window on a fresh browser, standing at an address."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the national sites are reached: start and log-out of each procedure, and all origins a visit needs."""

    start: Mapping[str, str]
    logout: Mapping[str, str]
    allowed: tuple[str, ...]


class Counter(Protocol):
    """A counter with terminals. `who` is a person's letter."""

    def pass_time(self, seconds: float) -> None:
        """Live through the time until the next step."""
        ...

    def arrive(self, who: str, terminal: str, procedure: str) -> str:
        """Come in and be shown to a terminal; returns what happened, for the story."""
        ...

    def sit_down(self, who: str, terminal: str, procedure: str) -> str:
        """Sit down at a terminal without being called."""
        ...

    def put_card(self, who: str) -> str:
        """Put the own card on the reader, taking away what lies there."""
        ...

    def take_card(self, who: str) -> str:
        """Take the card away from the reader."""
        ...

    def open_portal(self, who: str) -> Pages:
        """Open the site from the prepared shortcut. Raises `NothingOnScreen`."""
        ...

    def pages(self, who: str) -> Pages:
        """The page in front of the person. Raises `NothingOnScreen`."""
        ...

    def leave(self, who: str, *, card_behind: bool) -> str:
        """Go away without logging out."""
        ...

    def finish(self, who: str) -> str:
        """End the procedure as one should, and go."""
        ...

    def close(self) -> None:
        """End of the replay."""
        ...


class SwitchReader:
    """The reader of the terminal at which somebody acts now: one card client serves all terminals of a replay."""

    def __init__(self) -> None:
        self.target: Reader = MemoryReader("none")

    @property
    def name(self) -> str:
        """Name of the reader in use."""
        return self.target.name

    def state(self) -> ReaderState:
        """See `Reader.state`."""
        return self.target.state()

    def wait(self, known: ReaderState, timeout: float) -> ReaderState:
        """See `Reader.wait`."""
        return self.target.wait(known, timeout)

    def connect(self) -> AbstractContextManager[Connection]:
        """See `Reader.connect`."""
        return self.target.connect()


@dataclass(slots=True)
class Seat:
    """One terminal: its reader, and who sits there for which procedure."""

    reader: MemoryReader
    who: str = ""
    procedure: str = ""


class Seats:
    """Who sits where. The last person to act at a terminal sits there."""

    def __init__(self, readers: Mapping[str, MemoryReader], switch: SwitchReader) -> None:
        self._seats = {name: Seat(reader) for name, reader in readers.items()}
        self._switch = switch

    def __iter__(self) -> Iterator[tuple[str, Seat]]:
        return iter(self._seats.items())

    def sit(self, who: str, terminal: str, procedure: str) -> Seat:
        """Put a person on a seat."""
        seat = self._seats[terminal]
        seat.who, seat.procedure = who, procedure
        return self.of(who)[1]

    def of(self, who: str) -> tuple[str, Seat]:
        """Where the person sits; a person who sits nowhere acts where anybody acted last (they hand cards over)."""
        found = next(((name, seat) for name, seat in self if seat.who == who), None)
        name, seat = found or next((n, s) for n, s in self if s.reader is self._switch.target)
        self._switch.target = seat.reader
        return name, seat
