"""The list as a spreadsheet, read back: a clerk can work with it, and no name in it can do anything."""

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inspection.report_data import HOSTILE, finding, keep, summary
from madoguchi.inspection.report.columns import CHECK, column
from madoguchi.inspection.report.errors import FindingsUnreadable
from madoguchi.inspection.report.xlsx import SHEET_ROWS, Extra, write_xlsx

LIST = "確認リスト"


def written(folder: Path, *rows: dict[str, Any], **chosen: Any) -> Any:
    target = folder / "findings.xlsx"
    write_xlsx(target, findings=keep(folder, *rows), summary=summary(len(rows)), **chosen)
    return openpyxl.load_workbook(target)


def sheets_as_xml(folder: Path) -> str:
    with zipfile.ZipFile(folder / "findings.xlsx") as book:
        parts = [book.read(name) for name in book.namelist() if name.endswith(".xml")]
    for part in parts:
        ET.fromstring(part)  # noqa: S314 - our own file; raises if it is not well formed
    return "".join(part.decode() for part in parts)


def texts(sheet: Any) -> list[str]:
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_the_list_is_ready_for_work(tmp_path: Path) -> None:
    sheet = written(tmp_path, finding(1), finding(2, p_wrong=0.5))[LIST]
    head = [cell.value for cell in sheet[1]]
    assert head[0] == "順位\nRank"
    assert head[-1] == f"{CHECK.title_ja}\n{CHECK.title_en}"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, len(head)).column_letter}3"
    assert sheet.print_title_rows == "$1:$1"
    widths = {cell.value.partition("\n")[2]: sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]}
    assert widths["Reason"] == column("reason_en").width
    shown = {head[n].partition("\n")[2]: cell for n, cell in enumerate(sheet[2])}
    assert (shown["P(wrong)"].value, shown["P(wrong)"].number_format) == (0.979, "0.00%")
    assert (shown["Rank"].value, shown["Signals"].value) == (1, "shared, name")
    assert shown["Registered at"].value == datetime(2022, 8, 30, 13, 35)  # noqa: DTZ001 - this country's clock
    assert shown["Verdict"].value == "別の人 OTHER"
    assert shown["Checked"].value is None
    [answers] = sheet.data_validations.dataValidation
    assert answers.formula1 == '"○,×,保留"'
    assert str(answers.sqref) == f"{shown['Checked'].column_letter}2:{shown['Checked'].column_letter}3"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_would_be_a_formula_stays_a_name(tmp_path: Path, name: str) -> None:
    book = written(tmp_path, finding(1, kanji=name, place=name, reason_ja=name, signals=[name], person_id=name))
    raw = sheets_as_xml(tmp_path)
    assert "<f>" not in raw
    assert "<f " not in raw
    for cell in book[LIST][2]:
        assert cell.data_type != "f"
    kanji = book[LIST]["C2"]
    assert kanji.quotePrefix == (name.strip()[0] in "=+-@" or name[0] in "\t\r")
    assert kanji.number_format == "@"


def test_the_summary_is_no_program_either(tmp_path: Path) -> None:
    told = summary(1, source="=1+1.csv", engine="@SUM(A1)", title_ja="+1", title_en="=2")
    write_xlsx(tmp_path / "findings.xlsx", findings=keep(tmp_path, finding(1)), summary=told)
    assert "<f>" not in sheets_as_xml(tmp_path)
    assert "=1+1.csv" in texts(openpyxl.load_workbook(tmp_path / "findings.xlsx")["要約"])


def test_what_looks_like_an_escape_of_the_format_is_shown_as_it_is(tmp_path: Path) -> None:
    written(tmp_path, finding(1, kanji="_x003D_1"))
    assert "_x005F_x003D_1" in sheets_as_xml(tmp_path)


def test_signs_that_nobody_sees_become_visible(tmp_path: Path) -> None:
    hidden = "\x00\x07\x1b\x7f\u202e\u2066\u200b\ufeff\ufffe\uffff"
    sheet = written(tmp_path, finding(1, kanji=f"山{hidden}田"))[LIST]
    sheets_as_xml(tmp_path)
    assert sheet["C2"].value == "山" + "\ufffd" * len(hidden) + "田"


