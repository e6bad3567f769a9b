"""Bundles made by the office, checked by the program that knows no office."""

import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from madoguchi.evidence.errors import CheckpointBroken
from madoguchi.evidence.verify import main as verify
from madoguchi.server import clock
from madoguchi.server.errors import Forbidden
from madoguchi.server.ledger import integrator
from madoguchi.server.ledger.anchor import compare
from madoguchi.server.ledger.export import Scope, export, export_zip, workroom
from madoguchi.server.ledger.models import Checkpoint, Entry, Payload
from madoguchi.server.visits.models import Visit
from server.seat import People, Seat, serve, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_visits(seat: Seat, staff: People) -> list[Visit]:
    """Two closed visits, both confirmed by a signature."""
    done = []
    for _ in range(2):
        visit = ticket(seat, staff("honcho-1"))
        serve(seat, visit, staff("honcho-1"))
        seat.end()
        seat.wipe()
        assert seat.sign()["verdict"] == "accepted"
        visit.refresh_from_db()
        assert visit.state == "closed"
        seat.poll()
        done.append(visit)
    return done


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_the_whole_log_verifies(two_visits: list[Visit], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = export(tmp_path / "all", scope=Scope.whole(), disclose=True)
    assert (written.entries, written.payloads) == (Checkpoint.objects.order_by("size").last().size, 2)  # type: ignore[union-attr]
    assert verify([str(tmp_path / "all")]) == 0, capsys.readouterr().out
    assert len(two_visits) == 2


def test_one_visit_verifies_and_says_nothing_of_the_other(two_visits: list[Visit], tmp_path: Path) -> None:
    one, other = two_visits
    export_zip(tmp_path / "one.zip", scope=Scope.of_visits([one.pk]), disclose=True)
    export(tmp_path / "one", scope=Scope.of_visits([one.pk]), disclose=True)
    assert verify([str(tmp_path / "one.zip")]) == verify([str(tmp_path / "one")]) == 0
    said = (tmp_path / "one" / "events.jsonl").read_text()
    assert str(one.pk) in said
    assert str(other.pk) not in said
    assert [json.loads(line)["visit"] for line in lines(tmp_path / "one" / "payloads.jsonl")] == [str(one.pk)]


def test_an_incident_of_two_visits_and_a_period_verify(two_visits: list[Visit], tmp_path: Path) -> None:
    scope = Scope.of_visits([visit.pk for visit in two_visits], "架空の事案")
    export(tmp_path / "incident", scope=scope)
    now = clock.now()
    export(tmp_path / "period", scope=Scope.period(now - timedelta(hours=1), now + timedelta(hours=1)), disclose=True)
    assert verify([str(tmp_path / "incident")]) == verify([str(tmp_path / "period")]) == 0
    assert lines(tmp_path / "incident" / "payloads.jsonl") == []


def test_a_period_without_entries_verifies(two_visits: list[Visit], tmp_path: Path) -> None:
    long_ago = clock.now() - timedelta(days=400)
    assert export(tmp_path / "none", scope=Scope.period(long_ago, long_ago + timedelta(days=1))).entries == 0
    assert verify([str(tmp_path / "none")]) == 0
    assert two_visits


def test_an_old_checkpoint_goes_with_the_bundle(two_visits: list[Visit], tmp_path: Path) -> None:
    integrator.settle()
    old = Checkpoint.objects.order_by("size").first()
    assert old is not None
    for name, scope in (("all", Scope.whole()), ("one", Scope.of_visits([two_visits[0].pk]))):
        export(tmp_path / name, scope=scope, anchors=[old.note])
        assert verify([str(tmp_path / name)]) == 0


def test_an_export_is_stated_in_the_log_with_who_and_what(
    two_visits: list[Visit], staff: People, tmp_path: Path
) -> None:
    export(tmp_path / "one", scope=Scope.of_visits([two_visits[0].pk]), staff=staff("officer"), disclose=True)
    stated = Entry.objects.get(kind="evidence_exported")
    said = json.loads(bytes(stated.leaf))["statement"]
    assert said["staff"] == "officer"
    assert said["body"]["payloads"] == 1
    assert said["body"]["scope"]["visits"] == [str(two_visits[0].pk)]


def test_nobody_exports_without_the_right(two_visits: list[Visit], staff: People, tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        export(tmp_path / "no", scope=Scope.whole(), staff=staff("honcho-1"))
    assert not (tmp_path / "no").exists()
    assert not Entry.objects.filter(kind="evidence_exported").exists()
    assert two_visits


def test_an_old_checkpoint_holds_and_a_foreign_one_is_none(two_visits: list[Visit]) -> None:
    old = integrator.settle().note
    assert compare(old).holds
    assert compare(f"\r\n  {old.replace(chr(10), chr(13) + chr(10))}\n").holds
    with pytest.raises(CheckpointBroken):
        compare(old.replace("\n1", "\n2", 1) if "\n1" in old else old.replace("\n", "\n1", 1))
    assert Entry.objects.filter(kind="checkpoint_compared").count() == 2
    assert Payload.objects.count() == len(two_visits)


def test_what_a_killed_export_has_left_goes_with_the_next(settings: Any, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path
    left, working = tmp_path / "exports" / "left", tmp_path / "exports" / "working"
    for folder in (left, working):
        folder.mkdir(parents=True)
        (folder / "payloads.jsonl").write_text("架空")
    long_ago = time.time() - 7200
    os.utime(left, (long_ago, long_ago))
    with workroom() as room:
        assert room.parent == tmp_path / "exports"
        assert not left.exists()
        assert working.exists()
    assert not room.exists()
