"""Verify now: whatever a superuser does below the program is found, and named."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, connections, transaction

from madoguchi.evidence import leaf, note
from madoguchi.evidence.envelope import sign
from madoguchi.evidence.keys import public_text
from madoguchi.evidence.merkle import leaf_hash
from madoguchi.evidence.tiles import Tree, grow
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.ledger import audit, integrator, log, statements, store
from madoguchi.server.ledger.findings import Fault
from madoguchi.server.ledger.models import Checkpoint, Entry, Position, Tile
from madoguchi.server.ledger.signer import origin, signer
from madoguchi.server.visits.models import VisitEvent
from madoguchi.server.visits.record import record_office
from postgres import Cluster
from server.databases import fresh_database
from server.ledger import support
from server.ledger.support import draft, fill, rows, sql, superuser, tamper, whole, working_seat


@pytest.fixture(scope="module")
def worked(
    template: str, postgres: Cluster | None, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[str]:
    """A database to copy: events of staff, server and a device, and 600 statements in three steps."""
    folder = tmp_path_factory.mktemp("worked")
    with django_db_blocker.unblock(), fresh_database(postgres, template, folder):
        working_seat()
        for _ in range(3):
            fill(200)
            integrator.settle()
        report_once()
        integrator.settle()
        connection.close()
        yield str(connection.settings_dict["NAME"])


@pytest.fixture(autouse=True)
def _office(worked: str, postgres: Cluster | None, tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:
    """An office that has worked, of this test's own."""
    with django_db_blocker.unblock(), fresh_database(postgres, worked, tmp_path):
        yield


def faults() -> set[Fault]:
    return set(audit.audit().counts)


def changed(raw: bytes, at: int = -30) -> bytes:
    """One bit of one byte."""
    broken = bytearray(raw)
    broken[at] ^= 1
    return bytes(broken)


def entry_at(position: int) -> Entry:
    return Entry.objects.get(pk=Position.objects.get(position=position).entry)


def of_device() -> VisitEvent:
    found = VisitEvent.objects.filter(message__isnull=False).first()
    assert found is not None
    return found


def test_an_untouched_office_has_no_finding() -> None:
    whole()
    seen: list[tuple[int, int]] = []
    found = audit.audit(lambda done, total: seen.append((done, total)))
    assert found.intact
    assert found.size == Entry.objects.count() > 600
    assert found.checkpoints == Checkpoint.objects.count() == 4
    assert found.root == log.parsed(log.newest()).root
    assert seen[-1] == (found.size, found.size)
    assert VisitEvent.objects.count() >= 4


@pytest.mark.parametrize("position", [0, 255, 256, 300, 599])
def test_a_changed_byte(position: int) -> None:
    entry = entry_at(position)
    tamper("UPDATE ledger_entry SET leaf = %s WHERE id = %s", changed(bytes(entry.leaf)), entry.pk)
    found = audit.audit()
    assert {Fault.ENTRY_CHANGED, Fault.ROOT_DIFFERS} <= set(found.counts)
    (place,) = {one.place for one in found.found if one.fault is Fault.ENTRY_CHANGED}
    assert place == f"記録 {position}"
    # Named once: the first checkpoint that covers it, not every later one.
    (where,) = [one.place for one in found.found if one.fault is Fault.ROOT_DIFFERS]
    assert where == f"チェックポイント {log.covering(position).size}"


def test_a_changed_signature() -> None:
    entry = entry_at(2)
    given = json.loads(bytes(entry.leaf))
    other = given | {"signature": json.loads(bytes(entry_at(3).leaf))["signature"]}
    tamper("UPDATE ledger_entry SET leaf = %s WHERE id = %s", leaf.make(**other), entry.pk)
    assert {Fault.ENTRY_CHANGED, Fault.SIGNATURE_WRONG, Fault.ROOT_DIFFERS} <= faults()
    assert Fault.SIGNATURE_WRONG not in audit.audit(signatures=False).counts


def test_an_entry_that_was_removed() -> None:
    tamper("DELETE FROM ledger_entry WHERE id = %s", entry_at(300).pk)
    found = audit.audit()
    assert [(one.fault, one.place) for one in found.found] == [(Fault.ENTRY_GONE, "記録 300")]


