"""Erasing: the row goes, and with it the wrapping key that copies of the row in logs, free pages and backups need.

An erasure is: note that a key change is due; in one transaction write down what is erased, state it and delete the
rows; make a new wrapping key; wrap every remaining row's key under it; destroy all other wrapping keys; note that it is
done; clear what the database leaves lying. Killed anywhere, everything that remains still opens, and the next run
finishes: what was noted as due is done again from the new key on.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from madoguchi.protocol import Permission
from madoguchi.server import clock, keyring
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import require
from madoguchi.server.ledger import payloads, statements
from madoguchi.server.ledger.models import WRAPPED_UNDER, Erasure, Payload
from madoguchi.server.ledger.residue import Residue, clear

_BATCH = 200
Step = Callable[[str], None]

STEPS = (
    "noted",
    "deleted",
    "committed",
    "key made",
    "batch wrapped",
    "all wrapped",
    "stated",
    "keys destroyed",
    "done",
    "cleared",
)
"""What `erase` goes through, in this order; `change_key` begins with the first and has no deleting."""


class Reason(StrEnum):
    """Why something was erased."""

    DUE = "due"
    REQUEST = "request"

    @property
    def label(self) -> str:
        """Japanese label."""
        return {"due": "保存期間の満了", "request": "本人の求め"}[self.value]


@dataclass(frozen=True, slots=True)
class Change:
    """A key change: ids of the keys destroyed and of the new one (hex), rows wrapped anew, files found out of place."""

    old: tuple[str, ...] = ()
    new: str = ""
    rewrapped: int = 0
    strays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What was erased, by class; the key change that went with it, if one was needed; what the database cleared."""

    erased: dict[str, int] = field(default_factory=dict)
    change: Change | None = None
    residue: Residue | None = None


def due(day: date) -> QuerySet[Payload]:
    """The contents whose time is over on `day`."""
    return Payload.objects.filter(erase_on__lte=day).order_by("erase_on", "pk")


def of_visit(visit: UUID) -> QuerySet[Payload]:
    """Everything personal that is kept of a visit."""
    return Payload.objects.filter(visit=visit).order_by("stored_at", "pk")


def by_class(found: QuerySet[Payload]) -> dict[str, int]:
    """Numbers by class, as the dry run shows them."""
    return dict(Counter(found.values_list("kind", flat=True)))


def unfinished() -> bool:
    """Whether an earlier run was killed before the old key was destroyed, or a key file is out of place."""
    return keyring.change_due() or bool(keyring.strays())


def erase(
    *, chosen: QuerySet[Payload], reason: Reason, staff: Staff | None = None, step: Step = lambda _: None
) -> Report:
    """Erase contents for good. With nothing chosen it finishes what an earlier run has left.

    `staff`: who asked for it; None: the rule, or whoever holds the machine. `step` is called after each of `STEPS`.
    Must not run inside a transaction. Raises `Forbidden`, `NotYours`, `SealBroken` if a remaining row does not open
    under its key: then no key is destroyed.
    """
    numbers = list(chosen.values_list("pk", flat=True))
    _check_permission(staff, numbers)
    if not numbers and not unfinished():
        return Report(residue=clear())
    with keyring.changing():
        keyring.note_change_due()
        step("noted")
        erased = _delete(numbers, reason, staff, step)
        change = _change(staff, step)
    cleared = clear()
    step("cleared")
    return Report(erased, change, cleared)


def change_key(*, staff: Staff | None = None, step: Step = lambda _: None) -> Change:
    """Change the wrapping key and destroy the old one. Must not run inside a transaction. Raises `SealBroken`."""
    _check_permission(staff, [])
    with keyring.changing():
        keyring.note_change_due()
        step("noted")
        return _change(staff, step)


def _check_permission(staff: Staff | None, numbers: Sequence[UUID]) -> None:
    from madoguchi.server.visits.models import Visit

    if staff is None:
        return
    require(staff=staff, permission=Permission.ERASE_PAYLOADS)
    visits = Payload.objects.filter(pk__in=numbers).values("visit")
    for site in Visit.objects.filter(pk__in=visits).values_list("site_id", flat=True).distinct():
        require(staff=staff, permission=Permission.ERASE_PAYLOADS, site_id=site)


def _delete(numbers: Sequence[UUID], reason: Reason, staff: Staff | None, step: Step) -> dict[str, int]:
    erased: Counter[str] = Counter()
    with transaction.atomic(durable=True):
        for some in _chunks(numbers):
            rows = list(Payload.objects.select_for_update().filter(pk__in=some).order_by("pk"))
            _write_down(rows, reason, staff)
            Payload.objects.filter(pk__in=[row.pk for row in rows]).delete()
            erased.update(row.kind for row in rows)
        step("deleted")
    step("committed")
    return dict(erased)


def _write_down(rows: Sequence[Payload], reason: Reason, staff: Staff | None) -> None:
    now, by = clock.now(), staff.username if staff else ""
    Erasure.objects.bulk_create(
        Erasure(
            payload=row.pk,
            kind=row.kind,
            visit=row.visit,
            commitment=row.commitment,
            stored_at=row.stored_at,
            erased_at=now,
            reason=reason.value,
            by=by,
        )
        for row in rows
    )
    for visit, kind in sorted({(row.visit, row.kind) for row in rows}, key=str):
        said = [row.commitment for row in rows if (row.visit, row.kind) == (visit, kind)]
        body = {"commitments": said, "kind": kind, "reason": reason.value}
        statements.state(kind="payload_erased", body=body, staff=staff, visit=visit)


def _change(staff: Staff | None, step: Step) -> Change:
    strays = tuple(keyring.strays())
    new = keyring.add()
    step("key made")
    wrapped = sum(_wrapped_batches(new, step))
    with transaction.atomic(durable=True):
        # Nobody seals now: what was sealed under an old key a moment ago is here, and nothing more comes.
        payloads.hold_keys(alone=True)
        wrapped += sum(_wrapped_batches(new, step))
        step("all wrapped")
        old = tuple(key.id.hex() for key in keyring.read() if key.path != new.path)
        body = {"old": list(old), "new": new.id.hex(), "rewrapped": wrapped}
        statements.state(kind="key_changed", body=body, staff=staff)
    step("stated")
    keyring.destroy_all_but(new)
    step("keys destroyed")
    keyring.note_change_done()
    step("done")
    return Change(old, new.id.hex(), wrapped, strays)


def _wrapped_batches(new: keyring.WrappingKey, step: Step) -> Iterator[int]:
    """Rows under the keys that are about to go. What lies under a key that is gone already cannot be helped."""
    going = [key.id for key in keyring.read() if key.path != new.path]
    rows = Payload.objects.annotate(key=WRAPPED_UNDER).filter(key__in=going).order_by("pk")
    while some := list(rows.defer("sealed")[:_BATCH]):
        with transaction.atomic():
            for payload in some:
                # A row that was erased in the meantime is left alone.
                held = Payload.objects.filter(pk=payload.pk, wrapped=payload.wrapped)
                held.update(wrapped=payloads.rewrap(payload, new))
        step("batch wrapped")
        yield len(some)


def _chunks(numbers: Iterable[UUID]) -> Iterator[list[UUID]]:
    left = iter(numbers)
    while some := list(islice(left, _BATCH)):
        yield some
