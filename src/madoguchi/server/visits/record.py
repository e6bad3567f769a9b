"""Writes the record: the only place that makes `VisitEvent` rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Max

from madoguchi.evidence import envelope
from madoguchi.protocol import Event, Message, Role
from madoguchi.server import clock, keys
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import Device, Terminal
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
    """Append one of the office's own events (`words.OFFICE_EVENTS`) to a terminal's record."""
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
        row.signature = envelope.sign(content(row), keys.signing_key(settings.SERVER_KEY_FILE))
    else:
        row.device, row.message_id = report.device, report.message.id
        row.message, row.signature = report.message.to_json(), report.signature
        row.at, row.training = report.at, report.message.training
        row.skew = (row.at - row.received_at).total_seconds()
    row.save(force_insert=True)
    return row


def _next_seq(visit: Visit | None) -> int | None:
    if visit is None:
        return None
    last = VisitEvent.objects.filter(visit=visit).aggregate(last=Max("seq"))["last"]
    return (last or 0) + 1
