"""The report on paper: A4, tagged (PDF/UA-1), Japanese fonts of this machine. Texts go in as data, never as markup."""

import json
import math
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from madoguchi.inspection.report import table
from madoguchi.inspection.report.columns import DAY, SHARE, WEIGHT, WHOLE, Column, columns, on_paper
from madoguchi.inspection.report.curve import curve
from madoguchi.inspection.report.errors import FontMissing
from madoguchi.inspection.report.xlsx import looks, steps
from madoguchi.inspection.summary import Summary

FONTS = ("Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic", "IPAGothic", "BIZ UDGothic")
"""Japanese fonts that are looked for, best first. The first comes with Debian's `fonts-noto-cjk`."""

SHOWN = 50
"""Findings that stand on paper."""

_LONGEST = 240
_LEAST = 0.0001
_WORDS = {
    "facts": ("要約", "Summary"),
    "curve": ("何件見れば、どれだけ見つかるか", "Share found against number looked at"),
    "looks": ("上から何件か確認したときの見込み", "Expected after looking at so many from the top"),
    "steps": ("段階", "Steps"),
    "findings": ("確認リスト(上位)", "Findings, from the top"),
    "none": ("確認が必要なものはありませんでした。", "Nothing to look at was found."),
}
_MARK = "架空のデータ / Made-up data"


def write_pdf(target: Path, *, findings: Path, summary: Summary) -> None:
    """Write the report; the same input gives the same bytes. Raises `FindingsUnreadable`, `FontMissing`."""
    data = json.dumps(_data(findings, summary), ensure_ascii=False)
    template = files(__package__).joinpath("report.typ").read_bytes()
    pages = typst.compile(
        template, format="pdf", sys_inputs={"data": data}, pdf_standards="ua-1", timestamp=_stamp(summary.made_at)
    )
    target.write_bytes(pages)


def _stamp(moment: datetime) -> datetime:
    """With the fixed offset of this country and whole seconds: typst takes no named zone and no parts of a second."""
    return moment.astimezone(timezone(timedelta(hours=9))).replace(microsecond=0)


def check_fonts() -> None:
    """Before hours of work: raises `FontMissing` if the report could not be printed afterwards."""
    _fonts()


def _fonts() -> list[str]:
    """Those of `FONTS` that this machine has. Raises `FontMissing`."""
    known = set(typst.Fonts().families())
    found = [name for name in FONTS if name in known]
    if not found:
        raise FontMissing(", ".join(FONTS))
    return found


def _data(findings: Path, summary: Summary) -> dict[str, Any]:
    mark = _MARK if table.made_up(findings, summary.source, summary.title_ja) else ""
    return {
        "title_ja": table.seen(summary.title_ja),
        "title_en": table.seen(summary.title_en),
        "fonts": _fonts(),
        "mark": mark,
        "made_at": f"{table.plain(summary.made_at):%Y-%m-%d %H:%M}",
        "words": _WORDS,
        "facts": _facts(summary),
        "notes": [],
        "curve": curve(summary),
        "looks": _small(("looked", "found_share", "precision"), looks(summary)),
        "steps": _small(("title", "rows_in", "rows_out", "seconds"), steps(summary)),
        "findings": _findings(findings),
    }


def _facts(summary: Summary) -> list[dict[str, object]]:
    told = [
        (("元のデータ", "Source"), table.seen(summary.source)),
        (("処理", "Engine"), table.seen(summary.engine)),
        (("調べた件数", "Rows"), f"{summary.rows:,}"),
        (("確認リスト", "Findings"), f"{summary.findings:,}"),
    ]
    if summary.looks:
        told += [
            (("誤りの見込み", "Wrong ones expected"), f"{summary.expected_wrong:,.1f}"),
            (("99 %を見つけるための確認件数", "Looks that find 99 %"), f"{summary.looks_for_99:,}"),
        ]
    return [{"title": title, "value": value} for title, value in told]


def _small(names: Sequence[str], body: Sequence[tuple[object, ...]]) -> dict[str, object]:
    wanted = columns(names)
    return {"titles": _titles(wanted), "body": [_line(wanted, row) for row in body]}


def _findings(findings: Path) -> dict[str, object]:
    names = table.names(findings)
    wanted = on_paper(names)
    places = [names.index(one.name) for one in wanted]
    body = [_line(wanted, [row[place] for place in places]) for row in table.rows(findings, most=SHOWN)]
    total = table.count(findings)
    note = f"{total:,}件のうち上位{len(body):,}件です。すべては findings.xlsx と findings.parquet にあります。"
    return {"titles": _titles(wanted), "widths": [one.share for one in wanted], "body": body, "note": note}


def _titles(wanted: tuple[Column, ...]) -> list[tuple[str, str]]:
    return [(one.title_ja, one.title_en) for one in wanted]


def _line(wanted: tuple[Column, ...], row: Any) -> list[str]:
    return [shown(value, one.form) for one, value in zip(wanted, row, strict=True)]


def shown(value: object, form: str) -> str:
    """A cell's value as it stands on paper."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if form == DAY else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, int | float):
        return _number(value, form)
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _number(value: float, form: str) -> str:
    if not math.isfinite(value):
        return "–"
    return {WHOLE: f"{value:,.0f}", SHARE: _share(value), WEIGHT: f"{value:.3f}"}.get(form) or f"{value:,.1f}"


def _share(value: float) -> str:
    """A share in hundredths; what is not quite all or nothing is not shown as all or nothing."""
    if _LEAST / 2 > value > 0:
        return f"< {_LEAST:.2%}"
    return f"> {1 - _LEAST:.2%}" if 1 - _LEAST / 2 <= value < 1 else f"{value:.2%}"
