"""Who lies on the reader: one look at a time, fail closed.

Rules:
1. A card counts as seen only when it was put down while somebody was looking, and its tag was read, and the event
   counter did not move meanwhile. A card that already lay there at the first look, or after the reader was lost, is
   not "seen": it has to be put down again.
2. More than the one expected event between two looks is a `JUMP`: a card may have been swapped.
3. A reader that does not answer is `LOST`, never "no card".
4. The reader is used only to read the tag at an insertion; no handle is held while the citizen works.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from madoguchi.card.errors import CardError, CardInUse, CardRemoved, NoCard, ReaderLost
from madoguchi.card.reader import Reader, ReaderState
from madoguchi.terminal.timers import Clock

_LOOK_SECONDS = 1.0
_RETRY_SECONDS = 0.2
_RETRIES = 25


class Sight(StrEnum):
    """What one look can show."""

    SEEN = "seen"
    GONE = "gone"
    JUMP = "jump"
    UNREADABLE = "unreadable"
    LOST = "lost"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing seen: `tag` and the reader's `counter` with SEEN, `code` and `sentence` with UNREADABLE and LOST."""

    sight: Sight
    tag: str = ""
    counter: int = -1
    code: str = ""
    sentence: str = ""


class Watcher:
    """Watches one reader and tells what it sees. `observe` is called by one thread (or test) at a time."""

    def __init__(
        self, *, reader: Reader, read_tag: Callable[[], str], tell: Callable[[Observation], None], clock: Clock
    ) -> None:
        self._reader = reader
        self._read_tag = read_tag
        self._tell = tell
        self._clock = clock
        self._known: ReaderState | None = None
        self._lost = False
        self._unread = 0
        self.beat: float | None = None

    @property
    def present(self) -> bool:
        """Whether a card lay there at the last look."""
        return self._known is not None and self._known.present

    def untouched_since(self, counter: int) -> bool:
        """Ask the reader itself whether the card seen at `counter` lies there untouched; any doubt is False."""
        try:
            return self._reader.state() == ReaderState(present=True, counter=counter)
        except Exception:  # noqa: BLE001  # any doubt is False
            return False

    def observe(self, timeout: float = 0.0) -> bool:
        """Look once, waiting up to `timeout` seconds for a change; return whether anything was told."""
        try:
            return self._look(timeout)
        except ReaderLost as error:
            return self._lose(error.code, error.sentence)
        except CardError as error:
            self._tell(Observation(Sight.UNREADABLE, code=error.code, sentence=error.sentence))
            return True
        except Exception as error:  # noqa: BLE001  # a watcher that dies would pass for a calm reader
            return self._lose(type(error).__name__, ReaderLost.sentence)

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop`; `beat` tells the agent that somebody is looking."""
        while not stop.is_set():
            self.beat = self._clock.monotonic()
            self.observe(_RETRY_SECONDS if self._unread else _LOOK_SECONDS)
            if self._lost:
                stop.wait(_LOOK_SECONDS)

    def _look(self, timeout: float) -> bool:
        if self._known is None:
            return self._first_look()
        new = self._reader.wait(self._known, timeout)
        if new == self._known:
            return self._try_again()
        old, self._known, self._unread = self._known, new, 0
        self._tell_change(old, new)
        return True

    def _first_look(self) -> bool:
        self._known = self._reader.state()
        if not self._lost:
            return False
        self._lost = False
        self._tell(Observation(Sight.RECOVERED))
        return True

    def _tell_change(self, old: ReaderState, new: ReaderState) -> None:
        if new.counter != old.counter + 1 or new.present == old.present:
            self._tell(Observation(Sight.JUMP))
        if old.present or not new.present:
            self._tell(Observation(Sight.GONE))
        if new.present:
            self._read(new)

    def _try_again(self) -> bool:
        if not self._unread or self._known is None:
            return False
        return self._read(self._known)

    def _read(self, state: ReaderState) -> bool:
        try:
            tag = self._read_tag()
        except (NoCard, CardRemoved):
            self._unread = 0
            return False  # the next look sees it go
        except CardInUse as error:
            return self._in_use(error)
        self._unread = 0
        if self._reader.state() != state:
            return False  # read from a card that is no longer the one looked at: the next look sees the change
        self._tell(Observation(Sight.SEEN, tag=tag, counter=state.counter))
        return True

    def _in_use(self, error: CardInUse) -> bool:
        self._unread += 1
        if self._unread <= _RETRIES:
            return False
        self._unread = 0
        self._tell(Observation(Sight.UNREADABLE, code=error.code, sentence=error.sentence))
        return True

    def _lose(self, code: str, sentence: str) -> bool:
        self._known, self._unread = None, 0
        if self._lost:
            return False
        self._lost = True
        self._tell(Observation(Sight.LOST, code=code, sentence=sentence))
        return True