def test_a_place_that_was_removed() -> None:
    tamper("DELETE FROM ledger_position WHERE position = 300")
    found = audit.audit()
    assert found.counts[Fault.PLACE_GONE] == 1
    assert found.waiting == 1


def test_the_last_entries_removed_with_all_that_belongs_to_them() -> None:
    last = entry_at(log.size() - 1)
    with superuser():
        sql("DELETE FROM ledger_entry WHERE id = %s", last.pk)
        sql("DELETE FROM ledger_position WHERE entry = %s", last.pk)
    assert {Fault.SIZE_DIFFERS, Fault.CHECKPOINT_AHEAD} & faults()


def test_a_log_cut_at_its_last_checkpoint_but_one_shows_in_the_events() -> None:
    """Cut consistently it looks whole; what the office did is missing from it."""
    statements.state(kind="clock_off", body={"skew": 1.0})
    report_once()
    newest = integrator.settle().size
    old = Checkpoint.objects.exclude(size=newest).order_by("-size")[0].size
    rest = list(Position.objects.filter(position__gte=old).values_list("entry", flat=True))
    tiles = {(t.level, t.number): bytes(t.hashes) for t in Tile.objects.all()}
    with superuser():
        sql("DELETE FROM ledger_checkpoint WHERE size > %s", old)
        sql("DELETE FROM ledger_position WHERE position >= %s", old)
        for entry in rest:
            sql("DELETE FROM ledger_entry WHERE id = %s", entry)
        for (level, number), hashes in tiles.items():
            width = min(max(0, (old >> 8 * level) - number * 256), 256)
            sql(
                "UPDATE ledger_tile SET hashes = %s WHERE level = %s AND number = %s",
                hashes[: width * 32],
                level,
                number,
            )
        sql("UPDATE ledger_cursor SET size = %s", old)
    assert faults() == {Fault.EVENT_NOT_LOGGED}


def set_tile(level: int, number: int, hashes: bytes) -> None:
    sql("UPDATE ledger_tile SET hashes = %s WHERE level = %s AND number = %s", hashes, level, number)


def report_once() -> None:
    """One more event of a device, with its entry."""
    event = of_device()
    assert event.terminal is not None
    with transaction.atomic():
        record_office(kind="in_service", terminal=event.terminal, body={}, staff=officer())


def officer() -> Staff:
    return Staff.objects.get(username="officer")


def test_two_entries_swapped() -> None:
    one, other = entry_at(10), entry_at(20)
    with superuser():
        for pk, raw in ((one.pk, other.leaf), (other.pk, one.leaf)):
            sql("UPDATE ledger_entry SET leaf = %s WHERE id = %s", bytes(raw), pk)
    found = audit.audit()
    assert {one.place for one in found.found if one.fault is Fault.ENTRY_CHANGED} == {"記録 10", "記録 20"}


def test_two_places_swapped() -> None:
    one, other = entry_at(10).pk, entry_at(20).pk
    with superuser():
        sql("UPDATE ledger_position SET entry = -1 WHERE position = 10")
        sql("UPDATE ledger_position SET entry = %s WHERE position = 20", one)
        sql("UPDATE ledger_position SET entry = %s WHERE position = 10", other)
    assert audit.audit().counts[Fault.ENTRY_CHANGED] == 2


