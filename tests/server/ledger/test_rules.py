"""The log's rules below the program, attacked with raw SQL. Runs on SQLite and on PostgreSQL."""
# ruff: noqa: S608 - tables and columns are named by the tests themselves

import re
import uuid
from importlib import resources

import pytest
from django.db import connection

from madoguchi.server import clock
from madoguchi.server.ledger import integrator
from madoguchi.server.ledger.models import Cursor, Entry, Erasure, Payload, Stamp, Tile
from server.ledger.support import fill, postgres, refused, rows, sql

pytestmark = pytest.mark.django_db

APPEND_ONLY = ("entry", "position", "checkpoint", "stamp", "erasure")
KEYS = {"entry": "id", "position": "position", "checkpoint": "size", "stamp": "id", "erasure": "id"}


@pytest.fixture
def log() -> None:
    """Three entries with their places, a stamp, a payload, and one that was erased."""
    fill(3)
    checkpoint = integrator.settle()
    Stamp.objects.create(checkpoint=checkpoint, token=b"token")
    for commitment in ("kept", "gone"):
        Payload.objects.create(
            kind="signature", commitment=commitment, sealed=b"s", wrapped=b"w", erase_on=clock.today()
        )
    erase(Payload.objects.get(commitment="gone"))


def erase(payload: Payload) -> None:
    Erasure.objects.create(
        payload=payload.pk, kind=payload.kind, commitment=payload.commitment, stored_at=payload.stored_at, reason="test"
    )
    payload.delete()


def names_in(vendor: str) -> set[str]:
    text = resources.files("madoguchi.server.ledger").joinpath(f"sql/rules_{vendor}.sql").read_text()
    return set(re.findall(r"CREATE (?:TRIGGER|UNIQUE INDEX) (\w+)", text))


def test_every_rule_is_in_this_database() -> None:
    if postgres():
        found = {name for (name,) in rows("SELECT tgname FROM pg_trigger WHERE tgenabled = 'O'")}
        found |= {name for (name,) in rows("SELECT indexname FROM pg_indexes")}
    else:
        found = {name for (name,) in rows("SELECT name FROM sqlite_master")}
    assert names_in(connection.vendor) - found == set()


def test_both_databases_have_the_same_rules() -> None:
    only_postgres = {name for name in names_in("postgresql") if name.endswith("_never_truncated")}
    only_sqlite = {name for name in names_in("sqlite") if name.endswith("_never_replaced")}
    assert only_postgres
    assert only_sqlite
    assert names_in("postgresql") - only_postgres - {"entry_names_its_transaction"} == (
        names_in("sqlite") - only_sqlite - {"entry_comes_last"}
    )


def test_every_table_of_the_ledger_has_a_rule() -> None:
    assert len({name.split("_")[0] for name in names_in(connection.vendor)}) == 8


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_is_written_stays(table: str) -> None:
    name, key = f"ledger_{table}", KEYS[table]
    before = rows(f"SELECT * FROM {name} ORDER BY {key}")
    assert before
    columns = [column.name for column in connection.introspection.get_table_description(connection.cursor(), name)]
    for column in columns:
        refused(f"{table}_is_never_changed", f"UPDATE {name} SET {column} = {column}")
    refused(f"{table}_is_never_deleted", f"DELETE FROM {name}")
    assert rows(f"SELECT * FROM {name} ORDER BY {key}") == before


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("table", [*APPEND_ONLY, "tile", "cursor", "payload"])
def test_no_table_is_emptied_at_once(table: str) -> None:
    if postgres():
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        refused(f"{table}_is_never_truncated|is_never_truncated", f"TRUNCATE ledger_{table} CASCADE")
    else:
        rule = "payload_leaves_a_trace" if table == "payload" else f"{table}_is_never_deleted"
        refused(rule, f"DELETE FROM ledger_{table} WHERE true")


REPLACING = [
    ("entry", "id, leaf, kind, event, at", "id, x'00', 'forged', 9, at"),
    ("position", "position, entry", "position, 99"),
    ("position", "position, entry", "99, entry"),
    ("checkpoint", "size, note, at", "size, 'forged', at"),
    ("stamp", "id, checkpoint_id, token, at", "id, checkpoint_id, x'00', at"),
    ("stamp", "id, checkpoint_id, token, at", "99, checkpoint_id, x'00', at"),
    ("erasure", "id, payload, kind, commitment, stored_at, erased_at, reason, by",
     "99, payload, kind, 'forged', stored_at, erased_at, reason, by"),
    ("tile", "id, level, number, hashes", "99, level, number, x'00'"),
    ("tile", "id, level, number, hashes", "id, 7, 7, x'00'"),
    ("cursor", "id, size, floor, xid, entry", "id, 0, 0, 0, 0"),
    ("cursor", "id, size, floor, xid, entry", "2, 0, 0, 0, 0"),
    ("payload", "id, kind, commitment, sealed, wrapped, stored_at, erase_on",
     "id, kind, 'other', x'00', x'00', stored_at, erase_on"),
    ("payload", "id, kind, commitment, sealed, wrapped, stored_at, erase_on",
     "'00', kind, commitment, x'00', x'00', stored_at, erase_on"),
]  # fmt: skip


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(("table", "columns", "values"), REPLACING)
def test_nothing_is_replaced(table: str, columns: str, values: str) -> None:
    """SQLite's REPLACE removes a row without asking a DELETE trigger; PostgreSQL has the unique keys."""
    before = rows(f"SELECT * FROM ledger_{table}")
    values = values.replace("x'00'", r"'\x00'").replace("'00'", f"'{uuid.uuid4()}'") if postgres() else values
    verb = "INSERT" if postgres() else "INSERT OR REPLACE"
    refused(
        f"{table}_is_never_replaced|{table}_pkey|_uniq|_key|tile_once|cursor_is_one",
        f"{verb} INTO ledger_{table} ({columns}) SELECT {values} FROM ledger_{table} LIMIT 1",
    )
    assert rows(f"SELECT * FROM ledger_{table}") == before


