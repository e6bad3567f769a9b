"""Whole columns: the rules over Arrow string buffers, bit-identical to `match()` of each row."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from madoguchi.names.engine import Engine, Texts, shipped_engine
from madoguchi.names.file_errors import ColumnNotText
from madoguchi.names.known_as import Asked, Rule, ruled
from madoguchi.names.reasons import BRIEF, VERDICTS

CHANCES = ("p_self", "p_family", "p_oldname", "p_other")
SCORES = ("verdict", *CHANCES, "reason")
"""Columns scoring adds to a table."""
GIVEN = ("furigana", "alias", "former")
"""Columns that may stand beside `kanji` and `kana`."""
_REASONS = sorted(set(BRIEF.values()))
_STATUSES = 256


def _reason_table() -> npt.NDArray[np.int8]:
    """Place in `_REASONS` for each rule, verdict and status; -1 for what cannot be."""
    table = np.full((len(Rule), len(VERDICTS), _STATUSES), -1, dtype=np.int8)
    for (rule, verdict, status), text in BRIEF.items():
        table[rule, VERDICTS.index(verdict), status] = _REASONS.index(text)
    return table


_REASON_AT = _reason_table()


def judge_arrow(
    kanji: pa.Array,
    kana: pa.Array,
    *,
    furigana: pa.Array | None = None,
    alias: pa.Array | None = None,
    former: pa.Array | None = None,
    engine: Engine | None = None,
) -> pa.RecordBatch:
    """Judge equally long text columns row by row; a null is an empty text, and an empty text of the last three is none.

    Text is any Arrow type of strings or bytes (dictionaries of them too), also bytes that are no UTF-8; other types are
    judged as Arrow writes them as text. Columns: `verdict` (dictionary of strings), `p_self`, `p_family`,
    `p_oldname`, `p_other` (float64), `reason` (dictionary of Japanese sentences), `status` (uint8, 0 or why the
    row cannot be judged, see `reading`). Raises ValueError for unequal lengths, `ColumnNotText` for lists and the like.
    """
    optional = (None if column is None else texts_of(column) for column in (furigana, alias, former))
    found = ruled(engine or shipped_engine(), Asked(texts_of(kanji), texts_of(kana), *optional))
    chances = [pa.array(np.ascontiguousarray(found.chances[:, column])) for column in range(len(CHANCES))]
    verdicts, reasons = _dictionaries()
    told = _words(_REASON_AT[found.rules, found.verdicts, found.status], reasons)
    columns = [_words(found.verdicts, verdicts), *chances, told, pa.array(found.status)]
    return pa.RecordBatch.from_arrays(columns, names=[*SCORES, "status"])


@cache
def _dictionaries() -> tuple[pa.Array, pa.Array]:
    """Words of verdicts and reasons; not at import, because `pa.array` imports pandas where there is one."""
    return pa.array([str(verdict) for verdict in VERDICTS]), pa.array(_REASONS)


def _words(places: npt.NDArray[Any], words: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int8)), words)


def texts_of(column: pa.Array | pa.ChunkedArray) -> Texts:
    """The buffer of a text column, without a copy where its type allows."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_decode()
    strings = _without_nulls(_as_strings(whole))
    if not len(strings):
        return Texts.of([])
    _, places, data = strings.buffers()
    width = np.int64 if strings.type in (pa.large_string(), pa.large_binary()) else np.int32
    at = np.frombuffer(places, dtype=width)[strings.offset : strings.offset + len(strings) + 1]
    return Texts.over(data, at)


def _as_strings(column: pa.Array) -> pa.Array:
    """As one of the types with places and bytes; nobody looks whether the bytes are UTF-8."""
    plain = (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string, pa.types.is_large_binary)
    if any(test(column.type) for test in plain):
        return column
    if pa.types.is_binary_view(column.type) or pa.types.is_fixed_size_binary(column.type):
        return column.cast(pa.large_binary())
    try:
        return column.cast(pa.large_string())
    except pa.ArrowNotImplementedError as error:
        raise ColumnNotText(str(column.type)) from error


def _without_nulls(strings: pa.Array) -> pa.Array:
    return (
        pc.fill_null(strings, "" if strings.type in (pa.string(), pa.large_string()) else b"")
        if strings.null_count
        else strings
    )
