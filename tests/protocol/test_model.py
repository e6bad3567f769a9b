"""The Promela model: the same tables, and what spin says about each set of walls."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from madoguchi.protocol import (
    TERMINAL_TABLE,
    VISIT_TABLE,
    EffectKind,
    EventKind,
    TerminalState,
    Transition,
    VisitState,
    promela,
)

MODEL = Path(__file__).parents[2] / "model"
SEED = ["A logs in", "A's card is taken away", "B puts the card down", "WRONG: what B registers lands on A"]
FORGOTTEN = ["A logs in", "WRONG: what B registers lands on A"]
WRONG = re.compile(r"assertion violated \(session==\d\)")

NOT_MODELLED = {
    EventKind.ISSUE: "the model begins with its three tickets issued",
    EventKind.CURTAIN: "reported only: serving stays serving, nothing else depends on it",
    EventKind.UNCURTAIN: "as CURTAIN; its guard is attacked by the unit tests",
    EventKind.SWEEP_PROVEN: "reported only, and about no visit",
    EventKind.ASK_END: "only asks for an END, and the model's terminal may end at any moment anyway",
}
"""Events of the tables that nobody in the model causes, and why."""

ROWS_NOT_TAKEN = {
    (VisitState.WAITING, EventKind.WITHDRAW): "a person who leaves the queue is as if never issued",
    (
        TerminalState.CURTAINED,
        EventKind.CARD_GONE,
    ): "the model's reader tells a departure once; the row changes nothing",
    (TerminalState.CONFIRMING, EventKind.ORPHAN): "needs an office that forgot what it had accepted (restored backup)",
}
"""Rows of modelled events that the model never takes, and why."""


def source(name: str) -> str:
    return (MODEL / name).read_text()


def test_the_generated_table_is_up_to_date() -> None:
    assert source("table.pml") == promela.table_pml(), "run: python -m madoguchi.protocol.promela > model/table.pml"


def test_every_state_and_event_has_its_name_in_the_model() -> None:
    declared = re.search(r"mtype = \{(.*?)\}", source("table.pml"), re.S)
    assert declared is not None
    names = {name.strip() for name in declared[1].split(",")}
    states = {f"v_{state}" for state in VisitState} | {f"t_{state}" for state in TerminalState}
    assert names == states | {f"e_{event}" for event in EventKind}


def test_the_model_knows_every_word_of_the_tables() -> None:
    used = set(re.findall(r"\b[VT]_(?:KEEP|SET|IF|DO)_\w+|\b[VT]_FORGET", source("table.pml")))
    defined = set(re.findall(r"#define ([VT]_\w+)", source("terminal.pml")))
    assert used <= defined
    assert defined - used <= {"V_ROW", "T_ROW"}


def test_every_event_is_caused_in_the_model_or_left_out_for_a_reason() -> None:
    caused = set(re.findall(r"\be_(\w+)", source("terminal.pml")))
    assert caused == {event.value for event in EventKind} - {event.value for event in NOT_MODELLED}


def test_the_model_writes_no_state_by_itself_but_where_it_begins_or_a_machine_is_new() -> None:
    assigned = re.findall(r"(?<![=!<>])\b\w+(?:\[\w+\])?\.state = (\w+)", source("terminal.pml"))
    assert set(assigned) == {"t_ending", "t_locked", "v_waiting", "v_withdrawn"}


Change = Callable[[Transition], Transition]


class Pan:
    """The verifier that spin writes for one variant."""

    def __init__(self, place: Path, *flags: str, compiled: tuple[str, ...] = ()) -> None:
        self.place = place
        for name in ("terminal.pml", "table.pml"):
            if not (place / name).exists():
                shutil.copy(MODEL / name, place)
        self.run("spin", *(f"-D{flag}" for flag in flags), "-a", "terminal.pml")
        self.run("gcc", "-O2", "-DSAFETY", *(f"-D{flag}" for flag in compiled), "-o", "pan", "pan.c")

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.place, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def search(self) -> str:
        return self.run("./pan", "-m20000")

    def story(self) -> list[str]:
        """What happens on the way to the error, in the words of the model."""
        told = self.run("./pan", "-S").split("pan:1:")[0]
        return [line for line in told.splitlines() if "browser" not in line and "called" not in line]


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["NO_LEASE", "LEASE_ONLY", "POSSESSION_ONLY", "LEASE_AND_POSSESSION"])
def test_without_all_walls_a_registration_lands_on_another_card(tmp_path: Path, variant: str) -> None:
    """Breadth first, so that the story is the shortest there is: the card forgotten on the reader."""
    pan = Pan(tmp_path, variant, compiled=("BFS",))
    result = pan.search()
    assert WRONG.search(result)
    assert "errors: 1" in result
    assert pan.story()[-2:] == FORGOTTEN


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["NO_LEASE", "LEASE_ONLY", "POSSESSION_ONLY", "LEASE_AND_POSSESSION"])
def test_the_next_person_who_reads_the_own_card_still_writes_on_the_first(tmp_path: Path, variant: str) -> None:
    """The seed's own way. Presence alone is too late: between card and notice there is a moment."""
    pan = Pan(tmp_path, variant, "OWN_CARD_READ", compiled=("BFS",))
    assert WRONG.search(pan.search())
    assert pan.story()[-4:] == SEED


