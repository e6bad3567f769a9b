"""Every row of both tables: who, evidence, guard, lease; and every pair that has no row."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from madoguchi.protocol import (
    TERMINAL_TABLE,
    VISIT_TABLE,
    Event,
    EventKind,
    IllegalTransition,
    MissingEvidence,
    NotAllowed,
    Role,
    StaleLease,
    Terminal,
    TerminalState,
    Transition,
    Visit,
    VisitState,
    step,
)
from madoguchi.protocol.events import Effect, EndCause
from madoguchi.protocol.states import FINAL, OCCUPYING

Snapshot = Visit | Terminal | None
ROWS = (*VISIT_TABLE, *TERMINAL_TABLE)
IDS = [f"{row.source}-{row.event}-{row.guard.name if row.guard else 'always'}" for row in ROWS]
FULL_BODY: dict[str, Any] = {
    "preflight": {"pin": True},
    "terminal": "T1",
    "lease": 7,
    "visit": "V1",
    "card_tag": "own",
    "cause": "finish",
    "proof": {"space": "unmounted"},
    "failure": "busy",
    "reason": "other",
    "confirmation": {"kind": "signature", "commitment": "c2ln", "own_name": "own"},
    "outcome": "completed",
}
HOLDS: dict[str, dict[str, Any]] = {
    "same_card": {},
    "other_card": {"card_tag": "another"},
    "not_confirmed": {},
    "wiped_and_confirmed": {"proof": {"space": "none"}, "confirmation": {"kind": "spoken"}, "outcome": "completed"},
    "exposed": {"exposed": True},
    "not_exposed": {"exposed": False},
    "asked_same_card": {"exposed": True},
    "asked_other_card": {"exposed": True, "card_tag": "another"},
    "card_here": {"exposed": True, "card_away": False},
    "card_away": {"exposed": True, "card_away": True},
    "same_visit": {},
}
"""What the snapshot remembers when a guard holds, beyond `own` card, lease 7, visit V1."""
FAILS: dict[str, dict[str, Any]] = {
    "same_card": {"card_tag": "another"},
    "not_confirmed": {"confirmation": {"kind": "spoken"}},
    "wiped_and_confirmed": {"proof": None},
    "exposed": {"exposed": False},
    "same_visit": {"visit": "V2"},
    "card_here": {"exposed": False},
}
"""What it remembers when the guard does not hold; for rows that are alone in their pair."""


def run(snapshot: Snapshot, event: Event) -> tuple[Any, tuple[Effect, ...]]:
    known: Any = snapshot
    return step(known, event)


def standing(row: Transition, **remembered: Any) -> Snapshot:
    """A snapshot in which the row's guard holds, unless `remembered` says otherwise."""
    given = (HOLDS[row.guard.name] if row.guard else {}) | remembered
    if isinstance(row.source, TerminalState):
        return replace(Terminal(row.source, "V1", 7, "own"), **given)
    if isinstance(row.source, VisitState):
        return replace(Visit(row.source, "T1", 7, "own"), **given)
    return None


def told(row: Transition, by: Role | None = None, **changed: Any) -> Event:
    body = {name: value for name, value in (FULL_BODY | changed).items() if value is not None}
    return Event(row.event, by or min(row.who), 7, body)


def rows_of(row: Transition) -> list[Transition]:
    table = TERMINAL_TABLE if isinstance(row.target, TerminalState) else VISIT_TABLE
    return [other for other in table if (other.source, other.event) == (row.source, row.event)]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_leads_where_it_says_for_everyone_it_names(row: Transition) -> None:
    for role in row.who:
        after, effects = run(standing(row), told(row, role))
        assert (after.state, effects) == (row.target, row.effects)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_refuses_everyone_it_does_not_name(row: Transition) -> None:
    for role in set(Role) - set().union(*(other.who for other in rows_of(row))):
        with pytest.raises(NotAllowed):
            run(standing(row), told(row, role))
        with pytest.raises(NotAllowed):
            run(standing(row), Event(row.event, role, 7))


@pytest.mark.parametrize("row", [row for row in ROWS if row.evidence])
def test_a_row_demands_each_piece_of_its_evidence(row: Transition) -> None:
    empties: tuple[object, ...] = (None, "", {}, [])
    for name, empty in itertools.product(row.evidence, empties):
        body = {**FULL_BODY, name: empty}
        with pytest.raises(MissingEvidence, match=name):
            run(standing(row), Event(row.event, min(row.who), 7, body))


