"""The chain of a visit: its entries, what is missing, its proof, its sealed contents, and other visits of the card."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from madoguchi.protocol import EventKind, VisitState
from madoguchi.server.accounts.models import Staff
from madoguchi.server.ledger import log, pages
from madoguchi.server.ledger.erasing import Reason
from madoguchi.server.ledger.models import Erasure, Payload
from madoguchi.server.ledger.pages import Checker, Newest, Step
from madoguchi.server.ledger.pages_words import class_label
from madoguchi.server.ledger.types import LABELS, TOKEN
from madoguchi.server.visits.models import Visit

_CHAIN = (
    (EventKind.CALL,),
    (EventKind.BIND_CARD,),
    (EventKind.END,),
    (EventKind.WIPE_PROVEN, EventKind.ATTEST_WIPE),
    (EventKind.CONFIRM,),
    (EventKind.CLOSE,),
)
_WITHDRAWN = ((EventKind.ISSUE,), (EventKind.WITHDRAW,))
_MOST_OTHERS = 50


class LinkState(StrEnum):
    """How a link of the chain stands."""

    SOUND = "sound"
    FAULTY = "faulty"
    MISSING = "missing"
    OPEN = "open"
    SPARED = "spared"

    @property
    def label(self) -> str:
        """Japanese label."""
        return _LINK_LABELS[self]


_LINK_LABELS = {
    LinkState.SOUND: "あり",
    LinkState.FAULTY: "合わない",
    LinkState.MISSING: "ありません",
    LinkState.OPEN: "まだ",
    LinkState.SPARED: "不要",
}


@dataclass(frozen=True, slots=True)
class Link:
    """One link: what is expected, how it stands, the entry that stands for it."""

    label: str
    state: LinkState
    step: Step | None = None


class ProofState(StrEnum):
    """What is known of the destruction of the box."""

    PROVEN = "proven"
    ATTESTED = "attested"
    TRAINING = "training"
    FAULTY = "faulty"
    FAILED = "failed"
    NONE = "none"

    @property
    def label(self) -> str:
        """Japanese label."""
        return _PROOF_LABELS[self]


_PROOF_LABELS = {
    ProofState.PROVEN: "端末が、閲覧ソフトの箱を消したことを証明しました。",
    ProofState.ATTESTED: "端末は証明していません。市職員が端末の撤去を確認しました。",
    ProofState.TRAINING: "訓練用の端末です。本物の消去の証明ではありません。",
    ProofState.FAULTY: "消去の証明の記録が合いません。証明とはみなせません。",
    ProofState.FAILED: "端末は消去を証明できませんでした。証明するか、市職員が撤去を確認するまで、次の方を呼べません。",
    ProofState.NONE: "消去の証明はまだありません。",
}


class Kept(StrEnum):
    """What became of a sealed content."""

    KEPT = "kept"
    ERASED = "erased"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Content:
    """A sealed content. `until`: the last day on which it is kept. `payload`: its number while it can be opened."""

    label: str
    commitment: str
    state: Kept
    payload: UUID | None = None
    until: date | None = None
    erasure: Erasure | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """Everything the page of a visit shows. `gaps`: numbers within the visit that no entry has."""

    visit: Visit
    newest: Newest
    steps: list[Step]
    links: list[Link]
    gaps: list[int]
    proof: ProofState
    contents: list[Content]
    others: list[Visit]

    @property
    def sound(self) -> bool:
        """Whether nothing is missing and nothing is wrong."""
        wrong = {LinkState.FAULTY, LinkState.MISSING}
        lost = any(content.state is Kept.LOST for content in self.contents)
        return not (
            self.gaps
            or lost
            or self.newest.broken
            or any(step.faults for step in self.steps)
            or any(link.state in wrong for link in self.links)
        )

    @property
    def ended(self) -> bool:
        """Whether no link is still to come."""
        return not any(link.state is LinkState.OPEN for link in self.links)

    @property
    def waiting(self) -> bool:
        """Whether an entry is not yet in the newest checkpoint."""
        return any(step.proof is None for step in self.steps)


def chain(visit: Visit, staff: Staff) -> Chain:
    """Read and check the chain of a visit that the person may see."""
    checker = Checker()
    entries = pages.visible(staff).filter(visit=visit.pk).order_by("pk")
    steps = checker.steps(pages.placed(entries))
    own = [step for step in steps if step.order is not None]
    return Chain(
        visit,
        checker.newest,
        steps,
        list(_links(visit, own)),
        _gaps(visit, own),
        _proof(own),
        _contents(visit, steps),
        look_back(visit, staff),
    )


def proof_state(visit: Visit) -> ProofState:
    """What is known of the destruction of the box, from the entries as they are now."""
    steps = Checker().steps(log.entries_of_visit(visit.pk))
    return _proof([step for step in steps if step.order is not None])


def close_position(visit: Visit) -> int | None:
    """Where the closing of the visit stands in the log; None: nowhere yet."""
    places = [place for place, row in log.entries_of_visit(visit.pk) if row.kind == EventKind.CLOSE]
    return places[-1] if places else None


def look_back(visit: Visit, staff: Staff) -> list[Visit]:
    """Other visits of the same card that the person may see, newest first."""
    if not visit.card_tag:
        return []
    rows = Visit.objects.filter(card_tag=visit.card_tag).exclude(pk=visit.pk).select_related("site", "procedure")
    if staff.site_id is not None:
        rows = rows.filter(site_id=staff.site_id)
    return list(rows.order_by("-created_at")[:_MOST_OTHERS])


def _links(visit: Visit, steps: list[Step]) -> Iterator[Link]:
    """The last entry of each kind counts: a visit may be called twice, a wipe be proven again."""
    withdrawn = visit.state == VisitState.WITHDRAWN
    for kinds in _WITHDRAWN if withdrawn else _CHAIN:
        found = next((step for step in reversed(steps) if step.kind in kinds), None)
        if found is not None:
            yield Link(found.label, LinkState.SOUND if found.sound else LinkState.FAULTY, found)
        else:
            yield Link(LABELS[kinds[0]], _absence(visit, kinds[0], steps))


def _absence(visit: Visit, kind: EventKind, steps: list[Step]) -> LinkState:
    """Whether the link had to be there. A later link that is there makes an earlier one due."""
    seen = {step.kind for step in steps}
    if kind is EventKind.BIND_CARD and visit.card_tag is None and seen & {EventKind.END, EventKind.ATTEST_WIPE}:
        return LinkState.SPARED
    if kind is EventKind.END and EventKind.ATTEST_WIPE in seen:
        return LinkState.SPARED
    order = [one for kinds in _CHAIN for one in kinds]
    later = set(order[order.index(kind) + 1 :]) if kind in order else set()
    due = visit.state in (VisitState.CLOSED, VisitState.WITHDRAWN) or bool(seen & later)
    return LinkState.MISSING if due else LinkState.OPEN


def _gaps(visit: Visit, steps: list[Step]) -> list[int]:
    """Numbers that the visit's history or a later entry knows of, and no entry has."""
    orders = {step.order for step in steps if step.order is not None}
    last = visit.events.order_by("-seq").values_list("seq", flat=True).first() or 0
    return sorted(set(range(1, max([last, *orders], default=0) + 1)) - orders)


