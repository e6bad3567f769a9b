"""From a step to what is kept and told."""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from madoguchi.protocol import Assignment, EffectKind, Event, EventKind, Terminal
from madoguchi.protocol.events import Effect
from madoguchi.protocol.exchange import report_of
from madoguchi.terminal.errors import JournalBroken
from madoguchi.terminal.journal import Draft, Journal, Record

_VERSION = version("madoguchi")


def next_record(before: Record, after: Terminal, assignment: Assignment | None) -> Record:
    """What to remember after a step. `assignment` is what the server's answer brought, if the event came from one."""
    if after.visit is None:
        ended = before.terminal.lease if before.terminal.exposed else None
        return Record(after, None, max(before.closed_lease, ended or 0))
    named = assignment if assignment is not None and assignment.visit == after.visit else before.assignment
    return Record(after, named, before.closed_lease)


def draft_for(
    effect: Effect, before: Terminal, after: Terminal, event: Event, payload: Mapping[str, Any] | None
) -> Draft | None:
    """The message that an effect calls for, if it does. Asking for a card is the one that is answered at once."""
    asks = effect.kind is EffectKind.BIND
    kind = EventKind.BIND_CARD if asks else effect.event
    if kind is None:
        return None
    report = report_of(kind, before, after, event)
    beside = dict(payload) if payload is not None else None
    return Draft(report.kind, report.visit, report.lease, dict(report.body), beside, alone=asks)


def pending(journal: Journal, *, otherwise: tuple[int, int]) -> tuple[int, int]:
    """How many messages wait, and how many the server could not take; `otherwise` when the journal cannot tell."""
    try:
        return journal.pending_count(), journal.parked_count()
    except JournalBroken:
        return otherwise


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
