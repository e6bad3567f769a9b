"""Scoring tables of other libraries: Arrow, pandas, polars, DuckDB. All take the same kernel and give the same bits.

Tables need columns `kanji` and `kana` and may have `furigana`, `alias` and `former`; the columns of `batch.SCORES` are
added, everything else stays as it was, in the same order. The libraries are imported only when used.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from madoguchi.names.batch import GIVEN
from madoguchi.names.columns import ADDED, NEEDED, check_columns, scores_of
from madoguchi.names.engine import Engine, shipped_engine
from madoguchi.names.folded import as_bytes

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl

ROWS = 1 << 16
"""Rows a thread judges at a time."""


def threads_here() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0))


def score_batches(
    batches: Iterable[pa.RecordBatch], *, threads: int | None = None, engine: Engine | None = None
) -> Iterator[pa.RecordBatch]:
    """Score a stream in its order; at most two batches per thread are in memory. Raises as `score_arrow`."""
    used, size = engine or shipped_engine(), threads or threads_here()
    waiting: deque[Future[pa.RecordBatch]] = deque()
    with ThreadPoolExecutor(size) as pool:
        try:
            for batch in batches:
                check_columns(batch.schema.names)
                waiting.append(pool.submit(_scored, batch, used))
                if len(waiting) >= 2 * size:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _scored(batch: pa.RecordBatch, engine: Engine) -> pa.RecordBatch:
    columns = [*batch.columns, *scores_of(batch, engine)]
    return pa.RecordBatch.from_arrays(columns, schema=scored_schema(batch.schema))


def scored_schema(schema: pa.Schema) -> pa.Schema:
    """A table's schema with the added columns. Raises `ColumnsMissing`, `ColumnsTaken`."""
    check_columns(schema.names)
    return pa.schema([*schema, *ADDED], metadata=schema.metadata)


def score_arrow(
    table: pa.Table, *, threads: int | None = None, rows: int = ROWS, engine: Engine | None = None
) -> pa.Table:
    """Score an Arrow table. Raises `ColumnsMissing`, `ColumnsTaken`, `ColumnNotText`."""
    schema = scored_schema(table.schema)
    done = score_batches(table.to_batches(max_chunksize=rows), threads=threads, engine=engine)
    return pa.Table.from_batches(done, schema=schema)


def score_pandas(frame: "pd.DataFrame", *, threads: int | None = None) -> "pd.DataFrame":
    """Score a pandas frame; NaN and None are nulls, the index stays. Raises as `score_arrow`."""
    names = [name for name in (*NEEDED, *GIVEN) if name in frame.columns]
    check_columns(map(str, frame.columns))
    texts = pa.table({name: _from_pandas(frame[name]) for name in names})
    scores = score_arrow(texts, threads=threads).select([field.name for field in ADDED])
    found = scores.to_pandas().set_index(frame.index)
    return frame.assign(**{str(name): column for name, column in found.items()})


def _from_pandas(column: Any) -> pa.Array:
    """The texts of a column; bytes are taken as UTF-8, what else is no string is written as one."""
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        missing = column.isna()
        given = [text if isinstance(text, bytes) else as_bytes(str(text)) for text in column]
        texts = [None if gone else text for text, gone in zip(given, missing, strict=True)]
        return pa.array(texts, pa.large_binary())


def score_polars(frame: "pl.DataFrame", *, threads: int | None = None) -> "pl.DataFrame":
    """Score a polars frame. Raises as `score_arrow`."""
    import polars as pl

    check_columns(frame.columns)
    names = [name for name in (*NEEDED, *GIVEN) if name in frame.columns]
    scores = score_arrow(frame.select(names).to_arrow(), threads=threads).select([field.name for field in ADDED])
    found = pl.from_arrow(scores)
    if not isinstance(found, pl.DataFrame):
        raise TypeError(type(found))
    return frame.hstack(found)


def score_duckdb(
    source: "duckdb.DuckDBPyRelation | duckdb.DuckDBPyConnection",
    query: str | None = None,
    *,
    threads: int | None = None,
    rows: int = ROWS,
) -> pa.RecordBatchReader:
    """Score a relation, or a query on a connection, as a stream that DuckDB (and all of Arrow) can read again.

    Nothing is read before the stream is, and the connection is busy until it is read to its end: query the stream from
    a cursor of the connection. Raises `ColumnsMissing`, `ColumnsTaken` here, `ColumnNotText` while reading.
    """
    relation: Any = source if query is None else cast(Any, source).sql(query)
    reader = relation.to_arrow_reader(rows)
    return pa.RecordBatchReader.from_batches(scored_schema(reader.schema), score_batches(reader, threads=threads))
