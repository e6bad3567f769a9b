"""Lists of visits as cities have them: what can be read is read, what means nothing is refused with its row."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inspection.visit_list import keep, visit
from madoguchi.inspection.errors import InspectionError
from madoguchi.inspection.report.columns import column
from madoguchi.inspection.visit_errors import RecordColumnMissing, RecordsMissing, RecordUnreadable
from madoguchi.inspection.visit_records import FIELDS, SCHEMA, prepare

HEAD = "来庁番号,拠点,端末,受付時刻,結果,ログアウト確認,消去の証明,断られた理由"


def read(source: Path) -> list[dict[str, Any]]:
    target = source.with_suffix(".ready")
    assert prepare(source, target) == pq.read_metadata(target).num_rows
    table = pq.read_table(target)
    assert table.schema.equals(SCHEMA)
    return list(table.to_pylist())


def csv(folder: Path, *lines: str, encoding: str = "utf-8", name: str = "list.csv") -> Path:
    made = folder / name
    made.write_text("\r\n".join(lines) + "\r\n", encoding=encoding, newline="")
    return made


def test_every_column_has_a_japanese_title_of_its_own() -> None:
    titles = [column(name).title_ja for name in FIELDS]
    assert len(set(titles)) == len(titles)
    assert not set(titles) & set(FIELDS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_paper_list_in_the_words_of_paper(tmp_path: Path, encoding: str) -> None:
    source = csv(tmp_path, HEAD, "1,架空庁舎,端末1,令和4年8月17日 10:05,中断,なし,×,登録済み", encoding=encoding)
    [row] = read(source)
    assert (row["outcome"], row["confirmation"], row["proof"]) == ("interrupted", "none", False)
    assert row["refusals"] == "already_registered"
    assert row["created_at"] == datetime(2022, 8, 17, 1, 5, tzinfo=UTC)
    assert row["start_s"] == int(row["created_at"].timestamp())
    assert (row["exact"], row["line"], row["card_tag"]) == (True, 1, None)


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2022-08-17T10:05:00+09:00", 1),
        ("2022-08-17 01:05:00Z", 1),
        ("2022/8/17 10:05", 1),
        ("R4.8.17 10:05", 1),
        ("2022年8月17日 10時05分", 1),
        ("2022-08-17 10:05", 1),
        ("2022-08-17T10:05:59.999999-0500", 15),
    ],
)
def test_times_as_lists_have_them(tmp_path: Path, written: str, hour: int) -> None:
    [row] = read(csv(tmp_path, "visit_id,terminal,called_at", f"1,端末1,{written}"))
    assert row["called_at"].replace(second=0, microsecond=0) == datetime(2022, 8, 17, hour, 5, tzinfo=UTC)


@pytest.mark.parametrize("written", ["2022-08-17", "令和4年8月17日", "H30/8/17", "令和元.8.17"])
def test_a_day_is_an_order_but_no_time(tmp_path: Path, written: str) -> None:
    [row] = read(csv(tmp_path, "visit_id,terminal,called_at,registered_at", f"1,端末1,{written},{written}"))
    assert row["exact"] is False
    assert row["start_s"] is not None
    assert row["registered_s"] is None


def test_empty_means_not_recorded(tmp_path: Path) -> None:
    [row] = read(csv(tmp_path, HEAD, "1,架空庁舎,　,2022-08-17 10:05,,,,"))
    for name in ("terminal", "outcome", "confirmation", "proof", "refusals"):
        assert row[name] is None


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("1,架空庁舎,端末1,きのう,完了,署名,有,", "1: created_at"),
        ("1,架空庁舎,端末1,2022-02-30 10:00,完了,署名,有,", "1: created_at"),
        ("1,架空庁舎,端末1,2022-08-17 25:00,完了,署名,有,", "1: created_at"),
        ("1,架空庁舎,端末1,2022-08-17 10:00,たぶん,署名,有,", "1: outcome"),
        ("1,架空庁舎,端末1,2022-08-17 10:00,完了,したはず,有,", "1: confirmation"),
        ("1,架空庁舎,端末1,2022-08-17 10:00,完了,署名,たぶん,", "1: proof"),
        (",架空庁舎,端末1,2022-08-17 10:00,完了,署名,有,", "1: visit_id"),
        ("1,架空庁舎,端末1,0001-01-01 00:00,完了,署名,有,", "1: created_at"),
        ("1,架空庁舎,端末1,2022-08-17 10:00,完了,署名", "1: 6 / 8"),
        ("1,架空,庁舎,端末1,2022-08-17 10:00,完了,署名,有,", "1: 9 / 8"),
    ],
)
def test_what_means_nothing_is_refused_with_its_row(tmp_path: Path, line: str, place: str) -> None:
    with pytest.raises(RecordUnreadable, match=place) as caught:
        read(csv(tmp_path, HEAD, line))
    assert "したはず" not in str(caught.value)


@pytest.mark.parametrize(
    "head", ["端末,受付時刻", "来庁番号,受付時刻", "来庁番号,端末", "氏名,住所", "", "visit_id;terminal;called_at"]
)
def test_a_list_without_what_makes_an_order_is_refused(tmp_path: Path, head: str) -> None:
    with pytest.raises(RecordColumnMissing):
        read(csv(tmp_path, head))


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    broken = {"a.parquet": b"PAR1", "b.csv": b"\xff\xfe\x81", "c.csv": HEAD.encode() + b'\r\n1,"open\r\n'}
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    for name in [*broken, "nothing.csv"]:
        with pytest.raises((RecordsMissing, RecordColumnMissing)) as caught:
            read(tmp_path / name)
        assert isinstance(caught.value, InspectionError)


@pytest.mark.parametrize("lease", ["9" * 30, "1e400", "一"])
def test_a_number_that_is_none_is_refused(tmp_path: Path, lease: str) -> None:
    with pytest.raises(RecordUnreadable, match="1: lease"):
        read(csv(tmp_path, "visit_id,terminal,called_at,lease", f"1,端末1,2022-08-17 10:00,{lease}"))


def test_columns_that_nobody_asked_for_are_left_behind(tmp_path: Path) -> None:
    source = csv(tmp_path, "氏名,visit_id,terminal,called_at", "架空 太郎,1,端末1,2022-08-17 10:05")
    [row] = read(source)
    assert "架空 太郎" not in str(row)
    assert "架空 太郎".encode() not in source.with_suffix(".ready").read_bytes()


def test_a_list_with_a_head_only_is_empty(tmp_path: Path) -> None:
    assert read(csv(tmp_path, HEAD)) == []


def test_parquet_of_other_makers(tmp_path: Path) -> None:
    table = pa.table(
        {
            "visit_id": pa.array([7, 8]),
            "terminal": pa.array(["端末1", "端末1"]).dictionary_encode(),
            "called_at": pa.array([datetime(2022, 8, 17, 10), None], pa.timestamp("ns")),  # noqa: DTZ001 - no zone
            "proof": pa.array([1, 0]),
            "lease": pa.array([3.0, float("nan")]),
        }
    )
    pq.write_table(table, tmp_path / "list.parquet")
    first, second = read(tmp_path / "list.parquet")
    assert first["visit_id"] == "7"
    assert first["called_at"] == datetime(2022, 8, 17, 1, tzinfo=UTC)
    assert (first["proof"], first["lease"], second["proof"], second["lease"]) == (True, 3, False, None)


def test_what_is_ready_reads_the_same_again(tmp_path: Path) -> None:
    source = keep(
        [visit("y", "10:00"), visit("x", "10:20", refusals="Already_Registered 、 other")], tmp_path / "a.parquet"
    )
    once = read(source)
    pq.write_table(pq.read_table(source.with_suffix(".ready")).select(list(FIELDS)), tmp_path / "b.parquet")
    assert read(tmp_path / "b.parquet") == once
    assert once[1]["refusals"] == "already_registered,other"
