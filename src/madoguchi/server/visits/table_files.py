"""Writes rows to a Parquet or a CSV file, whole or not at all."""

import csv
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from madoguchi.server.errors import OfficeError

Write = Callable[[Sequence[Mapping[str, Any]]], None]


class TableExists(OfficeError):
    """Nothing is written over."""

    sentence = "同じ名前のファイルがあります。別の名前を指定してください。"


class TableFormUnknown(OfficeError):
    """The name ends neither in .parquet nor in .csv."""

    sentence = "ファイルの名前の終わりを .parquet か .csv にしてください。"


class ParquetMissing(OfficeError):
    """The package for Parquet is not installed here."""

    sentence = (
        "このサーバーには Parquet を書くための pyarrow がありません。名前の終わりを .csv にして書き出してください。"
    )


@contextmanager
def writer_for(target: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    """A function that takes rows; the file appears at the end. Only its owner can read it.

    Raises `TableFormUnknown`, `TableExists`, `ParquetMissing`.
    """
    form = _FORMS.get(target.suffix.lower())
    if form is None:
        raise TableFormUnknown(target.name)
    if target.exists():
        raise TableExists(target.name)
    handle, name = tempfile.mkstemp(prefix=".visits-", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        with form(part, columns) as write:
            yield write
        os.link(part, target)  # unlike a rename never over a file that has come meanwhile
    except FileExistsError as error:
        raise TableExists(target.name) from error
    finally:
        part.unlink()


@contextmanager
def _csv(part: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    """With a byte order mark, by which Japanese spreadsheets know UTF-8."""
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        yield lambda rows: writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else value


@contextmanager
def _parquet(part: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ParquetMissing(str(error)) from error
    types = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), datetime: pa.timestamp("us", tz="UTC")}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    with pq.ParquetWriter(part, schema) as writer:
        yield lambda rows: writer.write_batch(pa.RecordBatch.from_pylist(list(rows), schema=schema))


_FORMS = {".csv": _csv, ".parquet": _parquet}
