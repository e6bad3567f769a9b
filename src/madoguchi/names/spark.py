"""Scoring Spark tables: the same kernel inside `mapInArrow`, on every worker."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from madoguchi.names.columns import ADDED, check_columns, scores_of
from madoguchi.names.engine import shipped_engine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def score_spark(frame: "DataFrame") -> "DataFrame":
    """A Spark table with the columns of `batch.SCORES` added; rows stay in their partitions and order.

    Workers need this package and its tables. Raises `ColumnsMissing`, `ColumnsTaken`.
    """
    from pyspark.sql.types import DoubleType, StringType, StructField, StructType

    check_columns(frame.columns)
    kinds = {pa.float64(): DoubleType()}
    added = [StructField(field.name, kinds.get(field.type, StringType()), nullable=False) for field in ADDED]
    return frame.mapInArrow(_scored, StructType([*frame.schema.fields, *added]))


def _scored(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    engine = shipped_engine()
    for batch in batches:
        scores = [_plain(column) for column in scores_of(batch, engine)]
        names = [*batch.schema.names, *(field.name for field in ADDED)]
        yield pa.RecordBatch.from_arrays([*batch.columns, *scores], names=names)


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
