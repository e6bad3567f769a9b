"""Scenario files are read strictly, and hold no results."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from madoguchi.replay.errors import MalformedScenario
from madoguchi.replay.scenario import Act, load, parse

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FILES = sorted(SCENARIOS.glob("*.toml"))


@pytest.fixture
def data() -> dict[str, Any]:
    return tomllib.loads((SCENARIOS / "august-2022.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_scenario_reads_and_is_marked_as_made_up(path: Path) -> None:
    scenario = load(path)
    assert scenario.steps
    assert "架空" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_result_is_written_into_a_scenario(path: Path) -> None:
    fields = {key for step in tomllib.loads(path.read_text(encoding="utf-8"))["steps"] for key in step}
    assert fields <= {"at", "who", "do", "only_if", "terminal", "procedure", "desk", "ask", "note"}


def test_august_has_the_reports_people_and_dates() -> None:
    scenario = load(SCENARIOS / "august-2022.toml")
    assert list(scenario.people) == ["A", "B", "C", "D"]
    days = list(dict.fromkeys((step.at.month, step.at.day) for step in scenario.steps))
    assert days == [(8, 17), (8, 30), (8, 31), (9, 2), (9, 15)]


def test_every_act_is_labelled_and_used_somewhere() -> None:
    assert all(act.label for act in Act)
    used = {step.do for path in FILES for step in load(path).steps}
    assert used | {Act.LOG_OUT} == set(Act)


BROKEN = {
    "no title": lambda d: d.pop("title"),
    "unknown top field": lambda d: d.update(result=2),
    "no people": lambda d: d.update(people=[]),
    "letter twice": lambda d: d["people"].append(copy.deepcopy(d["people"][0])),
    "person without name": lambda d: d["people"][0].pop("name"),
    "birth is text": lambda d: d["people"][0].update(birth="1951"),
    "payment without code": lambda d: d["people"][0]["payment"].pop("code"),
    "unknown person": lambda d: d["steps"][0].update(who="Z"),
    "unknown act": lambda d: d["steps"][0].update(do="fly"),
    "arrive without terminal": lambda d: d["steps"][0].pop("terminal"),
    "unknown procedure": lambda d: d["steps"][0].update(procedure="passport"),
    "time without offset": lambda d: d["steps"][0].update(at=d["steps"][0]["at"].replace(tzinfo=None)),
    "time goes back": lambda d: d["steps"][1].update(at=d["steps"][0]["at"].replace(hour=1)),
    "outcome written in": lambda d: d["steps"][4].update(expect="refused"),
    "condition without fact": lambda d: d["steps"][1].update(only_if={"who": "A"}),
    "condition with unknown value": lambda d: d["steps"][1].update(only_if={"who": "A", "sees": "stars"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_malformed_scenario_is_refused_with_the_place(name: str, data: dict[str, Any]) -> None:
    BROKEN[name](data)
    with pytest.raises(MalformedScenario, match=r"people|steps|top level|birth"):
        parse(data, "broken")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"title = ", b"[steps"])
def test_a_file_that_is_no_scenario(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(content)
    with pytest.raises(MalformedScenario):
        load(file)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MalformedScenario):
        load(tmp_path / "none.toml")
