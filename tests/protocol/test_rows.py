"""Every row of both tables, one by one, and everything that has no row."""

from pathlib import Path
from typing import Any

import pytest

from madoguchi.protocol import (
    TERMINAL_TABLE,
    VISIT_TABLE,
    Confirmation,
    EndCause,
    Event,
    EventKind,
    IllegalTransition,
    InterruptReason,
    MissingEvidence,
    NotAllowed,
    Outcome,
    Permission,
    ProtocolError,
    Role,
    StaleLease,
    Terminal,
    TerminalState,
    Transition,
    Visit,
    VisitState,
    may,
    step,
)
from madoguchi.protocol.document import protocol_md
from madoguchi.protocol.events import Effect
from madoguchi.protocol.roles import PERMISSIONS
from madoguchi.protocol.states import FINAL, OCCUPYING

ROOT = Path(__file__).parents[2]
LEASE = 7
CARD, OTHER = "a" * 64, "b" * 64
BODY: dict[str, Any] = {
    "preflight": {"brought": True},
    "terminal": "t1",
    "visit": "v1",
    "lease": LEASE,
    "card_tag": CARD,
    "reason": InterruptReason.OTHER.value,
    "cause": EndCause.FINISH.value,
    "proof": {"space": "unmounted"},
    "failure": "still there",
    "confirmation": {"kind": Confirmation.ABSENT.value, "reason": "gone"},
    "outcome": Outcome.COMPLETED.value,
}
ROWS = [*VISIT_TABLE, *TERMINAL_TABLE]
Snapshot = Visit | Terminal | None
EMPTY: tuple[Any, ...] = (None, "", {}, [])


def snapshots(row: Transition) -> list[Snapshot]:
    """Snapshots in the row's state, so that among them every guard holds once."""
    if row.source is None:
        return [None]
    if isinstance(row.source, VisitState):
        plain = Visit(row.source, "t1", LEASE, CARD)
        return [plain, Visit(row.source, "t1", LEASE, CARD, "finish", {"p": 1}, {"kind": "absent"}, "completed")]
    return [
        Terminal(row.source, "v1", LEASE, tag, exposed, away)
        for exposed in (False, True)
        for away in (False, True)
        for tag in (CARD, OTHER)
    ]


def event(row: Transition, by: Role | None = None, carrying: int | None = LEASE, **changes: Any) -> Event:
    who = by or next(role for role in Role if role in row.who)
    return Event(row.event, who, carrying, {**BODY, **changes})


def take(snapshot: Snapshot, happened: Event) -> tuple[Any, tuple[Effect, ...]]:
    return step(snapshot, happened)


def fits(row: Transition) -> Snapshot:
    """A snapshot for which the row is the one that is taken."""
    for snapshot in snapshots(row):
        if row.guard is None or row.guard.holds(snapshot, BODY):
            return snapshot
    raise AssertionError(f"no snapshot for {row}")


def names(row: Transition) -> str:
    return f"{row.source}-{row.event}-{row.target}-{row.guard.name if row.guard else ''}"


@pytest.mark.parametrize("row", ROWS, ids=names)
def test_a_row_does_what_it_says(row: Transition) -> None:
    after, effects = take(fits(row), event(row))
    assert after.state is row.target
    assert effects == row.effects
    assert row.label
    if row.clears:
        assert after == type(after)(row.target)
    else:
        assert all(getattr(after, name) == value for name, value in row.sets)


@pytest.mark.parametrize("row", ROWS, ids=names)
def test_nobody_else_may(row: Transition) -> None:
    allowed = set().union(*(r.who for r in ROWS if (r.source, r.event) == (row.source, row.event)))
    for role in set(Role) - allowed:
        with pytest.raises(NotAllowed):
            take(fits(row), event(row, by=role))


@pytest.mark.parametrize("row", [row for row in ROWS if row.evidence], ids=names)
def test_each_missing_field_is_refused(row: Transition) -> None:
    for name in row.evidence:
        for empty in EMPTY:
            with pytest.raises(ProtocolError):
                take(fits(row), event(row, **{name: empty}))


def test_everything_without_a_row_is_illegal() -> None:
    known = {(row.source, row.event) for row in ROWS}
    states: list[VisitState | TerminalState] = [*VisitState, *TerminalState]
    for state in states:
        for kind in EventKind:
            if (state, kind) in known:
                continue
            snapshot = Visit(state, "t1", LEASE) if isinstance(state, VisitState) else Terminal(state, "v1", LEASE)
            for role in Role:
                with pytest.raises(IllegalTransition):
                    take(snapshot, Event(kind, role, LEASE, BODY))


@pytest.mark.parametrize("row", [row for row in VISIT_TABLE if Role.TERMINAL in row.who], ids=names)
def test_a_terminal_with_another_lease_or_none_changes_nothing(row: Transition) -> None:
    for lease in (LEASE - 1, LEASE + 1, None):
        with pytest.raises(StaleLease):
            take(fits(row), event(row, by=Role.TERMINAL, carrying=lease))


def test_final_states_are_final() -> None:
    assert not [row for row in VISIT_TABLE if row.source in FINAL]
    assert set(VisitState) == OCCUPYING | FINAL | {VisitState.WAITING}


def test_the_only_ways_into_confirming_carry_a_proof() -> None:
    for row in ROWS:
        if row.target.value == "confirming" and row.source is not row.target:
            assert "proof" in row.evidence


def test_the_first_cause_is_kept() -> None:
    snapshot = Visit(VisitState.ENDING, "t1", LEASE, CARD, cause="card_gone")
    after, _ = step(snapshot, Event(EventKind.END, Role.TERMINAL, LEASE, {"cause": "idle"}))
    assert after.cause == "card_gone"


@pytest.mark.parametrize(
    ("given", "outcome", "reason"),
    [
        ({"kind": "wave"}, "completed", None),
        ({}, "completed", None),
        ({"kind": "signature"}, "completed", None),
        ({"kind": "proxy_signature", "commitment": "x"}, "completed", None),
        ({"kind": "spoken", "staff_1": "a"}, "completed", None),
        ({"kind": "spoken", "staff_1": "a", "staff_2": "a"}, "completed", None),
        ({"kind": "absent", "reason": "  "}, "completed", None),
        ({"kind": "absent", "reason": "gone"}, "perhaps", None),
        ({"kind": "absent", "reason": "gone"}, "interrupted", None),
        ({"kind": "absent", "reason": "gone"}, "abandoned", "because"),
    ],
)
def test_a_confirmation_without_what_it_needs_is_refused(given: Any, outcome: str, reason: str | None) -> None:
    snapshot = Visit(VisitState.CONFIRMING, "t1", LEASE, CARD, proof={"p": 1})
    body = {"confirmation": given, "outcome": outcome, "reason": reason}
    with pytest.raises(MissingEvidence):
        step(snapshot, Event(EventKind.CONFIRM, Role.TERMINAL, LEASE, body))


def test_every_word_has_a_label() -> None:
    for kind in (Role, EndCause, Outcome, InterruptReason, Confirmation, VisitState, TerminalState):
        assert all(member.label for member in kind)


def test_the_permission_table_is_whole() -> None:
    assert set(PERMISSIONS) == set(Permission)
    for permission, holders in PERMISSIONS.items():
        assert holders
        assert {role for role in Role if may(role, permission)} == holders
        assert not holders & {Role.CITIZEN, Role.TERMINAL, Role.SERVER}


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8") == protocol_md()
