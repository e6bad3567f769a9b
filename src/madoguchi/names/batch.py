"""Whole columns: the kernel over Arrow string buffers, bit-identical to `match()` of each row."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from madoguchi.names.engine import Engine, Texts, shipped_engine
from madoguchi.names.reasons import VERDICTS

_COLUMNS = ("p_self", "p_family", "p_oldname", "p_other")


def judge_arrow(kanji: pa.Array, kana: pa.Array, *, engine: Engine | None = None) -> pa.RecordBatch:
    """Judge two equally long string arrays row by row; a null is an empty text.

    Columns: `verdict` (dictionary of strings), `p_self`, `p_family`, `p_oldname`, `p_other` (float64), `status` (uint8,
    0 or why the row cannot be judged, see `reading`). Raises ValueError for unequal lengths.
    """
    judged = (engine or shipped_engine()).judge(_texts(kanji), _texts(kana))
    chances = [pa.array(judged.chances[:, column]) for column in range(4)]
    verdicts = pa.DictionaryArray.from_arrays(pa.array(judged.facts[:, 1].astype("int8")), pa.array(map(str, VERDICTS)))
    status = pa.array(judged.facts[:, 0])
    return pa.RecordBatch.from_arrays([verdicts, *chances, status], names=["verdict", *_COLUMNS, "status"])


def _texts(column: pa.Array) -> Texts:
    strings = pc.fill_null(column.cast(pa.large_string()), "")
    if not len(strings):
        return Texts.of([])
    _, places, data = strings.buffers()
    at = np.frombuffer(places, dtype=np.int64)[strings.offset : strings.offset + len(strings) + 1]
    return Texts.over(data, at)
