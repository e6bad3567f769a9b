"""The findings as they stand in Parquet, read in small portions, as values that a cell or a page can hold."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from madoguchi.inspection.report.errors import FindingsUnreadable

HERE = ZoneInfo("Asia/Tokyo")
"""The clock that reports show; stored times are universal."""

MADE_UP = "架空"
"""Stands at everything made up; a report of such data says so on every page."""

_ROWS_AT_A_TIME = 4096
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)
_TRUTH = {True: "あり", False: "なし"}


def names(findings: Path) -> list[str]:
    """The columns of the findings. Raises `FindingsUnreadable`."""
    return list(_open(findings).schema_arrow.names)


def count(findings: Path) -> int:
    """How many findings. Raises `FindingsUnreadable`."""
    return int(_open(findings).metadata.num_rows)


def rows(findings: Path, *, most: int | None = None) -> Iterator[tuple[Any, ...]]:
    """The findings in their order, cell by cell as `plain` gives them, at most `most`. Raises `FindingsUnreadable`."""
    left = most
    reads = [_read(name) for name in names(findings)]
    for batch in _open(findings).iter_batches(batch_size=_ROWS_AT_A_TIME):
        taken = batch if left is None else batch.slice(0, left)
        columns = (map(read, column.to_pylist()) for read, column in zip(reads, taken.columns, strict=True))
        yield from zip(*columns, strict=True)
        left = left if left is None else left - taken.num_rows
        if left == 0:
            return


def _read(name: str) -> Callable[[object], Any]:
    """How a column's values are read: verdicts of the name match as a clerk's words, with the code behind."""
    if name != "verdict":
        return plain
    from madoguchi.names.reasons import LABELS_JA

    words = {kind.value: f"{label} {kind.value}" for kind, label in LABELS_JA.items()}
    return lambda value: words.get(str(value), plain(value))


def plain(value: object) -> Any:
    """A number, a text, a time of this country's clock without zone, or None."""
    if isinstance(value, bool):
        return _TRUTH[value]
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.astimezone(HERE).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(str(plain(item)) for item in value if item is not None)
    return seen(str(value))


def seen(text: str) -> str:
    """The text without what no eye can see: control signs and signs that turn the direction stand as U+FFFD."""
    return _HIDDEN.sub("\ufffd", text)


def made_up(findings: Path, *told: str) -> bool:
    """Whether the data are made up: the mark stands in a finding or in what is told of them."""
    if any(MADE_UP in text for text in told):
        return True
    texts = [field.name for field in _open(findings).schema_arrow if _is_text(field.type)]
    batches = _open(findings).iter_batches(batch_size=_ROWS_AT_A_TIME, columns=texts)
    return any(_holds_mark(column) for batch in batches for column in batch.columns)


def _holds_mark(column: Any) -> bool:
    return bool(pc.any(pc.match_substring(column, MADE_UP)).as_py())


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _open(findings: Path) -> Any:
    try:
        return pq.ParquetFile(findings)
    except (pa.ArrowInvalid, OSError) as error:
        raise FindingsUnreadable(str(findings)) from error
