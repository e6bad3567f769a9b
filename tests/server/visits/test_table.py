"""The visits as a table: what is known of each is there, nothing personal is, and the file is whole or not there."""

import csv
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from madoguchi.inspection.visit_records import FIELDS, prepare
from madoguchi.inspection.visits import inspect
from madoguchi.protocol import EventKind
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.errors import OfficeError
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from madoguchi.server.visits.table import COLUMNS, write_table
from madoguchi.server.visits.table_files import ParquetMissing, TableExists, TableFormUnknown
from server.seat import TAG, People, Seat, serve, ticket


def table(tmp_path: Path, name: str = "visits.parquet", **chosen: Any) -> list[dict[str, Any]]:
    """What is written."""
    target = tmp_path / name
    write_table(target, **({"first": None, "last": None, "training": True} | chosen))
    return list(pq.read_table(target).to_pylist())


def test_the_columns_are_those_that_an_inspection_reads() -> None:
    assert list(COLUMNS) == list(FIELDS)


def test_a_closed_visit_stands_there_with_what_closed_it(
    seat: Seat, staff: People, confirming: Visit, tmp_path: Path
) -> None:
    seat.sign(own_name="other")
    confirming.refresh_from_db()
    [row] = table(tmp_path)
    assert row["visit_id"] == str(confirming.pk)
    assert row["ticket"].endswith(confirming.ticket)
    assert (row["site"], row["terminal"]) == (seat.terminal.site.name, seat.terminal.name)
    assert (row["proof"], row["confirmation"], row["own_name"]) == (True, "signature", "other")
    assert (row["outcome"], row["cause"], row["card_tag"]) == ("completed", "finish", TAG)
    assert row["called_at"] == confirming.called_at
    assert row["opened_at"] <= row["ended_at"] <= row["closed_at"]
    assert row["registered_at"] is row["wipe_failed_at"] is row["released_at"] is None
    assert staff("honcho-1").username not in str(row)


def test_who_waits_or_has_withdrawn_never_stood_at_a_box(seat: Seat, staff: People, tmp_path: Path) -> None:
    person = staff("honcho-1")
    ticket(seat, person)
    services.withdraw(visit=ticket(seat, person), staff=person, reason="帰った")
    assert table(tmp_path) == []


def test_a_visit_that_goes_on_has_not_ended_yet(seat: Seat, staff: People, tmp_path: Path) -> None:
    serve(seat, ticket(seat, staff("honcho-1")), staff("honcho-1"))
    [row] = table(tmp_path)
    assert row["ended_at"] is row["proof"] is row["confirmation"] is row["outcome"] is None


def test_an_end_without_proof_is_known_to_lack_it(seat: Seat, staff: People, tmp_path: Path) -> None:
    serve(seat, ticket(seat, staff("honcho-1")), staff("honcho-1"))
    seat.end("card_gone")
    [row] = table(tmp_path)
    assert (row["proof"], row["confirmation"], row["cause"]) == (False, "none", "card_gone")


def test_the_longest_absence_of_the_card(seat: Seat, staff: People, tmp_path: Path) -> None:
    serve(seat, ticket(seat, staff("honcho-1")), staff("honcho-1"))
    begun = clock.now()

    def later(seconds: int) -> str:
        return (begun + timedelta(seconds=seconds)).isoformat()

    seat.report(EventKind.CURTAIN, at=later(10))
    seat.report(EventKind.UNCURTAIN, {"card_tag": TAG}, at=later(15))
    seat.report(EventKind.CURTAIN, at=later(20))
    seat.report(EventKind.END, {"cause": "card_gone"}, at=later(80))
    [row] = table(tmp_path)
    assert row["card_away_s"] == 60


def test_a_quarantine_has_its_beginning_and_its_end(seat: Seat, staff: People, tmp_path: Path) -> None:
    serve(seat, ticket(seat, staff("honcho-1")), staff("honcho-1"))
    seat.end()
    seat.report(EventKind.WIPE_FAILED, {"failure": "ProcessesRemain"})
    [row] = table(tmp_path, "before.parquet")
    assert row["wipe_failed_at"] is not None
    assert row["released_at"] is None
    services.clear_quarantine(terminal=seat.terminal, staff=staff("officer"), reason="確認した")
    [row] = table(tmp_path, "cleared.parquet")
    assert row["released_at"] is None
    seat.wipe()
    [row] = table(tmp_path, "after.parquet")
    assert row["released_at"] > row["wipe_failed_at"]


