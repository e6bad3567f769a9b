"""What the server states of itself and of staff, beyond the steps of visits: signed and appended."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from madoguchi.evidence import leaf as entry
from madoguchi.evidence.envelope import canonical
from madoguchi.protocol import Role
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import Terminal
from madoguchi.server.ledger import group, store, types
from madoguchi.server.ledger.signer import signer


def state(
    *,
    kind: str,
    body: Mapping[str, Any],
    staff: Staff | None = None,
    terminal: Terminal | UUID | None = None,
    visit: UUID | None = None,
    alone: bool = False,
) -> int:
    """Sign and append a statement of an office act; the entry's id.

    In the caller's transaction: if that is rolled back, nothing was stated. `alone`: for a statement that nothing else
    is written with; many such at once are committed together. Raises `types.NotInTheList`.
    """
    by = staff.acts_as if staff else Role.SERVER
    types.check(kind=kind, by=by, body=body)
    now, where = clock.now(), terminal.pk if isinstance(terminal, Terminal) else terminal
    statement = {
        "at": now.isoformat(timespec="microseconds"),
        "body": dict(body),
        "by": by.value,
        "kind": kind,
        "lease": None,
        "seq": None,
        "staff": staff.username if staff else None,
        "terminal": str(where) if where else None,
        "visit": str(visit) if visit else None,
    }
    draft = store.Draft(signed(statement, at=now), kind, now, visit, where)
    if alone and not connection.in_atomic_block:
        return group.shared().write(draft)
    return store.insert([draft])[0]


def signed(statement: Mapping[str, Any], *, at: datetime) -> bytes:
    """The entry's bytes of a statement that the server signs."""
    ours = signer()
    return entry.make(
        key=ours.public, signature=ours.sign(canonical(statement)), statement=statement, received=received(at)
    )


def received(at: datetime, *, order: int | None = None, skew: float = 0.0) -> dict[str, Any]:
    """What the server notes beside a statement."""
    return {"at": at.isoformat(timespec="microseconds"), "order": order, "skew": skew}