def test_an_entry_with_its_hash_in_the_tile_changed() -> None:
    """The tile agrees with the forged entry; the signed root does not."""
    entry = entry_at(5)
    forged = changed(bytes(entry.leaf))
    tile = bytearray(Tile.objects.get(level=0, number=0).hashes)
    tile[5 * 32 : 6 * 32] = leaf_hash(forged)
    with superuser():
        sql("UPDATE ledger_entry SET leaf = %s WHERE id = %s", forged, entry.pk)
        sql("UPDATE ledger_tile SET hashes = %s WHERE level = 0 AND number = 0", bytes(tile))
    found = faults()
    assert {Fault.ROOT_DIFFERS, Fault.TILE_WRONG} <= found
    assert Fault.ENTRY_CHANGED not in found


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE ledger_entry SET kind = 'close' WHERE id = {entry}", Fault.COLUMN_DIFFERS),
        ("UPDATE ledger_entry SET terminal = NULL WHERE id = {of_event}", Fault.COLUMN_DIFFERS),
        ("UPDATE ledger_entry SET visit = terminal WHERE id = {of_event}", Fault.COLUMN_DIFFERS),
        ("UPDATE ledger_entry SET at = '2001-01-01 00:00:00' WHERE id = {entry}", Fault.COLUMN_DIFFERS),
        ("UPDATE ledger_entry SET event = NULL WHERE id = {of_event}", Fault.EVENT_NOT_LOGGED),
        ("UPDATE ledger_entry SET event = {event} + 1000 WHERE id = {of_event}", Fault.EVENT_GONE),
        ("UPDATE ledger_entry SET event = NULL WHERE event IS NOT NULL", Fault.EVENT_NOT_LOGGED),
        ("DELETE FROM visits_visitevent WHERE id = {event}", Fault.EVENT_GONE),
        ("UPDATE visits_visitevent SET kind = 'wipe_failed' WHERE id = {event}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET lease = 9 WHERE id = {event}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET terminal_id = NULL WHERE id = {event}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET body = '{{}}' WHERE id = {event}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET message_id = 'x' WHERE id = {event}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET at = '2001-01-01 00:00:00' WHERE id = {event}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET received_at = '2001-01-01 00:00:00' WHERE id = {event}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET signature = 'x' WHERE id = {event}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET seq = 9 WHERE id = {event}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET message = NULL, device_id = NULL WHERE id = {event}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET kind = 'revoked' WHERE id = {servers}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET body = '{{}}' WHERE id = {servers}", Fault.EVENT_DIFFERS),
        ("UPDATE visits_visitevent SET staff_id = {other} WHERE id = {of_staff}", Fault.EVENT_DIFFERS),
        ("DELETE FROM ledger_tile WHERE level = 0 AND number = 1", Fault.TILE_GONE),
        ("DELETE FROM ledger_tile WHERE level = 1", Fault.TILE_GONE),
        ("UPDATE ledger_tile SET hashes = {zeros} WHERE level = 1", Fault.TILE_WRONG),
        ("DELETE FROM ledger_checkpoint WHERE size > 500", Fault.CHECKPOINT_GONE),
        ("UPDATE ledger_checkpoint SET size = 9999 WHERE size = {newest}", Fault.CHECKPOINT_AHEAD),
        ("UPDATE ledger_checkpoint SET note = replace(note, '+', '-')", Fault.CHECKPOINT_BROKEN),
        ("UPDATE ledger_cursor SET size = size - 1", Fault.SIZE_DIFFERS),
    ],
)  # fmt: skip
def test_each_tampering_is_named(statement: str, fault: Fault) -> None:
    event = of_device().pk
    names = {
        "entry": entry_at(100).pk,
        "event": event,
        "newest": log.newest().size,
        "of_event": Entry.objects.get(event=event).pk,
        "servers": VisitEvent.objects.get(kind="enrolled").pk,
        "of_staff": VisitEvent.objects.get(kind="in_service").pk,
        "other": Staff.objects.exclude(username="officer")[0].pk,
        "zeros": rf"'\x{'00' * 64}'" if support.postgres() else f"x'{'00' * 64}'",
    }
    if "replace(note" in statement:
        statement = statement.replace("'+', '-'", "'A', 'B'")
    tamper_many(statement.format(**names))
    found = audit.audit()
    assert fault in found.counts, found.found
    assert all(one.sentence and one.code == one.fault and one.place for one in found.found)


def tamper_many(statement: str) -> None:
    """Constraints hold even without triggers, for whoever does not drop them too."""
    with superuser():
        if support.postgres():
            sql("ALTER TABLE visits_visitevent DROP CONSTRAINT visit_event_of_terminal_has_message")
        else:
            sql("PRAGMA foreign_keys = OFF")
            sql("PRAGMA ignore_check_constraints = ON")
        sql(statement)


