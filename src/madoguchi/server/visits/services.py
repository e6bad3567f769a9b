"""What staff do with visits. Together with `inbox` the only writers of visits; states come from `transitions.apply`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from madoguchi.protocol import (
    Confirmation,
    Event,
    EventKind,
    IllegalTransition,
    InterruptReason,
    Outcome,
    OwnName,
    Permission,
    TerminalState,
    VisitState,
    step,
)
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import require
from madoguchi.server.counters.models import Device, ProcedureKind, Site, Terminal
from madoguchi.server.errors import (
    NothingToClear,
    OtherSite,
    ProcedureNotOffered,
    SameStaffTwice,
    TerminalBusy,
    TerminalStillSpeaks,
    TicketTaken,
)
from madoguchi.server.ledger import payloads
from madoguchi.server.visits.models import DayCounter, Visit, VisitEvent, ticket_text
from madoguchi.server.visits.record import record
from madoguchi.server.visits.selectors import open_visit, silent, why_not_ready
from madoguchi.server.visits.transitions import apply, lock_terminal, lock_visit

_AT_WORK = (TerminalState.OPEN, TerminalState.CURTAINED)
_WIPES = (EventKind.WIPE_FAILED.value, EventKind.WIPE_PROVEN.value, EventKind.SWEEP_PROVEN.value)


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody typed: personal until shown otherwise. It never stands in a statement, only its token does."""

    text: str


def issue_ticket(
    *, site: Site, procedure: ProcedureKind, preflight: dict[str, Any], staff: Staff, key: UUID | None = None
) -> Visit:
    """A new ticket, waiting. `preflight`: the answers of reception. Raises `ProcedureNotOffered`.

    `key`: the form's own number; a form that is sent twice gives one ticket.
    """
    require(staff=staff, permission=Permission.ISSUE_TICKET, site_id=site.pk)
    if not procedure.offered(clock.today()):
        raise ProcedureNotOffered(procedure.code)
    try:
        with transaction.atomic():
            return _issue(site, procedure, preflight, staff, key or uuid4())
    except IntegrityError:
        issued = Visit.objects.filter(pk=key, site=site).first() if key else None
        if issued is None:
            raise
        return issued


def _issue(site: Site, procedure: ProcedureKind, preflight: dict[str, Any], staff: Staff, key: UUID) -> Visit:
    event = Event(EventKind.ISSUE, staff.acts_as, body={"preflight": preflight, "procedure": procedure.code})
    state = step(None, event)[0].state
    number = _next_number(site)
    visit = Visit.objects.create(
        id=key,
        site=site,
        day=clock.today(),
        number=number,
        ticket=ticket_text(site.ticket_letter, number),
        procedure=procedure,
        preflight=preflight,
        state=state,
        created_at=clock.now(),
    )
    record(event=event, visit=visit, staff=staff)
    return visit


def call(*, visit: Visit, terminal: Terminal, staff: Staff) -> Visit:
    """Call the ticket to the terminal under a new lease; of several callers at once, one wins.

    Raises the gate's refusals (`selectors.why_not_ready`), `TicketTaken`, `OtherSite`, `NotYours`, `Forbidden`.
    """
    require(staff=staff, permission=Permission.CALL_TICKET, site_id=terminal.site_id)
    require(staff=staff, permission=Permission.CALL_TICKET, site_id=visit.site_id)
    try:
        with transaction.atomic():
            return _call(visit, terminal, staff)
    except IntegrityError as error:
        raise TerminalBusy(str(terminal)) from error


def _call(visit: Visit, terminal: Terminal, staff: Staff) -> Visit:
    lease = _grant_lease(terminal)
    _check_gate(terminal)
    ticket = Visit.objects.select_for_update(of=("self",)).select_related("procedure", "site").get(pk=visit.pk)
    if ticket.site_id != terminal.site_id:
        raise OtherSite(f"{ticket} at {terminal}")
    body = {"terminal": str(terminal.pk), "lease": lease}
    try:
        apply(visit=ticket, event=Event(EventKind.CALL, staff.acts_as, lease, body), staff=staff)
    except IllegalTransition as error:
        raise TicketTaken(ticket.ticket) from error
    return ticket


def _grant_lease(terminal: Terminal) -> int:
    """The first statement of a call: takes the row's lock, so that what is read after it cannot change under it."""
    table = connection.ops.quote_name(Terminal._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET lease = lease + 1 WHERE id = %s RETURNING lease",  # noqa: S608 - a constant name
            [Terminal._meta.pk.get_db_prep_value(terminal.pk, connection)],
        )
        row = cursor.fetchone()
    if row is None:
        raise Terminal.DoesNotExist(str(terminal.pk))
    return int(row[0])


def _check_gate(terminal: Terminal) -> None:
    held = Terminal.objects.select_related("site").get(pk=terminal.pk)
    enrolled = Device.objects.filter(terminal=held, revoked_at__isnull=True).exists()
    refusal = why_not_ready(held, enrolled=enrolled, held=open_visit(held) is not None, now=clock.now())
    if refusal is not None:
        raise refusal


@transaction.atomic
def return_to_queue(*, visit: Visit, staff: Staff, reason: str) -> Visit:
    """Nobody came: back to waiting. Only before a card was bound."""
    return _by_staff(visit, staff, Permission.CALL_TICKET, EventKind.RETURN_TO_QUEUE, {"reason": Words(reason)})


@transaction.atomic
def withdraw(*, visit: Visit, staff: Staff, reason: str) -> Visit:
    """The citizen left before any box was opened."""
    return _by_staff(visit, staff, Permission.WITHDRAW_TICKET, EventKind.WITHDRAW, {"reason": Words(reason)})


