"""The agent's dealings with the server: poll, deliver, bind; how the server was, and what its picture asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from madoguchi.protocol import Assignment, Event, EventKind, ProtocolError, Role, StaleLease, Terminal, TerminalState
from madoguchi.protocol.exchange import order_of
from madoguchi.terminal.bind import Binder, BindOutcome, BindResult
from madoguchi.terminal.config import TerminalConfig
from madoguchi.terminal.errors import ClockFarOff, JournalBroken, ServerUnreachable, TerminalError, TokenRevoked
from madoguchi.terminal.journal import Journal, Record
from madoguchi.terminal.link import Link, PollAnswer
from madoguchi.terminal.outbox import Outbox
from madoguchi.terminal.reports import poll_report
from madoguchi.terminal.status import Notice, Server
from madoguchi.terminal.timers import Clock


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one poll brought: an answer or an error; `seq` is the newest message when it began."""

    seq: int
    answer: PollAnswer | None = None
    error: TerminalError | ProtocolError | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The event that the server's picture calls for, and the visit it brought."""

    event: Event
    assignment: Assignment | None


class Liaison:
    """`fetch` may run in any thread; everything else in the agent's loop."""

    def __init__(
        self,
        *,
        config: TerminalConfig,
        clock: Clock,
        link: Link,
        journal: Journal,
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
        self._binder = Binder(journal=journal, outbox=self._outbox, look=self._look)
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

    def digest(self, fetched: Fetched, *, can_serve: bool) -> Order | None:
        """Take in a poll's result; return what it calls for."""
        if fetched.answer is None:
            self._trouble(fetched.error)
            return None
        self.server = Server.REACHED
        self._compare_clocks(fetched.answer)
        held, terminal = fetched.answer.assignment, self._record().terminal
        # a question that stands unanswered is no report: the answer to it is what the poll helps to find
        unsent = self._journal.unsent_count() > 0 or self._journal.last_seq != fetched.seq
        event = order_of(terminal, held, cleared=fetched.answer.cleared, unsent=unsent)
        if event is None or (event.kind is EventKind.ASSIGN and not self._may_take_on(held, can_serve=can_serve)):
            return None
        return Order(event, held)

    def bind(self) -> BindOutcome:
        """Ask the server to bind the seen card; blocks for the link's time-out at most. Raises `JournalBroken` only."""
        outcome = self._binder.ask(self._record().terminal)
        if outcome.code == TokenRevoked.__name__:
            self.server = Server.REVOKED
        return outcome

    def withdraw(self) -> None:
        """Take back a question that is not to be asked."""
        self._binder.withdraw()

    @property
    def waits_for_answer(self) -> bool:
        """Whether a question may have arrived whose answer has not."""
        return self._record().terminal.state is TerminalState.WAITING_CARD and self._binder.waiting

    def _may_take_on(self, held: Assignment | None, *, can_serve: bool) -> bool:
        stale = held is not None and held.lease <= self._record().closed_lease
        if stale:
            self.notice = Notice(StaleLease.__name__, StaleLease.sentence)
        return can_serve and not stale

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
    """The events that a bind's outcome means. A card that left meanwhile is reported before the answer."""
    said = partial(Event, by=Role.SERVER, lease=terminal.lease)
    match outcome.result:
        case BindResult.BOUND if still_there:
            return (said(EventKind.BOUND),)
        case BindResult.BOUND:
            return (Event(EventKind.CARD_GONE, Role.TERMINAL), said(EventKind.BOUND))
        case BindResult.REFUSED | BindResult.NEVER_LEFT:
            return (said(EventKind.BIND_REFUSED, body={"reason": outcome.code}),)
        case BindResult.NO_ANSWER:
            return ()
