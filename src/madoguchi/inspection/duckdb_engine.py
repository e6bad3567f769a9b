"""DuckDB in this process. Memory is bounded: queries spill into the folder, batches wait for the writer."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from madoguchi.inspection.engine import Work
from madoguchi.inspection.errors import EngineFailed

_BATCH = 1 << 16


class DuckdbEngine:
    """See `Engine`."""

    name = "duckdb"

    def __init__(self, work: Path, *, memory: str, threads: int) -> None:
        self._work = work
        self._threads = threads or os.cpu_count() or 1
        spill = work / "spill"
        spill.mkdir(parents=True, exist_ok=True)
        with _named():
            self._base = duckdb.connect(
                config={
                    "memory_limit": memory,
                    "temp_directory": str(spill),
                    "threads": self._threads,
                    "preserve_insertion_order": False,
                    "autoinstall_known_extensions": False,
                    "TimeZone": "UTC",
                }
            )

    def table(self, name: str, files: Sequence[Path]) -> None:
        """See `Engine.table`."""
        listed = ", ".join(_quoted(str(file)) for file in files)
        with _named():
            self._base.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet([{listed}])")  # noqa: S608 - our names

    def put(self, name: str, rows: pa.Table) -> None:
        """See `Engine.put`."""
        out = self._work / f"{name}.parquet"
        pq.write_table(rows, out)
        self.table(name, [out])

    def run(self, name: str, sql: str) -> int:
        """See `Engine.run`."""
        out = self._work / f"{name}.parquet"
        with _named():
            told = self._base.execute(f"COPY ({sql}) TO {_quoted(str(out))} (FORMAT parquet)").fetchone()
        self.table(name, [out])
        return int(told[0]) if told else 0

    def map(self, name: str, sql: str, work: Work, schema: pa.Schema) -> int:
        """See `Engine.map`: a pool of threads, written in order, at most two batches a thread waiting."""
        out, rows = self._work / f"{name}.parquet", 0
        with _named(), pq.ParquetWriter(out, schema) as writer:
            for batch in self._worked(sql, work):
                writer.write_batch(batch)
                rows += batch.num_rows
        self.table(name, [out])
        return rows

    def _worked(self, sql: str, work: Work) -> Iterator[pa.RecordBatch]:
        waiting: deque[Future[pa.RecordBatch]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            for batch in self._base.sql(sql).to_arrow_reader(_BATCH):
                waiting.append(pool.submit(work, batch))
                if len(waiting) > 2 * self._threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def read(self, sql: str) -> pa.Table:
        """See `Engine.read`."""
        with _named():
            return self._base.sql(sql).to_arrow_table()

    def close(self) -> None:
        """See `Engine.close`."""
        self._base.close()


@contextmanager
def _named() -> Iterator[None]:
    """DuckDB's errors as ours. Their texts can hold values: only the kind is told."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise EngineFailed(type(error).__name__) from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
