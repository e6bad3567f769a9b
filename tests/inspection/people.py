"""Hand-made registers for the tests. Everybody is 架空."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from madoguchi.inspection.register import SCHEMA


def row(person: str, kanji: str, kana: str, account: str, **other: Any) -> dict[str, Any]:
    """One row; whoever says nothing else registered alone somewhere, some day."""
    plain = {
        "birth": date(1980, 1, 1),
        "address": f"架空市{person}番地",
        "registered_at": datetime(2022, 8, 1, 10, 0),  # noqa: DTZ001 - registers have local times
        "place": f"架空市窓口{person}",
    }
    return {"person_id": person, "kanji": kanji, "holder_kana": kana, "account": account, **plain, **other}


def write_register(path: Path, rows: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> Path:
    """The rows as a Parquet file."""
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def counter(minute: int) -> dict[str, Any]:
    """At the one counter, on the one day, at this minute after ten."""
    return {"place": "架空市役所支援窓口", "registered_at": datetime(2022, 8, 30, 10, minute)}  # noqa: DTZ001 - as above


PEOPLE = [
    # D's account has landed on C's card: the next at the terminal, whose own registration stands too.
    row("C", "山田　花子", "ｽｽﾞｷ ﾀﾛｳ", "1-1", **counter(5)),
    row("D", "鈴木　太郎", "ｽｽﾞｷ ﾀﾛｳ", "1-1", **counter(6)),
    # A stranger's account whose owner is nowhere else.
    row("E", "高橋　恵子", "ﾓﾘﾓﾄ ｹﾝｼﾞ", "2-1"),
    # A child on the mother's account, at home; the mother has it too.
    row("F", "田中　翔太", "ﾀﾅｶ ﾕｳｺ", "3-1", address="架空市1丁目"),
    row("G", "田中　優子", "ﾀﾅｶ ﾕｳｺ", "3-1", address="架空市1丁目"),
    # A child on the father's account, who has none himself.
    row("H", "伊藤　美咲", "ｲﾄｳ ｶｽﾞｵ", "4-1"),
    # All well.
    row("I", "渡邉　健一", "ﾜﾀﾅﾍﾞ ｹﾝｲﾁ", "5-1"),
    row("J", "大野　裕子", "オオノ ヒロコ", "5-2"),
    row("K", "佐藤愛", "ｻﾄｳｱｲ", "5-3"),
    # A former surname.
    row("L", "小林　真由美", "ﾏﾂﾓﾄ ﾏﾕﾐ", "5-4"),
    # No name at all; no account at all.
    row("M", "", "ﾏﾂﾓﾄ ﾏﾕﾐ", ""),
    row("N", "木村　直樹", "ｷﾑﾗ ﾅｵｷ", ""),
]
WRONG = {"C", "E", "F", "H"}
