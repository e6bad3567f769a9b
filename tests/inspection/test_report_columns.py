"""Every column that an inspection writes has a title in both languages, and no two of one table have the same."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from inspection.people import PEOPLE, write_register
from inspection.visit_list import LEFT, keep, visit
from madoguchi.inspection import accounts, visits
from madoguchi.inspection.judge import found_columns
from madoguchi.inspection.register import OPTIONAL, SCHEMA
from madoguchi.inspection.report import table
from madoguchi.inspection.report.columns import column
from madoguchi.inspection.visit_findings import FINDINGS, LOOKBACK
from madoguchi.inspection.visit_records import FIELDS

WRITTEN = {
    "findings about accounts": found_columns(pa.schema([*SCHEMA, *OPTIONAL])),
    "findings about visits": FINDINGS.names,
    "look-back list": LOOKBACK.names,
    "visit records": list(FIELDS),
}


@pytest.mark.parametrize("names", WRITTEN.values(), ids=list(WRITTEN))
def test_every_column_has_a_title_of_its_own(names: Sequence[str]) -> None:
    without = [name for name in names if name in (column(name).title_ja, column(name).title_en)]
    assert without == []
    for titles in ([column(name).title_ja for name in names], [column(name).title_en for name in names]):
        assert len(set(titles)) == len(titles)


def test_these_are_the_columns_that_are_written(tmp_path: Path) -> None:
    people = [dict(person, furigana=None, alias=None, former=None) for person in PEOPLE]
    register = write_register(tmp_path / "r.parquet", people, pa.schema([*SCHEMA, *OPTIONAL]))
    accounts.inspect(register, out=tmp_path / "a")
    rows = [visit("y", "10:00", **LEFT), visit("x", "10:20")]
    visits.inspect(keep(rows, tmp_path / "v.parquet"), out=tmp_path / "v")
    files = {
        "findings about accounts": "a/findings",
        "findings about visits": "v/findings",
        "look-back list": "v/lookback",
    }
    for what, name in files.items():
        assert table.names(tmp_path / f"{name}.parquet") == WRITTEN[what]


def test_a_column_of_the_register_s_own_carries_its_name() -> None:
    assert column("ward_code").title_ja == "ward_code"
