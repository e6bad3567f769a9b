"""Asking the server to bind a card to the visit: the one question the terminal waits for, under one idempotency key."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from madoguchi.protocol import EventKind, ProtocolError, Terminal, Verdict, VisitState
from madoguchi.terminal.errors import JournalBroken, ServerRefused, ServerUnreachable, TerminalError
from madoguchi.terminal.journal import Draft, Journal, Outbound, Stamp
from madoguchi.terminal.link import Answer, PollAnswer
from madoguchi.terminal.outbox import Outbox


class BindResult(StrEnum):
    """How the question came out. `STRAY`: the server has bound a card that is no longer the one on the reader."""

    BOUND = "bound"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    STRAY = "stray"


@dataclass(frozen=True, slots=True)
class BindOutcome:
    """The result; `code` and `sentence` say why for everything but BOUND."""

    result: BindResult
    code: str = ""
    sentence: str = ""


class Binder:
    """Keeps the question in the journal until it is answered, so that a repeat is the same question."""

    def __init__(self, *, journal: Journal, outbox: Outbox, look: Callable[[], PollAnswer], stamp: Stamp) -> None:
        self._journal = journal
        self._outbox = outbox
        self._look = look
        self._stamp = stamp
        self._may_have_left: set[str] = set()

    def ask(self, terminal: Terminal) -> BindOutcome:
        """Ask for `terminal.card_tag`, or settle an older unanswered question first. Never raises link errors."""
        older = self._journal.waiting_alone()
        if older is None or older.message.body["card_tag"] == terminal.card_tag:
            return self._put(older or self._question(terminal), terminal)
        outcome = self._put(older, terminal)
        if outcome.result is BindResult.BOUND:
            return BindOutcome(BindResult.STRAY)
        if outcome.result is BindResult.NO_ANSWER:
            return outcome
        return self._put(self._question(terminal), terminal)

    @property
    def waiting(self) -> bool:
        """Whether a question stands unanswered."""
        return self._journal.waiting_alone() is not None

    def _question(self, terminal: Terminal) -> Outbound:
        body = {"card_tag": terminal.card_tag}
        return self._journal.add(
            Draft(EventKind.BIND_CARD, terminal.visit, terminal.lease, body, alone=True), self._stamp
        )

    def _put(self, question: Outbound, terminal: Terminal) -> BindOutcome:
        try:
            answer = self._outbox.deliver_alone(question)
        except ServerRefused as refusal:
            self._journal.settle(question, reason=refusal.reason)
            return BindOutcome(BindResult.REFUSED, refusal.reason, refusal.sentence)
        except JournalBroken:
            raise
        except (TerminalError, ProtocolError) as error:
            self._keep_or_take_back(question, error)
            return BindOutcome(BindResult.NO_ANSWER, error.code, error.sentence)
        self._may_have_left.discard(question.message.id)
        return self._judge(answer, terminal)

    def _keep_or_take_back(self, question: Outbound, error: TerminalError | ProtocolError) -> None:
        if not isinstance(error, ServerUnreachable) or error.sent:
            self._may_have_left.add(question.message.id)
        elif question.message.id not in self._may_have_left:
            self._journal.take_back(question)

    def _judge(self, answer: Answer, terminal: Terminal) -> BindOutcome:
        if answer.verdict is Verdict.REJECTED:
            return BindOutcome(BindResult.REFUSED, answer.reason or "Rejected", answer.sentence)
        if answer.verdict is Verdict.DUPLICATE and not self._stands(terminal):
            return BindOutcome(BindResult.REFUSED, "DuplicateNotServing", "")
        return BindOutcome(BindResult.BOUND)

    def _stands(self, terminal: Terminal) -> bool:
        """Whether the server really holds the visit as serving: "seen before" does not say what came of it."""
        try:
            held = self._look().assignment
        except (TerminalError, ProtocolError):
            return False
        mine = held is not None and (held.visit, held.lease) == (terminal.visit, terminal.lease)
        return mine and held is not None and held.state == VisitState.SERVING
