import json
import re
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from inspection.people import PEOPLE, WRONG, counter, row, write_register
from madoguchi.cli import app
from madoguchi.inspection.accounts import inspect, run_plan
from madoguchi.inspection.checks import check
from madoguchi.inspection.engine import Engine, open_engine
from madoguchi.inspection.errors import EngineFailed, OutputTaken
from madoguchi.inspection.generator import REGISTER, TRUTH, generate
from madoguchi.inspection.judge import judge_batch, judged_schema
from madoguchi.inspection.register import SCHEMA, open_register
from madoguchi.inspection.summary import Summary
from madoguchi.names.decide import SURE

CHECKS = sorted(
    path.name.removesuffix(".sql")
    for path in (resources.files("madoguchi.inspection") / "checks").iterdir()
    if path.name.startswith("accounts_")
)


def planned(tmp_path: Path, rows: list[dict[str, Any]]) -> Engine:
    """The engine after the whole plan over these rows."""
    engine = open_engine("duckdb", tmp_path / "work", threads=1)
    run_plan(engine, open_register(write_register(tmp_path / "r.parquet", rows), work=tmp_path))
    return engine


def asked(engine: Engine, table: str, *columns: str) -> set[tuple[Any, ...]]:
    told = engine.read(f"SELECT * FROM {table}").to_pylist()  # noqa: S608 - our tables
    return {tuple(line[name] for name in columns) for line in told}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("found")
    engine = planned(folder, PEOPLE)
    return {row["person_id"]: row for row in engine.read("SELECT * FROM accounts_ranked").to_pylist()}


def test_the_wrong_ones_lead_the_list(found: dict[str, dict[str, Any]]) -> None:
    ranked = sorted(found, key=lambda person: found[person]["rank"])
    assert set(ranked[: len(WRONG)]) == WRONG
    assert [found[person]["rank"] for person in ranked] == list(range(1, len(ranked) + 1))


def test_the_incident_is_seen_for_what_it_is(found: dict[str, dict[str, Any]]) -> None:
    assert found["C"]["p_other"] > 0.99
    assert found["C"]["verdict"] == "OTHER"
    assert found["C"]["shared_by"] == 2
    assert "同じ日・同じ窓口" in found["C"]["signals"]
    assert "同じ窓口" in found["C"]["reason_ja"]
    assert "same counter" in found["C"]["reason_en"]
    assert "別の人の氏名のほうによく合います" in found["C"]["reason_ja"]
    assert found["D"]["p_wrong"] < 0.1


def test_what_the_chain_cannot_see_is_found_by_name(found: dict[str, dict[str, Any]]) -> None:
    assert found["E"]["shared_by"] == 1
    assert found["E"]["p_other"] > 0.1
    assert found["H"]["p_family"] > found["H"]["p_other"]
    assert found["F"]["p_family"] > found["H"]["p_family"]


def test_who_is_well_is_no_finding(found: dict[str, dict[str, Any]]) -> None:
    assert not {"I", "J", "K", "N"} & set(found)


def test_a_former_surname_is_not_somebody_else(found: dict[str, dict[str, Any]]) -> None:
    assert "L" not in found or found["L"]["p_wrong"] < found["L"]["p_oldname"]


def test_chances_are_chances(found: dict[str, dict[str, Any]]) -> None:
    for told in found.values():
        assert sum(told[name] for name in ("p_self", "p_family", "p_oldname", "p_other")) == pytest.approx(1.0)
        assert told["p_wrong"] == told["p_family"] + told["p_other"]


def test_a_row_that_cannot_be_judged_is_left_to_a_person(found: dict[str, dict[str, Any]]) -> None:
    assert found["M"]["verdict"] == "UNDETERMINED"
    assert "氏名が空です" in found["M"]["reason_ja"]


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_says_what_why_and_whence(name: str) -> None:
    head = " ".join(line[3:] for line in check(name).sql.splitlines() if line.startswith("-- "))
    assert re.search(r"(Finds|Gives|Counts|Ranks) ", head)
    assert "Why" in head
    assert check(name).title_ja
    assert check(name).title_en


def test_checks_there_are() -> None:
    assert len(CHECKS) == 12


def test_repeated_counts_rows_and_leaves_out_no_account(tmp_path: Path) -> None:
    engine = planned(tmp_path, PEOPLE)
    assert asked(engine, "accounts_repeated", "account") == {("1-1",), ("3-1",)}