@pytest.mark.usefixtures("log")
def test_an_event_is_in_the_log_once() -> None:
    copy = "INSERT INTO ledger_entry (leaf, kind, event, at) SELECT leaf, kind, 77, at FROM ledger_entry LIMIT 1"
    sql(copy)
    refused("entry_of_event|entry_is_never_replaced", copy)
    if not postgres():
        refused("entry_is_never_replaced", copy.replace("INSERT", "INSERT OR REPLACE", 1))


@pytest.mark.usefixtures("log")
def test_an_entry_cannot_be_slipped_in_where_the_integrator_has_passed() -> None:
    first = Entry.objects.order_by("pk")[0].pk
    if postgres():
        refused(
            "entry_names_its_transaction",
            "INSERT INTO ledger_entry (leaf, kind, at, xid) SELECT leaf, kind, at, xid - 1 FROM ledger_entry LIMIT 1",
        )
    else:
        refused(
            "entry_comes_last",
            "INSERT INTO ledger_entry (id, leaf, kind, at) SELECT %s, leaf, kind, at FROM ledger_entry LIMIT 1",
            first - 5,
        )


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    "change",
    ["hashes = {short}", "hashes = {other}", "hashes = {empty}", "level = 3", "number = 4", "id = id + 90"],
)
def test_a_tile_only_grows(change: str) -> None:
    tile = Tile.objects.get(level=0, number=0)
    old = bytes(tile.hashes)
    values = {"short": old[:-1], "other": bytes([old[0] ^ 1]) + old[1:] + b"more", "empty": b""}
    literal = {name: rf"'\x{value.hex()}'" if postgres() else f"x'{value.hex()}'" for name, value in values.items()}
    refused("tile_only_grows", f"UPDATE ledger_tile SET {change.format(**literal)}")
    if not postgres():
        refused("tile_only_grows", "UPDATE ledger_tile SET hashes = CAST(hashes AS TEXT)")
    refused("tile_is_never_deleted", "DELETE FROM ledger_tile")
    Tile.objects.filter(pk=tile.pk).update(hashes=old + b"\x01" * 32)
    assert bytes(Tile.objects.get(pk=tile.pk).hashes) == old + b"\x01" * 32


@pytest.mark.usefixtures("log")
def test_the_cursor_only_grows() -> None:
    refused("cursor_only_grows", "UPDATE ledger_cursor SET size = size - 1")
    refused("cursor_only_grows", "UPDATE ledger_cursor SET id = 2")
    refused("cursor_is_never_deleted", "DELETE FROM ledger_cursor")
    refused("cursor_is_one", "INSERT INTO ledger_cursor (id, size, floor, xid, entry) VALUES (3, 0, 0, 0, 0)")
    assert Cursor.objects.get().size == 3


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("column", ["id", "kind", "visit", "commitment", "sealed", "stored_at", "erase_on"])
def test_a_payload_only_changes_its_wrapping(column: str) -> None:
    other = uuid.uuid4()
    values = {
        "id": other if postgres() else other.hex,
        "visit": other if postgres() else other.hex,
        "sealed": b"another",
        "stored_at": connection.ops.adapt_datetimefield_value(clock.now()),
        "erase_on": "2099-04-01",
    }
    refused("payload_only_changes_keys", f"UPDATE ledger_payload SET {column} = %s", values.get(column, "another"))
    assert Payload.objects.filter(commitment="kept").update(wrapped=b"another") == 1


@pytest.mark.usefixtures("log")
def test_nothing_is_erased_without_a_trace() -> None:
    refused("payload_leaves_a_trace", "DELETE FROM ledger_payload")
    payload = Payload.objects.get(commitment="kept")
    Erasure.objects.create(
        payload=uuid.uuid4(), kind="signature", commitment="kept", stored_at=payload.stored_at, reason="another's"
    )
    refused("payload_leaves_a_trace", "DELETE FROM ledger_payload")
    erase(payload)
    assert not Payload.objects.exists()


def test_no_cascade_stands_near() -> None:
    """Nothing that is deleted elsewhere can take a row of the ledger with it."""
    for vendor in ("sqlite", "postgresql"):
        assert (
            "CASCADE" not in resources.files("madoguchi.server.ledger").joinpath(f"sql/rules_{vendor}.sql").read_text()
        )
    if postgres():
        found = rows(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'a'"
            " AND conrelid::regclass::text LIKE 'ledger_%'"
        )
        assert found == []
    else:
        for (statement,) in rows("SELECT sql FROM sqlite_master WHERE name LIKE 'ledger_%' AND sql IS NOT NULL"):
            assert "CASCADE" not in statement
