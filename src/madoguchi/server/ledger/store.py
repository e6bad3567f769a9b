"""Entries on their way into the log: a plain insert in the caller's transaction. Places are given out later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from madoguchi.evidence.bundle import LONGEST_ENTRY
from madoguchi.server.ledger.errors import EntryTooLong

_COLUMNS = "leaf, kind, visit, terminal, event, at"
_ROW = "(%s, %s, %s, %s, %s, %s)"
_INSERT = f"INSERT INTO ledger_entry ({_COLUMNS}) VALUES "  # noqa: S608 - no value in it


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it is written. `at`: the server's time when it was received. `event`: key of its `VisitEvent`."""

    leaf: bytes
    kind: str
    at: datetime
    visit: UUID | None = None
    terminal: UUID | None = None
    event: int | None = None

    def __post_init__(self) -> None:
        """Raises `EntryTooLong`."""
        if len(self.leaf) > LONGEST_ENTRY:
            raise EntryTooLong(f"{self.kind}: {len(self.leaf)} bytes")

    def values(self) -> list[Any]:
        """The columns as this database takes them."""
        moment = connection.ops.adapt_datetimefield_value(self.at)
        return [self.leaf, self.kind, key(self.visit), key(self.terminal), self.event, moment]


def append(
    *,
    leaf: bytes,
    kind: str,
    at: datetime,
    visit: UUID | None = None,
    terminal: UUID | None = None,
    event: int | None = None,
) -> int:
    """Write one entry in the caller's transaction and return its id."""
    return insert([Draft(leaf, kind, at, visit, terminal, event)])[0]


def insert(drafts: Sequence[Draft]) -> list[int]:
    """Write entries in the caller's transaction; their ids, in the same order."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return [_one(cursor, draft) for draft in drafts]
        values = [value for draft in drafts for value in draft.values()]
        cursor.execute(f"{_INSERT}{', '.join([_ROW] * len(drafts))} RETURNING id", values)
        # Ids are drawn row by row in the order of VALUES, but nothing promises the order in which they are returned.
        return sorted(found for (found,) in cursor.fetchall())


def keep_connection() -> None:
    """For threads of the ledger's own, between transactions: the connection is replaced when it no longer works.

    Not at every turn: opening a SQLite file again costs more than writing an entry.
    """
    if connection.vendor == "postgresql" or connection.errors_occurred:
        connection.close_if_unusable_or_obsolete()


def _one(cursor: Any, draft: Draft) -> int:
    cursor.execute(f"{_INSERT}{_ROW} RETURNING id", draft.values())
    return int(cursor.fetchone()[0])


def key(value: UUID | None) -> Any:
    """A UUID as the database holds it."""
    if value is None or connection.features.has_native_uuid_field:
        return value
    return value.hex