def _proof(steps: list[Step]) -> ProofState:
    kinds = (EventKind.WIPE_PROVEN, EventKind.ATTEST_WIPE, EventKind.WIPE_FAILED)
    last = next((step for step in reversed(steps) if step.kind in kinds), None)
    if last is None:
        return ProofState.NONE
    if last.faults:
        return ProofState.FAULTY
    if last.kind == EventKind.WIPE_FAILED:
        return ProofState.FAILED
    if last.kind == EventKind.ATTEST_WIPE:
        return ProofState.ATTESTED
    said = last.body.get("proof")
    in_training = last.training or (isinstance(said, Mapping) and said.get("training"))
    return ProofState.TRAINING if in_training else ProofState.PROVEN


def _contents(visit: Visit, steps: list[Step]) -> list[Content]:
    """What the entries have committed to, and what else is kept of the visit."""
    committed = list(dict.fromkeys(found for step in steps for found in _commitments(step.body)))
    kept = {row.commitment: row for row in Payload.objects.filter(commitment__in=committed)}
    kept |= {row.commitment: row for row in Payload.objects.filter(visit=visit.pk)}
    missing = [one for one in committed if one not in kept]
    gone = {row.commitment: row for row in Erasure.objects.filter(commitment__in=missing)}
    return [_content(one, kept.get(one), gone.get(one)) for one in dict.fromkeys([*committed, *kept])]


def _commitments(value: Any, depth: int = 3) -> Iterator[str]:
    """Those in a body and in the parts of it; deeper there are none (`types.EventType.fields`)."""
    if isinstance(value, str) and TOKEN.fullmatch(value):
        yield value.removeprefix("sealed:")
    elif isinstance(value, Mapping) and depth:
        if isinstance(value.get("commitment"), str):
            yield value["commitment"]
        for inner in value.values():
            yield from _commitments(inner, depth - 1)


def _content(commitment: str, payload: Payload | None, erasure: Erasure | None) -> Content:
    if payload is not None:
        until = payload.erase_on - timedelta(days=1)
        return Content(class_label(payload.kind), commitment, Kept.KEPT, payload.pk, until)
    if erasure is not None:
        why = Reason(erasure.reason).label if erasure.reason in list(Reason) else erasure.reason
        return Content(class_label(erasure.kind), commitment, Kept.ERASED, erasure=erasure, why=why)
    return Content("封をした内容", commitment, Kept.LOST)