def test_one_person_twice_is_not_sharing(tmp_path: Path) -> None:
    twice = [row("A", "山田　花子", "ﾔﾏﾀﾞ ﾊﾅｺ", "9"), row("A", "山田　花子", "ﾔﾏﾀﾞ ﾊﾅｺ", "9")]
    engine = planned(tmp_path, twice)
    assert asked(engine, "accounts_people", "person_id") == {("A",)}
    assert asked(engine, "accounts_sharing", "person_id") == set()


def test_people_have_surname_and_address_or_are_nobodys_kin(tmp_path: Path) -> None:
    rows = [
        row("A", "佐々木　健", "ｻｻｷ ｹﾝ", "9"),
        row("B", "山田 花子", "ﾔﾏﾀﾞ ﾊﾅｺ", "9"),
        row("C", "田中翔", "ﾀﾅｶ ｼｮｳ", "9"),
        row("D", "", "ｱ", "9", address=""),
        row("E", "", "ｱ", "9", address=None),
    ]
    engine = planned(tmp_path, rows)
    surnames = {("A", "佐々木"), ("B", "山田"), ("C", "田中"), ("D", "D"), ("E", "E")}
    assert asked(engine, "accounts_people", "person_id", "surname") == surnames
    assert {("D", "D"), ("E", "E")} <= asked(engine, "accounts_people", "person_id", "address")
    assert asked(engine, "accounts_sharing", "shared_by", "strangers") == {(5, 4)}


def test_sharing_counts_strangers_and_those_at_the_same_counter(tmp_path: Path) -> None:
    home = {"address": "架空市1丁目"}
    rows = [
        row("A", "田中　翔", "ﾀﾅｶ ﾕｳｺ", "9", **home, **counter(1)),
        row("B", "田中　優子", "ﾀﾅｶ ﾕｳｺ", "9", **home, **counter(2)),
        row("C", "鈴木　一郎", "ﾀﾅｶ ﾕｳｺ", "9", **home),
        row("D", "田中　次郎", "ﾀﾅｶ ﾕｳｺ", "9"),
        row("E", "高橋　三郎", "ﾀﾅｶ ﾕｳｺ", "9", **counter(3)),
    ]
    engine = planned(tmp_path, rows)
    told = asked(engine, "accounts_sharing", "person_id", "shared_by", "strangers", "same_day")
    assert told == {("A", 5, 1, 1), ("B", 5, 1, 1), ("C", 5, 2, 0), ("D", 5, 2, 0), ("E", 5, 4, 2)}
    assert asked(engine, "accounts_strangers", "person_id") == {("A",), ("B",), ("C",), ("D",), ("E",)}


def test_an_account_on_many_people_is_counted_not_paired(tmp_path: Path) -> None:
    rows = [row(f"P{at}", f"架{at}　空", "ｱ", "9", address=f"架空市{at}") for at in range(3_000)]
    engine = planned(tmp_path, rows)
    assert asked(engine, "accounts_sharing", "shared_by", "strangers") == {(3_000, 2_999)}


def test_fitting_counts_the_others_whom_the_name_fits_better(tmp_path: Path) -> None:
    engine = planned(tmp_path, PEOPLE)
    told = {("C", 1), ("D", 0), ("F", 1), ("G", 0)}
    assert asked(engine, "accounts_sharing", "person_id", "better") == told


def test_an_owner_with_a_slip_comes_after_the_child_on_the_account(tmp_path: Path) -> None:
    home = {"address": "架空市1丁目"}
    slip = row("A", "渡辺　健二", "ﾜﾀﾅﾍﾞ ｹﾝｼ", "9", **home)
    child = row("B", "渡辺　さくら", "ﾜﾀﾅﾍﾞ ｹﾝｼ", "9", **home)
    engine = planned(tmp_path, [slip, child])
    wrong = dict(asked(engine, "accounts_ranked", "person_id", "p_wrong"))
    assert wrong["B"] > 0.9
    assert wrong.get("A", 0.0) < wrong["B"]


def line_at_the_counter(*, minutes: int = 20, place: str = "架空市役所支援窓口") -> list[dict[str, Any]]:
    """Q's account has landed on P's card; Q has registered another since."""
    first = row("P", "高橋　恵子", "ﾓﾘﾓﾄ ｹﾝｼﾞ", "1", **counter(10))
    second = row("Q", "森本　健二", "ﾓﾘﾓﾄ ｹﾝｼﾞ", "2", **counter(10))
    second["registered_at"] += timedelta(minutes=minutes)
    return [first, dict(second, place=place), row("R", "山田　花子", "ﾔﾏﾀﾞ ﾊﾅｺ", "3", **counter(12))]