@pytest.mark.parametrize("row", [row for row in ROWS if row.guard and len(rows_of(row)) == 1])
def test_a_guard_that_fails_refuses(row: Transition) -> None:
    assert row.guard is not None
    snapshot = standing(row, **FAILS[row.guard.name])
    with pytest.raises(IllegalTransition):
        run(snapshot, told(row))


def test_every_guard_is_known_here() -> None:
    assert {row.guard.name for row in ROWS if row.guard} == set(HOLDS)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_of_the_rows_of_a_pair_exactly_one_fits_or_none(row: Transition) -> None:
    """So that the order of the rows means nothing (spin takes any that fits)."""
    pair = rows_of(row)
    if len(pair) == 1 or row.source is None:
        return
    base: Any = standing(replace(row, guard=None))
    for exposed, away, tag in itertools.product((True, False), (True, False), ("own", "another")):
        changes = {"card_tag": tag} | ({"exposed": exposed, "card_away": away} if isinstance(base, Terminal) else {})
        snapshot = replace(base, **changes)
        fitting = [other for other in pair if other.guard is None or other.guard.holds(snapshot, FULL_BODY)]
        assert len(fitting) <= 1


def bearing_lease(row: Transition) -> bool:
    return row.source is not None and row.event not in (EventKind.CALL, EventKind.ASSIGN, EventKind.ORPHAN)


@pytest.mark.parametrize("row", [row for row in ROWS if bearing_lease(row)])
def test_another_lease_than_the_standing_one_changes_nothing(row: Transition) -> None:
    for role, old in itertools.product(Role, (6, 8, 0, -7)):
        with pytest.raises(StaleLease):
            run(standing(row), replace(told(row, role), lease=old))


@pytest.mark.parametrize("row", [row for row in VISIT_TABLE if row.who & {Role.TERMINAL}])
def test_a_terminals_report_without_a_lease_changes_no_visit(row: Transition) -> None:
    with pytest.raises(StaleLease):
        run(standing(row), replace(told(row, Role.TERMINAL), lease=None))


@pytest.mark.parametrize("row", TERMINAL_TABLE)
def test_an_answer_without_a_lease_changes_no_terminal(row: Transition) -> None:
    """What answers something older, and a signature on a page that may be older, could hit the next visit."""
    answers = {EventKind.BOUND, EventKind.BIND_REFUSED, EventKind.UNASSIGN, EventKind.SERVER_CLOSED, EventKind.CONFIRM}
    for role in row.who:
        event = replace(told(row, role), lease=None)
        if row.event in answers or (row.event, role) == (EventKind.END, Role.SERVER):
            with pytest.raises(StaleLease):
                run(standing(row), event)
        else:
            assert run(standing(row), event)[0].state == row.target


PLACES: list[Snapshot] = [
    None,
    *(Visit(state, "T1", 7, "own") for state in VisitState),
    *(Terminal(state, "V1", 7, "own", exposed=True) for state in TerminalState),
]


@pytest.mark.parametrize("snapshot", PLACES, ids=lambda snapshot: str(snapshot and snapshot.state))
def test_a_pair_without_a_row_is_illegal_for_everybody(snapshot: Snapshot) -> None:
    table = TERMINAL_TABLE if isinstance(snapshot, Terminal) else VISIT_TABLE
    known = {row.event for row in table if row.source == (snapshot and snapshot.state)}
    for kind, role in itertools.product(set(EventKind) - known, Role):
        with pytest.raises(IllegalTransition):
            run(snapshot, Event(kind, role, 7, FULL_BODY))


def test_every_event_and_every_state_stands_in_a_table() -> None:
    assert {row.event for row in ROWS} | {EventKind.SWEEP_PROVEN} == set(EventKind)
    assert {row.target for row in VISIT_TABLE} == set(VisitState)
    assert {row.target for row in TERMINAL_TABLE} == set(TerminalState)


def test_a_finished_visit_never_moves_again() -> None:
    assert not [row for row in VISIT_TABLE if row.source in FINAL]
    assert set(VisitState) == OCCUPYING | FINAL | {VisitState.WAITING}


def test_every_row_has_a_japanese_label_and_somebody_who_may() -> None:
    assert all(row.label.strip() and not row.label.isascii() and row.who for row in ROWS)


