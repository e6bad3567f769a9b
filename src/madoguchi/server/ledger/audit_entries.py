"""What each entry says, against its columns, its signer, and the event that was made of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection

from madoguchi.evidence import keys
from madoguchi.evidence.envelope import canonical
from madoguchi.evidence.errors import BadSignature, LeafBroken
from madoguchi.evidence.leaf import Leaf
from madoguchi.evidence.leaf import read as read_leaf
from madoguchi.protocol import Role
from madoguchi.server.counters.models import Device
from madoguchi.server.ledger.findings import Fault, Findings
from madoguchi.server.ledger.models import Entry, Position
from madoguchi.server.ledger.signer import signer
from madoguchi.server.visits.models import VisitEvent
from madoguchi.server.visits.record import content

_EXACT = 2**53
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """An entry at its place; `leaf` None: it is gone."""

    position: int
    leaf: bytes | None
    entry: Entry | None


def read_rows(begin: int, end: int) -> Iterator[Row]:
    """The places from `begin` up to `end`, those that exist."""
    places = Position.objects.filter(position__gte=begin, position__lt=end).order_by("position")
    pairs = list(places.values_list("position", "entry"))
    known = {row.pk: row for row in Entry.objects.filter(pk__in=[entry for _, entry in pairs])}
    for position, entry in pairs:
        row = known.get(entry)
        yield Row(position, bytes(row.leaf) if row else None, row)


def events_without_entry() -> Iterator[int]:
    """Keys of visit events that nothing in the log was made of."""
    statement = (
        "SELECT v.id FROM visits_visitevent v"
        " WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.event = v.id) ORDER BY v.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(_CHUNK):
            yield from (found for (found,) in rows)


class Reader:
    """Checks entries page by page; keys are read once."""

    def __init__(self, found: Findings, *, signatures: bool) -> None:
        self._found = found
        self._signatures = signatures
        self._server = signer().public
        self._keys: dict[str, Ed25519PublicKey | None] = {}
        self._known = {self._server, *Device.objects.values_list("public_key", flat=True)}

    def check(self, rows: Sequence[Row]) -> None:
        """One page."""
        wanted = [row.entry.event for row in rows if row.entry is not None and row.entry.event is not None]
        events = VisitEvent.objects.filter(pk__in=wanted).select_related("staff", "device")
        by_key = {event.pk: event for event in events}
        for row in rows:
            if row.leaf is not None and row.entry is not None:
                self._check_row(row.position, row.leaf, row.entry, by_key)

    def _check_row(self, position: int, raw: bytes, entry: Entry, events: Mapping[int, VisitEvent]) -> None:
        place = f"記録 {position}"
        try:
            leaf = read_leaf(raw)
        except LeafBroken:
            self._found.add(Fault.ENTRY_UNREADABLE, place)
            return
        self._check_signer(place, leaf)
        for name in _wrong_columns(leaf, entry):
            self._found.add(Fault.COLUMN_DIFFERS, f"{place} {name}")
        if entry.event is None:
            return
        event = events.get(entry.event)
        if event is None:
            self._found.add(Fault.EVENT_GONE, f"{place} 対応の履歴 {entry.event}")
            return
        for name in _differences(leaf, event, self._server):
            self._found.add(Fault.EVENT_DIFFERS, f"{place} 対応の履歴 {event.pk} {name}")

    def _check_signer(self, place: str, leaf: Leaf) -> None:
        if leaf.key not in self._known:
            self._found.add(Fault.SIGNER_UNKNOWN, place)
        if self._signatures and not self._fits(leaf):
            self._found.add(Fault.SIGNATURE_WRONG, place)

    def _fits(self, leaf: Leaf) -> bool:
        if leaf.key not in self._keys:
            # Only keys of this office are remembered: strangers' could be as many as there are entries.
            key = _public(leaf.key)
            if leaf.key not in self._known:
                return key is not None and _signed(key, leaf)
            self._keys[leaf.key] = key
        known = self._keys[leaf.key]
        return known is not None and _signed(known, leaf)


def _public(text: str) -> Ed25519PublicKey | None:
    try:
        return keys.public_from_text(text)
    except BadSignature:
        return None


def _signed(key: Ed25519PublicKey, leaf: Leaf) -> bool:
    try:
        keys.check(key, leaf.signature, leaf.said)
    except BadSignature:
        return False
    return True


def _wrong_columns(leaf: Leaf, entry: Entry) -> list[str]:
    """Names of columns beside the leaf that say something else."""
    said, noted = leaf.statement, leaf.received
    pairs = {
        "kind": (said.get("kind"), entry.kind),
        "visit": (_uuid(said.get("visit")), entry.visit),
        "terminal": (_uuid(said.get("terminal")), entry.terminal),
        "at": (_moment(noted.get("at")), entry.at),
    }
    return [name for name, (one, other) in pairs.items() if one != other]


def _differences(leaf: Leaf, event: VisitEvent, server: str) -> list[str]:
    """Names of what the event's row says otherwise than the signed statement."""
    said, reported = leaf.statement, event.message is not None
    expected = _by_device(event) if reported else content(event)
    wrong = [name for name in sorted(expected.keys() | said.keys()) if not _same(name, expected, said)]
    if reported and event.by != Role.TERMINAL:
        wrong.append("by")
    if leaf.signature != event.signature:
        wrong.append("signature")
    if leaf.key != (event.device.public_key if event.device else server):
        wrong.append("key")
    if _moment(leaf.received.get("at")) != event.received_at or leaf.received.get("order") != event.seq:
        wrong.append("received")
    return wrong


def _by_device(event: VisitEvent) -> dict[str, Any]:
    """The message that the columns speak of. A late word about a wipe is kept without its visit."""
    kept = event.message or {}
    visit = str(event.visit_id) if event.visit_id else kept.get("visit")
    return {
        **kept,
        "id": event.message_id,
        "kind": event.kind,
        "terminal": str(event.terminal_id),
        "visit": visit,
        "lease": event.lease,
        "at": event.at.isoformat(),
        "training": event.training,
        "body": event.body,
    }


def _same(name: str, expected: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    if name not in expected or name not in said:
        return False
    one, other = expected[name], said[name]
    if name == "at":
        return _moment(one) == _moment(other)
    if name == "visit":
        return _uuid(one) == _uuid(other)
    try:
        return canonical({"": _plain(one)}) == canonical({"": _plain(other)})
    except rfc8785.CanonicalizationError:
        return False


def _plain(value: Any) -> Any:
    """Numbers as JSON holds them: PostgreSQL writes large ones out, which Python then reads as whole numbers."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return float(value) if isinstance(value, int) and abs(value) >= _EXACT else value


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if value else None
    except (ValueError, TypeError, AttributeError):
        return None


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