@pytest.mark.parametrize("minutes", [-60, -1, 0, 20, 60])
def test_the_next_in_line_is_named(tmp_path: Path, minutes: int) -> None:
    engine = planned(tmp_path, line_at_the_counter(minutes=minutes))
    assert asked(engine, "accounts_owners", "person_id", "near_id") == {("P", "Q")}
    [found] = engine.read("SELECT * FROM accounts_ranked WHERE person_id = 'P'").to_pylist()
    assert found["whose"] == "Q"
    assert found["p_other"] > 0.9
    assert "(Q)" in found["reason_ja"]
    assert "(Q)" in found["reason_en"]
    assert "前後の人" in found["signals"]


@pytest.mark.parametrize("elsewhere", [{"minutes": 61}, {"minutes": -61}, {"place": "架空市別館"}])
def test_who_was_not_near_is_not_named(tmp_path: Path, elsewhere: dict[str, Any]) -> None:
    engine = planned(tmp_path, line_at_the_counter(**elsewhere))
    assert asked(engine, "accounts_owners", "person_id") == set()
    [found] = engine.read("SELECT * FROM accounts_ranked WHERE person_id = 'P'").to_pylist()
    assert found["whose"] is None
    assert "前後" not in found["reason_ja"] + found["signals"]


def test_who_fits_is_what_the_name_match_calls_self(tmp_path: Path) -> None:
    engine = planned(tmp_path, PEOPLE)
    for account, fits in (("at", SURE), ("below", np.nextafter(SURE, 0.0))):
        rows = {"person_id": ["P"], "account": [account], "near_id": ["Q"], "fits": [fits]}
        engine.put("accounts_near_fitted", pa.table(rows))
        told = engine.read(check("accounts_owners").sql).to_pylist()
        assert [line["account"] for line in told] == (["at"] if account == "at" else [])


def test_no_chance_stands_in_the_text_of_a_check() -> None:
    folder = resources.files("madoguchi.inspection") / "checks"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name.endswith(".sql")}
    code = {name: "\n".join(re.sub("--.*", "", line) for line in text.splitlines()) for name, text in texts.items()}
    assert len(code) > len(CHECKS)
    assert {name for name, text in code.items() if re.search(r"\d\.\d|\d{3,}(?![-\d])", text)} == set()


def test_near_are_those_of_a_stranger_s_account_only(tmp_path: Path) -> None:
    engine = planned(tmp_path, line_at_the_counter())
    assert asked(engine, "accounts_near_fitted", "person_id", "near_id") == {("P", "Q"), ("P", "R")}


def test_findings_weighed_are_the_findings_judged(tmp_path: Path) -> None:
    engine = planned(tmp_path, PEOPLE)
    judged = engine.read("SELECT person_id FROM accounts_judged WHERE rest_bin IS NULL").to_pylist()
    assert judged
    assert {(line["person_id"],) for line in judged} == asked(engine, "accounts_ranked", "person_id")


def test_strangers_and_chain_are_the_steps_of_june_2023(tmp_path: Path) -> None:
    engine = planned(tmp_path, PEOPLE)
    assert asked(engine, "accounts_strangers", "person_id") == {("C",), ("D",)}
    assert asked(engine, "accounts_chain", "person_id") == {("C",)}


def test_every_row_is_a_finding_or_counted_in_the_rest(tmp_path: Path) -> None:
    engine = planned(tmp_path, PEOPLE)
    rest = engine.read("SELECT * FROM accounts_rest").to_pylist()
    assert sum(row["rest_rows"] for row in rest) + len(engine.read("SELECT * FROM accounts_ranked")) == len(PEOPLE)
    assert all(row["rest_wrong"] >= 0 for row in rest)


def test_the_steps_count_rows_of_the_register(tmp_path: Path) -> None:
    summary = inspect(write_register(tmp_path / "r.parquet", PEOPLE), out=tmp_path / "out")
    steps = {step.name: (step.rows_in, step.rows_out) for step in summary.steps}
    assert steps["accounts_evidence"] == (len(PEOPLE), summary.findings)
    assert steps["accounts_rest"] == (len(PEOPLE), len(PEOPLE) - summary.findings)


def test_a_register_without_rows_is_inspected(tmp_path: Path) -> None:
    summary = inspect(write_register(tmp_path / "r.parquet", []), out=tmp_path / "out")
    assert (summary.rows, summary.findings, summary.looks_for_99) == (0, 0, 0)
    assert all(step.rows_out == 0 for step in summary.steps)


