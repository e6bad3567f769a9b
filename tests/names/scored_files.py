"""Files of made-up rows to be scored."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from names.fuzzing import some_rows

HEADS = ("kanji", "kana", "furigana", "alias", "former")
ROWS = 700
PART = 100
"""Rows of a part in these tests."""


def clean(text: str, encoding: str) -> str:
    """Only what a CSV in this encoding can hold."""
    return text.encode(encoding, "replace").decode(encoding).replace("\0", "?").replace("\x1a", "?").replace("\r", "")


def table(encoding: str = "utf-8", rows: int = ROWS) -> pa.Table:
    """Made-up rows, good and bad."""
    columns = [
        [clean(text, encoding) for text in column] for column in zip(*some_rows(seed=9, count=rows), strict=True)
    ]
    notes = [f'備考 {place}, "引用"\n二行目' if place % 50 == 0 else f"{place}" for place in range(rows)]
    return pa.table(
        {"id": [f"{place:06d}" for place in range(rows)], **dict(zip(HEADS, columns, strict=True)), "note": notes}
    )


def write_csv(path: Path, content: pa.Table, *, encoding: str = "utf-8", end: str = "\r\n") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator=end)
        writer.writerow(content.column_names)
        writer.writerows(zip(*(column.to_pylist() for column in content.columns), strict=True))
    return path


def write_parquet(path: Path, content: pa.Table, **options: int) -> Path:
    pq.write_table(content, path, **options)
    return path


def read_csv(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def made(folder: Path, kind: str, content: pa.Table) -> Path:
    return write_csv(folder / "in.csv", content) if kind == "csv" else write_parquet(folder / "in.parquet", content)