def test_rare_characters_and_long_texts(tmp_path: Path) -> None:
    sheet = written(tmp_path, finding(1, kanji="𠮷野 髙\u845b\U000e0100", reason_ja="長" * 40_000))[LIST]
    assert sheet["C2"].value == "𠮷野 髙\u845b\U000e0100"
    longest = max(texts(sheet), key=len)
    assert (len(longest), longest[-1]) == (32_767, "…")


def test_values_that_a_cell_cannot_hold(tmp_path: Path) -> None:
    table = pa.table(
        {
            "rank": [1, 2],
            "p_wrong": [float("nan"), float("inf")],
            "proof": [True, None],
            "at": pa.array([datetime(1850, 1, 1, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
            "day": [date(2022, 8, 17), None],
            "signals": [[None, "a"], []],
        }
    )
    pq.write_table(table, tmp_path / "f.parquet")
    write_xlsx(tmp_path / "findings.xlsx", findings=tmp_path / "f.parquet", summary=summary(2))
    first, second = list(
        openpyxl.load_workbook(tmp_path / "findings.xlsx")[LIST].iter_rows(min_row=2, values_only=True)
    )
    assert first[:3] == (1, None, "あり")
    assert str(first[3]).startswith("1850-01-01")
    assert first[4:6] == (datetime(2022, 8, 17), "a")  # noqa: DTZ001 - a day
    assert second[1:5] == (None, None, None, None)


def test_more_than_a_sheet_holds_goes_on_the_next(tmp_path: Path) -> None:
    book = written(tmp_path, *(finding(n) for n in range(1, 26)), sheet_rows=10, most_sheets=3)
    assert book.sheetnames == ["要約", LIST, f"{LIST}2", f"{LIST}3"]
    ranks = [[row[0] for row in book[name].iter_rows(min_row=2, values_only=True)] for name in book.sheetnames[1:]]
    assert ranks == [list(range(1, 11)), list(range(11, 21)), list(range(21, 26))]
    assert all(book[name].freeze_panes == "A2" for name in book.sheetnames[1:])


def test_exactly_a_sheet_full_leaves_no_empty_one(tmp_path: Path) -> None:
    book = written(tmp_path, *(finding(n) for n in range(1, 11)), sheet_rows=10)
    assert book.sheetnames == ["要約", LIST]
    assert book[LIST].max_row == 11


def test_what_is_cut_is_said(tmp_path: Path) -> None:
    rows = [finding(n) for n in range(1, 26)]
    cut = written(tmp_path, *rows, sheet_rows=10, most_sheets=2)
    assert cut.sheetnames == ["要約", LIST, f"{LIST}2"]
    assert any("25件のうち上位20件" in text for text in texts(cut["要約"]))
    assert not any("のうち上位" in text for text in texts(written(tmp_path, *rows)["要約"]))


def test_a_sheet_with_its_head_is_as_long_as_the_format_allows() -> None:
    assert SHEET_ROWS + 1 == 2**20


def test_no_findings_give_a_list_with_its_head(tmp_path: Path) -> None:
    sheet = written(tmp_path)[LIST]
    assert sheet.max_row == 1
    assert sheet["A1"].value == "順位\nRank"


def test_the_mark_of_made_up_data_stands_in_the_summary(tmp_path: Path) -> None:
    real = {"place": "庁舎"}
    assert any("架空" in text for text in texts(written(tmp_path, finding(1))["要約"]))
    assert not any("架空" in text for text in texts(written(tmp_path, finding(1, **real))["要約"]))
    late = [finding(n, **real) for n in range(1, 9000)] + [finding(9000, place="架空庁舎")]
    assert any("架空" in text for text in texts(written(tmp_path, *late)["要約"]))


def test_more_tables_stand_in_sheets_of_their_own(tmp_path: Path) -> None:
    pq.write_table(pa.table({"rank": [1], "role": ["=1"]}), tmp_path / "more.parquet")
    book = written(tmp_path, finding(1), extra=[Extra("遡及一覧", tmp_path / "more.parquet")])
    assert [cell.value for cell in book["遡及一覧"][2]] == [1, "=1"]
    assert "<f>" not in sheets_as_xml(tmp_path)


def test_findings_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "f.parquet").write_bytes(b"no")
    for name in ("f.parquet", "nothing.parquet"):
        with pytest.raises(FindingsUnreadable):
            write_xlsx(tmp_path / "findings.xlsx", findings=tmp_path / name, summary=summary())
    assert not (tmp_path / "findings.xlsx").exists()