def test_batches_may_be_cut_anywhere(tmp_path: Path) -> None:
    generate(tmp_path, people=1_500, seed=2)
    table = pq.read_table(tmp_path / REGISTER)
    for name, value in (("shared_by", 2), ("strangers", 0), ("same_day", 0), ("better", 0)):
        table = table.append_column(name, pa.array([value] * len(table), pa.int64()))
    [whole] = table.combine_chunks().to_batches()
    schema = judged_schema(SCHEMA)
    found = [judge_batch(whole.slice(at, 7), schema) for at in range(0, len(whole), 7)]
    cut = pa.Table.from_batches(found)
    once = pa.Table.from_batches([judge_batch(whole, schema)])
    listed = [table.filter(pa.compute.is_null(table["rest_bin"])).combine_chunks() for table in (cut, once)]
    assert len(listed[0]) > 100
    assert listed[0].equals(listed[1])
    rest = [
        {name: sum(table[name].drop_null().to_pylist()) for name in ("rest_rows", "rest_wrong")}
        for table in (cut, once)
    ]
    assert rest[0] == rest[1]


def test_official_readings_and_former_names_count_where_the_register_has_them(tmp_path: Path) -> None:
    more = SCHEMA.append(pa.field("furigana", pa.string())).append(pa.field("former", pa.string()))
    plain = row("A", "小林　真由美", "ﾏﾂﾓﾄ ﾏﾕﾐ", "1", furigana=None, former="松本")
    other = row("B", "山田　幸子", "ﾔﾏﾀﾞ ﾕｷｺ", "2", furigana="ヤマダ サチコ", former=None)
    out = tmp_path / "out"
    inspect(write_register(tmp_path / "r.parquet", [plain, other], more), out=out)
    found = {line["person_id"]: line for line in pq.read_table(out / "findings.parquet").to_pylist()}
    assert "A" not in found
    assert found["B"]["verdict"] == "FAMILY"
    assert "フリガナ" in found["B"]["reason_ja"]


def test_what_was_planted_is_found(tmp_path: Path) -> None:
    generate(tmp_path, people=150_000, seed=11)
    summary = inspect(tmp_path / REGISTER, out=tmp_path / "out")
    truth = {row["person_id"]: row["kind"] for row in pq.read_table(tmp_path / TRUTH).to_pylist()}
    found = pq.read_table(tmp_path / "out" / "findings.parquet").to_pylist()
    kinds = [truth.get(row["person_id"], "SELF") for row in found]
    assert kinds.count("OTHER") == 2
    assert kinds.count("FAMILY") >= 0.97 * 360
    assert sum(kind in ("FAMILY", "OTHER") for kind in kinds[:200]) >= 190
    left = [line for line, kind in zip(found, kinds, strict=True) if kind == "OTHER"]
    owners = {line["person_id"]: line["owner"] for line in pq.read_table(tmp_path / TRUTH).to_pylist()}
    assert all(line["p_wrong"] > 0.5 and line["whose"] == owners[line["person_id"]] for line in left)
    assert summary.findings == len(found) < 0.01 * summary.rows


def test_the_folder_has_all_results_and_extra_columns(tmp_path: Path) -> None:
    more = SCHEMA.append(pa.field("city", pa.string()))
    file = write_register(tmp_path / "r.parquet", [dict(person, city="架空") for person in PEOPLE], more)
    told = CliRunner().invoke(app, ["inspect", "accounts", str(file), "--out", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {"findings.parquet", "findings.xlsx", "report.pdf", "summary.json"}
    found = pq.read_table(out / "findings.parquet")
    assert found.column_names[:2] == ["rank", "person_id"]
    assert found.column_names[-1] == "city"
    assert not {"strangers", "rest_bin"} & set(found.column_names)
    assert openpyxl.load_workbook(out / "findings.xlsx").sheetnames
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")
    summary = Summary.from_json((out / "summary.json").read_text(encoding="utf-8"))
    assert json.loads(summary.to_json()) == json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary.rows == len(PEOPLE)
    assert [path.name for path in tmp_path.glob(".inspect-*")] == []


def test_results_are_not_overwritten_and_nothing_is_half_done(tmp_path: Path) -> None:
    file = write_register(tmp_path / "r.parquet", PEOPLE)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "findings.parquet").write_text("mine")
    with pytest.raises(OutputTaken):
        inspect(file, out=tmp_path / "out")
    file.write_bytes(b"PAR1" + bytes(400) + file.read_bytes()[404:])
    with pytest.raises(EngineFailed):
        inspect(file, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert [path.name for path in tmp_path.glob(".inspect-*")] == []
