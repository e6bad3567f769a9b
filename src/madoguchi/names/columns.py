"""Tables with name columns: which columns are needed, and the ones scoring adds."""

from collections.abc import Iterable

import pyarrow as pa

from madoguchi.names.batch import GIVEN, SCORES, judge_arrow
from madoguchi.names.engine import Engine
from madoguchi.names.file_errors import ColumnsMissing, ColumnsTaken

NEEDED = ("kanji", "kana")
"""Columns every table has."""
ADDED = [
    pa.field("verdict", pa.dictionary(pa.int8(), pa.string())),
    *(pa.field(name, pa.float64()) for name in SCORES[1:-1]),
    pa.field("reason", pa.dictionary(pa.int8(), pa.string())),
]
"""The columns scoring adds, in order."""


def check_columns(names: Iterable[str], needed: Iterable[str] = NEEDED) -> None:
    """Raise `ColumnsMissing` or `ColumnsTaken` if a table with these columns cannot be scored."""
    present = list(names)
    missing = [name for name in needed if name not in present]
    if missing:
        raise ColumnsMissing(*missing)
    taken = sorted({name for name in present if name in SCORES or present.count(name) > 1})
    if taken:
        raise ColumnsTaken(*taken)


def scores_of(batch: pa.RecordBatch | pa.Table, engine: Engine) -> list[pa.Array]:
    """The columns `SCORES` for a table with columns kanji, kana and perhaps `GIVEN`. Raises `ColumnNotText`."""
    given = {name: batch.column(name) for name in GIVEN if name in batch.schema.names}
    found = judge_arrow(batch.column("kanji"), batch.column("kana"), engine=engine, **given)
    return [found.column(name) for name in SCORES]
