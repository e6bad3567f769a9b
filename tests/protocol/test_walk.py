"""The two tables together: they hold, and every way of breaking them on purpose is found."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from madoguchi.protocol import (
    TERMINAL_TABLE,
    VISIT_TABLE,
    EffectKind,
    EventKind,
    Transition,
    VisitState,
    machine,
    table,
)
from madoguchi.protocol import TerminalState as T
from protocol.invariants import Broken
from protocol.walk import Walk

QUICK = settings(max_examples=80, stateful_step_count=30, deadline=None, database=None)
DEEP = settings(QUICK, max_examples=1000, stateful_step_count=60, suppress_health_check=list(HealthCheck))
HUNT = settings(
    DEEP,
    max_examples=3000,
    stateful_step_count=20,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)

Change = Callable[[Transition], Transition]


class Uncalled(Walk):
    uncalled = True


class UncalledWithProof(Uncalled):
    proof = True


class NoGate(Walk):
    gate = frozenset({VisitState.CALLED, VisitState.SERVING})


@pytest.mark.parametrize("walk", [Walk, UncalledWithProof])
def test_the_tables_hold(walk: type[Walk]) -> None:
    run_state_machine_as_test(walk, settings=QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("walk", [Walk, UncalledWithProof])
def test_the_tables_hold_on_long_walks(walk: type[Walk]) -> None:
    run_state_machine_as_test(walk, settings=DEEP)


def found(walk: type[Walk] = Walk) -> str:
    """Walk until an invariant breaks; its name."""
    with pytest.raises(Broken) as caught:
        run_state_machine_as_test(walk, settings=HUNT)
    return caught.value.name


@pytest.mark.slow
def test_without_proof_the_card_forgotten_on_the_reader_is_found() -> None:
    """Gate, box and presence do not stop who sits down uncalled; that is what the fourth wall is for."""
    assert found(Uncalled) == "wrong"


def test_gate_off_is_found() -> None:
    assert found(NoGate) in {"I1", "I4"}


@contextmanager
def mutated(visit: Change | None = None, terminal: Change | None = None) -> Iterator[None]:
    """Run with tables in which every row went through a change."""
    with pytest.MonkeyPatch.context() as patch:
        for name, rows, change in (("VISIT_TABLE", VISIT_TABLE, visit), ("TERMINAL_TABLE", TERMINAL_TABLE, terminal)):
            if change is not None:
                changed = tuple(map(change, rows))
                assert changed != rows
                patch.setattr(table, name, changed)
        yield


def pair(row: Transition) -> tuple[Any, EventKind]:
    return row.source, row.event


def confirming_without_wipe(row: Transition) -> Transition:
    if row.event is EventKind.END and row.target in (VisitState.ENDING, T.ENDING):
        kept = tuple(effect for effect in row.effects if effect.kind is not EffectKind.DESTROY_BOX)
        return replace(row, target=type(row.target)["CONFIRMING"], effects=kept)
    if row.event is EventKind.CLOSE:
        return replace(row, guard=None)
    return row


def test_confirming_without_a_wipe_is_found() -> None:
    with mutated(confirming_without_wipe, confirming_without_wipe):
        assert found() in {"I2", "I4", "I5", "I7"}


def any_card_lifts_the_curtain(row: Transition) -> Transition:
    return replace(row, guard=None) if pair(row) == (T.CURTAINED, EventKind.CARD_SEEN) else row


def test_another_card_accepted_on_return_is_found() -> None:
    with mutated(terminal=any_card_lifts_the_curtain):
        assert found() == "I2"


def test_a_stale_lease_accepted_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_check_lease", lambda _snapshot, _event: None)
    assert found() in {"I1", "I4", "I6"}


def opens_whatever_the_card_does(row: Transition) -> Transition:
    if pair(row) == (T.WAITING_CARD, EventKind.BOUND):
        return replace(row, guard=None)
    return row


def test_opening_for_a_card_that_has_left_is_found() -> None:
    with mutated(terminal=opens_whatever_the_card_does):
        assert found() == "I2"


def locks_after_a_failed_wipe(row: Transition) -> Transition:
    return replace(row, target=T.LOCKED, clears=True) if pair(row) == (T.ENDING, EventKind.WIPE_FAILED) else row


@pytest.mark.slow
def test_locking_although_the_wipe_failed_is_found() -> None:
    with mutated(terminal=locks_after_a_failed_wipe):
        assert found() == "I2"


def restart_forgets(row: Transition) -> Transition:
    if row.event is EventKind.RESTART and row.source in (T.OPEN, T.CURTAINED):
        return replace(row, target=T.LOCKED, clears=True, effects=())
    return row


@pytest.mark.slow
def test_a_restart_that_forgets_the_box_is_found() -> None:
    with mutated(terminal=restart_forgets):
        assert found() == "I2"
