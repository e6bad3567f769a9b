"""What a database leaves lying of deleted rows, and how far it can be cleared.

SQLite: deleted cells are overwritten (`secure_delete`, set at every connection); older copies stand in the write-ahead
log until it is copied back and cut off. PostgreSQL: VACUUM frees the rows; its WAL and free space keep copies for a
while. All copies are ciphertext: what makes them useless is the change of the wrapping key, not this.
"""

import time
from dataclasses import dataclass

from django.db import connection

from madoguchi.server.ledger.models import Payload

_PATIENCE = 10.0
_WAIT_MS = 500


@dataclass(frozen=True, slots=True)
class Residue:
    """Whether the database is clear. `sentence`: what to do if not."""

    clear: bool
    sentence: str = ""


_BUSY = Residue(
    clear=False,
    sentence="データベースを読んでいる処理があり、作業用のファイル(-wal)を空にできませんでした。鍵は替えてあるので中身は開けません。"
    "あとでもう一度実行してください。",
)


def clear(*, patience: float = _PATIENCE) -> Residue:
    """Clear what can be cleared; on SQLite waits up to `patience` seconds for readers. Not inside a transaction."""
    if connection.vendor == "sqlite":
        return _cut_wal(patience)
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM {connection.ops.quote_name(Payload._meta.db_table)}")
    return Residue(clear=True)


def _cut_wal(patience: float) -> Residue:
    until = time.monotonic() + patience
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        usual = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
        try:
            while True:
                # Waits for readers itself, up to the busy timeout.
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if not cursor.fetchone()[0]:
                    return Residue(clear=True)
                if time.monotonic() >= until:
                    return _BUSY
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")