@transaction.atomic
def ask_end(*, visit: Visit, staff: Staff, reason: str) -> Visit:
    """Ask the terminal to end the visit now; it hears so at its next poll."""
    return _by_staff(visit, staff, Permission.ASK_END, EventKind.ASK_END, {"reason": Words(reason)})


@transaction.atomic
def confirm_spoken(
    *,
    visit: Visit,
    staff: Staff,
    second: Staff,
    outcome: Outcome,
    reason: InterruptReason | None,
    own_name: OwnName | None = None,
) -> Visit:
    """The citizen confirmed the log-out aloud before two staff. Closes the visit. Raises `SameStaffTwice`.

    `own_name`: whose name the citizen saw at the end; a completed visit needs it.
    """
    require(staff=second, permission=Permission.CONFIRM_FOR_CITIZEN, site_id=visit.site_id)
    if second.pk == staff.pk:
        raise SameStaffTwice(staff.username)
    given = {"kind": Confirmation.SPOKEN.value, "staff_1": staff.username, "staff_2": second.username}
    return _confirm(visit, staff, given, outcome, reason, own_name)


@transaction.atomic
def confirm_absent(*, visit: Visit, staff: Staff, why: str, outcome: Outcome, reason: InterruptReason | None) -> Visit:
    """The citizen had left: a member of staff looked at the locked screen. `why` is recorded. Closes the visit."""
    given = {"kind": Confirmation.ABSENT.value, "reason": Words(why)}
    return _confirm(visit, staff, given, outcome, reason, OwnName.UNSEEN)


def _confirm(
    visit: Visit,
    staff: Staff,
    given: Mapping[str, Any],
    outcome: Outcome,
    reason: InterruptReason | None,
    own_name: OwnName | None,
) -> Visit:
    named = {"own_name": own_name.value} if own_name is not None and outcome is Outcome.COMPLETED else {}
    body: dict[str, Any] = {"confirmation": {**given, **named}, "outcome": outcome.value}
    if reason is not None:
        body["reason"] = reason.value
    return _by_staff(visit, staff, Permission.CONFIRM_FOR_CITIZEN, EventKind.CONFIRM, body)


@transaction.atomic
def attest_wipe(*, visit: Visit, staff: Staff, proof: str, reason: str) -> Visit:
    """An officer has taken the machine away: it is revoked and out of service, the visit can be confirmed.

    `proof`: what was done with the machine (power cut, storage removed, …), in words. Raises `TerminalStillSpeaks`
    for a machine that says it is still serving.
    """
    terminal = lock_visit(visit)[1]
    if terminal is not None and not silent(terminal, clock.now()) and terminal.state in _AT_WORK:
        raise TerminalStillSpeaks(str(terminal))
    body = {"proof": {"attested": Words(proof), "by": staff.username}, "reason": Words(reason)}
    return _by_staff(visit, staff, Permission.ATTEST_WIPE, EventKind.ATTEST_WIPE, body)


@transaction.atomic
def clear_quarantine(*, terminal: Terminal, staff: Staff, reason: str) -> Terminal:
    """Allow the terminal to wipe again. It stays out of use until that wipe is proven. Raises `NothingToClear`."""
    require(staff=staff, permission=Permission.CLEAR_QUARANTINE, site_id=terminal.site_id)
    held = lock_terminal(terminal.pk)
    if not held.quarantined and held.state != TerminalState.QUARANTINED:
        raise NothingToClear(str(held))
    standing = open_visit(held)
    visit = standing if standing is not None and standing.state == VisitState.ENDING else None
    sealed = payloads.keep_words(reason, visit=visit.pk if visit else None)
    event = Event(EventKind.CLEAR, staff.acts_as, body={"reason": sealed})
    if visit is not None:
        apply(visit=lock_visit(visit)[0], event=Event(event.kind, event.by, visit.lease, event.body), staff=staff)
    else:
        record(event=event, terminal=held, staff=staff)
    # A proof that came after the failure is enough; otherwise the terminal has to bring one.
    held.quarantined = held.cleared = not _proven_since(held)
    held.save(update_fields=["quarantined", "cleared"])
    return held


def _proven_since(terminal: Terminal) -> bool:
    last = VisitEvent.objects.filter(terminal=terminal, kind__in=_WIPES).order_by("-pk").first()
    return last is not None and last.kind != EventKind.WIPE_FAILED and terminal.state != TerminalState.QUARANTINED


def _by_staff(visit: Visit, staff: Staff, permission: Permission, kind: EventKind, body: dict[str, Any]) -> Visit:
    require(staff=staff, permission=permission, site_id=visit.site_id)
    held, _ = lock_visit(visit)
    apply(visit=held, event=Event(kind, staff.acts_as, held.lease, _with_tokens(body, held)), staff=staff)
    return held


def _with_tokens(body: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    """The body as it is signed: words are sealed, and their tokens stand in their place."""
    return {name: _token_of(value, visit) for name, value in body.items()}


def _token_of(value: Any, visit: Visit) -> Any:
    if isinstance(value, Words):
        return payloads.keep_words(value.text, visit=visit.pk)
    return _with_tokens(value, visit) if isinstance(value, Mapping) else value


def _next_number(site: Site) -> int:
    """Numbers without gaps or doubles: the counter's row is held until the ticket is written."""
    DayCounter.objects.bulk_create([DayCounter(site=site, day=clock.today())], ignore_conflicts=True)
    rows = DayCounter.objects.filter(site=site, day=clock.today())
    rows.update(last=F("last") + 1)
    return rows.get().last
