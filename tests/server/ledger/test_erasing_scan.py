"""What is left of erased words: every file and row is searched, and the bundle still verifies."""

import json
import shutil
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from madoguchi.evidence.verify import main as verify
from madoguchi.protocol import EventKind, InterruptReason, Outcome
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.seed import seed_training_city
from madoguchi.server.ledger import erasing, payloads
from madoguchi.server.ledger.erasing import Reason
from madoguchi.server.ledger.export import Scope, export
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from postgres import Cluster
from server.databases import Fresh
from server.ledger.erasing_support import key_bytes, opens_with
from server.ledger.support import postgres as on_postgres
from server.seat import DRAWING, Seat, serve, ticket

# The scan


def forms(word: str) -> list[bytes]:
    """As it could stand in a file."""
    return [word.encode(), json.dumps(word)[1:-1].encode(), word.encode("utf-16-le")]


def found_in(place: Path, needles: list[bytes]) -> set[tuple[str, bytes]]:
    files = [file for file in place.rglob("*") if file.is_file()]
    found = set()
    for file in files:
        try:
            raw = file.read_bytes()
        except FileNotFoundError:
            continue  # PostgreSQL makes and drops caches of its own meanwhile
        found |= {(file.name, needle) for needle in needles if needle in raw}
    return found


@pytest.fixture
def place(fresh: Fresh, postgres: Cluster | None) -> Path:
    """Where the database's files are: all of them."""
    return postgres.folder / "data" if postgres else Path(fresh.url.removeprefix("sqlite:///")).parent


def settle_files() -> None:
    """What the database holds in memory goes into its files."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT" if on_postgres() else "PRAGMA wal_checkpoint(PASSIVE)")


def served(seat: Seat, marks: dict[str, str]) -> Visit:
    """A visit with everything personal that one can have."""
    one = Staff.objects.get(username="honcho-1")
    visit = ticket(seat, one)
    serve(seat, visit, one)
    services.ask_end(visit=visit, staff=one, reason=marks["words"])
    refused = seat.message(EventKind.CURTAIN, {"note": marks["raw"]}, {"salt": "", "payload": marks["raw"] * 300})
    assert seat.send(refused)[0]["verdict"] == "rejected"
    seat.end("server_said")
    seat.wipe()
    number = float(marks["stroke"])
    drawing = {"strokes": [[[number, number + n, n] for n in range(900)]], "width": 600, "height": 200}
    before = dict(DRAWING)
    DRAWING.update(drawing)
    try:
        assert seat.sign()["verdict"] == "accepted"
    finally:
        DRAWING.update(before)
    seat.poll()
    return visit


def marks_of(who: str) -> dict[str, str]:
    number = {"gone": "73135.25", "kept": "64246.75"}[who]
    return {"words": f"ことば{who}ひみつ", "raw": f"RAW-{who}-4c1f", "stroke": number}


@pytest.mark.slow
def test_words_of_every_act_verify_outside_the_house(folder: Path, tmp_path: Path) -> None:
    """Each commitment stands in statements of its own visit alone, or the export would look tampered with."""
    city = seed_training_city(password="counter-practice-1", payment_until=None)
    seat = Seat(city.terminals[0], Client())
    seat.enrol()
    seat.poll()
    one, officer = Staff.objects.get(username="honcho-1"), Staff.objects.get(username="officer")
    visit = ticket(seat, one)
    serve(seat, visit, one)
    seat.end()
    seat.report(EventKind.WIPE_FAILED, {"failure": "mount"})
    services.clear_quarantine(terminal=seat.terminal, staff=officer, reason="見た")
    services.attest_wipe(visit=visit, staff=officer, proof="持ち去った", reason="こわれた")
    services.confirm_absent(
        visit=visit, staff=one, why="いない", outcome=Outcome.ABANDONED, reason=InterruptReason.OTHER
    )
    erasing.erase(chosen=erasing.of_visit(visit.pk), reason=Reason.REQUEST)
    export(tmp_path / "bundle", scope=Scope.whole(), disclose=True)
    assert verify([str(tmp_path / "bundle")]) == 0
    assert folder.exists()


@pytest.mark.slow
def test_the_scan(folder: Path, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    city = seed_training_city(password="counter-practice-1", payment_until=None)
    seat = Seat(city.terminals[0], Client())
    seat.enrol()
    seat.poll()
    gone, kept = served(seat, marks_of("gone")), served(seat, marks_of("kept"))
    plain = [form for who in ("gone", "kept") for word in marks_of(who).values() for form in forms(word)]
    rows = list(erasing.of_visit(gone.pk))
    assert sorted(row.kind for row in rows) == ["rejected", "signature", "words"]
    copies = [(row.pk, bytes(row.wrapped), bytes(row.sealed)) for row in rows]
    ciphers = [content[:64] for _, _, content in copies] + [wrapped for _, wrapped, _ in copies]
    settle_files()
    before = found_in(place, ciphers)
    assert {needle for _, needle in before} == set(ciphers), "the scan finds what is there"
    assert found_in(place, plain) == set()
    stolen_keys = key_bytes()
    if not on_postgres():
        shutil.copytree(place, tmp_path / "backup", ignore=shutil.ignore_patterns("state", "backup"))
    assert all(opens_with(stolen_keys, *copy) for copy in copies)

    report = erasing.erase(chosen=erasing.of_visit(gone.pk), reason=Reason.REQUEST)
    assert report.erased == {"rejected": 1, "signature": 1, "words": 1}
    assert report.residue is not None
    assert report.residue.clear

    settle_files()
    assert found_in(place, plain) == set()
    assert found_in(tmp_path / "state", plain + ciphers) == set()
    if on_postgres():
        halves = [half for cipher in ciphers for half in (cipher[:24], cipher[-24:])]  # a page may begin in between
        left = {half for _, half in found_in(place / "pg_wal", halves)}
        held = [cipher for cipher in ciphers if left & {cipher[:24], cipher[-24:]}]
        assert held == ciphers, "the log still holds the copies; that is why keys go"
    else:
        backup = tmp_path / "backup"
        assert {needle for _, needle in found_in(backup, ciphers)} == set(ciphers), "a backup still holds the copies"
        shutil.rmtree(backup)
        assert found_in(place, ciphers) == set()
    assert not any(opens_with(key_bytes(), *copy) for copy in copies)
    assert not found_in(folder, stolen_keys)

    assert payloads.words(str(services_reason(kept))) == marks_of("kept")["words"]
    export(tmp_path / "bundle", scope=Scope.whole(), disclose=True)
    assert verify([str(tmp_path / "bundle")]) == 0, capsys.readouterr().out
    said = (tmp_path / "bundle" / "payloads.jsonl").read_text()
    assert marks_of("kept")["stroke"] in said
    assert marks_of("gone")["stroke"] not in said
    assert len((tmp_path / "bundle" / "erasures.jsonl").read_text().splitlines()) == 3


def services_reason(visit: Visit) -> object:
    return visit.events.get(kind=EventKind.ASK_END.value).body["reason"]
