"""Reading a register of accounts: one Parquet file, a folder of them, or CSV. Columns and types are checked first."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from madoguchi.inspection.errors import ColumnMissing, ColumnTaken, ColumnType, RegisterMissing

SCHEMA = pa.schema(
    [
        ("person_id", pa.string()),
        ("kanji", pa.string()),
        ("birth", pa.date32()),
        ("address", pa.string()),
        ("account", pa.string()),
        ("holder_kana", pa.string()),
        ("registered_at", pa.timestamp("us")),
        ("place", pa.string()),
    ]
)
"""Columns a register must have. Times are local, without zone. More columns may follow; they stay in the findings, and
`furigana`, `alias` and `former`, if there, are used by the name match."""

OPTIONAL = pa.schema([("furigana", pa.string()), ("alias", pa.string()), ("former", pa.string())])
"""The official reading, a registered alias, a former surname or name: see `madoguchi.names.match`."""


@dataclass(frozen=True)
class Register:
    """Parquet files of one schema, checked."""

    source: str
    files: tuple[Path, ...]
    schema: pa.Schema
    rows: int


def open_register(
    path: Path, *, work: Path, taken: frozenset[str] = frozenset(), schema: pa.Schema = SCHEMA
) -> Register:
    """Check a register and make it ready for any engine. CSV becomes Parquet in `work` first.

    `schema` names the columns it must have, `taken` names extra columns must not have. Raises `RegisterMissing`,
    `ColumnMissing`, `ColumnType`, `ColumnTaken`.
    """
    files = _files(path)
    if files[0].suffix.lower() != ".parquet":
        files = tuple(_as_parquet(file, work / f"register-{place}.parquet", schema) for place, file in enumerate(files))
    try:
        found = [pq.ParquetFile(file) for file in files]
    except (OSError, pa.ArrowInvalid) as error:
        raise RegisterMissing(f"{path.name}: {type(error).__name__}") from error
    for file in found:
        _check(file.schema_arrow, schema, taken)
        if not file.schema_arrow.equals(found[0].schema_arrow):
            raise ColumnType(f"{path.name}: files have different columns")
    return Register(path.name, files, found[0].schema_arrow, sum(file.metadata.num_rows for file in found))


def _files(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    for ending in ("*.parquet", "*.csv"):
        files = tuple(sorted(path.glob(ending)))
        if files:
            return files
    raise RegisterMissing(path.name)


def _check(found: pa.Schema, wanted: pa.Schema, taken: frozenset[str]) -> None:
    missing = [name for name in wanted.names if name not in found.names]
    if missing:
        raise ColumnMissing(", ".join(missing))
    for field in [*wanted, *(field for field in OPTIONAL if field.name in found.names)]:
        if not _fits(found.field(field.name).type, field.type):
            raise ColumnType(f"{field.name}: {found.field(field.name).type}, not {field.type}")
    clash = sorted(taken.intersection(found.names) - set(wanted.names))
    if clash or len({name.lower() for name in found.names}) < len(found.names):
        raise ColumnTaken(", ".join(clash) or "a column stands there twice")


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_string(wanted):
        return bool(pa.types.is_string(found) or pa.types.is_large_string(found))
    if pa.types.is_timestamp(wanted):
        return bool(pa.types.is_timestamp(found) and found.tz is None and found.unit in ("ms", "us"))
    return bool(found.equals(wanted))


def _as_parquet(csv: Path, out: Path, schema: pa.Schema) -> Path:
    """A CSV file (UTF-8, first line names the columns), block by block. Columns not in `schema` are texts."""
    try:
        with csv.open(encoding="utf-8-sig") as lines:
            names = pacsv.open_csv(pa.BufferReader(lines.readline().encode() + b"\n")).schema.names
        types = {name: schema.field(name).type if name in schema.names else pa.string() for name in names}
        options = pacsv.ConvertOptions(
            column_types=types, strings_can_be_null=False, timestamp_parsers=["%Y-%m-%d %H:%M:%S", pacsv.ISO8601]
        )
        parse = pacsv.ParseOptions(newlines_in_values=True)
        with pacsv.open_csv(csv, convert_options=options, parse_options=parse) as rows:
            _check(rows.schema, schema, frozenset())
            with pq.ParquetWriter(out, rows.schema, compression="zstd") as writer:
                for batch in rows:
                    writer.write_batch(batch)
    except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as error:
        kind = ColumnType if "conversion error" in str(error) else RegisterMissing
        raise kind(_without_values(csv, error)) from error
    return out


def _without_values(csv: Path, error: Exception) -> str:
    """Name of the file and of the column, never the value: it can be a person's."""
    told = str(error)
    where = told.split(":")[0] if told.startswith("In CSV column") else type(error).__name__
    return f"{csv.name}: {where}"
