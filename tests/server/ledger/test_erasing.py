"""Erasing for good: what copies are left cannot be opened, everything else still opens, a kill leaves nothing half."""

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client

from madoguchi.evidence import leaf
from madoguchi.evidence.errors import SealBroken
from madoguchi.evidence.sealed import unseal
from madoguchi.evidence.verify import main as verify
from madoguchi.protocol import EventKind, InterruptReason, Outcome
from madoguchi.server import keyring
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.seed import seed_training_city
from madoguchi.server.errors import Forbidden, NotYours
from madoguchi.server.ledger import erasing, payloads
from madoguchi.server.ledger.erasing import Reason
from madoguchi.server.ledger.export import Scope, export
from madoguchi.server.ledger.models import Entry, Erasure, Payload
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from postgres import Cluster
from server.databases import Fresh
from server.ledger.keys_of_its_own import own_keys
from server.ledger.support import postgres as on_postgres
from server.seat import DRAWING, Json, Seat, serve, ticket

PERSON, OTHER = uuid4(), uuid4()


@pytest.fixture
def folder(fresh: Fresh, tmp_path: Path) -> Iterator[Path]:
    """The key folder of a committed office of the test's own."""
    assert fresh.url
    with own_keys(tmp_path / "state") as made:
        yield made


def stock(visit: UUID = PERSON, count: int = 3) -> list[str]:
    """So many contents of a visit; their commitments."""
    kinds = ("signature", "words", "rejected")
    with transaction.atomic():
        return [payloads.keep(kind=kinds[n % 3], content={"text": f"{visit} {n}"}, visit=visit) for n in range(count)]


def erase_person(**more: object) -> erasing.Report:
    return erasing.erase(chosen=erasing.of_visit(PERSON), reason=Reason.REQUEST, **more)  # type: ignore[arg-type]


def all_open() -> int:
    """Every content that is left opens; how many."""
    return len([payloads.open_payload(row) for row in Payload.objects.all()])


def stated(kind: str) -> list[Json]:
    rows = Entry.objects.filter(kind=kind).order_by("pk")
    return [dict(leaf.read(bytes(row.leaf)).statement) for row in rows]


def opens_with(keys: list[bytes], number: UUID, wrapped: bytes, content: bytes) -> bool:
    """Whether a copy of a row can be opened by whoever has these wrapping keys."""
    for key in keys:
        try:
            own = unseal(key, payloads.place(number, "wrapped"), wrapped)
            unseal(own, payloads.place(number, "sealed"), content)
        except SealBroken:
            continue
        return True
    return False


def key_bytes() -> list[bytes]:
    return [key.key for key in keyring.read()]


def test_an_erasure_removes_the_row_and_the_key(folder: Path) -> None:
    gone, kept = stock(), stock(OTHER)
    copies = [(row.pk, bytes(row.wrapped), bytes(row.sealed)) for row in erasing.of_visit(PERSON)]
    before = key_bytes()
    assert all(opens_with(before, *copy) for copy in copies)
    report = erase_person()
    assert report.erased == {"signature": 1, "words": 1, "rejected": 1}
    assert not any(opens_with(key_bytes(), *copy) for copy in copies)
    assert set(Payload.objects.values_list("commitment", flat=True)) == set(kept)
    assert set(Erasure.objects.values_list("commitment", flat=True)) == set(gone)
    assert all_open() == 3
    assert sorted(file.name for file in folder.iterdir()) == ["0002.key", "destroyed", "lock"]
    assert report.change is not None
    assert (report.change.rewrapped, report.change.strays) == (3, ())
    assert report.residue is not None
    assert report.residue.clear


def test_what_was_erased_and_the_new_key_stand_in_the_log(folder: Path) -> None:
    gone = stock()
    first = keyring.current().id.hex()
    erase_person()
    said = [(one["body"]["kind"], one["body"]["commitments"], one["visit"]) for one in stated("payload_erased")]
    kinds = ("signature", "words", "rejected")
    assert sorted(said) == sorted((kind, [one], str(PERSON)) for kind, one in zip(kinds, gone, strict=True))
    assert {one["body"]["reason"] for one in stated("payload_erased")} == {"request"}
    change = {"old": [first], "new": keyring.current().id.hex(), "rewrapped": 0}
    assert [one["body"] for one in stated("key_changed")] == [change]
    assert folder.exists()