def test_serving_is_left_by_an_end_or_by_an_officer_and_closing_needs_a_wipe() -> None:
    """I5 by the shape of the table: no way to closed around ending, wiping and confirming."""
    into = {
        target: {(row.source, row.event) for row in VISIT_TABLE if row.target is target and row.source is not target}
        for target in VisitState
    }
    assert into[VisitState.CLOSED] == {(VisitState.CONFIRMING, EventKind.CLOSE)}
    assert {event for _, event in into[VisitState.CONFIRMING]} == {EventKind.WIPE_PROVEN, EventKind.ATTEST_WIPE}
    assert into[VisitState.SERVING] == {(VisitState.CALLED, EventKind.BIND_CARD)}


def test_every_way_into_confirming_carries_a_proof() -> None:
    for row in ROWS:
        if row.target.value == "confirming" and row.source is not row.target:
            assert "proof" in row.evidence


def test_the_terminal_ends_by_itself_whenever_a_box_may_be_open() -> None:
    """I7: no row that ends names only the server, and no row that opens names anybody else."""
    for row in TERMINAL_TABLE:
        names = {effect.kind.value for effect in row.effects}
        if "open_box" in names:
            assert row.who == {Role.SERVER}
    for state in (TerminalState.OPEN, TerminalState.CURTAINED):
        ends = next(row for row in TERMINAL_TABLE if (row.source, row.event) == (state, EventKind.END))
        assert {Role.TERMINAL, Role.CITIZEN} <= ends.who


# --- what is remembered


def test_the_first_cause_stays() -> None:
    visit = Visit(VisitState.SERVING, "T1", 7, "own")
    for cause in ("card_gone", "agent_restarted"):
        visit, _ = run(visit, Event(EventKind.END, Role.TERMINAL, 7, {"cause": cause}))
    assert visit.cause == "card_gone"
    terminal = Terminal(TerminalState.OPEN, "V1", 7, "own", exposed=True)
    for cause in ("idle", "finish"):
        terminal, _ = run(terminal, Event(EventKind.END, Role.TERMINAL, 7, {"cause": cause}))
    assert terminal.cause == "idle"


@pytest.mark.parametrize("cause", [*EndCause, "restarted", 5, True, ["finish"], {"finish": 1}])
def test_a_cause_is_one_of_the_list(cause: object) -> None:
    visit = Visit(VisitState.SERVING, "T1", 7, "own")
    event = Event(EventKind.END, Role.TERMINAL, 7, {"cause": cause})
    if isinstance(cause, EndCause):
        assert run(visit, event)[0].cause == cause
        return
    with pytest.raises(MissingEvidence):
        run(visit, event)


@pytest.mark.parametrize("lease", [0, -1, True, "7", 7.0, [7]])
def test_a_lease_is_a_positive_number(lease: object) -> None:
    with pytest.raises(MissingEvidence):
        run(Visit(VisitState.WAITING), Event(EventKind.CALL, Role.SUPPORTER, None, {"terminal": "T1", "lease": lease}))


@pytest.mark.parametrize("tag", [5, ["own"], {"own": 1}, True])
def test_a_card_tag_is_a_text(tag: object) -> None:
    with pytest.raises(MissingEvidence):
        run(Visit(VisitState.CALLED, "T1", 7), Event(EventKind.BIND_CARD, Role.TERMINAL, 7, {"card_tag": tag}))


def test_back_in_the_queue_a_visit_remembers_neither_terminal_nor_lease() -> None:
    visit, _ = run(
        Visit(VisitState.CALLED, "T1", 7), Event(EventKind.RETURN_TO_QUEUE, Role.SUPPORTER, None, {"reason": "不在"})
    )
    assert visit == Visit(VisitState.WAITING)


def test_a_second_wipe_that_fails_takes_the_proof_back() -> None:
    visit = Visit(VisitState.CONFIRMING, "T1", 7, "own", "finish", {"space": "unmounted"})
    visit, _ = run(visit, Event(EventKind.WIPE_FAILED, Role.TERMINAL, 7, {"failure": "busy"}))
    assert (visit.state, visit.proof) == (VisitState.ENDING, None)


def test_the_server_does_not_let_a_report_change_the_visits_card() -> None:
    visit = Visit(VisitState.SERVING, "T1", 7, "own")
    with pytest.raises(IllegalTransition):
        run(visit, Event(EventKind.UNCURTAIN, Role.TERMINAL, 7, {"card_tag": "another"}))


def test_what_a_locked_terminal_remembers_is_nothing() -> None:
    for row in TERMINAL_TABLE:
        if row.target is TerminalState.LOCKED and row.source is not TerminalState.LOCKED:
            assert run(standing(row), told(row))[0] == Terminal(TerminalState.LOCKED)
