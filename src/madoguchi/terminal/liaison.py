"""The agent's dealings with the server: poll, deliver, bind; how the server was, and what its picture asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from madoguchi.protocol import Assignment, Event, EventKind, ProtocolError, Role, Terminal, TerminalState
from madoguchi.terminal.bind import Binder, BindOutcome, BindResult
from madoguchi.terminal.config import TerminalConfig
from madoguchi.terminal.errors import ClockFarOff, JournalBroken, ServerUnreachable, TerminalError, TokenRevoked
from madoguchi.terminal.journal import Journal, Record, Stamp
from madoguchi.terminal.link import Link, PollAnswer
from madoguchi.terminal.outbox import Outbox
from madoguchi.terminal.reconcile import Facts, reconcile
from madoguchi.terminal.reports import poll_report
from madoguchi.terminal.status import Notice, Server
from madoguchi.terminal.timers import Clock


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one poll brought: an answer or an error; `seq` is the newest message when it began."""

    seq: int
    answer: PollAnswer | None = None
    error: TerminalError | ProtocolError | None = None


class Liaison:
    """`fetch` may run in any thread; everything else in the agent's loop."""

    def __init__(
        self,
        *,
        config: TerminalConfig,
        clock: Clock,
        link: Link,
        journal: Journal,
        stamp: Stamp,
        training: bool,
        record: Callable[[], Record],
    ) -> None:
        self._config = config
        self._clock = clock
        self._link = link
        self._journal = journal
        self._training = training
        self._record = record
        self._outbox = Outbox(journal=journal, link=link)
        self._binder = Binder(journal=journal, outbox=self._outbox, look=self._look, stamp=stamp)
        self._unanswered = False
        self.server = Server.UNKNOWN
        self.skew: float | None = None
        self.notice: Notice | None = None

    def fetch(self) -> Fetched:
        """Deliver what waits and ask the server once. Raises `JournalBroken` only."""
        seq = self._journal.last_seq
        try:
            self._outbox.flush()
            return Fetched(seq, answer=self._look())
        except JournalBroken:
            raise
        except (TerminalError, ProtocolError) as error:
            return Fetched(seq, error=error)

    def digest(self, fetched: Fetched, *, can_serve: bool) -> tuple[Event, Assignment | None] | None:
        """Take in a poll's result; return the event it calls for."""
        if fetched.answer is None:
            self._trouble(fetched.error)
            return None
        self.server = Server.REACHED
        self._compare_clocks(fetched.answer)
        record = self._record()
        settled = self._journal.pending_count() == 0 and self._journal.last_seq == fetched.seq
        event = reconcile(record.terminal, fetched.answer, Facts(settled, record.closed_lease, can_serve))
        return (event, fetched.answer.assignment) if event is not None else None

    def bind(self) -> BindOutcome:
        """Ask the server to bind the seen card; blocks for the link's time-out at most."""
        outcome = self._binder.ask(self._record().terminal)
        self._unanswered = outcome.result is BindResult.NO_ANSWER
        if outcome.code == TokenRevoked.__name__:
            self.server = Server.REVOKED
        return outcome

    def should_ask_again(self, *, card_present: bool) -> bool:
        """Whether to repeat an unanswered bind: always when it may have arrived, else while the card lies there."""
        terminal = self._record().terminal
        if self.server is not Server.REACHED or terminal.state is not TerminalState.WAITING_CARD:
            return False
        if terminal.card_tag is None:
            return False
        return self._binder.waiting or (self._unanswered and card_present)

    def _look(self) -> PollAnswer:
        report = poll_report(self._record().terminal, moment=self._clock.now(), training=self._training)
        return self._link.poll(report)

    def _compare_clocks(self, answer: PollAnswer) -> None:
        self.skew = (self._clock.now() - answer.server_time).total_seconds()
        far = abs(self.skew) > self._config.clock_tolerance
        self.notice = Notice(ClockFarOff.__name__, ClockFarOff.sentence) if far else None

    def _trouble(self, error: TerminalError | ProtocolError | None) -> None:
        self.server = Server.REVOKED if isinstance(error, TokenRevoked) else Server.UNREACHABLE
        shown = error if isinstance(error, TerminalError) else ServerUnreachable("malformed answer")
        self.notice = Notice(shown.code, shown.sentence)


def after_bind(outcome: BindOutcome, terminal: Terminal, *, still_there: bool) -> tuple[Event, ...]:
    """The events that a bind's outcome means. A card that left meanwhile opens the box under the curtain."""
    said = partial(Event, by=Role.SERVER, lease=terminal.lease)
    match outcome.result:
        case BindResult.BOUND if still_there:
            return (said(EventKind.BOUND),)
        case BindResult.BOUND:
            return (said(EventKind.BOUND), Event(EventKind.CARD_GONE, Role.TERMINAL))
        case BindResult.STRAY:
            return (said(EventKind.ORPHAN, body={"visit": terminal.visit, "lease": terminal.lease}),)
        case BindResult.REFUSED:
            return (said(EventKind.BIND_REFUSED, body={"reason": outcome.code}),)
        case BindResult.NO_ANSWER:
            return ()
