"""What the server's picture means for this terminal: pure, one rule per state.

The lag rule: while own messages are on their way (`settled` is False) the server's picture may be older than what
happened here, and only the safe direction is followed (`end_asked`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from madoguchi.protocol import Assignment, EndCause, Event, EventKind, Role, Terminal, TerminalState, VisitState
from madoguchi.terminal.link import PollAnswer

_HOLDS_A_BOX = frozenset({VisitState.SERVING.value, VisitState.ENDING.value})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules need besides the terminal's own snapshot."""

    settled: bool
    closed_lease: int
    can_serve: bool


def reconcile(terminal: Terminal, answer: PollAnswer, facts: Facts) -> Event | None:
    """Return the one event that the answer calls for, if any.

    - open, curtained: `end_asked`, or (settled) a server that does not hold this visit as serving -> END(server_said)
    - waiting_card: (settled) a visit with a box by the server's record -> ORPHAN; another or none -> UNASSIGN
    - confirming: (settled) no such visit, or closed -> SERVER_CLOSED
    - quarantined: (settled) cleared -> CLEAR
    - locked: (settled) a called visit with a lease newer than every closed one -> ASSIGN; one with a box -> ORPHAN
    """
    rule = _RULES.get(terminal.state)
    return rule(terminal, answer, facts) if rule else None


def _in_use(terminal: Terminal, answer: PollAnswer, facts: Facts) -> Event | None:
    held = answer.assignment
    ours = held is not None and _same(terminal, held)
    asked = held is not None and ours and held.end_asked
    gone = facts.settled and not (ours and held is not None and held.state == VisitState.SERVING)
    if asked or gone:
        return _said(EventKind.END, terminal.lease, {"cause": EndCause.SERVER_SAID.value})
    return None


def _waiting(terminal: Terminal, answer: PollAnswer, facts: Facts) -> Event | None:
    held = answer.assignment
    if not facts.settled:
        return None
    if held is not None and held.state in _HOLDS_A_BOX:
        return _about(EventKind.ORPHAN, held)
    if held is not None and _same(terminal, held) and held.state == VisitState.CALLED:
        return None
    return _said(EventKind.UNASSIGN, terminal.lease)


def _confirming(terminal: Terminal, answer: PollAnswer, facts: Facts) -> Event | None:
    held = answer.assignment
    stands = held is not None and _same(terminal, held) and held.state != VisitState.CLOSED
    return None if stands or not facts.settled else _said(EventKind.SERVER_CLOSED, terminal.lease)


def _quarantined(terminal: Terminal, answer: PollAnswer, facts: Facts) -> Event | None:
    cleared = answer.cleared or (answer.assignment is not None and answer.assignment.cleared)
    return _said(EventKind.CLEAR, terminal.lease) if cleared and facts.settled else None


def _locked(_: Terminal, answer: PollAnswer, facts: Facts) -> Event | None:
    held = answer.assignment
    if held is None or not facts.settled:
        return None
    if held.state in _HOLDS_A_BOX:
        return _about(EventKind.ORPHAN, held)
    fresh = held.state == VisitState.CALLED and held.lease > facts.closed_lease
    return _about(EventKind.ASSIGN, held) if fresh and facts.can_serve else None


def _same(terminal: Terminal, held: Assignment) -> bool:
    return (terminal.visit, terminal.lease) == (held.visit, held.lease)


def _said(kind: EventKind, lease: int | None, body: Mapping[str, Any] | None = None) -> Event:
    return Event(kind, Role.SERVER, lease, body or {})


def _about(kind: EventKind, held: Assignment) -> Event:
    return _said(kind, held.lease, {"visit": held.visit, "lease": held.lease})


_RULES = {
    TerminalState.OPEN: _in_use,
    TerminalState.CURTAINED: _in_use,
    TerminalState.WAITING_CARD: _waiting,
    TerminalState.CONFIRMING: _confirming,
    TerminalState.QUARANTINED: _quarantined,
    TerminalState.LOCKED: _locked,
}
