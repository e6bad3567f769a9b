"""`step`: the only function that changes a state."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

from madoguchi.protocol.confirmation import check_confirmation
from madoguchi.protocol.errors import IllegalTransition, MissingEvidence, NotAllowed, StaleLease
from madoguchi.protocol.events import Effect, EndCause, Event, EventKind
from madoguchi.protocol.roles import Role
from madoguchi.protocol.states import Terminal, Visit, VisitState
from madoguchi.protocol.table import Transition, rows_for

Snapshot = TypeVar("Snapshot", Visit, Terminal)

_NEW = Visit(VisitState.WAITING)
_NAMES_NEW_LEASE = frozenset({EventKind.CALL, EventKind.ASSIGN, EventKind.ORPHAN})
_ANSWERS = frozenset(
    {EventKind.BOUND, EventKind.BIND_REFUSED, EventKind.UNASSIGN, EventKind.SERVER_CLOSED, EventKind.CONFIRM}
)
"""What reaches a terminal as the answer to something older: without its lease it could hit the next visit."""
_KEEPS_FIRST_CAUSE = frozenset({EventKind.END})
_EMPTY: tuple[Any, ...] = (None, "", {}, [], ())


def step(snapshot: Snapshot | None, event: Event) -> tuple[Snapshot, tuple[Effect, ...]]:
    """Apply one event by the table and return (new snapshot, effects in order).

    1. An event with a lease carries the one that stands in the snapshot; a device's event to a visit, and an
       answer, an order to end or a confirmation to a terminal, must carry it; else `StaleLease` (I6).
    2. The table has a row for (state, event), else `IllegalTransition`.
    3. A row names the actor's role, else `NotAllowed`.
    4. The body carries every field the row demands, none empty, of the right kind, else `MissingEvidence`.
    5. The row's guard holds, else the next row; when none is left, `IllegalTransition`.
    Nothing changes when an error is raised.
    """
    _check_lease(snapshot, event)
    row = _choose(snapshot, event)
    return _apply(row, snapshot, event), row.effects  # type: ignore[return-value]  # row.target matches Snapshot


def _check_lease(snapshot: Visit | Terminal | None, event: Event) -> None:
    if snapshot is None or event.kind in _NAMES_NEW_LEASE:
        return
    if event.lease is None and _needs_lease(snapshot, event):
        raise StaleLease(f"{event.kind} without a lease")
    if event.lease is not None and event.lease != snapshot.lease:
        raise StaleLease(f"{event.kind} with lease {event.lease}, standing is {snapshot.lease}")


def _needs_lease(snapshot: Visit | Terminal, event: Event) -> bool:
    if isinstance(snapshot, Visit):
        return event.by is Role.TERMINAL
    return event.kind in _ANSWERS or (event.kind is EventKind.END and event.by is Role.SERVER)


def _choose(snapshot: Visit | Terminal | None, event: Event) -> Transition:
    rows = rows_for(snapshot, event.kind)
    state = snapshot.state if snapshot is not None else "(none)"
    if rows and not any(event.by in row.who for row in rows):
        raise NotAllowed(f"{event.by} may not {event.kind} in {state}")
    for row in rows:
        if event.by not in row.who:
            continue
        _check_evidence(row, event)
        if row.guard is None or row.guard.holds(snapshot, event.body):
            return row
    raise IllegalTransition(f"{state} + {event.kind}")


def _check_evidence(row: Transition, event: Event) -> None:
    missing = [name for name in row.evidence if event.body.get(name) in _EMPTY]
    if missing:
        raise MissingEvidence(f"{event.kind} lacks {', '.join(missing)}")
    wrong = [name for name in row.evidence if name in _KINDS and not _KINDS[name](event.body[name])]
    if wrong:
        raise MissingEvidence(f"{event.kind} has no proper {', '.join(wrong)}")
    if event.kind is EventKind.CONFIRM:
        check_confirmation(event.body)


def _is_lease(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_cause(value: object) -> bool:
    return any(value == cause.value for cause in EndCause)


_KINDS: dict[str, Callable[[object], bool]] = {
    "lease": _is_lease,
    "cause": _is_cause,
    "card_tag": lambda value: isinstance(value, str),
}


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
