"""What is read: the board, one visit, the record. Nothing here writes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from madoguchi.protocol import EventKind, OwnName, Permission, TerminalState, VisitState
from madoguchi.protocol.states import OCCUPYING
from madoguchi.protocol.table import rows_for
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import Device, Site, Terminal
from madoguchi.server.errors import (
    NotYours,
    OfficeError,
    TerminalBusy,
    TerminalInTraining,
    TerminalNotEnrolled,
    TerminalNotReady,
    TerminalOutOfService,
    TerminalQuarantined,
    TerminalSilent,
)
from madoguchi.server.visits.models import RejectedMessage, Visit

OPEN_STATES = [state.value for state in OCCUPYING]


def open_visit(terminal: Terminal) -> Visit | None:
    """The visit that holds the terminal. The database allows one."""
    return Visit.objects.select_related("procedure", "site").filter(terminal=terminal, state__in=OPEN_STATES).first()


def rejected_for(staff: Staff) -> QuerySet[RejectedMessage]:
    """Refused messages of the terminals that this person may see, newest first."""
    rows = RejectedMessage.objects.select_related("terminal__site")
    return rows if staff.site_id is None else rows.filter(terminal__site_id=staff.site_id)


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
    if terminal.training and not terminal.site.training:
        return TerminalInTraining(str(terminal))
    if terminal.state != TerminalState.LOCKED:
        return TerminalNotReady(str(terminal))
    return None


def visits_for(staff: Staff) -> QuerySet[Visit]:
    """The visits that exist for this person."""
    rows = Visit.objects.select_related("procedure", "site", "terminal__site")
    return rows if staff.site_id is None else rows.filter(site_id=staff.site_id)


def visit_for(staff: Staff, visit_id: UUID) -> Visit:
    """One visit of the person's own site. Raises `NotYours`: a foreign one does not exist."""
    found = visits_for(staff).filter(pk=visit_id).first()
    if found is None:
        raise NotYours(str(visit_id))
    return found


def site_for(staff: Staff, slug: str) -> Site:
    """One site that the person sees. Raises `NotYours`."""
    found = Site.objects.filter(slug=slug).first()
    if found is None or not staff.sees(found.pk):
        raise NotYours(slug)
    return found


def terminal_for(staff: Staff, terminal_id: UUID) -> Terminal:
    """One terminal of a site that the person sees. Raises `NotYours`."""
    found = Terminal.objects.select_related("site").filter(pk=terminal_id).first()
    if found is None or not staff.sees(found.site_id):
        raise NotYours(str(terminal_id))
    return found


@dataclass(frozen=True, slots=True)
class SeatView:
    """A terminal as the board shows it. `refusal` None: somebody can be called here."""

    terminal: Terminal
    visit: Visit | None
    refusal: OfficeError | None
    silent: bool
    clock_off: bool


@dataclass(frozen=True, slots=True)
class Board:
    """A site at one moment. `mixed_up`: today's visits after which the citizen saw another's name."""

    site: Site
    waiting: list[Visit]
    seats: list[SeatView]
    mixed_up: list[Visit]


def board(site: Site) -> Board:
    """Waiting tickets in order and the terminals with why they can or cannot be called to. Four queries."""
    return Board(site, waiting(site), seats(Terminal.objects.filter(site=site)), mixed_up(site))


def mixed_up(site: Site) -> list[Visit]:
    """Today's visits whose citizen said that the last screen showed another person's name, newest first."""
    rows = Visit.objects.filter(site=site, day=clock.today(), confirmation__own_name=OwnName.OTHER.value)
    return list(rows.select_related("terminal").order_by("-closed_at"))


def waiting(site: Site) -> list[Visit]:
    """The tickets that wait at the site, oldest first; those of earlier days have to be withdrawn by somebody."""
    rows = Visit.objects.filter(site=site, state=VisitState.WAITING.value).select_related("procedure")
    return list(rows.order_by("created_at", "number"))


def called(site: Site) -> list[Visit]:
    """The tickets that are being called now, newest first, for the public display."""
    rows = Visit.objects.filter(site=site, state=VisitState.CALLED.value).select_related("terminal")
    return list(rows.order_by("-called_at"))


def seats(terminals: QuerySet[Terminal]) -> list[SeatView]:
    """Each terminal with its open visit and the gate's answer. Two queries for any number of terminals."""
    now = clock.now()
    enrolled = Exists(Device.objects.filter(terminal=OuterRef("pk"), revoked_at__isnull=True))
    rows = list(terminals.select_related("site").annotate(enrolled=enrolled))
    held = {
        visit.terminal_id: visit
        for visit in Visit.objects.filter(terminal__in=rows, state__in=OPEN_STATES).select_related("procedure")
    }
    return [_seat(row, held.get(row.pk), enrolled=row.enrolled, now=now) for row in rows]


def _seat(terminal: Terminal, visit: Visit | None, *, enrolled: bool, now: datetime) -> SeatView:
    refusal = why_not_ready(terminal, enrolled=enrolled, held=visit is not None, now=now)
    clock_off = abs(terminal.clock_skew) > settings.CLOCK_LIMIT
    return SeatView(terminal, visit, refusal, silent(terminal, now), clock_off)


_ACTIONS = {
    EventKind.RETURN_TO_QUEUE: Permission.CALL_TICKET,
    EventKind.WITHDRAW: Permission.WITHDRAW_TICKET,
    EventKind.ASK_END: Permission.ASK_END,
    EventKind.CONFIRM: Permission.CONFIRM_FOR_CITIZEN,
    EventKind.ATTEST_WIPE: Permission.ATTEST_WIPE,
}
"""What staff can do on a visit's page, and the permission for each."""


def actions(visit: Visit, staff: Staff) -> list[EventKind]:
    """What this person may do with the visit now: the table's rows for its state and the person's role."""
    return [
        kind
        for kind, permission in _ACTIONS.items()
        if staff.may(permission) and any(staff.acts_as in row.who for row in rows_for(visit.snapshot(), kind))
    ]
