"""A real reader, over PC/SC (pcscd) with pyscard's plain calls.

Rules beyond those of `reader.py`:
1. Presence is watched by blocking SCardGetStatusChange with pcscd's event counter (`pcsc_watch.py`). pyscard's
   CardMonitor is not used: it dies silently when pcscd restarts, and compares cards by their ATR.
2. No handle is held between uses: other programs may use the card meanwhile, and then it is `CardInUse` here.
3. A use is exclusive, on a connection of its own, and switches the card off at both ends: on real cards a verified
   PIN survives everything else. After its first failure it is over: pcscd would go on with whatever lies there now.
4. A watch that broke is never mended in passing. Only `state()` begins a new one, with a counter that has jumped;
   `wait` on what was known before is `ReaderLost`, and so is a use as long as nobody has looked again.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from madoguchi.card.errors import CardError, CardRemoved, CardSilent, NoCard, ReaderLost
from madoguchi.card.pcsc_codes import Code, is_present, use_error
from madoguchi.card.pcsc_line import Link
from madoguchi.card.pcsc_watch import Watch, choose
from madoguchi.card.reader import Connection, ReaderState

_JUMP = 2
NOTICE = 1.0
"""Seconds within which pcscd notices a removal by itself (it looks every 0.4 s)."""
_STATUS_WORD = 2


class PcscReader:
    """One reader of pcscd; safe to use from several threads. `close`, or a `with` block, ends its watch."""

    def __init__(self, name: str) -> None:
        """`name` is the reader's full name, or the beginning of it if no other reader begins so. Asks nobody yet."""
        self._name = name
        self._guard = threading.Lock()
        self._watch: Watch | None = None
        self._next_counter = 0
        self._lost = False
        self._closed = False

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    def state(self) -> ReaderState:
        """See `Reader.state`. Begins a new watch if there is none, or if the old one is broken."""
        with self._guard:
            watch = self._watch
        if watch is not None:
            with suppress(ReaderLost):
                return watch.look()
            self._drop(watch)
        return self._begin().look()

    def wait(self, known: ReaderState, timeout: float) -> ReaderState:
        """See `Reader.wait`. Raises `ReaderLost` also when `known` was seen before the reader was lost."""
        with self._guard:
            watch = self._watch
        if watch is None or known.counter < watch.first_counter:
            raise ReaderLost("nobody has looked since the reader was lost")
        with self._dropping(watch):
            return watch.wait(known, timeout)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """See `Reader.connect`. Entering also raises `CardSilent`, `CardRemoved`."""
        watch, before = self._unbroken()
        use = _Use(self._name if watch is None else watch.reader)
        try:
            with use:
                yield use
        finally:
            if use.card_left and watch is not None:
                watch.doubt_unless_seen(before, NOTICE)

    def close(self) -> None:
        """End the watch; whoever waits gets `ReaderLost`, and so does every later call."""
        with self._guard:
            self._closed = True
            watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()

    def __enter__(self) -> "PcscReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> Watch:
        with self._guard:
            if self._closed:
                raise ReaderLost("closed")
            if self._watch is None:
                self._watch = Watch(self._name, self._next_counter)
                self._lost = False
            return self._watch

    def _unbroken(self) -> tuple[Watch | None, ReaderState]:
        """Return the watch and what it sees; no watch if nobody ever looked. Raises `ReaderLost` while it is broken."""
        with self._guard:
            watch = self._watch
            if self._closed or (watch is None and self._lost):
                raise ReaderLost("the reader was lost; look first")
        if watch is None:
            return None, ReaderState(present=False, counter=-1)
        with self._dropping(watch):
            return watch, watch.look()

    @contextmanager
    def _dropping(self, watch: Watch) -> Iterator[None]:
        try:
            yield
        except ReaderLost:
            self._drop(watch)
            raise

    def _drop(self, watch: Watch) -> None:
        with self._guard:
            if self._watch is not watch:
                return
            self._watch, self._lost = None, True
            self._next_counter = watch.counter + _JUMP
        watch.abandon()


class _Use:
    """One use of one card. Dead for good after any failure, and when the `with` block has ended."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._end: CardError | None = CardRemoved("not open")
        self._guard = threading.Lock()
        self.card_left = False

    def __enter__(self) -> "_Use":
        self._link = Link()
        try:
            self._handle = self._open()
        except BaseException as error:
            self.card_left = isinstance(error, CardRemoved)
            self._link.close()
            raise
        self._end = None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Switch the card off. Raises `ReaderLost` when nobody can say whether it is off."""
        with self._guard:
            failed, self._end = self._end, self._end or CardRemoved("ended")
        try:
            code = self._link.release_card(self._handle)
        except ReaderLost:
            code = Code.TIMEOUT
        self._link.close()
        if code == Code.OK or failed is not None:
            return
        after = use_error(code)
        self.card_left = isinstance(after, CardRemoved)
        if error is None and not self.card_left:
            raise after

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """See `Connection.transmit`."""
        with self._guard:
            if self._end is not None:
                raise type(self._end)(*self._end.args)
            try:
                return self._transmit(apdu)
            except CardError as error:
                self._end = error
                self.card_left = isinstance(error, CardRemoved)
                raise

    def _transmit(self, apdu: bytes) -> tuple[bytes, int]:
        code, response = self._link.transmit(self._handle, apdu)
        if code != Code.OK:
            raise use_error(code)
        if len(response) < _STATUS_WORD:
            raise CardRemoved("no valid response")  # taken away while it computed
        return response[:-_STATUS_WORD], int.from_bytes(response[-_STATUS_WORD:], "big")

    def _open(self) -> int:
        reader = choose(self._name, self._link.readers())
        try:
            return self._link.open(reader)
        except CardSilent as error:
            if self._has_left(reader):
                raise NoCard(reader) from error
            raise

    def _has_left(self, reader: str) -> bool:
        """Whether there is nothing that could answer: pcscd may not have noticed yet."""
        deadline = time.monotonic() + NOTICE
        event = self._link.look(reader)
        while is_present(event) and (left := deadline - time.monotonic()) > 0:
            event = self._link.look(reader, event, left)
        return not is_present(event)
