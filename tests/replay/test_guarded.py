"""The same people doing the same, with the walls: the command itself, on the server's database of this run."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from postgres import cluster

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

Replay = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def environment() -> Iterator[Callable[[], dict[str, str]]]:
    """An environment with an empty database: PostgreSQL if the suite runs on it, else the replay's own SQLite."""
    if os.environ.get("MADOGUCHI_TEST_DATABASE") != "postgres":
        yield lambda: dict(os.environ)
        return
    numbers = itertools.count()
    with cluster() as running:

        def fresh() -> dict[str, str]:
            name = f"replay{next(numbers)}"
            running.create(name)
            return {**os.environ, "MADOGUCHI_REPLAY_DATABASE_URL": running.url(name)}

        yield fresh


@pytest.fixture
def replay(environment: Callable[[], dict[str, str]]) -> Replay:
    def run(name: str, sites: str, guard: str = "on", browser: str = "none") -> dict[str, Any]:
        argv = [sys.executable, "-m", "madoguchi", "replay", str(ROOT / "scenarios" / f"{name}.toml"), "--json"]
        argv += ["--sites", sites, "--guard", guard, "--browser", browser]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=300, env=environment(), check=False)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    return run


def own(result: dict[str, Any]) -> list[str]:
    return [r["of"] for r in result["registrations"] if r["of"] == r["landed_on"]]


@pytest.mark.parametrize("sites", ["2022", "2023", "proof"])
def test_august_cannot_happen(replay: Replay, sites: str) -> None:
    result = replay("august-2022", sites)
    assert result["misregistrations"] == 0
    assert sorted(own(result)) == ["A", "B", "C", "D"]
    assert [(r["who"], r["reason"]) for r in result["refusals"]] == [("A", "certificate_not_yet_effective")]
    assert result["prevented_by"] == ["presence", "gate", "box"]


@pytest.mark.parametrize(
    ("name", "people"), [("portal-reopened", "B"), ("window-minimised", "B"), ("family-of-three", "ABC")]
)
def test_the_walls_hold_against_2022_sites(replay: Replay, name: str, people: str) -> None:
    result = replay(name, "2022")
    assert result["misregistrations"] == 0
    assert sorted(own(result)) == list(people)
    assert {"presence", "box"} <= set(result["prevented_by"])


@pytest.mark.parametrize(("sites", "wrong", "walls"), [("2022", 1, []), ("2023", 1, []), ("proof", 0, ["proof"])])
def test_a_forgotten_card_defeats_all_walls_but_the_proof(
    replay: Replay, sites: str, wrong: int, walls: list[str]
) -> None:
    result = replay("card-forgotten", sites)
    assert result["misregistrations"] == wrong
    assert result["prevented_by"] == walls


def test_a_visit_without_a_mishap_needs_no_wall(replay: Replay) -> None:
    result = replay("certificate-renewed", "2022")
    assert own(result) == ["A"]
    assert result["prevented_by"] == []


@pytest.mark.parametrize(("guard", "wrong"), [("off", 2), ("on", 0)])
def test_august_in_real_pages_in_a_real_browser(replay: Replay, guard: str, wrong: int) -> None:
    with_browser = replay("august-2022", "2022", guard, "chromium")
    assert with_browser["misregistrations"] == wrong
    assert with_browser == replay("august-2022", "2022", guard, "none")