def test_a_failed_sweep_after_the_visit_counts_for_the_one_who_sat_there_last(
    seat: Seat, confirming: Visit, tmp_path: Path
) -> None:
    seat.sign()
    answer = seat.report(EventKind.WIPE_FAILED, {"failure": "ProcessesRemain"}, visit=None, lease=None)
    assert answer["verdict"] == "accepted"
    [row] = table(tmp_path)
    assert row["visit_id"] == str(confirming.pk)
    assert row["wipe_failed_at"] is not None


def test_only_the_days_that_are_asked_for(confirming: Visit, tmp_path: Path) -> None:
    day, other = confirming.day, timedelta(days=1)
    assert len(table(tmp_path, "a.parquet", first=day, last=day)) == 1
    assert table(tmp_path, "b.parquet", first=day + other) == []
    assert table(tmp_path, "c.parquet", last=day - other) == []
    assert table(tmp_path, "d.parquet", training=False) == []


def test_csv_says_the_same_as_parquet(confirming: Visit, tmp_path: Path) -> None:
    [row] = table(tmp_path)
    write_table(tmp_path / "visits.csv", first=None, last=None, training=True)
    with (tmp_path / "visits.csv").open(encoding="utf-8-sig") as file:
        [said] = csv.DictReader(file)
    assert said["visit_id"] == str(confirming.pk)
    assert said["called_at"] == row["called_at"].isoformat()
    assert (said["proof"], said["registered_at"]) == ("true", "")
    for name in ("visits.csv", "visits.parquet"):
        assert prepare(tmp_path / name, tmp_path / f"{name}.ready") == 1
    ready = [pq.read_table(tmp_path / f"{name}.ready").to_pylist() for name in ("visits.csv", "visits.parquet")]
    assert ready[0] == ready[1]


@pytest.mark.usefixtures("confirming")
def test_nothing_is_written_over_and_nothing_half_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(name: str, kind: type[OfficeError]) -> None:
        with pytest.raises(kind) as caught:
            write_table(tmp_path / name, first=None, last=None, training=True)
        assert caught.value.sentence

    (tmp_path / "mine.csv").write_text("mine")
    refused("mine.csv", TableExists)
    refused("visits.xlsx", TableFormUnknown)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    refused("visits.parquet", ParquetMissing)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]
    assert (tmp_path / "mine.csv").read_text() == "mine"


@pytest.mark.usefixtures("confirming")
def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    table(tmp_path)
    assert (tmp_path / "visits.parquet").stat().st_mode & 0o077 == 0


def test_what_the_office_writes_an_inspection_reads(seat: Seat, staff: People, tmp_path: Path) -> None:
    first, second = (ticket(seat, staff("honcho-1")) for _ in range(2))
    for visit, tag, own_name in ((first, "aa" * 32, "own"), (second, "bb" * 32, "other")):
        seat.poll()
        services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
        seat.poll()
        seat.bind(tag)
        seat.end()
        seat.wipe()
        assert seat.sign(own_name=own_name)["verdict"] == "accepted"
    table(tmp_path)
    inspect(tmp_path / "visits.parquet", out=tmp_path / "out")
    [found] = pq.read_table(tmp_path / "out" / "findings.parquet").to_pylist()
    assert (found["lost_visit"], found["got_visit"]) == (str(second.pk), str(first.pk))
    assert found["unknown"] == ""


def closed(seat: Seat, person: Staff, number: int) -> list[str]:
    """So many visits, one after the other; their ids."""
    made = []
    for n in range(number):
        visit = ticket(seat, person)
        seat.poll()
        services.call(visit=visit, terminal=seat.terminal, staff=person)
        seat.poll()
        seat.bind(f"{n:02x}" * 32)
        seat.end()
        seat.wipe()
        assert seat.sign()["verdict"] == "accepted"
        made.append(str(visit.pk))
    return made


def test_portions_lose_nothing_and_mix_nothing_up(
    seat: Seat, staff: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits = closed(seat, staff("honcho-1"), 5)
    whole = table(tmp_path, "whole.parquet")
    monkeypatch.setattr("madoguchi.server.visits.table._PORTION", 2)
    assert table(tmp_path, "portions.parquet") == whole
    assert [row["visit_id"] for row in whole] == visits
    assert [row["lease"] for row in whole] == sorted(row["lease"] for row in whole)
    assert all(row["called_at"] <= row["opened_at"] <= row["ended_at"] <= row["closed_at"] for row in whole)


def test_more_visits_ask_the_database_no_more_often(
    seat: Seat, staff: People, tmp_path: Path, django_assert_num_queries: Any
) -> None:
    for number in (1, 4):
        closed(seat, staff("honcho-1"), number)
        with django_assert_num_queries(3):
            table(tmp_path, f"{number}.parquet")
