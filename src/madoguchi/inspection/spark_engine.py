"""Spark: on this machine, or on a cluster whose machines have this package, its tables and a common folder."""

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from madoguchi.inspection.engine import Work

_BATCH = 1 << 16


class SparkEngine:
    """See `Engine`."""

    name = "spark"

    def __init__(self, work: Path, *, memory: str, threads: int, master: str) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self._work = work
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        cores = threads or os.cpu_count() or 1
        settings: dict[str, bool | float | int | str | None] = {
            "spark.driver.memory": memory.replace("GB", "g").replace("MB", "m"),
            "spark.local.dir": str(work / "spill"),
            "spark.sql.warehouse.dir": str(work / "warehouse"),
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.execution.arrow.maxRecordsPerBatch": str(_BATCH),
            "spark.sql.execution.arrow.useLargeVarTypes": "false",
            "spark.ui.enabled": "false",
            "spark.log.level": "ERROR",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
        }
        if master:
            settings = {key: value for key, value in settings.items() if not key.startswith("spark.driver.")}
        builder = SparkSession.builder.appName("madoguchi inspect").master(master or f"local[{cores}]")
        self._spark = builder.config(map=settings).getOrCreate()

    def table(self, name: str, files: Sequence[Path]) -> None:
        """See `Engine.table`."""
        self._spark.read.parquet(*(str(file.resolve()) for file in files)).createOrReplaceTempView(name)

    def put(self, name: str, rows: pa.Table) -> None:
        """See `Engine.put`."""
        out = self._work / f"{name}.parquet"
        pq.write_table(rows, out)
        self.table(name, [out])

    def run(self, name: str, sql: str) -> int:
        """See `Engine.run`."""
        return self._kept(name, self._spark.sql(sql))

    def map(self, name: str, sql: str, work: Work, schema: pa.Schema) -> int:
        """See `Engine.map`."""

        def worked(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            return map(work, batches)

        with _quiet():
            return self._kept(name, self._spark.sql(sql).mapInArrow(worked, from_arrow_schema(schema)))

    def _kept(self, name: str, frame: Any) -> int:
        out = self._work / f"{name}.parquet"
        frame.write.parquet(str(out.resolve()))
        self.table(name, [out])
        return sum(pq.read_metadata(part).num_rows for part in out.glob("part-*.parquet"))

    def read(self, sql: str) -> pa.Table:
        """See `Engine.read`."""
        with _quiet():
            return self._spark.sql(sql).toArrow()

    def close(self) -> None:
        """See `Engine.close`."""
        self._spark.stop()


@contextmanager
def _quiet() -> Iterator[None]:
    """PySpark warns of pandas 3 at every call; nothing here goes through pandas."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
        yield
