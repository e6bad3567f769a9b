"""What is printed: the citizen's receipt and the daily report, each with a checkpoint that then lies outside."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from madoguchi.protocol import Confirmation, EndCause, EventKind, Outcome, VisitState
from madoguchi.server.counters.models import Site, Terminal
from madoguchi.server.errors import OfficeError
from madoguchi.server.ledger import pages
from madoguchi.server.ledger.models import Entry
from madoguchi.server.ledger.pages_chain import ProofState, close_position, proof_state
from madoguchi.server.ledger.pages_marks import Mark, mark
from madoguchi.server.ledger.pages_search import day_begins
from madoguchi.server.visits.models import Visit


class NotClosed(OfficeError):
    """A receipt is for a visit that has ended."""

    sentence = "この対応はまだ終わっていません。ログアウト確認まで終えてから、控えを印刷してください。"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The citizen's receipt. `mark` None: the closing has no place in a checkpoint yet (a moment)."""

    visit: Visit
    proof: ProofState
    confirmation: str
    mark: Mark | None


def receipt(visit: Visit) -> Receipt:
    """Raises `NotClosed`."""
    if visit.state != VisitState.CLOSED:
        raise NotClosed(str(visit.pk))
    place, found = close_position(visit), pages.newest()
    held = place is not None and found.said is not None and place < found.said.size
    given = visit.confirmation.get("kind") if visit.confirmation else None
    label = Confirmation(given).label if given in list(Confirmation) else ""
    return Receipt(visit, proof_state(visit), label, mark(found) if held else None)


@dataclass(frozen=True, slots=True)
class Row:
    """One procedure on a day."""

    label: str
    numbers: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Daily:
    """A site's day in numbers. `columns`: what `Row.numbers` count."""

    site: Site
    day: date
    columns: tuple[str, ...]
    rows: list[Row]
    total: Row
    causes: list[tuple[str, int]]
    confirmations: list[tuple[str, int]]
    unproven: int
    attested: int
    rejected: int
    mark: Mark | None


_OTHERS = ((VisitState.WITHDRAWN.value, "取りやめ"), ("open", "終わっていない"))
_COLUMNS = (*((outcome.value, outcome.label) for outcome in Outcome), *_OTHERS)


def daily(site: Site, day: date) -> Daily:
    """The figures of a day: of the visits whose ticket was issued then, and of what the terminals said then."""
    fields = ("procedure__label", "state", "outcome", "cause", "confirmation__kind")
    visits = list(Visit.objects.filter(site=site, day=day).order_by("number").values_list(*fields))
    counts = Counter((label, outcome or _other(state)) for label, state, outcome, _, _ in visits)
    labels = dict.fromkeys(label for label, *_ in visits)
    said = _said_on(site, day)
    return Daily(
        site,
        day,
        tuple(label for _, label in _COLUMNS),
        [_row(label, counts) for label in labels],
        _sum(counts),
        _labelled(EndCause, (cause for *_, cause, _ in visits)),
        _labelled(Confirmation, (kind for *_, kind in visits)),
        said[EventKind.WIPE_FAILED.value],
        said[EventKind.ATTEST_WIPE.value],
        said["message_rejected"],
        mark(pages.newest()),
    )


def _other(state: str) -> str:
    return state if state == VisitState.WITHDRAWN else "open"


def _row(label: str, counts: Counter[tuple[str, str]]) -> Row:
    numbers = tuple(counts[label, code] for code, _ in _COLUMNS)
    return Row(label, numbers, sum(numbers))


def _sum(counts: Counter[tuple[str, str]]) -> Row:
    numbers = tuple(sum(number for (_, one), number in counts.items() if one == code) for code, _ in _COLUMNS)
    return Row("合計", numbers, sum(numbers))


def _labelled(members: Any, given: Iterable[str | None]) -> list[tuple[str, int]]:
    counts = Counter(given)
    return [(member.label, counts[member.value]) for member in members if counts[member.value]]


def _said_on(site: Site, day: date) -> Counter[str]:
    terminals = list(Terminal.objects.filter(site=site).values_list("pk", flat=True))
    begin, end = day_begins(day), day_begins(day + timedelta(days=1))
    kinds = (EventKind.WIPE_FAILED.value, EventKind.ATTEST_WIPE.value, "message_rejected")
    rows = Entry.objects.filter(terminal__in=terminals, at__gte=begin, at__lt=end, kind__in=kinds)
    return Counter(rows.values_list("kind", flat=True))