@pytest.mark.slow
def test_the_full_design_lets_none_through(tmp_path: Path) -> None:
    """Exhaustive: every state of three people, one crash or lost memory, one wipe that fails, three calls."""
    result = Pan(tmp_path, "FULL", compiled=("COLLAPSE",)).search()
    assert "errors: 0" in result
    assert "Search not completed" not in result
    assert "error: max search depth too small" not in result
    assert not_taken("visit", VISIT_TABLE, result) | not_taken("terminal", TERMINAL_TABLE, result) == {
        (row.source, row.event)
        for row in (*VISIT_TABLE, *TERMINAL_TABLE)
        if row.event in NOT_MODELLED or (row.source, row.event) in ROWS_NOT_TAKEN
    }


def not_taken(name: str, table: tuple[Transition, ...], result: str) -> set[tuple[object, EventKind]]:
    taken = {int(number) for number in re.findall(rf"{name} row (\d+) taken", result)}
    assert taken, "the search took no row at all"
    return {(row.source, row.event) for number, row in enumerate(table) if number not in taken}


def without_wipe(row: Transition) -> Transition:
    if row.event is EventKind.END and row.target is TerminalState.ENDING:
        kept = tuple(effect for effect in row.effects if effect.kind is not EffectKind.DESTROY_BOX)
        return replace(row, target=TerminalState.CONFIRMING, effects=kept)
    if row.event is EventKind.END and row.target is VisitState.ENDING:
        return replace(row, target=VisitState.CONFIRMING)
    return row


def locked_after_a_failed_wipe(row: Transition) -> Transition:
    failed = row.event is EventKind.WIPE_FAILED and row.source is TerminalState.ENDING
    return replace(row, target=TerminalState.LOCKED, clears=True) if failed else row


def forgetful_restart(row: Transition) -> Transition:
    forgets = row.event is EventKind.RESTART and row.source is TerminalState.OPEN
    return replace(row, target=TerminalState.LOCKED, clears=True, effects=()) if forgets else row


@pytest.mark.slow
@pytest.mark.parametrize("broken", [without_wipe, locked_after_a_failed_wipe, forgetful_restart])
def test_a_broken_table_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Change) -> None:
    """The model runs the product's rows: broken there, the full design no longer holds."""
    for name in ("VISIT_TABLE", "TERMINAL_TABLE"):
        monkeypatch.setattr(promela, name, tuple(map(broken, getattr(promela, name))))
    (tmp_path / "table.pml").write_text(promela.table_pml())
    result = Pan(tmp_path, "FULL", compiled=("COLLAPSE",)).search()
    assert "assertion violated" in result
