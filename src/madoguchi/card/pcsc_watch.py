"""An unbroken watch over one reader of pcscd, from the look that begins it to the first doubt.

Rules:
1. Two connections: the *witness* is asked, the *sentry* blocks in SCardGetStatusChange and only rings. Both live as
   long as the watch: if pcscd ends, or is started again, they break, and so does the watch. It is never mended.
2. pcscd counts insertions and removals. A count that goes back, or that does not fit to what lies there (it changes by
   one each time), is a doubt. So are unknown codes, states that say neither yes nor no, a reader that is gone, and no
   answer in time.
3. A doubt breaks the watch for everybody: whoever waits, and whoever waits later, gets `ReaderLost`.
"""

import contextlib
import threading
import time
from collections.abc import Sequence

from madoguchi.card.errors import CardError, ReaderAmbiguous, ReaderLost, ReaderNotFound
from madoguchi.card.pcsc_codes import counted, is_present, steps_between
from madoguchi.card.pcsc_line import QUICK, Link
from madoguchi.card.reader import ReaderState

_SLICE = 1.0
"""Seconds after which the sentry looks without having been woken."""
_LOOKS = 5
_PAUSE = 0.002
"""pcscd writes presence and count one after the other: a look between them does not fit, and is taken again."""
_CLOSE_STEP = 0.05


def choose(name: str, readers: Sequence[str]) -> str:
    """Return the reader that `name` means: its full name, or the beginning of only one.

    Raises `ReaderNotFound`, `ReaderAmbiguous`.
    """
    if name in readers:
        return name
    fitting = [reader for reader in readers if name and reader.startswith(name)]
    if not fitting:
        raise ReaderNotFound(name)
    if len(fitting) > 1:
        raise ReaderAmbiguous(name)
    return fitting[0]


class Watch:
    """Sees what happens on one reader."""

    def __init__(self, name: str, first_counter: int) -> None:
        """Begin with a look. Raises `ReaderLost`."""
        self._changed = threading.Condition()
        self._broken: CardError | None = None
        self.first_counter = first_counter
        with contextlib.ExitStack() as undo:
            self._witness = _open(undo)
            self.reader = choose(name, self._witness.readers())
            self._event = self._witness.look(self.reader)
            self._state = ReaderState(is_present(self._event), first_counter)
            self._sentry = _open(undo)
            self.look()  # the witness still answers: both talk to the same pcscd
            undo.pop_all()
        self._thread = threading.Thread(target=self._watch, name="pcsc sentry", daemon=True)
        self._thread.start()

    def look(self) -> ReaderState:
        """Ask pcscd. Raises `ReaderLost`."""
        with self._changed:
            return self._look()

    def wait(self, known: ReaderState, timeout: float) -> ReaderState:
        """See `Reader.wait`."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._look()
            while self._state == known and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
                self._check()
            return self._state

    def doubt_unless_seen(self, before: ReaderState, seconds: float) -> None:
        """A use of the card ended by its removal: if pcscd does not notice, count an event that it missed."""
        with self._changed, contextlib.suppress(ReaderLost):
            deadline = time.monotonic() + seconds
            while self._look() == before and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            if self._state == before:
                self._tell(ReaderState(before.present, before.counter + 1))

    @property
    def counter(self) -> int:
        """The counter of the last look."""
        with self._changed:
            return self._state.counter

    def close(self) -> None:
        """End the watch: whoever waits gets `ReaderLost` now. Returns when the sentry has ended."""
        self._break(ReaderLost("closed"))
        deadline = time.monotonic() + QUICK
        while self._thread.is_alive() and time.monotonic() < deadline:
            with contextlib.suppress(ReaderLost):
                self._witness.cancel(self._sentry)  # in vain if it is just about to block: hence the loop
            self._thread.join(_CLOSE_STEP)
        self.abandon()

    def abandon(self) -> None:
        """End the watch and wait for nobody: the sentry ends by itself, soon."""
        self._break(ReaderLost("closed"))
        self._witness.close()
        self._sentry.close()

    def _watch(self) -> None:
        event = self._event
        try:
            while self._broken is None:
                event = self._sentry.look(self.reader, event, _SLICE)
                self.look()
        except ReaderLost as error:
            self._break(error)
        finally:
            self._break(ReaderLost("nobody watches"))

    def _look(self) -> ReaderState:
        """Look and take in what is seen; the lock is held."""
        self._check()
        try:
            self._take()
        except ReaderLost as error:
            self._break(error)
            raise
        except Exception as error:
            self._break(ReaderLost(type(error).__name__))
            raise ReaderLost(type(error).__name__) from error  # what nobody thought of is a doubt, too
        return self._state

    def _take(self) -> None:
        for _ in range(_LOOKS):
            seen = self._witness.look(self.reader)
            for event in (seen, counted(seen)):
                steps = steps_between(self._event, event)
                if steps is not None:
                    self._count(event, steps)
                    return
            time.sleep(_PAUSE)
        raise ReaderLost("the event counter does not fit")

    def _count(self, event: int, steps: int) -> None:
        self._event = event
        if steps:
            self._tell(ReaderState(is_present(event), self._state.counter + steps))

    def _tell(self, state: ReaderState) -> None:
        self._state = state
        self._changed.notify_all()

    def _check(self) -> None:
        if self._broken is not None:
            raise ReaderLost(*self._broken.args)

    def _break(self, error: CardError) -> None:
        with self._changed:
            if self._broken is None:
                self._broken = error
                self._changed.notify_all()


def _open(undo: contextlib.ExitStack) -> Link:
    link = Link()
    undo.callback(link.close)
    return link