def test_only_what_is_due_goes(folder: Path) -> None:
    stock(count=6)
    days = sorted({row.erase_on for row in Payload.objects.all()})
    assert len(days) == 2
    assert not erasing.due(date(days[0].year, 3, 31)).exists()
    report = erasing.erase(chosen=erasing.due(days[0]), reason=Reason.DUE)
    assert report.erased == {"rejected": 2}
    assert all_open() == 4
    assert {one["body"]["reason"] for one in stated("payload_erased")} == {"due"}
    assert folder.exists()


def test_nothing_to_erase_changes_no_key(folder: Path) -> None:
    stock(OTHER)
    before = keyring.current()
    report = erase_person()
    assert (report.erased, report.change) == ({}, None)
    assert keyring.current() == before
    assert folder.exists()


def test_erasing_twice_erases_once(folder: Path) -> None:
    stock()
    chosen = erasing.of_visit(PERSON)
    erasing.erase(chosen=chosen, reason=Reason.DUE)
    assert erasing.erase(chosen=chosen.all(), reason=Reason.DUE).erased == {}
    assert Erasure.objects.count() == 3
    assert len(stated("payload_erased")) == 3
    assert folder.exists()


def test_only_an_officer_of_the_place_erases(folder: Path) -> None:
    city = seed_training_city(password="counter-practice-1", payment_until=None)
    seat = Seat(city.terminals[0], Client())
    visit = ticket(seat, Staff.objects.get(username="honcho-1"))
    stock(visit.pk)
    chosen = erasing.of_visit(visit.pk)
    for name in ("honcho-1", "auditor"):
        with pytest.raises(Forbidden):
            erasing.erase(chosen=chosen, reason=Reason.REQUEST, staff=Staff.objects.get(username=name))
    Staff.objects.filter(username="officer").update(site=city.sites[1])
    with pytest.raises(NotYours):
        erasing.erase(chosen=chosen, reason=Reason.REQUEST, staff=Staff.objects.get(username="officer"))
    assert all_open() == 3
    Staff.objects.filter(username="officer").update(site=city.sites[0])
    erasing.erase(chosen=chosen, reason=Reason.REQUEST, staff=Staff.objects.get(username="officer"))
    assert {row.by for row in Erasure.objects.all()} == {"officer"}
    assert {one["staff"] for one in stated("payload_erased")} == {"officer"}
    assert folder.exists()


def test_no_erasing_inside_a_transaction_that_could_be_rolled_back(folder: Path) -> None:
    stock()
    with pytest.raises(RuntimeError), transaction.atomic():
        erase_person()
    assert all_open() == 3
    assert folder.exists()


def test_more_rows_than_a_batch_are_wrapped_anew(folder: Path) -> None:
    with transaction.atomic():
        stock(OTHER, 450)
    stock()
    report = erase_person()
    assert report.change is not None
    assert report.change.rewrapped == 450
    assert all_open() == 450
    assert folder.exists()


def test_a_row_that_does_not_open_keeps_its_key_from_being_destroyed(folder: Path) -> None:
    stock()
    row = Payload.objects.get(commitment=stock(OTHER, 1)[0])
    raw = bytearray(row.wrapped)
    raw[-1] ^= 1
    Payload.objects.filter(pk=row.pk).update(wrapped=bytes(raw))
    with pytest.raises(SealBroken):
        erase_person()
    assert len(keyring.read()) == 2
    assert erasing.unfinished()
    raw[-1] ^= 1
    Payload.objects.filter(pk=row.pk).update(wrapped=bytes(raw))
    report = erase_person()
    assert report.erased == {}
    assert report.change is not None
    assert not erasing.unfinished()
    assert all_open() == 1
    assert len([file for file in folder.iterdir() if file.suffix == ".key"]) == 1


def test_rows_under_a_key_that_is_gone_hold_up_no_erasure(folder: Path) -> None:
    """As after a restore of an older database."""
    lost = Payload.objects.get(commitment=stock(OTHER, 1)[0])
    old = bytes(lost.wrapped)
    erasing.change_key()
    Payload.objects.filter(pk=lost.pk).update(wrapped=old)
    stock()
    assert erase_person().erased == {"signature": 1, "words": 1, "rejected": 1}
    with pytest.raises(keyring.WrappingKeyMissing):
        payloads.open_payload(Payload.objects.get(pk=lost.pk))
    assert folder.exists()


