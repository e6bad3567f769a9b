"""What the two machines owe each other: what a report carries, and what a poll's answer tells a terminal to do.

Both are rules of the protocol, not of a shell: they decide whether the two tables compose.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from madoguchi.protocol.events import EndCause, Event, EventKind
from madoguchi.protocol.messages import REPORT_FIELDS, Assignment
from madoguchi.protocol.roles import Role
from madoguchi.protocol.states import Terminal, TerminalState, VisitState


@dataclass(frozen=True, slots=True)
class Report:
    """What a terminal's message says: the visit and lease it is about (both or neither) and its body."""

    kind: EventKind
    visit: str | None
    lease: int | None
    body: Mapping[str, Any]


def report_of(kind: EventKind, before: Terminal, after: Terminal, event: Event) -> Report:
    """Say what the message for a `REPORT` (or `BIND`: kind `BIND_CARD`) effect carries.

    The visit is the one that stands after the step, or, where the step forgets it, the one before. A sweep
    belongs to no visit. Fields come from the event; what the event lacks comes from the snapshot (`cause`).
    """
    about = after if after.visit is not None else before
    swept = kind is EventKind.SWEEP_PROVEN
    known = {"cause": after.cause, "card_tag": after.card_tag} | dict(event.body)
    if kind is EventKind.END:
        known["cause"] = after.cause
    body = {name: known[name] for name in REPORT_FIELDS[kind] if known.get(name) is not None}
    return Report(kind, None if swept else about.visit, None if swept else about.lease, body)


def order_of(terminal: Terminal, assignment: Assignment | None, *, cleared: bool, unsent: bool) -> Event | None:
    """Say what a poll's answer means for the terminal: one event to post, or nothing.

    `unsent`: reports were waiting when the poll was asked, or came up since. The server may then not know yet
    what the terminal did, so everything but an order to end or a clearance waits for the next poll.
    """
    decide = _ORDERS.get(terminal.state)
    if decide is None or (unsent and terminal.state in _NEEDS_FRESH):
        return None
    return decide(terminal, assignment, cleared)


def _order_open(terminal: Terminal, assignment: Assignment | None, _cleared: bool) -> Event | None:
    """End a box whose visit the server no longer holds, or that staff want ended."""
    held = _held(terminal, assignment)
    return _end(terminal) if held is None or held.end_asked else None


def _order_locked(_terminal: Terminal, assignment: Assignment | None, _cleared: bool) -> Event | None:
    """Take a called visit on; sweep and report for one that is further along: the terminal lost its memory."""
    if assignment is None or assignment.state == VisitState.CONFIRMING:
        return None
    kind = EventKind.ASSIGN if assignment.state == VisitState.CALLED else EventKind.ORPHAN
    return _about(kind, assignment)


def _order_waiting(terminal: Terminal, assignment: Assignment | None, _cleared: bool) -> Event | None:
    """Wait for the answer while the card is asked for, unless the visit is gone or is to end."""
    held = _held(terminal, assignment)
    if held is None or held.state == VisitState.CONFIRMING:
        return _by_server(EventKind.UNASSIGN, terminal.lease)
    if terminal.exposed:
        return _end(terminal) if held.end_asked else None
    if held.state == VisitState.CALLED:
        return None
    return _about(EventKind.ORPHAN, held)


def _order_confirming(terminal: Terminal, assignment: Assignment | None, _cleared: bool) -> Event | None:
    """Lock when staff closed the visit; wipe and report again when the server never got the proof."""
    held = _held(terminal, assignment)
    if held is None:
        return _by_server(EventKind.SERVER_CLOSED, terminal.lease)
    if held.state == VisitState.CONFIRMING:
        return None
    return _about(EventKind.ORPHAN, held)


def _order_quarantined(terminal: Terminal, assignment: Assignment | None, cleared: bool) -> Event | None:
    """Wipe once more when an officer cleared the terminal, or the visit it holds."""
    held = _held(terminal, assignment)
    return _by_server(EventKind.CLEAR, terminal.lease) if cleared or (held is not None and held.cleared) else None


_ORDERS = {
    TerminalState.LOCKED: _order_locked,
    TerminalState.WAITING_CARD: _order_waiting,
    TerminalState.OPEN: _order_open,
    TerminalState.CURTAINED: _order_open,
    TerminalState.CONFIRMING: _order_confirming,
    TerminalState.QUARANTINED: _order_quarantined,
}
_NEEDS_FRESH = frozenset({TerminalState.LOCKED, TerminalState.WAITING_CARD, TerminalState.CONFIRMING})


def _held(terminal: Terminal, assignment: Assignment | None) -> Assignment | None:
    """Return the assignment if it is the visit and lease that the terminal knows."""
    same = assignment is not None and (assignment.visit, assignment.lease) == (terminal.visit, terminal.lease)
    return assignment if same else None


def _end(terminal: Terminal) -> Event:
    return _by_server(EventKind.END, terminal.lease, {"cause": EndCause.SERVER_SAID.value})


def _about(kind: EventKind, assignment: Assignment) -> Event:
    return _by_server(kind, assignment.lease, {"visit": assignment.visit, "lease": assignment.lease})


def _by_server(kind: EventKind, lease: int | None, body: Mapping[str, Any] | None = None) -> Event:
    return Event(kind, Role.SERVER, lease, body or {})
