"""Scoring a file: read in pieces, judged by all threads, written in the input's order, resumed after a kill."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from madoguchi.names import tables
from madoguchi.names.compiled import sources_sum
from madoguchi.names.csv_file import CsvFile
from madoguchi.names.engine import Engine, shipped_engine
from madoguchi.names.file_errors import FormatUnknown, InputChanged, OutputExists, OutputFailed
from madoguchi.names.frames import threads_here
from madoguchi.names.parquet_file import ParquetFile
from madoguchi.names.parts import Parts

ROWS = 1 << 17
"""Rows of a part, about."""
_HEAD = 1 << 20
Progress = Callable[[str, int, int | None], None]
"""Told: what is being done, how much of it is done, of how much (rows, or bytes of a CSV)."""


class _Work(Protocol):
    @property
    def then(self) -> dict[str, int]: ...


class _File(Protocol):
    total: int
    start: dict[str, int]

    def about(self) -> dict[str, object]: ...
    def work(self, then: dict[str, int]) -> Iterator[Any]: ...
    def scored(self, work: Any, engine: Engine) -> tuple[memoryview, int]: ...
    def join(self, parts: Parts, engine: Engine) -> Iterator[int]: ...


@dataclass(frozen=True)
class Scored:
    """Rows in the output, and how many of them an earlier run had done."""

    rows: int
    resumed: int


def score(
    source: Path,
    out: Path,
    *,
    encoding: str = "utf-8",
    overwrite: bool = False,
    threads: int | None = None,
    rows: int = ROWS,
    progress: Progress = lambda *_: None,
) -> Scored:
    """Write `source` with the columns of `batch.SCORES` added to `out`; both CSV or both Parquet.

    `out` appears when it is whole. Stopped at any moment, the same call goes on with the finished parts if input,
    tables, program and options are the same, and starts again otherwise. `rows` bounds memory. Raises the errors of
    `file_errors`, and `TablesMissing`, `TablesDamaged`.
    """
    kind = _kind(source, out)
    file: _File = CsvFile(source, encoding=encoding, rows=rows) if kind == ".csv" else ParquetFile(source, rows=rows)
    if out.is_dir():
        raise OutputFailed(out.name)
    if out.exists() and not overwrite and not out.with_name(out.name + ".parts").exists():
        raise OutputExists(out.name)
    parts = Parts(out)
    try:
        return _score(
            file, parts, source, out, overwrite=overwrite, threads=threads or threads_here(), progress=progress
        )
    finally:
        parts.close()


def _kind(source: Path, out: Path) -> str:
    kinds = {path.suffix.lower() for path in (source, out)}
    if kinds not in ({".csv"}, {".parquet"}):
        raise FormatUnknown(source.name, out.name)
    return kinds.pop()


def _score(
    file: _File, parts: Parts, source: Path, out: Path, *, overwrite: bool, threads: int, progress: Progress
) -> Scored:
    if parts.was_finished():
        parts.remove()
        return Scored(0, 0)
    if out.exists() and not overwrite:
        raise OutputExists(out.name)
    before = fingerprint(source)
    resumed = parts.open({"input": before, "program": program(), **file.about()})
    earlier = sum(part.rows for part in parts.parts) if resumed else 0
    _judge(file, parts, threads=threads, progress=progress)
    total, done = sum(part.rows for part in parts.parts), 0
    for size in file.join(parts, shipped_engine()):
        done += size
        progress("まとめています", done, total)
    if fingerprint(source) != before:
        parts.remove()
        raise InputChanged(source.name)
    if out.exists() and not overwrite:
        raise OutputExists(out.name)
    parts.publish()
    return Scored(total, earlier)


def _judge(file: _File, parts: Parts, *, threads: int, progress: Progress) -> None:
    """Judge what is left; at most two pieces per thread are in memory."""
    then, engine = parts.parts[-1].then if parts.parts else file.start, shipped_engine()
    waiting: deque[tuple[_Work, Future[tuple[memoryview, int]]]] = deque()

    def keep() -> None:
        work, future = waiting.popleft()
        data, rows = future.result()
        parts.add(data, rows=rows, then=work.then)
        progress("判定しています", max(work.then.get("row", 0), work.then.get("at", 0)), file.total)

    with ThreadPoolExecutor(threads) as pool:
        try:
            for work in file.work(then):
                waiting.append((work, pool.submit(file.scored, work, engine)))
                if len(waiting) >= 2 * threads:
                    keep()
            while waiting:
                keep()
        finally:
            for _, future in waiting:
                future.cancel()


def fingerprint(path: Path) -> dict[str, object]:
    """What changes when a file does: size, time, and the sum of its beginning and end."""
    stat = path.stat()
    with path.open("rb") as file:
        ends = file.read(_HEAD)
        file.seek(max(stat.st_size - _HEAD, 0))
        ends += file.read(_HEAD)
    return {"size": stat.st_size, "time": stat.st_mtime_ns, "ends": hashlib.sha256(ends).hexdigest()}


def program() -> str:
    """A sum of the tables and of everything in this room that a result can depend on."""
    total = hashlib.sha256((pa.__version__ + sources_sum()).encode())
    with tables.SHIPPED.open("rb") as file:
        file.seek(-32, os.SEEK_END)
        total.update(file.read())
    return total.hexdigest()
