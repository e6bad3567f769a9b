"""Findings and summaries for the reports' tests; all made up (架空)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from madoguchi.inspection.summary import Look, Step, Summary

MADE_AT = datetime(2026, 11, 24, 2, 3, 4, 567, tzinfo=UTC)

HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=cmd|' /C calc'!A0",
    " =1",
    '=HYPERLINK("http://example.com")',
    "_x003D_1+1",
    "#panic()",
    '#read("/etc/passwd")',
    "$x$ *b* _c_ `d` <e> @f",
    "= 見出し",
    "#sys.inputs.data",
    "//コメント /* ",
    '"] ) } #let x = 1',
    "\\u{41} \\ ~ -- ...",
    "<script>alert(1)</script> ]]> &amp;",
)
"""Names that try to be a formula, markup or a program."""


def finding(rank: int, **said: Any) -> dict[str, Any]:
    """One finding about an account."""
    return {
        "rank": rank,
        "person_id": f"P{rank:05d}",
        "kanji": "見本 花子",
        "holder_kana": "ミホン タロウ",
        "account": "k" * 8,
        "registered_at": datetime(2022, 8, 30, 4, 35, tzinfo=UTC),
        "place": "架空庁舎",
        "shared_by": 2,
        "signals": ["shared", "name"],
        "verdict": "OTHER",
        "p_self": 0.001,
        "p_family": 0.02,
        "p_oldname": 0.0,
        "p_other": 0.979,
        "p_wrong": 0.979,
        "reason_ja": "氏名と名義が別の人です。",
        "reason_en": "Another person's name.",
    } | said


_SCHEMA = pa.Table.from_pylist([finding(1)]).schema


def keep(folder: Path, *rows: dict[str, Any]) -> Path:
    """The findings as Parquet."""
    target = folder / "findings.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows), _SCHEMA), target)
    return target


def summary(findings: int = 1, **said: Any) -> Summary:
    """A summary of an inspection of accounts."""
    given: dict[str, Any] = {
        "title_ja": "口座の点検",
        "title_en": "Inspection of accounts",
        "made_at": MADE_AT,
        "source": "register.parquet",
        "engine": "duckdb",
        "rows": 1000,
        "steps": (
            Step("shared", "同じ口座", "One account", 1000, 10, 1.5),
            Step("names", "氏名照合", "Names", 10, 1, 0.2),
        ),
        "findings": findings,
        "expected_wrong": 12.5,
        "looks": tuple(Look(n, min(1.0, n / 120), 12.5 / (n + 12)) for n in range(1, 200)),
        "looks_for_99": 119,
    }
    return Summary(**(given | said))
