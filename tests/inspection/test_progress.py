"""The commands say what they are at: every stage begins and ends once, and only a terminal shows it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inspection.people import PEOPLE, write_register
from inspection.visit_list import LEFT, keep, visit
from madoguchi.cli import app
from madoguchi.inspection import accounts, generator, generator_visits, visits
from madoguchi.inspection.checks import check
from madoguchi.inspection.engine import open_engine
from madoguchi.inspection.progress import Stage, Stages, Watch
from madoguchi.inspection.register import open_register
from madoguchi.inspection.visit_signs import CHECKS


def _accounts(folder: Path, watch: Watch) -> list[str]:
    accounts.inspect(write_register(folder / "r.parquet", PEOPLE), out=folder / "out", watch=watch)
    return list(accounts.PLAN)


def _visits(folder: Path, watch: Watch) -> list[str]:
    rows = [visit("y", "10:00", **LEFT), visit("x", "10:20")]
    visits.inspect(keep(rows, folder / "v.parquet"), out=folder / "out", watch=watch)
    return ["visits_seats", *CHECKS]


def _people(folder: Path, watch: Watch) -> list[str]:
    generator.generate(folder / "made", people=250, seed=1, watch=watch)
    return []


def _turns(folder: Path, watch: Watch) -> list[str]:
    generator_visits.generate(folder / "made", visits=250, seed=1, watch=watch)
    return []


@pytest.mark.parametrize("run", [_accounts, _visits, _people, _turns])
def test_every_stage_begins_and_ends_in_order(
    run: Callable[[Path, Watch], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (generator, generator_visits):
        monkeypatch.setattr(module, "_BLOCK", 100)
    told: list[Stage] = []
    checks = run(tmp_path, told.append)
    of = told[0].of
    assert [(stage.place, stage.done) for stage in told] == [
        (at, done) for at in range(1, of + 1) for done in (False, True)
    ]
    assert {stage.of for stage in told} == {of}
    titles = [(stage.title_ja, stage.title_en) for stage in told if stage.done]
    wanted = [(check(name).title_ja, check(name).title_en) for name in checks]
    assert [title for title in titles if title in wanted] == wanted
    assert of == (len(checks) + 3 if checks else 3)


def test_the_plan_alone_tells_its_steps(tmp_path: Path) -> None:
    told: list[Stage] = []
    engine = open_engine("duckdb", tmp_path / "work", threads=1)
    register = open_register(write_register(tmp_path / "r.parquet", PEOPLE), work=tmp_path)
    steps = accounts.run_plan(engine, register, Stages(len(accounts.PLAN), told.append))
    engine.close()
    assert [stage.title_ja for stage in told if not stage.done] == [step.title_ja for step in steps]


def test_what_fails_is_never_done() -> None:
    told: list[Stage] = []
    with pytest.raises(ValueError, match="broken"), Stages(2, told.append).stage("一", "one"):
        raise ValueError("broken")
    assert told == [Stage("一", "one", 1, 2)]


def _standard_error(folder: Path, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    """What `inspect generate` writes there, to a terminal or to a file."""
    read, write = os.openpty() if terminal else os.pipe()
    try:
        with open(write, "w", encoding="utf-8") as error:
            monkeypatch.setattr(sys, "stderr", error)
            monkeypatch.setenv("TERM", "xterm")
            monkeypatch.setenv("FORCE_COLOR", "1")
            app(["inspect", "generate", str(folder / "made"), "--people", "50"], standalone_mode=False)
            error.flush()
            os.set_blocking(read, False)
            return _all_of(read)
    finally:
        os.close(read)


def _all_of(read: int) -> str:
    try:
        return os.read(read, 1 << 16).decode()
    except BlockingIOError:
        return ""


def test_a_terminal_shows_which_of_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _standard_error(tmp_path, monkeypatch, terminal=True)
    assert "架空の人を作る" in shown
    assert "1/1" in shown


def test_what_is_no_terminal_shows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _standard_error(tmp_path, monkeypatch, terminal=False) == ""
