"""What the integrator asks of the database: who is at work, which rows are new, and where they go. SQL for both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from madoguchi.evidence.merkle import leaf_hash
from madoguchi.server.ledger.models import Cursor

_LOCK = 0x6D61646F_6C6F67
"""Key of the advisory lock; one log per database."""

_XMIN = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_OWN = "pg_current_xact_id_if_assigned()::text::bigint"
# The last transaction whose rows are all visible; its own as well, when no other runs below it.
# One bound, not an alternative, so that the index ends where the new rows end.
_BOUND = f"CASE WHEN {_OWN} = {_XMIN} THEN {_XMIN} ELSE {_XMIN} - 1 END"
_NEW = {
    "postgresql": f"FROM ledger_entry e WHERE (e.xid, e.id) > (%s, %s) AND e.xid <= {_BOUND} AND e.id > %s"
    " ORDER BY e.xid, e.id LIMIT %s",
    "sqlite": "FROM ledger_entry e WHERE e.id > %s ORDER BY e.id LIMIT %s",
}
# A restored dump brings the transaction numbers of another cluster; they may lie ahead of this one's.
_MOVED = (
    "c.cluster <> (SELECT system_identifier FROM pg_control_system())"
    " OR c.xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
)
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries in the order of their places, and what the cursor says once they are in. `hashes`: of their leaves."""

    entries: list[int]
    hashes: list[bytes]
    floor: int
    xid: int
    entry: int
    rebased: bool = False


def _postgres() -> bool:
    return connection.vendor == "postgresql"


def anything() -> bool:
    """Whether there may be new rows: a cheap look, without a lock."""
    cursor = Cursor.objects.get()
    return _moved() or any(True for _ in _rows(f"SELECT e.id {_NEW[connection.vendor]}", *_after(cursor), 1))


def alone() -> bool:
    """Whether this transaction may integrate. On SQLite it holds the only write lock already (BEGIN IMMEDIATE)."""
    return not _postgres() or bool(_value("SELECT pg_try_advisory_xact_lock(%s)", _LOCK))


def new_entries(cursor: Cursor, limit: int) -> Batch:
    """What has no place yet, at most `limit` entries; after a restore into another cluster all of it."""
    if _moved():
        return _rebased()
    xid = "e.xid" if _postgres() else "0"
    rows = list(_rows(f"SELECT e.id, e.leaf, {xid} {_NEW[connection.vendor]}", *_after(cursor), limit))
    last = rows[-1] if rows else (cursor.entry, b"", cursor.xid)
    return Batch([row[0] for row in rows], [leaf_hash(row[1]) for row in rows], cursor.floor, last[2], last[0])


def _after(cursor: Cursor) -> tuple[int, ...]:
    """Where new rows begin. Values, not a join: the planner then walks the index and stops."""
    return (cursor.xid, cursor.entry, cursor.floor) if _postgres() else (cursor.entry,)


def _moved() -> bool:
    """Whether the transaction numbers are those of another cluster."""
    return _postgres() and bool(_value(f"SELECT {_MOVED} FROM ledger_cursor c"))  # noqa: S608 - no value in it


def _rebased() -> Batch:
    """Everything that has no place, in order of id, and a cursor that begins anew above it.

    The lock waits for every writer: whatever was drawn an id below the new floor is seen here.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ledger_entry IN SHARE MODE")
    floor = _value("SELECT coalesce(max(id), 0) FROM ledger_entry")
    placeless = "NOT EXISTS (SELECT 1 FROM ledger_position p WHERE p.entry = e.id)"
    rows = _rows(f"SELECT e.id, e.leaf FROM ledger_entry e WHERE {placeless} ORDER BY e.id", chunked=True)  # noqa: S608
    pairs = [(row[0], leaf_hash(row[1])) for row in rows]
    return Batch([found for found, _ in pairs], [hashed for _, hashed in pairs], floor, 0, 0, rebased=True)


def place(size: int, entries: Sequence[int]) -> None:
    """Give the entries the positions from `size` on."""
    with connection.cursor() as cursor:
        if _postgres():
            cursor.execute(
                "INSERT INTO ledger_position (position, entry)"
                " SELECT %s + n - 1, id FROM unnest(%s::bigint[]) WITH ORDINALITY AS given (id, n)",
                [size, list(entries)],
            )
        else:
            pairs = list(enumerate(entries, start=size))
            cursor.executemany("INSERT INTO ledger_position (position, entry) VALUES (%s, %s)", pairs)


def places() -> int:
    """How many positions there are, by the last of them."""
    return int(_value("SELECT coalesce(max(position) + 1, 0) FROM ledger_position"))


def remember_cluster() -> None:
    """Note whose transaction numbers the cursor speaks of."""
    if _postgres():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE ledger_cursor SET cluster = system_identifier FROM pg_control_system()")


def _rows(statement: str, *values: int, chunked: bool = False) -> Iterator[tuple[Any, ...]]:
    """The rows; `chunked`: without holding all of them in memory (within a transaction)."""
    with connection.chunked_cursor() if chunked else connection.cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(_CHUNK):
            yield from rows


def _value(statement: str, *values: int) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]
