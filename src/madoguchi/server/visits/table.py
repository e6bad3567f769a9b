"""The visits as a table, one row each, for inspection: Parquet or CSV, read from the database in portions.

No name stands in it and no word that staff typed. The card's tag is a keyed hash: which card, but not whose. Times of
the box (`opened_at`, `ended_at`, the card's absence) are by the terminal's clock, all others by the server's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import Lead

from madoguchi.protocol import EventKind, InterruptReason, VisitState
from madoguchi.server.visits.models import Visit, VisitEvent
from madoguchi.server.visits.table_files import writer_for

COLUMNS: Mapping[str, type] = {
    "visit_id": str,
    "site": str,
    "terminal": str,
    "ticket": str,
    "procedure": str,
    "lease": int,
    "created_at": datetime,
    "called_at": datetime,
    "opened_at": datetime,
    "ended_at": datetime,
    "closed_at": datetime,
    "cause": str,
    "proof": bool,
    "confirmation": str,
    "own_name": str,
    "outcome": str,
    "refusals": str,
    "card_tag": str,
    "card_away_s": int,
    "registered_at": datetime,
    "wipe_failed_at": datetime,
    "released_at": datetime,
}
"""The columns of `docs/inspection.md`. The counter sees neither when the national site registered something nor
what it refused: `registered_at` is always empty, `refusals` only says that staff noted a refusal."""

_PORTION = 500
_AT_A_BOX = [VisitState.SERVING, VisitState.ENDING, VisitState.CONFIRMING, VisitState.CLOSED]
_PROOFS = (EventKind.WIPE_PROVEN, EventKind.SWEEP_PROVEN)
_TOLD = [
    EventKind.BIND_CARD,
    EventKind.CURTAIN,
    EventKind.UNCURTAIN,
    EventKind.END,
    EventKind.WIPE_FAILED,
    EventKind.CLEAR,
    EventKind.ATTEST_WIPE,
    *_PROOFS,
]


@dataclass(frozen=True, slots=True)
class Told:
    """One event as the table needs it."""

    kind: str
    at: datetime
    received_at: datetime


def write_table(target: Path, *, first: date | None, last: date | None, training: bool) -> int:
    """Write the visits of these days, both included, that stood at a terminal; how many.

    `training`: those of the training city instead of the real ones. Raises `TableFormUnknown`, `TableExists`,
    `ParquetMissing`; the file exists only when it is whole.
    """
    number = 0
    with writer_for(target, COLUMNS) as write:
        for portion in _portions(_visits(first, last, training=training)):
            write(list(_rows(portion)))
            number += len(portion)
    return number


def _visits(first: date | None, last: date | None, *, training: bool) -> QuerySet[Visit]:
    following = Window(Lead("called_at"), partition_by=F("terminal"), order_by=[F("called_at"), F("lease")])
    rows = Visit.objects.filter(state__in=_AT_A_BOX, site__training=training)
    rows = rows.filter(day__gte=first) if first else rows
    rows = rows.filter(day__lte=last) if last else rows
    rows = rows.select_related("site", "terminal", "procedure").annotate(next_called=following)
    return rows.order_by("terminal", "called_at", "lease")


def _portions(rows: QuerySet[Visit]) -> Iterator[list[Visit]]:
    held: list[Visit] = []
    for row in rows.iterator(chunk_size=_PORTION):
        held.append(row)
        if len(held) == _PORTION:
            yield held
            held = []
    if held:
        yield held


def _rows(portion: Sequence[Visit]) -> Iterator[dict[str, Any]]:
    events = _events(portion)
    for visit in portion:
        yield _row(visit, events[visit.pk])


def _events(portion: Sequence[Visit]) -> dict[Any, list[Told]]:
    """What was told of each visit, and of its terminal while nobody else had been called there."""
    found: dict[Any, list[tuple[int, Told]]] = defaultdict(list)
    fields = ("pk", "kind", "at", "received_at")
    rows = VisitEvent.objects.filter(kind__in=_TOLD)
    for visit, number, *told in rows.filter(visit__in=portion).values_list("visit", *fields):
        found[visit].append((number, Told(*told)))
    seats = {visit.terminal_id for visit in portion}
    since = min((visit.called_at for visit in portion if visit.called_at), default=None)
    alone = rows.filter(visit=None, terminal__in=seats, received_at__gte=since) if since else rows.none()
    for terminal, number, *told in alone.values_list("terminal", *fields):
        event = Told(*told)
        for visit in portion:
            if visit.terminal_id == terminal and _lasted(visit, event.received_at):
                found[visit.pk].append((number, event))
    return defaultdict(list, {key: [event for _, event in sorted(some, key=_number)] for key, some in found.items()})


def _number(entry: tuple[int, Told]) -> int:
    return entry[0]


def _lasted(visit: Any, moment: datetime) -> bool:
    return (
        visit.called_at is not None
        and visit.called_at <= moment
        and (visit.next_called is None or moment < visit.next_called)
    )


def _row(visit: Visit, events: Sequence[Told]) -> dict[str, Any]:
    confirmation = visit.confirmation if isinstance(visit.confirmation, dict) else {}
    failed = _first(events, EventKind.WIPE_FAILED)
    return {
        "visit_id": str(visit.pk),
        "site": visit.site.name,
        "terminal": visit.terminal.name if visit.terminal else None,
        "ticket": f"{visit.day:%Y-%m-%d} {visit.ticket}",
        "procedure": visit.procedure.code,
        "lease": visit.lease,
        "created_at": visit.created_at,
        "called_at": visit.called_at,
        "opened_at": _at(_first(events, EventKind.BIND_CARD)),
        "ended_at": _at(_first(events, EventKind.END, EventKind.ATTEST_WIPE)),
        "closed_at": visit.closed_at,
        "cause": visit.cause,
        "proof": _proven(visit),
        "confirmation": confirmation.get("kind") or (None if visit.state == VisitState.SERVING else "none"),
        "own_name": confirmation.get("own_name"),
        "outcome": visit.outcome,
        "refusals": visit.reason if visit.reason == InterruptReason.REFUSED_BY_SITE else None,
        "card_tag": visit.card_tag,
        "card_away_s": _away(events),
        "registered_at": None,
        "wipe_failed_at": failed.received_at if failed else None,
        "released_at": _released(events) if failed else None,
    }


def _proven(visit: Visit) -> bool | None:
    """None while the visit goes on. A terminal in training proves nothing."""
    if visit.state == VisitState.SERVING:
        return None
    return isinstance(visit.proof, dict) and bool(visit.proof) and not visit.proof.get("training")


def _first(events: Iterable[Told], *kinds: EventKind) -> Told | None:
    return next((event for event in events if event.kind in kinds), None)


def _at(event: Told | None) -> datetime | None:
    return event.at if event else None


def _away(events: Iterable[Told]) -> int | None:
    """The longest time in seconds for which the card was away while the box was open; None: no card was seen."""
    longest, since, bound = 0.0, None, False
    for event in events:
        bound = bound or event.kind == EventKind.BIND_CARD
        if event.kind == EventKind.CURTAIN:
            since = event.at
        elif since is not None and event.kind in (EventKind.UNCURTAIN, EventKind.END):
            longest, since = max(longest, (event.at - since).total_seconds()), None
    return int(longest) if bound else None


def _released(events: Sequence[Told]) -> datetime | None:
    """When the quarantine was over: after the last failure cleared and wiped with proof, or the machine taken away."""
    last = max(place for place, event in enumerate(events) if event.kind == EventKind.WIPE_FAILED)
    after = events[last + 1 :]
    gone, proof = _first(after, EventKind.ATTEST_WIPE), _first(after, *_PROOFS)
    cleared = _first(after, EventKind.CLEAR)
    if gone is not None:
        return gone.received_at
    return max(proof.received_at, cleared.received_at) if proof and cleared else None
