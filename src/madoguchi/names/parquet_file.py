"""Parquet files for scoring. Parts hold only the scores; the output is the input's columns again with them beside."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from madoguchi.names.batch import GIVEN
from madoguchi.names.columns import ADDED, check_columns, scores_of
from madoguchi.names.engine import Engine
from madoguchi.names.file_errors import InputUnreadable
from madoguchi.names.parts import Parts, writing

_GROUP = 1 << 17
_SCORES = pa.schema(ADDED)


class Rows:
    """Rows of the input and where they begin."""

    def __init__(self, batch: pa.RecordBatch, row: int) -> None:
        self.batch, self.row = batch, row

    @property
    def then(self) -> dict[str, int]:
        """Where the next rows begin."""
        return {"row": self.row + self.batch.num_rows}


class ParquetFile:
    """A Parquet file. Raises `InputUnreadable`, `ColumnsMissing`, `ColumnsTaken`, `ColumnNotText`."""

    def __init__(self, path: Path, *, rows: int) -> None:
        self._path, self._rows = path, rows
        with reading(path):
            self._file = pq.ParquetFile(path)
            self.schema = self._file.schema_arrow
            self.total = self._file.metadata.num_rows
        check_columns(self.schema.names, needed=("id", "kanji", "kana"))
        self.start = {"row": 0}

    def about(self) -> dict[str, object]:
        """What makes parts of two runs fit together."""
        return {"schema": str(self.schema), "rows": self.total, "groups": self._file.num_row_groups}

    def work(self, then: dict[str, int]) -> Iterator[Rows]:
        """Name columns from a row on."""
        wanted = [name for name in ("kanji", "kana", *GIVEN) if name in self.schema.names]
        row = then["row"]
        for batch in self._from(row, wanted, self._rows):
            yield Rows(batch, row)
            row += batch.num_rows

    def _from(self, row: int, columns: list[str] | None, size: int) -> Iterator[pa.RecordBatch]:
        """Batches from a row on; row groups before it are not read."""
        sizes = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        ends = np.cumsum(sizes)
        first = int(np.searchsorted(ends, row, side="right"))
        skip = row - (int(ends[first - 1]) if first else 0)
        with reading(self._path):
            groups = list(range(first, len(sizes)))
            for batch in self._file.iter_batches(size, row_groups=groups, columns=columns):
                if skip < batch.num_rows:
                    yield batch.slice(skip)
                skip = max(skip - batch.num_rows, 0)

    def scored(self, rows: Rows, engine: Engine) -> tuple[memoryview, int]:
        """The scores of rows as an Arrow stream, and how many rows they are."""
        sink = pa.BufferOutputStream()
        batch = pa.RecordBatch.from_arrays(scores_of(rows.batch, engine), schema=_SCORES)
        with pa.ipc.new_stream(sink, _SCORES) as stream:
            stream.write_batch(batch)
        return memoryview(sink.getvalue()), rows.batch.num_rows

    def join(self, parts: Parts, engine: Engine) -> Iterator[int]:
        """Write input and scores side by side; answers the rows of each row group when it is written."""
        del engine
        scores = _Scores(parts)
        with (
            writing(),
            pq.ParquetWriter(
                parts.joined, pa.schema([*self.schema, *ADDED], self.schema.metadata), compression="zstd"
            ) as out,
        ):
            for group in self._groups():
                beside = scores.take(group.num_rows)
                for field in ADDED:
                    group = group.append_column(field, beside.column(field.name))
                out.write_table(group, row_group_size=_GROUP)
                yield group.num_rows

    def _groups(self) -> Iterator[pa.Table]:
        """The input in tables of one size."""
        held, rows = [], 0
        for batch in self._from(0, None, _GROUP):
            held.append(batch)
            rows += batch.num_rows
            while rows >= _GROUP:
                whole = pa.Table.from_batches(held)
                yield whole.slice(0, _GROUP)
                rows -= _GROUP
                held = whole.slice(_GROUP).to_batches()
        if rows:
            yield pa.Table.from_batches(held)


class _Scores:
    """The parts' scores as one long table, read as they are taken."""

    def __init__(self, parts: Parts) -> None:
        self._tables = (_table(parts.path(number)) for number in range(len(parts.parts)))
        self._held = _SCORES.empty_table()

    def take(self, rows: int) -> pa.Table:
        while self._held.num_rows < rows:
            self._held = pa.concat_tables([self._held, next(self._tables)])
        taken, self._held = self._held.slice(0, rows), self._held.slice(rows)
        return taken


def _table(path: Path) -> pa.Table:
    return pa.ipc.open_stream(path.read_bytes()).read_all()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what Arrow says of a file into `InputUnreadable`."""
    try:
        yield
    except (OSError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputUnreadable(path.name) from error
