"""Asking the server to bind a card to the visit: the one question the terminal waits for, under one idempotency key.

The question is written by the step itself (`reports.draft_for`) and stays in the journal until it is answered, so that
asking again is the same question. A question that certainly never left is taken back, number and all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from madoguchi.protocol import ProtocolError, Terminal, Verdict, VisitState
from madoguchi.terminal.errors import JournalBroken, ServerRefused, ServerUnreachable, TerminalError
from madoguchi.terminal.journal import Journal, Outbound
from madoguchi.terminal.link import Answer, PollAnswer
from madoguchi.terminal.outbox import Outbox


class BindResult(StrEnum):
    """How the question came out. `NEVER_LEFT`: the server cannot know of it."""

    BOUND = "bound"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    NEVER_LEFT = "never_left"


@dataclass(frozen=True, slots=True)
class BindOutcome:
    """The result; `code` and `sentence` say why for everything but BOUND."""

    result: BindResult
    code: str = ""
    sentence: str = ""


class Binder:
    """Asks, and asks again."""

    def __init__(self, *, journal: Journal, outbox: Outbox, look: Callable[[], PollAnswer]) -> None:
        self._journal = journal
        self._outbox = outbox
        self._look = look
        self._may_have_left: set[str] = set()

    @property
    def waiting(self) -> bool:
        """Whether a question stands unanswered."""
        return self._journal.waiting_alone() is not None

    def ask(self, terminal: Terminal) -> BindOutcome:
        """Deliver the question and judge the answer. Raises `JournalBroken` only."""
        question = self._journal.waiting_alone()
        if question is None:
            raise RuntimeError("no question in the journal")
        try:
            answer = self._outbox.deliver_alone(question)
        except JournalBroken:
            raise
        except ServerRefused as refusal:
            self._journal.settle(question, reason=refusal.reason)
            return BindOutcome(BindResult.REFUSED, refusal.reason, refusal.sentence)
        except (TerminalError, ProtocolError) as error:
            return self._unanswered(question, error)
        self._may_have_left.discard(question.message.id)
        return self._judge(answer, terminal)

    def withdraw(self) -> None:
        """Take back a question that was never sent."""
        question = self._journal.waiting_alone()
        if question is not None and question.message.id not in self._may_have_left:
            self._journal.take_back(question)

    def _unanswered(self, question: Outbound, error: TerminalError | ProtocolError) -> BindOutcome:
        if not isinstance(error, ServerUnreachable) or error.sent:
            self._may_have_left.add(question.message.id)
        if question.message.id in self._may_have_left:
            return BindOutcome(BindResult.NO_ANSWER, error.code, error.sentence)
        self._journal.take_back(question)
        return BindOutcome(BindResult.NEVER_LEFT, error.code, error.sentence)

    def _judge(self, answer: Answer, terminal: Terminal) -> BindOutcome:
        if answer.verdict is Verdict.REJECTED:
            return BindOutcome(BindResult.REFUSED, answer.reason or "Rejected", answer.sentence)
        if answer.verdict is Verdict.DUPLICATE and not self._stands(terminal):
            return BindOutcome(BindResult.REFUSED, "DuplicateNotServing")
        return BindOutcome(BindResult.BOUND)

    def _stands(self, terminal: Terminal) -> bool:
        """Whether the server really holds the visit as serving: "seen before" alone does not say what came of it."""
        try:
            held = self._look().assignment
        except (TerminalError, ProtocolError):
            return False
        if held is None or (held.visit, held.lease) != (terminal.visit, terminal.lease):
            return False
        return held.state == VisitState.SERVING
