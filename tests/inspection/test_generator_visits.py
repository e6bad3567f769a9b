"""Made-up visits: neighbours at a terminal, planted cases that show as stated, gaps in the records that are lawful."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from madoguchi.cli import app
from madoguchi.inspection import generator_visits
from madoguchi.inspection.engine import open_engine
from madoguchi.inspection.errors import OutputTaken
from madoguchi.inspection.generator_visits import TRUTH, VISITS, block, generate
from madoguchi.inspection.generator_wrong import KINDS
from madoguchi.inspection.visit_findings import pairs
from madoguchi.inspection.visit_records import FIELDS, prepare
from madoguchi.inspection.visit_signs import Limits
from madoguchi.inspection.visits import run_checks

COUNT, SHARE = 24_000, 0.02
Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made")
    generate(out, visits=COUNT, seed=3, wrong=SHARE)
    return out


@pytest.fixture(scope="module")
def rows(made: Path) -> Rows:
    return {row["visit_id"]: row for row in pq.read_table(made / VISITS).to_pylist()}


@pytest.fixture(scope="module")
def truth(made: Path) -> list[dict[str, str]]:
    told: list[dict[str, str]] = pq.read_table(made / TRUTH).to_pylist()
    return told


def test_they_are_records_of_made_up_visits(made: Path, rows: Rows) -> None:
    assert pq.read_schema(made / VISITS).names == list(FIELDS)
    for file in (VISITS, TRUTH):
        assert "架空" in pq.read_schema(made / file).metadata[b"madoguchi"].decode()
    assert len(rows) == COUNT
    for row in rows.values():
        marked = (row["visit_id"], row["site"], row["ticket"], row["card_tag"] or "架空")
        assert all(text.startswith("架空") for text in marked)


def test_nobody_sits_where_another_still_sits(rows: Rows) -> None:
    last: dict[tuple[str, str], Any] = {}
    for row in sorted(rows.values(), key=lambda row: row["opened_at"]):
        seat = row["site"], row["terminal"]
        assert row["opened_at"] < row["ended_at"]
        assert seat not in last or last[seat] < row["opened_at"]
        last[seat] = row["ended_at"]
    assert len(last) == 8


def test_who_comes_back_comes_within_days_for_the_same(rows: Rows) -> None:
    by_card: dict[str, list[dict[str, Any]]] = {}
    for row in rows.values():
        if row["card_tag"]:
            by_card.setdefault(row["card_tag"], []).append(row)
    again = [visits for visits in by_card.values() if len(visits) > 1]
    assert 0.02 < len(again) / COUNT < 0.08
    for visits in again:
        assert len({row["procedure"] for row in visits}) == 1
        assert len(visits) == 2
        days = abs((visits[1]["opened_at"].date() - visits[0]["opened_at"].date()).days)
        assert 1 <= days <= 10


def test_planted_are_as_many_as_stated_and_the_next_in_line(rows: Rows, truth: list[dict[str, str]]) -> None:
    assert len(truth) == int(COUNT * SHARE)
    people = [told[who] for told in truth for who in ("lost", "got")]
    assert len(set(people)) == len(people)
    for told in truth:
        lost, got = rows[told["lost"]], rows[told["got"]]
        assert (lost["site"], lost["terminal"]) == (got["site"], got["terminal"])
        assert lost["lease"] == got["lease"] + 1
        assert lost["opened_at"].date() == got["opened_at"].date()
        assert lost["card_tag"] is None or lost["card_tag"] != got["card_tag"]


_SHOWS: dict[str, Callable[[dict[str, Any], dict[str, Any]], object]] = {
    "left_open": lambda _, got: got["proof"] is False and got["confirmation"] in ("none", "absent"),
    "signed_open": lambda _, got: got["proof"] is False and got["confirmation"] == "signature",
    "unrecorded": lambda _, got: got["proof"] is got["confirmation"] is None and got["outcome"] != "completed",
    "card_gone": lambda _, got: got["card_away_s"] > Limits().away_s,
    "quarantine": lambda lost, got: (
        got["wipe_failed_at"] and (not got["released_at"] or got["released_at"] > lost["opened_at"])
    ),
    "typed": lambda lost, _: lost["registered_at"] < lost["opened_at"],
    "silent": lambda _, got: got["proof"] is got["confirmation"] is None and got["outcome"] == "completed",
}


def test_each_way_shows_as_it_says(rows: Rows, truth: list[dict[str, str]]) -> None:
    assert set(_SHOWS) == set(KINDS) == {told["kind"] for told in truth}
    wrong = [told for told in truth if not _SHOWS[told["kind"]](rows[told["lost"]], rows[told["got"]])]
    assert wrong == []
    assert sum(KINDS.values()) == pytest.approx(1.0)


def test_who_is_refused_or_goes_registers_nothing(rows: Rows, truth: list[dict[str, str]]) -> None:
    planted = {told[who] for told in truth for who in ("lost", "got")}
    for row in rows.values():
        if row["visit_id"] not in planted and (row["refusals"] or row["outcome"] != "completed"):
            assert row["registered_at"] is None


def test_an_office_without_cases_has_gaps_all_the_same(tmp_path: Path) -> None:
    told = generate(tmp_path, visits=COUNT, seed=3, wrong=0.0)
    assert (told.rows, told.wrong, pq.read_table(tmp_path / TRUTH).num_rows) == (COUNT, 0, 0)
    rows = pq.read_table(tmp_path / VISITS).to_pylist()
    for share, of in ((0.03, "confirmation"), (0.05, "card_tag")):
        assert sum(row[of] is None for row in rows) / COUNT == pytest.approx(share, rel=0.2)
    assert 0.002 < sum(row["proof"] is False for row in rows) / COUNT < 0.006
    assert 0.006 < sum(row["refusals"] == "already_registered" for row in rows) / COUNT < 0.012


def test_what_is_planted_is_listed_the_right_way_round(made: Path, truth: list[dict[str, str]], tmp_path: Path) -> None:
    number = prepare(made / VISITS, tmp_path / "records.parquet")
    with closing(open_engine("duckdb", tmp_path, threads=1)) as engine:
        listed = {(pair.lost, pair.got) for pair in pairs(run_checks(engine, tmp_path, number, Limits())[1])}
    found = {kind: [(told["lost"], told["got"]) in listed for told in truth if told["kind"] == kind] for kind in KINDS}
    for kind in ("left_open", "signed_open", "unrecorded", "card_gone", "quarantine"):
        assert all(found[kind])
    assert 0 < sum(found["silent"]) < len(found["silent"])
    assert sum(found["typed"]) > 0.7 * len(found["typed"])
    assert len(listed) < 0.06 * COUNT


def test_the_same_seed_gives_the_same_bytes_and_blocks_are_cities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator_visits, "_BLOCK", 960)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert generate(tmp_path / name, visits=2_000, seed=seed, wrong=0.01).wrong == 20
    read = {name: [(tmp_path / name / file).read_bytes() for file in (VISITS, TRUTH)] for name in "abc"}
    assert read["a"] == read["b"]
    assert read["a"] != read["c"]
    table = pq.read_table(tmp_path / "a" / VISITS)
    assert table.slice(960, 960).equals(block(960, 960, 1, 0.01)[0])
    assert len(set(table["visit_id"].to_pylist())) == 2_000
    assert len({site[:6] for site in table["site"].to_pylist()}) == 3


@pytest.mark.parametrize("visits", [1, 8, 9])
def test_few_visits_are_records_too(tmp_path: Path, visits: int) -> None:
    assert generate(tmp_path, visits=visits, seed=0, wrong=0.1).rows == visits
    assert prepare(tmp_path / VISITS, tmp_path / "records.parquet") == visits


def test_nothing_is_overwritten_or_left_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> Any:
        raise OSError("no space left")

    monkeypatch.setattr(generator_visits, "block", full_disk)
    with pytest.raises(OSError, match="no space"):
        generate(tmp_path, visits=10, seed=0)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / TRUTH).write_text("mine")
    with pytest.raises(OutputTaken):
        generate(tmp_path, visits=10, seed=0)
    assert (tmp_path / TRUTH).read_text() == "mine"


def test_the_command_says_what_it_planted(tmp_path: Path) -> None:
    words = ["inspect", "generate-visits", str(tmp_path / "made"), "--visits", "500", "--wrong", "0.01"]
    told = CliRunner().invoke(app, words, catch_exceptions=False)
    assert told.output == "500 visits, planted: 5 (架空)\n"
