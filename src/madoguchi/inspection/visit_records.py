"""Visit records: one row a visit, as `madoguchi server visits-table` writes them or as a city has them on its lists.

Only `visit_id`, a time and a terminal (or at least a site) are needed. Everything else may be missing or empty: empty
means *not recorded*, never "no".
"""

import csv
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from madoguchi.inspection.report.columns import column
from madoguchi.inspection.visit_errors import RecordColumnMissing, RecordsMissing, RecordUnreadable
from madoguchi.inspection.visit_values import Kind, is_day, read

FIELDS: Mapping[str, Kind] = {
    "visit_id": Kind.KEY,
    "site": Kind.TEXT,
    "terminal": Kind.TEXT,
    "ticket": Kind.TEXT,
    "procedure": Kind.KEY,
    "lease": Kind.NUMBER,
    "created_at": Kind.TIME,
    "called_at": Kind.TIME,
    "opened_at": Kind.TIME,
    "ended_at": Kind.TIME,
    "closed_at": Kind.TIME,
    "cause": Kind.TEXT,
    "proof": Kind.FLAG,
    "confirmation": Kind.CONFIRMATION,
    "own_name": Kind.OWN_NAME,
    "outcome": Kind.OUTCOME,
    "refusals": Kind.CODES,
    "card_tag": Kind.KEY,
    "card_away_s": Kind.NUMBER,
    "registered_at": Kind.TIME,
    "wipe_failed_at": Kind.TIME,
    "released_at": Kind.TIME,
}
"""The columns of a visit record and what they hold; `docs/inspection-visits.md` says what each means."""

_BEGINS = ("opened_at", "called_at", "created_at", "ended_at", "closed_at")
_ENDS = ("ended_at", "closed_at")
_ROWS_AT_A_TIME = 10_000
_TYPES = {Kind.NUMBER: pa.int64(), Kind.FLAG: pa.bool_(), Kind.TIME: pa.timestamp("us", tz="UTC")}
_DERIVED = {
    "line": pa.int64(),
    "seat": pa.string(),
    "exact": pa.bool_(),
    "start_s": pa.int64(),
    "end_s": pa.int64(),
    "registered_s": pa.int64(),
    "wipe_failed_s": pa.int64(),
    "released_s": pa.int64(),
}
SCHEMA = pa.schema([(name, _TYPES.get(kind, pa.string())) for name, kind in FIELDS.items()] + list(_DERIVED.items()))
"""What the checks read: the columns of `FIELDS`, the row's number in the list (from 1), the seat (site and terminal),
whether its times are more than days, and times in whole seconds since 1970, which every engine counts alike."""


def prepare(source: Path, target: Path) -> int:
    """Write the records as the checks read them; how many. Parquet in, or CSV with English or Japanese titles.

    Raises `RecordsMissing`, `RecordColumnMissing`, `RecordUnreadable`.
    """
    rows, number = _rows(source), 0
    with pq.ParquetWriter(target, SCHEMA) as writer:
        while portion := list(islice(rows, _ROWS_AT_A_TIME)):
            made = [_record(row, number + place) for place, row in enumerate(portion, start=1)]
            writer.write_batch(pa.RecordBatch.from_pylist(made, schema=SCHEMA))
            number += len(portion)
    return number


def _rows(source: Path) -> Iterator[Mapping[str, Any]]:
    if not source.is_file():
        raise RecordsMissing(str(source))
    return _from_csv(source) if source.suffix.lower() in (".csv", ".tsv") else _from_parquet(source)


def _from_parquet(source: Path) -> Iterator[Mapping[str, Any]]:
    try:
        file = pq.ParquetFile(source)
        wanted = _wanted(file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=_ROWS_AT_A_TIME, columns=list(wanted)):
            for row in batch.to_pylist():
                yield {wanted[name]: value for name, value in row.items()}
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordsMissing(str(source)) from error


def _from_csv(source: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with source.open(encoding=_encoding(source), newline="") as file:
            reader = csv.reader(file, delimiter="\t" if source.suffix.lower() == ".tsv" else ",", strict=True)
            head = next(reader, [])
            wanted = _wanted(head)
            for line, row in enumerate((row for row in reader if row), start=1):
                if len(row) != len(head):
                    raise RecordUnreadable(f"{line}: {len(row)} / {len(head)}")
                yield {wanted[name]: value for name, value in zip(head, row, strict=True) if name in wanted}
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise RecordsMissing(str(source)) from error


def _encoding(source: Path) -> str:
    """UTF-8 with or without a mark; what is not, is taken for what Japanese spreadsheets write."""
    try:
        with source.open(encoding="utf-8-sig") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp932"
    return "utf-8-sig"


def _wanted(names: Iterable[str]) -> dict[str, str]:
    """The columns that are known, by their own title. Raises `RecordColumnMissing`."""
    titles = {column(name).title_ja: name for name in FIELDS} | {name: name for name in FIELDS}
    found = {name: titles[name.strip()] for name in names if name.strip() in titles}
    given = set(found.values())
    if "visit_id" not in given:
        raise RecordColumnMissing("visit_id")
    if not given & set(_BEGINS):
        raise RecordColumnMissing(" / ".join(_BEGINS))
    if not given & {"site", "terminal"}:
        raise RecordColumnMissing("terminal / site")
    return found


def _record(row: Mapping[str, Any], line: int) -> dict[str, Any]:
    made: dict[str, Any] = {name: _value(name, row.get(name), line) for name in FIELDS}
    if made["visit_id"] is None:
        raise RecordUnreadable(f"{line}: visit_id")
    times = [row[name] for name in _BEGINS if row.get(name)]
    return made | {
        "line": line,
        "seat": _seat(made["site"], made["terminal"]),
        "exact": bool(times) and not is_day(times[0]),
        "start_s": _seconds(_first(made, _BEGINS)),
        "end_s": _seconds(_first(made, _ENDS)),
        "registered_s": None if is_day(row.get("registered_at")) else _seconds(made["registered_at"]),
        "wipe_failed_s": _seconds(made["wipe_failed_at"]),
        "released_s": _seconds(made["released_at"]),
    }


def _seat(site: str | None, terminal: str | None) -> str:
    """The same seat is the same word however widely it is written."""
    return "/".join("".join(unicodedata.normalize("NFKC", part or "").split()).casefold() for part in (site, terminal))


def _value(name: str, value: object, line: int) -> object:
    try:
        return read(FIELDS[name], value)
    except (ValueError, OverflowError) as error:
        # The value itself stays out of the message: it could be a name.
        raise RecordUnreadable(f"{line}: {name}") from error


def _first(made: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((made[name] for name in names if made[name] is not None), None)


def _seconds(moment: Any) -> int | None:
    return None if moment is None else int(moment.timestamp())
