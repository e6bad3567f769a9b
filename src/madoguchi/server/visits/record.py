"""Writes the record: the only place that makes `VisitEvent` rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from madoguchi.evidence import envelope, leaf
from madoguchi.protocol import Event, Message, Role
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import Device, Terminal
from madoguchi.server.ledger import types
from madoguchi.server.ledger.signer import signer
from madoguchi.server.ledger.statements import received
from madoguchi.server.ledger.store import append
from madoguchi.server.visits.models import Visit, VisitEvent


@dataclass(frozen=True, slots=True)
class Report:
    """A device's message that was checked: the parsed form, its signature, and who sent it."""

    device: Device
    message: Message
    signature: str

    @property
    def at(self) -> datetime:
        """When it happened, by the terminal's clock."""
        return datetime.fromisoformat(self.message.at)


def record(
    *,
    event: Event,
    visit: Visit | None = None,
    terminal: Terminal | None = None,
    staff: Staff | None = None,
    report: Report | None = None,
) -> VisitEvent:
    """Append one event of the protocol."""
    row = VisitEvent(
        visit=visit,
        seq=_next_seq(visit),
        kind=event.kind.value,
        by=event.by.value,
        staff=staff,
        terminal=terminal,
        lease=event.lease,
        at=clock.now(),
        received_at=clock.now(),
        body=dict(event.body),
    )
    return _sealed(row, report)


def record_office(*, kind: str, terminal: Terminal, body: dict[str, Any], staff: Staff | None = None) -> VisitEvent:
    """Append one of the office's own events (`types.OFFICE_EVENTS`) to a terminal's record."""
    by = staff.acts_as if staff else Role.SERVER
    now = clock.now()
    return _sealed(
        VisitEvent(kind=kind, by=by.value, staff=staff, terminal=terminal, at=now, received_at=now, body=body), None
    )


def content(row: VisitEvent) -> dict[str, Any]:
    """What the server signs of an event that no device has signed."""
    return {
        "visit": str(row.visit_id) if row.visit_id else None,
        "seq": row.seq,
        "kind": row.kind,
        "by": row.by,
        "staff": row.staff.username if row.staff else None,
        "terminal": str(row.terminal_id) if row.terminal_id else None,
        "lease": row.lease,
        "at": row.at.isoformat(timespec="microseconds"),
        "body": row.body,
    }


def _sealed(row: VisitEvent, report: Report | None) -> VisitEvent:
    if report is None:
        types.check(kind=row.kind, by=Role(row.by), body=row.body)
        ours, statement = signer(), content(row)
        key, row.signature = ours.public, ours.sign(envelope.canonical(statement))
    else:
        key, statement = report.device.public_key, report.message.to_json()
        row.device, row.message_id = report.device, report.message.id
        row.message, row.signature = statement, report.signature
        row.at, row.training = report.at, report.message.training
        row.skew = (row.at - row.received_at).total_seconds()
    with transaction.atomic(savepoint=False):
        row.save(force_insert=True)
        _log(row, key, statement)
    return row


def _log(row: VisitEvent, key: str, statement: Mapping[str, Any]) -> None:
    """Append the event to the log, in the transaction that writes the row: both or neither."""
    noted = received(row.received_at, order=row.seq, skew=row.skew)
    append(
        leaf=leaf.make(key=key, signature=row.signature, statement=statement, received=noted),
        kind=row.kind,
        at=row.received_at,
        visit=UUID(statement["visit"]) if statement["visit"] else None,
        terminal=row.terminal_id,
        event=row.pk,
    )


def _next_seq(visit: Visit | None) -> int | None:
    if visit is None:
        return None
    last = VisitEvent.objects.filter(visit=visit).aggregate(last=Max("seq"))["last"]
    return (last or 0) + 1
