"""What "verify now" does: everything stored is computed again from the entries' bytes, a page in memory at a time."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import connection

from madoguchi.evidence.merkle import Frontier, leaf_hash, root_of
from madoguchi.evidence.tiles import WIDTH, path_of
from madoguchi.server import clock
from madoguchi.server.ledger import log
from madoguchi.server.ledger.audit_entries import Reader, Row, events_without_entry, read_rows
from madoguchi.server.ledger.findings import Fault, Findings
from madoguchi.server.ledger.models import Checkpoint, Position, Tile

__all__ = ["Fault", "Findings", "audit"]

_PAGE = 4 * WIDTH
_HASH = 32
_PATIENCE = timedelta(seconds=10)
_NOTHING = bytes(_HASH)

Progress = Callable[[int, int], None]
"""Told (entries done, entries in all) from time to time."""


def audit(progress: Progress | None = None, *, signatures: bool = True) -> Findings:
    """Check the whole log. `signatures`: each entry's signature as well, about 0.1 ms each.

    Finds what was changed below the program. What a holder of the server's key has rewritten consistently is found
    with an older checkpoint from outside the house only.
    """
    begun, found = time.monotonic(), Findings()
    found.size = _check_sizes(found)
    walk = _Walk(found, Reader(found, signatures=signatures))
    for first in range(0, found.size, _PAGE):
        walk.page(first, min(first + _PAGE, found.size))
        if progress is not None:
            progress(min(first + _PAGE, found.size), found.size)
    found.root = walk.frontier.root()
    _check_upper_tiles(found)
    _check_waiting(found)
    for event in events_without_entry():
        found.add(Fault.EVENT_NOT_LOGGED, f"対応の履歴 {event}")
    found.seconds = time.monotonic() - begun
    return found


def _check_sizes(found: Findings) -> int:
    """How many places there are. The log may grow meanwhile: others are asked for after, and before."""
    before = log.size()
    last = Position.objects.order_by("-position").values_list("position", flat=True).first()
    places = 0 if last is None else last + 1
    signed = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
    after = log.size()
    if not before <= places <= after:
        found.add(Fault.SIZE_DIFFERS, f"通し番号 {places} 件、管理用の値 {after} 件")
    if signed < before:
        found.add(Fault.CHECKPOINT_GONE, f"記録 {before} 件、最後のチェックポイント {signed} 件")
    if signed > after or signed > log.size():
        found.add(Fault.CHECKPOINT_AHEAD, f"記録 {after} 件、最後のチェックポイント {signed} 件")
    return places


@dataclass(slots=True)
class _Walk:
    """Goes over the entries in order of position."""

    found: Findings
    reader: Reader
    frontier: Frontier = field(default_factory=Frontier)
    differs: bool = False

    def page(self, begin: int, end: int) -> None:
        """The entries from `begin` (a multiple of the page) up to `end`."""
        rows = {row.position: row for row in read_rows(begin, end)}
        stored = _stored_hashes(begin, end)
        checkpoints = {row.size: row for row in Checkpoint.objects.filter(size__gt=begin, size__lte=end)}
        self._check_tiles(begin, end, stored)
        for position in range(begin, end):
            self.frontier.add(self._hash(position, rows.get(position), stored.get(position)))
            if position + 1 in checkpoints:
                self._check(checkpoints[position + 1])
        self.reader.check([row for row in rows.values() if row.leaf is not None])

    def _hash(self, position: int, row: Row | None, stored: bytes | None) -> bytes:
        """The entry's hash; of one that is gone the stored one, so that the others can be judged."""
        if row is None:
            self.found.add(Fault.PLACE_GONE, f"記録 {position}")
        elif row.leaf is None:
            self.found.add(Fault.ENTRY_GONE, f"記録 {position}")
        else:
            hashed = leaf_hash(row.leaf)
            if stored is not None and hashed != stored:
                self.found.add(Fault.ENTRY_CHANGED, f"記録 {position}")
            return hashed
        return stored or _NOTHING

    def _check_tiles(self, begin: int, end: int, stored: dict[int, bytes]) -> None:
        for first in range(begin, end, WIDTH):
            if any(position not in stored for position in range(first, min(first + WIDTH, end))):
                self.found.add(Fault.TILE_GONE, path_of(0, first // WIDTH))

    def _check(self, checkpoint: Checkpoint) -> None:
        self.found.checkpoints += 1
        said = log.opened(checkpoint)
        if said is None:
            self.found.add(Fault.CHECKPOINT_BROKEN, f"チェックポイント {checkpoint.size}")
        elif said.root != self.frontier.root() and not self.differs:
            # Every later one differs as well: the first says where to look.
            self.differs = True
            self.found.add(Fault.ROOT_DIFFERS, f"チェックポイント {checkpoint.size}")


def _stored_hashes(begin: int, end: int) -> dict[int, bytes]:
    """The leaves' hashes by position, as the lowest tiles hold them."""
    rows = Tile.objects.filter(level=0, number__gte=begin // WIDTH, number__lte=(end - 1) // WIDTH)
    found: dict[int, bytes] = {}
    for number, hashes in rows.values_list("number", "hashes"):
        for at in range(len(hashes) // _HASH):
            found[number * WIDTH + at] = bytes(hashes[at * _HASH : (at + 1) * _HASH])
    return found


def _check_upper_tiles(found: Findings) -> None:
    """Every full tile's root stands in the tile above it."""
    level, below = 0, found.size // WIDTH
    while below:
        for first in range(0, below, WIDTH):
            above = log.read_tile(level + 1, first // WIDTH)
            for number, top in _tops(level, first, min(first + WIDTH, below)):
                at = (number - first) * _HASH
                if above[at : at + _HASH] != top:
                    fault = Fault.TILE_WRONG if len(above) > at else Fault.TILE_GONE
                    found.add(fault, path_of(level + 1, first // WIDTH))
                    break
        level, below = level + 1, below // WIDTH


def _tops(level: int, begin: int, end: int) -> Iterator[tuple[int, bytes]]:
    rows = Tile.objects.filter(level=level, number__gte=begin, number__lt=end).order_by("number")
    for number, hashes in rows.values_list("number", "hashes"):
        raw = bytes(hashes)
        yield number, root_of(raw[at : at + _HASH] for at in range(0, len(raw), _HASH))


def _check_waiting(found: Findings) -> None:
    """Entries without a place: some, for a moment, is the way of things."""
    statement = (
        "SELECT e.id, e.at < %s FROM ledger_entry e"
        " WHERE NOT EXISTS (SELECT 1 FROM ledger_position p WHERE p.entry = e.id) ORDER BY e.id"
    )
    limit = connection.ops.adapt_datetimefield_value(clock.now() - _PATIENCE)
    with connection.cursor() as cursor:
        cursor.execute(statement, [limit])
        while rows := cursor.fetchmany(_PAGE):
            found.waiting += len(rows)
            for entry, late in rows:
                if late:
                    found.add(Fault.ENTRY_WAITS, f"エントリー {entry}")
