"""From a step to what is kept and told: pure."""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from madoguchi.protocol import Assignment, Event, EventKind, Terminal
from madoguchi.terminal.journal import Draft, Record

_VERSION = version("madoguchi")


def next_record(before: Record, after: Terminal, assignment: Assignment | None) -> Record:
    """What to remember after a step. `assignment` is what the server's answer brought, if the event came from one."""
    if after.visit is None:
        ended = before.terminal.lease if before.terminal.exposed else None
        return Record(after, None, max(before.closed_lease, ended or 0))
    named = assignment if assignment is not None and assignment.visit == after.visit else before.assignment
    return Record(after, named, before.closed_lease)


def draft_for(
    kind: EventKind, before: Terminal, after: Terminal, event: Event, payload: Mapping[str, Any] | None
) -> Draft:
    """The message that reports this step. A sweep is about the terminal, not about a visit."""
    about = after if after.visit is not None else before
    if kind is EventKind.SWEEP_PROVEN:
        return Draft(kind, None, None, _body(kind, after, event))
    given = dict(payload) if payload is not None else None
    return Draft(kind, about.visit, about.lease, _body(kind, after, event), given)


def poll_report(terminal: Terminal, *, moment: datetime, training: bool) -> dict[str, Any]:
    """The body of a poll."""
    return {
        "state": terminal.state.value,
        "visit": terminal.visit,
        "lease": terminal.lease,
        "clock": moment.isoformat(),
        "training": training,
        "version": _VERSION,
    }


def _body(kind: EventKind, after: Terminal, event: Event) -> dict[str, Any]:
    match kind:
        case EventKind.END:
            return {"cause": after.cause}
        case EventKind.UNCURTAIN:
            return {"card_tag": event.body["card_tag"]}
        case EventKind.CURTAIN:
            return {}
    return dict(event.body)
