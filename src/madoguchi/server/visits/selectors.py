"""What is read: the board, one visit, the record. Nothing here writes."""

from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from madoguchi.protocol import TerminalState
from madoguchi.protocol.states import OCCUPYING
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import Terminal
from madoguchi.server.errors import (
    OfficeError,
    TerminalBusy,
    TerminalNotEnrolled,
    TerminalNotReady,
    TerminalOutOfService,
    TerminalQuarantined,
    TerminalSilent,
)
from madoguchi.server.visits.models import Visit

OPEN_STATES = [state.value for state in OCCUPYING]


def open_visit(terminal: Terminal) -> Visit | None:
    """The visit that holds the terminal. The database allows one."""
    return Visit.objects.select_related("procedure", "site").filter(terminal=terminal, state__in=OPEN_STATES).first()


def silent(terminal: Terminal, now: datetime) -> bool:
    """Whether the terminal has said nothing within the heartbeat limit."""
    return terminal.last_seen is None or (now - terminal.last_seen).total_seconds() > settings.HEARTBEAT_LIMIT


def why_not_ready(terminal: Terminal, *, enrolled: bool, held: bool, now: datetime) -> OfficeError | None:
    """The gate (I4): why nobody may be called to the terminal now, or `None`. Board and call ask this one rule.

    `enrolled`: a machine stands behind it. `held`: a visit that is not closed stands on it.
    """
    if not terminal.in_service:
        return TerminalOutOfService(str(terminal))
    if not enrolled:
        return TerminalNotEnrolled(str(terminal))
    if terminal.quarantined:
        return TerminalQuarantined(str(terminal))
    if held:
        return TerminalBusy(str(terminal))
    if silent(terminal, now):
        return TerminalSilent(str(terminal))
    if terminal.state != TerminalState.LOCKED:
        return TerminalNotReady(str(terminal))
    return None


def visits_for(staff: Staff) -> QuerySet[Visit]:
    """The visits that exist for this person."""
    rows = Visit.objects.select_related("procedure", "site", "terminal__site")
    return rows if staff.site_id is None else rows.filter(site_id=staff.site_id)
