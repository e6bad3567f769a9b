"""The only place that sets a visit's state: every one comes from `protocol.step`."""

from dataclasses import asdict
from typing import Any

from madoguchi.protocol import EffectKind, Event, EventKind, Role, VisitState, step
from madoguchi.protocol import Visit as Snapshot
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters import devices
from madoguchi.server.counters.models import Terminal
from madoguchi.server.errors import MovedOn
from madoguchi.server.visits.models import Visit
from madoguchi.server.visits.record import Report, record


def lock_terminal(terminal_id: Any) -> Terminal:
    """The terminal's row, held until the transaction ends. Locked before any visit: one order, no deadlock."""
    return Terminal.objects.select_for_update().get(pk=terminal_id)


def lock_visit(visit: Visit) -> tuple[Visit, Terminal | None]:
    """The visit and its terminal as they stand now, both held until the transaction ends. Raises `MovedOn`."""
    seen = Visit.objects.values_list("terminal_id", flat=True).get(pk=visit.pk)
    terminal = lock_terminal(seen) if seen else None
    held = Visit.objects.select_for_update(of=("self",)).select_related("procedure", "site").get(pk=visit.pk)
    if held.terminal_id != seen:
        # Called or sent back between the two reads. Locking the other terminal now would break the order.
        raise MovedOn(held.ticket)
    return held, terminal


def apply(*, visit: Visit, event: Event, staff: Staff | None = None, report: Report | None = None) -> None:
    """Apply one event to a visit that is held, record it, and do what follows. Raises what `step` raises."""
    after, effects = step(visit.snapshot(), event)
    terminal = _terminal_of(visit, event)
    # The record first: the database refuses states whose chain is missing.
    record(event=event, visit=visit, terminal=terminal, staff=staff, report=report)
    _write(visit, after, event)
    for effect in effects:
        if effect.kind is EffectKind.CLOSE_VISIT:
            apply(visit=visit, event=Event(EventKind.CLOSE, Role.SERVER, visit.lease))
        if effect.kind is EffectKind.RETIRE_TERMINAL and terminal and staff:
            devices.retire(terminal=terminal, staff=staff)


def _terminal_of(visit: Visit, event: Event) -> Terminal | None:
    chosen = event.body["terminal"] if event.kind is EventKind.CALL else visit.terminal_id
    return Terminal.objects.get(pk=chosen) if chosen else None


def _write(visit: Visit, after: Snapshot, event: Event) -> None:
    fields = asdict(after)
    fields["terminal_id"] = fields.pop("terminal")
    for name, value in fields.items():
        setattr(visit, name, value)
    visit.end_asked = event.kind is EventKind.ASK_END or (visit.end_asked and after.state is VisitState.SERVING)
    _stamp(visit, event)
    visit.save()


def _stamp(visit: Visit, event: Event) -> None:
    if event.kind is EventKind.CALL:
        visit.called_at = clock.now()
    if event.kind is EventKind.RETURN_TO_QUEUE:
        visit.called_at = None
    if event.kind in (EventKind.CLOSE, EventKind.WITHDRAW):
        visit.closed_at = clock.now()
    if event.kind in (EventKind.CONFIRM, EventKind.WITHDRAW):
        visit.reason = str(event.body.get("reason") or "")[:200]
