"""What the agent makes of what the watcher tells: the card that counts, and the events it means."""

from madoguchi.card.errors import ReaderLost
from madoguchi.protocol import EndCause, Event, EventKind, Role, Terminal, TerminalState
from madoguchi.terminal.status import Notice
from madoguchi.terminal.timers import Clock
from madoguchi.terminal.watch import Observation, Sight, Watcher

IN_USE = frozenset({TerminalState.OPEN, TerminalState.CURTAINED})
_BEAT_LIMIT = 6.0


class Presence:
    """The card side of the agent; owned by its loop.

    `lying`: a card lay on the reader when the visit was called. It may be the last person's: it does not count until
    it has been put down again.
    """

    def __init__(self, *, watcher: Watcher, clock: Clock) -> None:
        self._watcher = watcher
        self._clock = clock
        self._seen: Observation | None = None
        self.lying = False
        self.notice: Notice | None = None

    @property
    def present(self) -> bool:
        """Whether a card lay there at the last look."""
        return self._watcher.present

    def called(self) -> None:
        """A visit has just been assigned."""
        self.lying = self._watcher.present

    def here(self) -> bool:
        """Whether the card seen last still lies there untouched; asks the reader, any doubt is False."""
        return self._seen is not None and self._watcher.untouched_since(self._seen.counter)

    def seen_again(self) -> Event | None:
        """The card seen last as a new event, if it still lies there untouched."""
        return self._event_of(self._seen) if self._seen is not None and self.here() else None

    def take(self, seen: Observation, terminal: Terminal) -> Event | None:
        """Take in one observation; return the event it means. Trouble means the end only while a box may be open."""
        match seen.sight:
            case Sight.SEEN:
                self._seen, self.notice = seen, None
                return self._event_of(seen)
            case Sight.GONE:
                self._seen, self.notice, self.lying = None, None, False
                return Event(EventKind.CARD_GONE, Role.TERMINAL)
            case Sight.RECOVERED:
                self.notice, self.lying = None, self._watcher.present
                return None
        self._seen = None
        if seen.sentence:
            self.notice = Notice(seen.code, seen.sentence)
        return _end(terminal, EndCause.READER_LOST if seen.sight is Sight.LOST else EndCause.DOUBT)

    def missed_beat(self, terminal: Terminal) -> Event | None:
        """The end, when the watcher's thread has stopped looking: a dead watcher must not pass for a calm reader."""
        beat = self._watcher.beat
        if beat is None or self._clock.monotonic() - beat <= _BEAT_LIMIT:
            return None
        self.notice = Notice(ReaderLost.__name__, ReaderLost.sentence)
        return _end(terminal, EndCause.DOUBT)

    @staticmethod
    def _event_of(seen: Observation) -> Event:
        return Event(EventKind.CARD_SEEN, Role.TERMINAL, None, {"card_tag": seen.tag})


def _end(terminal: Terminal, cause: EndCause) -> Event | None:
    if terminal.state not in IN_USE:
        return None
    return Event(EventKind.END, Role.TERMINAL, terminal.lease, {"cause": cause.value})
