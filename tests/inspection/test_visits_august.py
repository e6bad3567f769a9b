"""The two cases of August 2022, as the city's lists would have shown them: found, and in the right direction."""

import random
import tomllib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from inspection.visit_list import Row, at, keep
from madoguchi.inspection.errors import OutputTaken
from madoguchi.inspection.summary import Summary
from madoguchi.inspection.visit_errors import RecordUnreadable, VisitTwice
from madoguchi.inspection.visits import inspect

SCENARIO = Path(__file__).parents[2] / "scenarios" / "august-2022.toml"
REFUSED = {"B1", "A2", "C2"}
"""Whose screen said that something was registered already, by the report."""

LEFT = {"A1", "B1", "C1"}
"""Who went home without completing."""

CASES = {("B1", "A1"), ("D1", "C1")}
"""Whose registration landed on whose card."""

Found = list[dict[str, Any]]


def august(*, tags: bool = True, days_only: bool = False) -> list[Row]:
    """One row for each time that somebody of the scenario came to a counter; nothing of log-outs is on record."""
    rows: list[Row] = []
    for step in tomllib.loads(SCENARIO.read_text(encoding="utf-8"))["steps"]:
        if step["do"] == "arrive":
            rows.append(_came(step, rows, tags=tags, days_only=days_only))
    return rows


def _came(step: dict[str, Any], before: Sequence[Row], *, tags: bool, days_only: bool) -> Row:
    who, (site, terminal) = step["who"], step["terminal"].split()
    name = f"{who}{1 + sum(row['visit_id'].startswith(who) for row in before)}"
    return {
        "visit_id": name,
        "site": site,
        "terminal": terminal,
        "ticket": f"市民{name}",
        "procedure": step["procedure"],
        "created_at": step["at"].date() if days_only else step["at"],
        "outcome": "interrupted" if name in LEFT else "completed",
        "refusals": "already_registered" if name in REFUSED else None,
        "card_tag": who if tags else None,
    }


def others(number: int, *, tags: bool) -> list[Row]:
    """Made-up visits at the same terminals in those weeks; one in eight is not completed, and some come back."""
    dice, rows = random.Random(1), list[Row]()  # noqa: S311 - made-up visits, no secret
    for n in range(number):
        begun = at("9:00", days=dice.randrange(-10, 20)) + timedelta(minutes=dice.randrange(480))
        rows.append(
            {
                "visit_id": f"v{n}",
                "site": dice.choice(["本庁舎", "都南総合支所", "玉山総合事務所"]),
                "terminal": dice.choice(["端末1", "端末2"]),
                "ticket": f"V-{n}",
                "procedure": dice.choice(["payment_service", "public_money_account"]),
                "created_at": begun,
                "outcome": "interrupted" if dice.random() < 0.125 else "completed",
                "refusals": None,
                "card_tag": f"v{n if dice.random() < 0.95 else dice.randrange(n + 1)}" if tags else None,
            }
        )
    return [row for row in rows if not _between(row)]


def _between(row: Row) -> bool:
    """Nobody sat between the two of a case: that they were neighbours is what the report says."""
    moment: datetime = row["created_at"]
    spans = [(at("10:00"), at("10:36")), (at("13:00", days=13), at("13:26", days=13))]
    return any(begun <= moment <= ended for begun, ended in spans)


def found(folder: Path, rows: Sequence[Row]) -> tuple[Found, Summary]:
    summary = inspect(keep(rows, folder / "list.parquet"), out=folder / "out")
    return pq.read_table(folder / "out" / "findings.parquet").to_pylist(), summary


def top(rows: Found, most: int) -> set[tuple[str, str]]:
    return {(row["lost_visit"], row["got_visit"]) for row in rows[:most]}


def test_both_cases_stand_at_the_top_with_their_direction(tmp_path: Path) -> None:
    rows, _ = found(tmp_path, august())
    assert top(rows, 2) == CASES
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    case_2 = next(row for row in rows if row["got_visit"] == "C1")
    assert case_2["terminal"] == "端末1"
    assert case_2["site"] == "都南総合支所"
    assert (case_2["before_visit"], case_2["after_visit"]) == (None, "C2")
    assert case_2["lost_at"] == at("13:25", days=13)
    assert "市民C1" in case_2["reason_ja"]
    assert "市民D1" in case_2["reason_en"]
    assert "ログアウト確認" in case_2["unknown"]


def test_days_in_the_order_of_the_list_are_enough(tmp_path: Path) -> None:
    assert top(found(tmp_path, august(days_only=True))[0], 2) == CASES


def test_without_card_tags_both_are_found_still(tmp_path: Path) -> None:
    rows, summary = found(tmp_path, august(tags=False))
    assert top(rows, len(rows)) >= CASES
    assert (rows[0]["lost_visit"], rows[0]["got_visit"]) == ("B1", "A1")
    assert any(step.name == "no_card" and step.rows_out == 8 for step in summary.steps)


@pytest.mark.parametrize("tags", [True, False])
def test_among_a_thousand_other_visits(tmp_path: Path, tags: bool) -> None:
    crowd = others(1000, tags=tags)
    rows, _ = found(tmp_path, [*crowd, *august(tags=tags)])
    assert len(crowd) > 900
    assert top(rows, 2 if tags else 12) >= CASES


def test_the_look_back_list_names_the_neighbours(tmp_path: Path) -> None:
    rows, _ = found(tmp_path, august())
    rank = next(row["rank"] for row in rows if row["got_visit"] == "A1")
    listed = pq.read_table(tmp_path / "out" / "lookback.parquet").to_pylist()
    assert [(row["visit_id"], row["role"]) for row in listed if row["rank"] == rank] == [
        ("A1", "登録が入った疑い"),
        ("B1", "登録が移った疑い"),
        ("A2", "しるしのあった来庁"),
        ("B2", "前後の人"),
    ]


def test_the_reports_lie_beside_the_findings(tmp_path: Path) -> None:
    rows, summary = found(tmp_path, august())
    out = tmp_path / "out"
    assert Summary.from_json((out / "summary.json").read_text()) == summary
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF-1.7")
    book = openpyxl.load_workbook(out / "findings.xlsx", read_only=True)
    assert book.sheetnames == ["要約", "確認リスト", "遡及一覧"]
    assert sum(1 for _ in book["確認リスト"].iter_rows()) == len(rows) + 1


def test_an_empty_list_gives_an_empty_report(tmp_path: Path) -> None:
    source = tmp_path / "list.csv"
    source.write_text("来庁番号,端末,受付時刻\n", encoding="utf-8")
    summary = inspect(source, out=tmp_path / "out")
    assert (summary.rows, summary.findings) == (0, 0)
    assert (tmp_path / "out" / "report.pdf").stat().st_size > 1000


def _twice(rows: list[Row]) -> None:
    rows.append(rows[0])


def _unreadable(rows: list[Row]) -> None:
    rows[0]["outcome"] = "たぶん完了"


@pytest.mark.parametrize(("harm", "error"), [(_twice, VisitTwice), (_unreadable, RecordUnreadable)])
def test_what_is_refused_leaves_nothing_behind(
    tmp_path: Path, harm: Callable[[list[Row]], None], error: type[Exception]
) -> None:
    rows = august()
    harm(rows)
    with pytest.raises(error):
        found(tmp_path, rows)
    assert [path.name for path in tmp_path.iterdir()] == ["list.parquet"]


def test_earlier_results_are_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(OutputTaken):
        found(tmp_path, august())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
