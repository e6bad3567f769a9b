"""Reads the log: tree, checkpoints, entries, proofs. Nothing here writes."""

from collections.abc import Iterator
from uuid import UUID

from django.db import connection

from madoguchi.evidence import note
from madoguchi.evidence.errors import CheckpointBroken
from madoguchi.evidence.tiles import Tree
from madoguchi.server.ledger.errors import LogEmpty
from madoguchi.server.ledger.models import Checkpoint, Cursor, Entry, Position, Tile
from madoguchi.server.ledger.signer import origin, verifier

PAGE = 1_000
"""Rows that are in memory at once."""


def size() -> int:
    """How many entries have a place."""
    return Cursor.objects.values_list("size", flat=True).get()


def read_tile(level: int, number: int) -> bytes:
    """The tile's bytes so far, b"" where there is none: a `tiles.Read`."""
    found = Tile.objects.filter(level=level, number=number).values_list("hashes", flat=True).first()
    return bytes(found or b"")


def tree(at: int | None = None) -> Tree:
    """The tree as it was with `at` leaves; without, as it is at the newest checkpoint. Raises `LogEmpty`."""
    return Tree(read_tile, newest().size if at is None else at)


def newest() -> Checkpoint:
    """The newest checkpoint. Raises `LogEmpty`."""
    found = Checkpoint.objects.order_by("-size").first()
    if found is None:
        raise LogEmpty("no checkpoint")
    return found


def checkpoint_at(size: int) -> Checkpoint:
    """The checkpoint over exactly `size` entries. Raises `LogEmpty`."""
    found = Checkpoint.objects.filter(size=size).first()
    if found is None:
        raise LogEmpty(f"no checkpoint of {size} entries")
    return found


def covering(position: int) -> Checkpoint:
    """The first checkpoint that holds the entry at `position`. Raises `LogEmpty`."""
    found = Checkpoint.objects.filter(size__gt=position).order_by("size").first()
    if found is None:
        raise LogEmpty(f"no checkpoint over entry {position}")
    return found


def parsed(checkpoint: Checkpoint) -> note.Checkpoint:
    """What the checkpoint says; its signature is not looked at. Raises `CheckpointBroken`."""
    return note.Checkpoint.parse(checkpoint.note.rpartition("\n\n")[0] + "\n")


def opened(checkpoint: Checkpoint) -> note.Checkpoint | None:
    """What the checkpoint says; None unless this office has signed it over just that many entries."""
    try:
        text, _ = note.open_note(checkpoint.note, [verifier()])
        said = note.Checkpoint.parse(text)
    except CheckpointBroken:
        return None
    return said if (said.origin, said.size) == (origin(), checkpoint.size) else None


def position_of(entry_id: int) -> int | None:
    """Where an entry stands; None while it waits for its place."""
    return Position.objects.filter(entry=entry_id).values_list("position", flat=True).first()


def entries(begin: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """(position, leaf bytes) from `begin` up to but not with `end`, in order; a page in memory at a time."""
    end = size() if end is None else end
    statement = (
        "SELECT p.position, e.leaf FROM ledger_position p JOIN ledger_entry e ON e.id = p.entry"
        " WHERE p.position >= %s AND p.position < %s ORDER BY p.position"
    )
    for first in range(begin, end, PAGE):
        with connection.cursor() as cursor:
            cursor.execute(statement, [first, min(first + PAGE, end)])
            rows = cursor.fetchall()
        for position, leaf in rows:
            yield position, bytes(leaf)


def inclusion(position: int, size: int | None = None) -> list[bytes]:
    """Proof that the entry is in the log of `size` entries (newest checkpoint). Raises `ProofBroken`, `LogEmpty`."""
    return tree(size).inclusion(position)


def consistency(old: int, new: int | None = None) -> list[bytes]:
    """Proof that the log of `new` entries (newest checkpoint) continues the one of `old`. Raises as `inclusion`."""
    return tree(new).consistency(old)


def entries_of_visit(visit: UUID) -> list[tuple[int | None, Entry]]:
    """(position or None, entry) of everything stated of a visit, in the order in which it was received."""
    found = list(Entry.objects.filter(visit=visit).order_by("pk"))
    places = dict(Position.objects.filter(entry__in=[row.pk for row in found]).values_list("entry", "position"))
    return [(places.get(row.pk), row) for row in found]