def test_an_old_key_that_was_put_back_is_named_and_destroyed(folder: Path) -> None:
    stock(OTHER)
    old = keyring.current()
    saved = old.path.read_bytes()
    erasing.change_key()
    old.path.write_bytes(saved)
    assert erasing.unfinished()
    report = erase_person()
    assert report.change is not None
    assert report.change.strays == ("0001.key",)
    assert not old.path.exists()
    assert all_open() == 3
    assert folder.exists()


def test_a_row_read_before_the_change_opens_after_it(folder: Path) -> None:
    stock(OTHER)
    read = list(Payload.objects.all())
    erasing.change_key()
    assert [payloads.open_payload(row)[1]["text"] for row in read]
    assert folder.exists()


@pytest.mark.slow
def test_who_seals_while_the_key_is_changed_loses_nothing(folder: Path) -> None:
    """Bounded writers: each round wraps all that is there anew, and must not race with endless growth."""
    problems: list[Exception] = []

    def writer() -> None:
        try:
            for _ in range(100):
                stock(OTHER, 3)
        except Exception as error:  # noqa: BLE001 - shown below
            problems.append(error)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=writer) for _ in range(4)]
    for one in writers:
        one.start()
    rounds = 0
    while rounds < 3 or any(one.is_alive() for one in writers):
        stock()
        erase_person()
        rounds += 1
    for one in writers:
        one.join()
    assert problems == []
    assert all_open() == 4 * 100 * 3
    assert len(keyring.read()) == 1
    assert folder.exists()


# Kills


def run_killed(fresh: Fresh, act: str, step: str, passes: int = 0) -> int:
    program = [sys.executable, str(Path(__file__).with_name("eraser.py")), act, str(PERSON), step, str(passes)]
    environment = fresh.environment | {"MADOGUCHI_STATE": str(settings.STATE_DIR)}
    return subprocess.run(program, env=environment, check=False, stderr=subprocess.DEVNULL).returncode


@pytest.mark.slow
@pytest.mark.parametrize("step", erasing.STEPS)
def test_an_erasure_killed_anywhere_is_finished_by_the_next(fresh: Fresh, folder: Path, step: str) -> None:
    gone, kept = stock(), stock(OTHER, 250)
    first = keyring.current()
    copies = [(row.pk, bytes(row.wrapped), bytes(row.sealed)) for row in erasing.of_visit(PERSON)]
    assert run_killed(fresh, "erase", step) == -signal.SIGKILL
    left = all_open()
    assert left in (253, 250)
    assert Erasure.objects.count() == 253 - left, "a row is gone exactly when that is written down"
    assert {one for said in stated("payload_erased") for one in said["body"]["commitments"]} == (
        set() if left == 253 else set(gone)
    )
    erase_person()
    assert set(Payload.objects.values_list("commitment", flat=True)) == set(kept)
    assert all_open() == 250
    assert sorted(one for said in stated("payload_erased") for one in said["body"]["commitments"]) == sorted(gone)
    assert not erasing.unfinished()
    assert len(keyring.read()) == len(list(folder.glob("*.key"))) == 1
    assert keyring.current().id != first.id
    assert not any(opens_with(key_bytes(), *copy) for copy in copies)


@pytest.mark.slow
@pytest.mark.parametrize("step", [step for step in erasing.STEPS if step not in ("deleted", "committed", "cleared")])
def test_a_key_change_killed_again_and_again_loses_nothing(fresh: Fresh, folder: Path, step: str) -> None:
    stock(OTHER, 250)
    for passes in (0, 0, 1 if step == "batch wrapped" else 0):
        assert run_killed(fresh, "change", step, passes) == -signal.SIGKILL
        assert all_open() == 250
    erasing.change_key()
    assert all_open() == 250
    assert len(list(folder.glob("*.key"))) == 1
    assert not erasing.unfinished()


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
        left = found_in(place / "pg_wal", ciphers)
        assert {needle for _, needle in left} == set(ciphers), "the log still holds the copies; that is why keys go"
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
