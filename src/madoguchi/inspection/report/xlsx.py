"""The spreadsheet: a summary, and the findings as a list that a clerk works through. Written row by row."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from madoguchi.inspection.report import table
from madoguchi.inspection.report.columns import CHECK, TEXT, TIME, Column, columns
from madoguchi.inspection.summary import Summary

SHEET_ROWS = 1_048_575
"""Rows below the header that a sheet can hold."""

MOST_SHEETS = 2
"""Sheets of findings; nobody works through more, and the rest stands in the Parquet file."""

_LONGEST = 32_767
_TURNS_INTO_CODE = re.compile(r"\s*[=+\-@]|[\t\r\n]")
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_OLDEST = datetime(1900, 3, 1)  # noqa: DTZ001 - a spreadsheet's times have no zone; before it their days are counted wrongly
_HEAD_FONT, _HEAD_FILL = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="1F3864")
_WRAPPED, _ANSWERS = Alignment(vertical="top", wrap_text=True), "○,×,保留"


@dataclass(frozen=True)
class Extra:
    """One more table for the workbook: the sheet's name and a Parquet file."""

    name: str
    file: Path


def write_xlsx(
    target: Path,
    *,
    findings: Path,
    summary: Summary,
    extra: Sequence[Extra] = (),
    sheet_rows: int = SHEET_ROWS,
    most_sheets: int = MOST_SHEETS,
) -> None:
    """Write the workbook. Raises `FindingsUnreadable`."""
    book = Workbook(write_only=True)
    total = table.count(findings)
    shown = min(total, sheet_rows * most_sheets)
    _summary_sheet(book, summary, _notes(findings, summary, total, shown))
    _list_sheets(book, "確認リスト", findings, check=True, most=shown, sheet_rows=sheet_rows)
    for more in extra:
        most = sheet_rows * most_sheets
        _list_sheets(book, more.name, more.file, check=False, most=most, sheet_rows=sheet_rows)
    book.save(target)


def _notes(findings: Path, summary: Summary, total: int, shown: int) -> list[str]:
    notes = ["「確認(○/×)」の列に、確かめた結果を書いてください。Write what you found into that column."]
    if table.made_up(findings, summary.source, summary.title_ja):
        notes.insert(0, "架空のデータです。Made-up data.")
    if shown < total:
        notes.append(
            f"{total:,}件のうち上位{shown:,}件だけがここにあります。残りは findings.parquet にあります。"
            f" Only the first {shown:,} of {total:,}; the rest stands in findings.parquet."
        )
    return notes


def _summary_sheet(book: Any, summary: Summary, notes: Sequence[str]) -> None:
    sheet = book.create_sheet("要約")
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 58, 40
    sheet.append([_head(sheet, f"{summary.title_ja} / {summary.title_en}")])
    for note in notes:
        sheet.append([_text(sheet, note)])
    for title, value, form in _facts(summary):
        sheet.append([_text(sheet, title), _cell(sheet, value, form)])
    _small_table(sheet, ("title", "rows_in", "rows_out", "seconds"), steps(summary))
    _small_table(sheet, ("looked", "found_share", "precision"), looks(summary))


def _facts(summary: Summary) -> Iterator[tuple[str, object, str]]:
    yield "作成 / Made at", table.plain(summary.made_at), TIME
    yield "元のデータ / Source", summary.source, TEXT
    yield "処理 / Engine", summary.engine, TEXT
    yield "調べた件数 / Rows", summary.rows, "#,##0"
    yield "確認リスト / Findings", summary.findings, "#,##0"
    if summary.looks:
        yield "誤りの見込み / Wrong ones expected", summary.expected_wrong, "#,##0.0"
        yield "99 %を見つけるための確認件数 / Looks that find 99 %", summary.looks_for_99, "#,##0"


def steps(summary: Summary) -> list[tuple[object, ...]]:
    """The plan's steps: title in both languages, rows in, rows out, seconds."""
    return [(f"{one.title_ja} / {one.title_en}", one.rows_in, one.rows_out, one.seconds) for one in summary.steps]


def looks(summary: Summary) -> list[tuple[object, ...]]:
    """The curve: looked at, share found, precision."""
    return [(one.looked, one.found_share, one.precision) for one in summary.looks]


def _small_table(sheet: Any, names: Sequence[str], body: Sequence[tuple[object, ...]]) -> None:
    if not body:
        return
    wanted = columns(names)
    sheet.append([])
    sheet.append([_head(sheet, f"{one.title_ja} / {one.title_en}") for one in wanted])
    for row in body:
        sheet.append([_cell(sheet, value, one.form) for one, value in zip(wanted, row, strict=True)])


def _list_sheets(book: Any, name: str, file: Path, *, check: bool, most: int, sheet_rows: int) -> None:
    """The table over as many sheets as it needs; an empty one has its header all the same."""
    wanted = (*columns(table.names(file)), *((CHECK,) if check else ()))
    body = table.rows(file, most=most) if most else iter(())
    for number in range(1, max(1, -(-most // sheet_rows)) + 1):
        portion = list(islice(body, 1))
        if number > 1 and not portion:
            return
        title = name if number == 1 else f"{name}{number}"
        _list_sheet(book.create_sheet(title), wanted, chain(portion, islice(body, sheet_rows - 1)), check=check)


def _list_sheet(sheet: Any, wanted: Sequence[Column], body: Iterable[tuple[Any, ...]], *, check: bool) -> None:
    _layout(sheet, wanted)
    sheet.append([_head(sheet, f"{one.title_ja}\n{one.title_en}") for one in wanted])
    written = 0
    for row in body:
        filled = (*row, None) if check else row
        sheet.append([_cell(sheet, value, one.form) for one, value in zip(wanted, filled, strict=True)])
        written += 1
    last = get_column_letter(len(wanted))
    sheet.auto_filter.ref = f"A1:{last}{written + 1}"
    if check and written:
        answers = DataValidation(type="list", formula1=f'"{_ANSWERS}"', allow_blank=True)
        answers.add(f"{last}2:{last}{written + 1}")
        sheet.data_validations.append(answers)


def _layout(sheet: Any, wanted: Sequence[Column]) -> None:
    for number, one in enumerate(wanted, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = one.width
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToHeight = True, 0


def _head(sheet: Any, text: str) -> Any:
    cell = _text(sheet, text)
    cell.font, cell.fill, cell.alignment = _HEAD_FONT, _HEAD_FILL, _WRAPPED
    return cell


def _cell(sheet: Any, value: object, form: str) -> Any:
    if value is None:
        return None
    if isinstance(value, datetime) and value < _OLDEST:
        value = value.isoformat(" ")
    if isinstance(value, str):
        return _text(sheet, value)
    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = form if form != TEXT else (TIME if isinstance(value, datetime) else "General")
    return cell


def _text(sheet: Any, value: str) -> Any:
    """A cell that stays a text whatever it says: a name that begins with a sign of arithmetic is no formula."""
    cell = WriteOnlyCell(sheet)
    cell._value, cell.data_type = safe(value), "s"
    cell.number_format = TEXT
    cell.quotePrefix = bool(_TURNS_INTO_CODE.match(value))
    return cell


def safe(value: str) -> str:
    """A text that a spreadsheet file can hold: visible signs, no escape sequence of the format, cut at its limit."""
    text = _ESCAPE_LIKE.sub("_x005F_", table.seen(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
