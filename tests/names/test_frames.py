"""One kernel under every library: the same verdicts, chances (to the last bit) and reasons in the same order."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from madoguchi.names import frames
from madoguchi.names.batch import SCORES
from madoguchi.names.file_errors import ColumnNotText, ColumnsMissing, ColumnsTaken
from names.fuzzing import some_rows

_SPARK = "id long, kanji string, kana string, furigana string, alias string, former string, note string"
_HEADS = ("kanji", "kana", "furigana", "alias", "former")


def people() -> pa.Table:
    """Made-up rows, good and bad, with nulls; text only, so that every library can hold them."""
    columns = list(zip(*some_rows(seed=3, count=1500), strict=True))
    texts = [[None if place % 7 == 0 else text for place, text in enumerate(column)] for column in columns]
    return pa.table({"id": pa.array(range(1500)), **dict(zip(_HEADS, texts, strict=True)), "note": ['x, "y"'] * 1500})


TABLE = people()
EXPECTED = frames.score_arrow(TABLE, threads=1, rows=1 << 20)


def bits(columns: Any) -> dict[str, list[object]]:
    """Scores as plain values, floats as bits. Takes anything with `[name]` that lists values."""
    found: dict[str, list[object]] = {}
    for name in SCORES:
        values = list(columns[name].to_pylist() if hasattr(columns[name], "to_pylist") else columns[name].to_list())
        found[name] = np.array(values, dtype=np.float64).view(np.uint64).tolist() if name[:2] == "p_" else values
    return found


@pytest.mark.parametrize("rows", [1, 7, 500, 1499, 1500, 100_000])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_batches_and_threads_change_nothing(rows: int, threads: int) -> None:
    table = TABLE if rows > 1 else TABLE.slice(0, 40)
    found = frames.score_arrow(table, threads=threads, rows=rows)
    assert found.equals(EXPECTED.slice(0, len(table)))
    assert found.select(TABLE.column_names).equals(table)


def test_order_and_neighbours_change_nothing() -> None:
    order = pa.array(np.random.default_rng(5).permutation(len(TABLE)))
    assert frames.score_arrow(TABLE.take(order), rows=90).equals(EXPECTED.take(order))


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_other_text_types_change_nothing(kind: pa.DataType) -> None:
    texts = {name: pa.chunked_array([chunk.cast(kind) for chunk in TABLE[name].chunks]) for name in _HEADS}
    assert bits(frames.score_arrow(pa.table(texts), rows=64)) == bits(EXPECTED)


def test_pandas() -> None:
    frame = TABLE.to_pandas()
    frame.index = pd.Index([place % 5 for place in range(len(frame))], name="of a city")
    for given in (frame, frame.astype(dict.fromkeys(_HEADS, "object")), frame.astype({"kanji": "category"})):
        found = frames.score_pandas(given)
        assert bits(found) == bits(EXPECTED)
        assert found.index.equals(frame.index)
        assert found[list(given.columns)].equals(given)
        assert set(SCORES).isdisjoint(given.columns)


def test_pandas_columns_that_are_no_text() -> None:
    frame = pd.DataFrame(
        {"kanji": ["\ud800", 3, None, float("nan"), b"x", "佐藤花子"], "kana": ["ｻﾄｳﾊﾅｺ"] * 6}, dtype=object
    )
    found = frames.score_pandas(frame)
    assert found["verdict"].tolist() == ["UNDETERMINED"] * 5 + ["SELF"]
    assert frames.score_pandas(frame.iloc[:0])["verdict"].tolist() == []


def test_polars() -> None:
    frame = pl.from_arrow(TABLE)
    assert isinstance(frame, pl.DataFrame)
    found = frames.score_polars(frame)
    assert bits(found) == bits(EXPECTED)
    assert found.select(frame.columns).equals(frame)
    assert bits(frames.score_polars(frame.with_columns(pl.col("kana").cast(pl.Categorical)))) == bits(EXPECTED)
    assert frames.score_polars(frame.clear()).height == 0


def test_duckdb() -> None:
    with duckdb.connect() as connection:
        connection.register("people_view", TABLE)
        connection.execute("CREATE TABLE people AS SELECT * FROM people_view")
        relation = frames.score_duckdb(connection.table("people"), rows=300).read_all()
        assert bits(relation) == bits(EXPECTED)
        assert relation["note"].to_pylist() == TABLE["note"].to_pylist()
        query = frames.score_duckdb(connection, "SELECT * FROM people ORDER BY id", threads=2).read_all()
        assert bits(query) == bits(EXPECTED)


def test_the_stream_of_duckdb_is_read_by_duckdb_again() -> None:
    with duckdb.connect() as connection:
        connection.register("people_view", TABLE)
        stream = frames.score_duckdb(connection, "SELECT * FROM people_view")
        other = connection.cursor()
        other.register("scored", stream)
        counted = other.sql("SELECT verdict, count(*) FROM scored GROUP BY ALL").fetchall()
    assert dict(counted) == {verdict: EXPECTED["verdict"].to_pylist().count(verdict) for verdict, _ in counted}
    assert sum(count for _, count in counted) == len(TABLE)


def test_a_stream_is_not_read_ahead_of_its_reader() -> None:
    taken = 0

    def endless() -> Iterator[pa.RecordBatch]:
        nonlocal taken
        while True:
            taken += 1
            yield TABLE.slice(0, 10).combine_chunks().to_batches()[0]

    stream = frames.score_batches(endless(), threads=3)
    for _ in range(20):
        next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert taken <= 20 + 2 * 3


def test_columns_are_missed_or_refused_by_name() -> None:
    with pytest.raises(ColumnsMissing, match="kana"):
        frames.score_arrow(pa.table({"kanji": ["佐藤"]}))
    with pytest.raises(ColumnsMissing, match="kanji"):
        frames.score_pandas(pd.DataFrame({"kana": ["ｻﾄｳ"]}))
    with pytest.raises(ColumnsTaken, match="p_self"):
        frames.score_polars(pl.DataFrame({"kanji": ["佐藤"], "kana": ["ｻﾄｳ"], "p_self": [1.0]}))
    with pytest.raises(ColumnsTaken, match="kana"):
        frames.score_arrow(pa.table([["佐藤"], ["ｻﾄｳ"], ["ｻﾄｳ"]], names=["kanji", "kana", "kana"]))
    with pytest.raises(ColumnNotText):
        frames.score_arrow(pa.table({"kanji": [["佐藤"]], "kana": ["ｻﾄｳ"]}))
    with duckdb.connect() as connection, pytest.raises(ColumnsMissing, match="kanji"):
        frames.score_duckdb(connection, "SELECT 1 AS id")


def test_no_other_library_is_imported_before_it_is_used() -> None:
    code = (
        "import sys, madoguchi.names.frames, madoguchi.names.spark, madoguchi.names.score\n"
        "print({'pandas', 'polars', 'duckdb', 'pyspark'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
def test_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyspark.sql import SparkSession

    from madoguchi.names.spark import score_spark

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "170")
        .getOrCreate()
    )
    try:
        given = session.createDataFrame(TABLE.to_pylist(), _SPARK)
        found = score_spark(given.repartition(3)).orderBy("id").toArrow()
        with pytest.raises(ColumnsMissing):
            score_spark(given.drop("kana"))
    finally:
        session.stop()
    assert bits(found) == bits(EXPECTED)
