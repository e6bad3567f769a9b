"""The in-memory reader: real readers' behaviour, every fault one method call away."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from madoguchi.card.errors import CardError, CardInUse, CardRemoved, NoCard, ReaderLost, SlotTaken
from madoguchi.card.reader import Card, Connection, ReaderState


class MemoryReader:
    """A reader without hardware; safe to use from several threads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._changed = threading.Condition()  # re-entrant: a card may act on its reader while it answers
        self._card: Card | None = None
        self._counter = 0
        self._lost = False
        self._in_use = False
        self._failure: CardError | None = None
        self._pull_in: int | None = None

    @property
    def card(self) -> Card | None:
        """The card that lies on the reader."""
        with self._changed:
            return self._card

    def state(self) -> ReaderState:
        """See `Reader.state`."""
        with self._changed:
            self._check()
            return self._look()

    def wait(self, known: ReaderState, timeout: float) -> ReaderState:
        """See `Reader.wait`."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._check()
            while self._look() == known and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
                self._check()
            return self._look()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """See `Reader.connect`."""
        with self._changed:
            card, counter = self._take(), self._counter
        connection = _MemoryConnection(self, card, counter)
        try:
            yield connection
        finally:
            connection.close()
            self._release(card)

    def insert(self, card: Card) -> None:
        """Put a card down. Raises `SlotTaken` when one lies there already."""
        with self._changed:
            if self._card is not None:
                raise SlotTaken(self.name)
            self._card = card
            self._count()

    def remove(self) -> None:
        """Take the card away; nothing happens when there is none."""
        with self._changed:
            if self._card is not None:
                self._card.power_off()
                self._card = None
                self._count()

    def swap(self, card: Card) -> None:
        """Take the card away and put another down, so quickly that only the counter tells."""
        with self._changed:
            self.remove()
            self.insert(card)

    def lose(self) -> None:
        """Unplug the reader, or stop its service: everything raises `ReaderLost` until `recover`."""
        with self._changed:
            self._lost = True
            self._count()
            self._power_off()

    def recover(self) -> None:
        """Plug the reader in again. The counter has grown: what happened in between nobody knows."""
        with self._changed:
            if self._lost:
                self._lost = False
                self._count()

    def fail_next(self, error: CardError) -> None:
        """Let the next state, wait (also one that is waiting), connect or transmit raise `error`, once."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def pull_at(self, apdu: int) -> None:
        """Take the card away when the n-th APDU from now arrives (1 = the very next): it is not answered."""
        with self._changed:
            self._pull_in = apdu

    def _look(self) -> ReaderState:
        return ReaderState(self._card is not None, self._counter)

    def _check(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if self._lost:
            raise ReaderLost(self.name)

    def _count(self) -> None:
        self._counter += 1
        self._changed.notify_all()

    def _take(self) -> Card:
        self._check()
        if self._in_use:
            raise CardInUse(self.name)
        if self._card is None:
            raise NoCard(self.name)
        self._card.power_off()
        self._in_use = True
        return self._card

    def _release(self, card: Card) -> None:
        with self._changed:
            self._in_use = False
            if self._card is card:
                card.power_off()

    def _power_off(self) -> None:
        if self._card is not None:
            self._card.power_off()

    def _transmit(self, card: Card, counter: int, apdu: bytes) -> tuple[bytes, int]:
        with self._changed:
            self._check()
            self._count_down()
            self._check_same(counter)
            answer = card.transmit(apdu)
            self._check_same(counter)  # taken away while it computed: the answer never arrived
            return answer

    def _count_down(self) -> None:
        if self._pull_in is not None:
            self._pull_in -= 1
            if self._pull_in == 0:
                self._pull_in = None
                self.remove()

    def _check_same(self, counter: int) -> None:
        if self._lost:
            raise ReaderLost(self.name)
        if self._counter != counter:
            raise CardRemoved(self.name)


class _MemoryConnection:
    """A use of one card; dead for good once the card has left or the `with` block has ended."""

    def __init__(self, reader: MemoryReader, card: Card, counter: int) -> None:
        self._reader = reader
        self._card = card
        self._counter: int | None = counter

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """See `Connection.transmit`."""
        if self._counter is None:
            raise CardRemoved(self._reader.name)
        return self._reader._transmit(self._card, self._counter, apdu)

    def close(self) -> None:
        """Refuse every further use."""
        self._counter = None
