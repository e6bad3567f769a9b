"""The poll: what the terminal says of itself, and what the server holds for it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from madoguchi.protocol import Assignment, TerminalState
from madoguchi.server import clock
from madoguchi.server.counters.models import Device, Terminal
from madoguchi.server.ledger import statements
from madoguchi.server.visits.models import Visit
from madoguchi.server.visits.selectors import open_visit


@dataclass(frozen=True, slots=True)
class Held:
    """What the server holds for a terminal."""

    server_time: datetime
    assignment: Assignment | None
    cleared: bool


def poll(*, device: Device, state: TerminalState, clock_at: datetime, training: bool, version: str) -> Held:
    """Note the terminal's word and answer what is held for it. `clock_at`: the terminal's own time."""
    now = clock.now()
    skew = (clock_at - now).total_seconds()
    _note_clock(device.terminal_id, skew)
    Terminal.objects.filter(pk=device.terminal_id).update(
        state=state.value,
        last_seen=now,
        clock_skew=skew,
        training=training,
        version=version[:40],
    )
    terminal = Terminal.objects.get(pk=device.terminal_id)
    visit = open_visit(terminal)
    return Held(now, assignment(visit, terminal) if visit else None, terminal.cleared)


def _note_clock(terminal_id: UUID, skew: float) -> None:
    """State once that the terminal's clock has gone wrong, and once that it is right again."""
    before = Terminal.objects.values_list("clock_skew", flat=True).get(pk=terminal_id)
    was_off, is_off = (abs(seconds) > settings.CLOCK_NOTED for seconds in (before, skew))
    if was_off != is_off:
        body = {"skew": round(skew, 1)}
        statements.state(kind="clock_off" if is_off else "clock_right", body=body, terminal=terminal_id, alone=True)


def assignment(visit: Visit, terminal: Terminal) -> Assignment:
    """The visit as the terminal is told of it."""
    return Assignment(
        visit=str(visit.pk),
        ticket=visit.ticket,
        lease=visit.lease or 0,
        state=visit.state,
        procedure=visit.procedure.assignment(),
        end_asked=visit.end_asked,
        cleared=terminal.cleared,
    )
