"""The thin interface between a plan and what runs it: named queries over Parquet, and Arrow batches through Python."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from madoguchi.inspection.errors import EngineMissing

Work = Callable[[pa.RecordBatch], pa.RecordBatch]
"""Makes a batch of another; no memory between batches, so that they may come in any cut and order."""


class Engine(Protocol):
    """Runs queries. Tables are known by name; what is made of them lies as Parquet in the engine's own folder."""

    name: str

    def table(self, name: str, files: Sequence[Path]) -> None:
        """Make Parquet files a table."""

    def put(self, name: str, rows: pa.Table) -> None:
        """Make rows in memory a table: how settings reach the queries."""

    def run(self, name: str, sql: str) -> int:
        """Make the answer of a query a table; answers its rows."""

    def map(self, name: str, sql: str, work: Work, schema: pa.Schema) -> int:
        """Make a table, of this schema, of what `work` makes of each batch of a query; answers its rows."""

    def read(self, sql: str) -> pa.Table:
        """The answer of a query, in memory; in no order unless the query has one."""

    def close(self) -> None:
        """Let everything go; the folder stays with who made it."""


def open_engine(name: str, work: Path, *, memory: str = "4GB", threads: int = 0, master: str = "") -> Engine:
    """The engine of this name. Raises `EngineMissing`.

    `work`: folder for what it makes and spills. `memory`: its limit, as DuckDB and Spark write it, beside Python's own.
    `threads`: 0 for all of the machine. `master`: Spark's; this machine unless given.
    """
    try:
        if name == "duckdb":
            from madoguchi.inspection.duckdb_engine import DuckdbEngine

            return DuckdbEngine(work, memory=memory, threads=threads)
        if name == "spark":
            from madoguchi.inspection.spark_engine import SparkEngine

            return SparkEngine(work, memory=memory, threads=threads, master=master)
    except ImportError as error:
        raise EngineMissing(f"{name}: {error}") from error
    raise EngineMissing(name)
