import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inspection.people import PEOPLE, row, write_register
from madoguchi.inspection import errors
from madoguchi.inspection.register import OPTIONAL, SCHEMA, open_register


def as_csv(path: Path, rows: list[dict[str, Any]], *, mark: bool = False) -> Path:
    with path.open("w", encoding="utf-8-sig" if mark else "utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def table(register: Any) -> pa.Table:
    return pa.concat_tables([pq.read_table(file) for file in register.files])


@pytest.mark.parametrize("mark", [True, False])
def test_csv_and_parquet_are_one_register(tmp_path: Path, mark: bool) -> None:
    parquet = open_register(write_register(tmp_path / "a.parquet", PEOPLE), work=tmp_path)
    read = open_register(as_csv(tmp_path / "a.csv", PEOPLE, mark=mark), work=tmp_path)
    assert read.rows == parquet.rows == len(PEOPLE)
    assert table(read).select(SCHEMA.names).equals(table(parquet).select(SCHEMA.names))


def test_a_folder_is_one_register(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    write_register(tmp_path / "parts" / "1.parquet", PEOPLE[:3])
    write_register(tmp_path / "parts" / "2.parquet", PEOPLE[3:])
    assert open_register(tmp_path / "parts", work=tmp_path).rows == len(PEOPLE)


def test_text_fields_are_taken_as_they_are(tmp_path: Path) -> None:
    strange = row("001", '名前, "引用"\n改行', "NULL", "0012")
    found = table(open_register(as_csv(tmp_path / "a.csv", [strange]), work=tmp_path)).to_pylist()[0]
    assert {name: found[name] for name in strange} == strange


def test_extra_columns_stay(tmp_path: Path) -> None:
    more = SCHEMA.append(pa.field("city", pa.int32()))
    file = write_register(tmp_path / "a.parquet", [dict(PEOPLE[0], city=7)], more)
    assert open_register(file, work=tmp_path).schema.equals(more)


@pytest.mark.parametrize("column", SCHEMA.names)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_missing_column_is_named(tmp_path: Path, column: str, form: str) -> None:
    rows = [{name: value for name, value in PEOPLE[0].items() if name != column}]
    schema = pa.schema([field for field in SCHEMA if field.name != column])
    file = as_csv(tmp_path / "a.csv", rows) if form == "csv" else write_register(tmp_path / "a.parquet", rows, schema)
    with pytest.raises(errors.ColumnMissing, match=column):
        open_register(file, work=tmp_path)


@pytest.mark.parametrize("column", SCHEMA.names)
def test_a_wrong_type_is_named(tmp_path: Path, column: str) -> None:
    at = SCHEMA.get_field_index(column)
    schema = SCHEMA.set(at, pa.field(column, pa.float64()))
    with pytest.raises(errors.ColumnType, match=column):
        open_register(write_register(tmp_path / "a.parquet", [dict(PEOPLE[0], **{column: 1.5})], schema), work=tmp_path)


@pytest.mark.parametrize("column", OPTIONAL.names)
def test_an_optional_column_of_a_wrong_type_is_named(tmp_path: Path, column: str) -> None:
    schema = SCHEMA.append(pa.field(column, pa.int64()))
    with pytest.raises(errors.ColumnType, match=column):
        open_register(write_register(tmp_path / "a.parquet", [dict(PEOPLE[0], **{column: 1})], schema), work=tmp_path)


def test_times_with_a_zone_are_refused(tmp_path: Path) -> None:
    at = SCHEMA.get_field_index("registered_at")
    schema = SCHEMA.set(at, pa.field("registered_at", pa.timestamp("us", "Asia/Tokyo")))
    with pytest.raises(errors.ColumnType, match="registered_at"):
        open_register(write_register(tmp_path / "a.parquet", PEOPLE[:1], schema), work=tmp_path)


def test_a_value_that_is_no_date_is_refused_and_not_repeated(tmp_path: Path) -> None:
    file = as_csv(tmp_path / "a.csv", [dict(PEOPLE[0], birth="昭和55年の秘密")])
    with pytest.raises(errors.ColumnType) as caught:
        open_register(file, work=tmp_path)
    assert "秘密" not in str(caught.value)


@pytest.mark.parametrize("name", ["p_wrong", "rank", "Kanji"])
def test_an_extra_column_may_not_hide_one_of_ours(tmp_path: Path, name: str) -> None:
    file = write_register(
        tmp_path / "a.parquet", [dict(PEOPLE[0], **{name: "x"})], SCHEMA.append(pa.field(name, pa.string()))
    )
    with pytest.raises(errors.ColumnTaken):
        open_register(file, work=tmp_path, taken=frozenset({"p_wrong", "rank"}))


@pytest.mark.parametrize("content", [b"", b"PAR1 no", "氏名".encode("shift_jis")])
@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_what_is_no_register_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((errors.RegisterMissing, errors.ColumnMissing)):
        open_register(tmp_path / name, work=tmp_path)


def test_nothing_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.parquet"):
        with pytest.raises(errors.RegisterMissing):
            open_register(path, work=tmp_path)


def test_files_of_different_columns_are_no_register(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    write_register(tmp_path / "parts" / "1.parquet", PEOPLE[:3])
    write_register(tmp_path / "parts" / "2.parquet", PEOPLE[3:], SCHEMA.append(pa.field("city", pa.string())))
    with pytest.raises(errors.ColumnType):
        open_register(tmp_path / "parts", work=tmp_path)


def test_every_error_says_what_to_do() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len({kind.code for kind in kinds}) == len(kinds) >= 6  # type: ignore[attr-defined]
    assert all(kind.sentence.endswith("。") for kind in kinds)  # type: ignore[attr-defined]