def test_an_event_that_was_slipped_in() -> None:
    """A row in the record that nobody has logged."""
    columns = ", ".join(
        f'"{f.column}"' for f in VisitEvent._meta.concrete_fields if f.column not in ("id", "message_id")
    )
    tamper_many(
        f"INSERT INTO visits_visitevent ({columns}, message_id) SELECT {columns}, 'other'"  # noqa: S608
        " FROM visits_visitevent WHERE kind = 'sweep_proven' LIMIT 1"
    )
    assert faults() == {Fault.EVENT_NOT_LOGGED}


def test_an_entry_of_a_stranger() -> None:
    """Signed correctly, by a key of nobody here."""
    key = Ed25519PrivateKey.generate()
    good = leaf.read(draft().leaf)
    raw = leaf.make(
        key=public_text(key), signature=sign(good.statement, key), statement=good.statement, received=good.received
    )
    at = clock.now()
    with transaction.atomic():
        store.append(leaf=raw, kind="clock_off", at=at)
    integrator.settle()
    assert Fault.SIGNER_UNKNOWN in faults()
    assert Fault.SIGNATURE_WRONG not in faults()


def test_an_entry_that_is_no_entry() -> None:
    with transaction.atomic():
        store.append(leaf=b"{}", kind="clock_off", at=clock.now())
    integrator.settle()
    assert faults() == {Fault.ENTRY_UNREADABLE}


def test_entries_that_wait_for_too_long() -> None:
    old = draft()
    with transaction.atomic():
        store.append(leaf=old.leaf, kind=old.kind, at=clock.now() - timedelta(seconds=9))
        assert audit.audit().waiting == 1
        assert audit.audit().intact
        store.append(leaf=old.leaf, kind=old.kind, at=clock.now() - timedelta(seconds=11))
        found = audit.audit()
    assert found.counts == {Fault.ENTRY_WAITS: 1}
    assert found.waiting == 2


def test_the_holder_of_the_key_rewrites_everything_unseen() -> None:
    """What this audit cannot find, and says so: only a checkpoint outside the house shows it."""
    outside = log.parsed(log.newest())
    entry = entry_at(400)
    given = json.loads(bytes(entry.leaf))
    statement = given["statement"] | {"body": {"skew": 4711.0}}
    received = given["received"]
    forged = statements.signed(statement, at=clock.now())
    given_again = json.loads(forged) | {"received": received}
    forged = leaf.make(**given_again)
    raws = [raw if position != 400 else forged for position, raw in log.entries()]
    tiles = grow(lambda *_: b"", 0, [leaf_hash(raw) for raw in raws])
    with superuser():
        sql("UPDATE ledger_entry SET leaf = %s WHERE id = %s", forged, entry.pk)
        for (level, number), hashes in tiles.items():
            set_tile(level, number, hashes)
        for row in Checkpoint.objects.all():
            root = Tree(lambda level, number: tiles.get((level, number), b""), len(raws)).root(row.size)
            text = note.Checkpoint(origin(), row.size, root, ("rewritten",)).text()
            sql(
                "UPDATE ledger_checkpoint SET note = %s WHERE size = %s",
                note.sign(text, origin(), signer().key),
                row.size,
            )
    assert audit.audit().intact
    assert log.tree().root(outside.size) != outside.root


def test_it_runs_while_the_office_works() -> None:
    """Nothing that is just being written looks like damage."""
    stop = threading.Event()
    works: list[Callable[[], object]] = [lambda: fill(5), report_once, integrator.integrate]

    def work(act: Callable[[], object]) -> None:
        try:
            while not stop.wait(0.002):  # SQLite hands its lock to whoever asks first, not to whoever waits
                act()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(act,)) for act in works]
    for thread in threads:
        thread.start()
    results = [audit.audit() for _ in range(5)]
    while results[-1].size == results[0].size and len(results) < 100:
        results.append(audit.audit())
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    for found in results:
        assert found.intact, found.found
    assert results[-1].size > results[0].size
    integrator.settle()
    whole()


def test_a_flood_of_damage_is_counted_and_not_collected() -> None:
    tamper("UPDATE ledger_entry SET kind = 'close'")
    found = audit.audit()
    assert found.counts[Fault.COLUMN_DIFFERS] > 500
    assert len(found.found) == 100
    assert rows("SELECT count(*) FROM ledger_entry")[0][0] == found.counts[Fault.COLUMN_DIFFERS]
