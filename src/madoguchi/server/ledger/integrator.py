"""Gives entries their places in the log: positions, tiles, and a signed checkpoint, in one transaction.

One at a time over all processes. On PostgreSQL rows become visible in another order than their ids: they are taken in
the order (transaction, id), and only from transactions below which none is still running (docs/adr/0013).
"""

import logging
import threading
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction

from madoguchi.evidence import note, tiles
from madoguchi.evidence.errors import CheckpointBroken, ProofBroken
from madoguchi.server import clock
from madoguchi.server.keys import KeyFileBroken
from madoguchi.server.ledger import intake, log, store
from madoguchi.server.ledger.errors import LogBroken, LogEmpty, LogOfAnotherKey
from madoguchi.server.ledger.models import Checkpoint, Cursor, Tile
from madoguchi.server.ledger.signer import origin, signer, verifier

_LOG = logging.getLogger(__name__)
LIMIT = 20_000
EVERY = 0.1
_LONGEST_PAUSE = 5.0


def integrate(limit: int = LIMIT) -> int | None:
    """Carry up to `limit` entries into the log and sign a checkpoint; the log's size, or None if nothing was done.

    None: nothing new, or another process is at it. Raises `LogBroken` instead of signing over a changed log.
    """
    if not intake.anything():
        return None
    with transaction.atomic():
        if not intake.alone():
            return None
        cursor = Cursor.objects.get()
        found = intake.new_entries(cursor, limit)
        if found.entries:
            _check_intact(cursor.size)
            _enter(cursor, found)
        if found.entries or found.rebased:
            _move(cursor, found)
    return cursor.size if found.entries else None


def settle() -> Checkpoint:
    """Integrate until nothing is left, and return the newest checkpoint. Raises `LogBroken`; `LogEmpty` of no entries.

    Not inside a transaction that goes on for long: other integrators would wait for its end.
    """
    while integrate() is not None:
        pass
    return log.newest()


def _enter(cursor: Cursor, found: intake.Batch) -> None:
    """Write positions, tiles and checkpoint for the entries."""
    intake.place(cursor.size, found.entries)
    kept = _Tiles()
    kept.write(tiles.grow(kept.read, cursor.size, found.hashes))
    _sign(cursor.size + len(found.entries), kept.read)


def _move(cursor: Cursor, found: intake.Batch) -> None:
    cursor.size += len(found.entries)
    cursor.floor, cursor.xid, cursor.entry = found.floor, found.xid, found.entry
    cursor.save(update_fields=["size", "floor", "xid", "entry"])
    if found.rebased:
        intake.remember_cluster()


def _sign(size: int, read: tiles.Read) -> None:
    now = clock.now()
    moment = now.isoformat(timespec="seconds")
    root = tiles.Tree(read, size).root()
    text = note.Checkpoint(origin(), size, root, (moment,)).text()
    Checkpoint(size=size, note=note.sign(text, origin(), signer().key), at=now).save(force_insert=True)


def _check_intact(size: int) -> None:
    """Raises `LogBroken` unless what is stored leads to the newest checkpoint, and that is ours."""
    if size != intake.places():
        raise LogBroken(f"{size} entries by the cursor, {intake.places()} places")
    try:
        last = log.newest()
    except LogEmpty:
        if size:
            raise LogBroken(f"{size} entries and no checkpoint") from None
        return
    if last.size != size:
        raise LogBroken(f"{size} entries, a checkpoint over {last.size}")
    _check_root(last)


def _check_root(last: Checkpoint) -> None:
    try:
        text, _ = note.open_note(last.note, [verifier()])
    except CheckpointBroken as error:
        raise LogOfAnotherKey(str(error)) from error
    try:
        said, root = note.Checkpoint.parse(text), log.tree(last.size).root()
    except (CheckpointBroken, ProofBroken) as error:
        raise LogBroken(str(error)) from error
    if (said.origin, said.size, said.root) != (origin(), last.size, root):
        raise LogBroken(f"the tiles of {last.size} entries lead to another root than the checkpoint")


class _Tiles:
    """The stored tiles, each read once, and what becomes of them."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], bytes] = {}

    def read(self, level: int, number: int) -> bytes:
        """A `tiles.Read`."""
        key = level, number
        if key not in self._known:
            self._known[key] = log.read_tile(level, number)
        return self._known[key]

    def write(self, changed: dict[tuple[int, int], bytes]) -> None:
        """Store them: a tile that had hashes grows, the others are new."""
        grown = {key: hashes for key, hashes in changed.items() if self._known.get(key)}
        for (level, number), hashes in grown.items():
            Tile.objects.filter(level=level, number=number).update(hashes=hashes)
        new = [Tile(level=key[0], number=key[1], hashes=hashes) for key, hashes in changed.items() if key not in grown]
        Tile.objects.bulk_create(new, batch_size=100)
        self._known |= changed


def run(stop: threading.Event, every: float = EVERY, step: Callable[[], int | None] = integrate) -> None:
    """Integrate every `every` seconds until `stop`. A lost database is waited for; a broken log ends it."""
    pause = every
    try:
        while not stop.wait(pause):
            try:
                store.keep_connection()
                while step() is not None and not stop.is_set():
                    pass
                pause = every
            except (DatabaseError, InterfaceError, OSError, KeyFileBroken) as error:
                _LOG.warning("integrator: %s, trying again", type(error).__name__)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except LogBroken as error:
                _LOG.error("integrator: %s: %s %s", error.code, error, error.sentence)
                return
    finally:
        connection.close()


def start_in_process() -> threading.Event | None:
    """Run in a thread of this web process; what stops it, or None where `settings.INTEGRATE` forbids it."""
    if not settings.INTEGRATE:
        return None
    stop = threading.Event()
    threading.Thread(target=run, args=(stop,), name="ledger-integrator", daemon=True).start()
    return stop
