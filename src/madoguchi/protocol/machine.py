"""`step`: the only function that changes a state."""

from dataclasses import fields, replace
from typing import Any, TypeVar

from madoguchi.protocol.confirmation import check_confirmation
from madoguchi.protocol.errors import IllegalTransition, MissingEvidence, NotAllowed, StaleLease
from madoguchi.protocol.events import Effect, Event, EventKind
from madoguchi.protocol.roles import Role
from madoguchi.protocol.states import Terminal, Visit, VisitState
from madoguchi.protocol.table import Transition, rows_for

Snapshot = TypeVar("Snapshot", Visit, Terminal)

_NEW = Visit(VisitState.WAITING)
_NAMES_NEW_LEASE = frozenset({EventKind.CALL, EventKind.ASSIGN, EventKind.ORPHAN})
_KEEPS_FIRST_CAUSE = frozenset({EventKind.END})


def step(snapshot: Snapshot | None, event: Event) -> tuple[Snapshot, tuple[Effect, ...]]:
    """Apply one event by the table and return (new snapshot, effects in order).

    1. The table has a row for (state, event) whose guard holds, else `IllegalTransition`.
    2. The row names the actor's role, else `NotAllowed`.
    3. A device's event carries the lease that stands in the snapshot, else `StaleLease` (I6).
    4. The body carries every field the row demands, none empty, else `MissingEvidence`.
    Nothing changes when an error is raised.
    """
    _check_lease(snapshot, event)
    row = _choose(snapshot, event)
    _check_role(row, event)
    return _apply(row, snapshot, event), row.effects  # type: ignore[return-value]  # row.target matches Snapshot


def _choose(snapshot: Visit | Terminal | None, event: Event) -> Transition:
    rows = rows_for(snapshot, event.kind)
    for row in rows:
        _check_evidence(row, event)
        if row.guard is None or row.guard.holds(snapshot, event.body):
            return row
    state = snapshot.state if snapshot is not None else "(none)"
    raise IllegalTransition(f"{state} + {event.kind}")


def _check_role(row: Transition, event: Event) -> None:
    if event.by not in row.who:
        raise NotAllowed(f"{event.by} may not {event.kind} in {row.source}")


def _check_lease(snapshot: Visit | Terminal | None, event: Event) -> None:
    if isinstance(snapshot, Visit) and event.by is Role.TERMINAL and event.lease is None:
        raise StaleLease(f"{event.kind} without a lease")
    if snapshot is None or event.lease is None or event.kind in _NAMES_NEW_LEASE:
        return
    if event.lease != snapshot.lease:
        raise StaleLease(f"{event.kind} with lease {event.lease}, standing is {snapshot.lease}")


def _check_evidence(row: Transition, event: Event) -> None:
    missing = [name for name in row.evidence if event.body.get(name) in (None, "")]
    if missing:
        raise MissingEvidence(f"{event.kind} lacks {', '.join(missing)}")
    if event.kind is EventKind.CONFIRM:
        check_confirmation(event.body)


def _apply(row: Transition, snapshot: Visit | Terminal | None, event: Event) -> Visit | Terminal:
    base: Visit | Terminal = snapshot if snapshot is not None else _NEW
    if row.clears:
        return type(base)(row.target)  # type: ignore[arg-type]  # the row's target is of the base's machine
    known = {field.name for field in fields(base)}
    changes: dict[str, Any] = {name: event.body[name] for name in row.evidence if name in known}
    changes |= dict(row.sets)
    if event.kind in _KEEPS_FIRST_CAUSE and base.cause is not None:
        changes.pop("cause", None)
    return replace(base, state=row.target, **changes)  # type: ignore[arg-type]  # see above
