"""The terminal's memory across power cuts: SQLite, WAL, synchronous FULL, one file of mode 0600.

One `commit` writes the new snapshot and the messages that report it, together or not at all. A damaged file is set
aside, never deleted: the agent then starts knowing nothing, and the server's picture decides (`ORPHAN`). The number of
the last message is mirrored in a small file beside it, so that a lost journal does not number messages twice.
"""

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from madoguchi.evidence.errors import EvidenceError
from madoguchi.evidence.sealed import seal, unseal
from madoguchi.protocol import Assignment, EventKind, Message, ProtocolError, Terminal, TerminalState
from madoguchi.terminal.errors import AgentAlreadyRunning, JournalBroken

_SCHEMA = """
CREATE TABLE IF NOT EXISTS snapshot (
  id INTEGER PRIMARY KEY CHECK (id = 1), terminal TEXT NOT NULL, assignment TEXT, closed_lease INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, message TEXT NOT NULL, signature TEXT NOT NULL, payload BLOB,
  alone INTEGER NOT NULL DEFAULT 0, parked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS incident_log (
  n INTEGER PRIMARY KEY, at TEXT NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL, message TEXT, signature TEXT);
CREATE TABLE IF NOT EXISTS enrolment (id INTEGER PRIMARY KEY CHECK (id = 1), terminal TEXT NOT NULL);
"""
_KEEP_INCIDENTS = 10_000


@dataclass(frozen=True, slots=True)
class Record:
    """What the agent remembers. `closed_lease`: the highest lease whose visit has ended here; it never comes back."""

    terminal: Terminal = field(default_factory=lambda: Terminal(TerminalState.LOCKED))
    assignment: Assignment | None = None
    closed_lease: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it has a number. `payload` goes beside it; `alone`: sent by itself, its answer waited for."""

    kind: EventKind
    visit: str | None
    lease: int | None
    body: dict[str, Any] = field(default_factory=dict)
    payload: dict[str, Any] | None = field(default=None, repr=False)
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Outbound:
    """A numbered, signed message that waits for its verdict."""

    message: Message
    signature: str
    payload: dict[str, Any] | None = field(default=None, repr=False)
    alone: bool = False

    @property
    def seq(self) -> int:
        """The message's number."""
        return self.message.seq


Stamp = Callable[[int, Draft], Outbound]


class Journal:
    """One open journal; safe to use from several threads. Every write raises `JournalBroken` when it cannot be kept."""

    def __init__(self, path: Path, *, terminal: str, seal_key: bytes) -> None:
        """Open or create. Raises `AgentAlreadyRunning` when another process holds it."""
        self._path = path
        self._seal_key = seal_key
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._guard = _hold(path.with_suffix(".lock"))
        self._mirror = path.with_suffix(".seq")
        self._db = self._open(terminal)
        self._restore_number()
        self._unpark()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
            os.close(self._guard)

    def load(self) -> Record | None:
        """Read the last committed record; None when there is none that can be read."""
        row = self._one("SELECT terminal, assignment, closed_lease FROM snapshot")
        if row is None:
            return None
        try:
            return Record(_terminal(row[0]), _assignment(row[1]), int(row[2]))
        except (ValueError, TypeError, KeyError, ProtocolError) as error:
            self.note(code="SnapshotUnreadable", detail=type(error).__name__)
            return None

    def commit(self, record: Record, drafts: Sequence[Draft], stamp: Stamp) -> None:
        """Write the record and the messages reporting it in one transaction, on the disk when this returns."""
        with self._write() as db:
            values = (json.dumps(asdict(record.terminal)), _dump_assignment(record.assignment), record.closed_lease)
            db.execute("INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?, ?)", values)
            if record.terminal.state is not TerminalState.WAITING_CARD:
                db.execute("UPDATE outbox SET alone = 0 WHERE alone = 1")
            for draft in drafts:
                self._insert(db, stamp(self.last_seq + 1, draft))
        if drafts:
            self._mirror_number()

    def take_back(self, outbound: Outbound) -> None:
        """Forget the newest message, which certainly never left: its number is used again."""
        with self._write() as db:
            if outbound.seq == self.last_seq:
                db.execute("DELETE FROM outbox WHERE seq = ?", (outbound.seq,))
                db.execute("UPDATE counters SET value = ? WHERE name = 'seq'", (outbound.seq - 1,))
        self._mirror_number()

    @property
    def last_seq(self) -> int:
        """Number of the newest message ever made; 0 before the first."""
        row = self._one("SELECT value FROM counters WHERE name = 'seq'")
        return int(row[0]) if row else 0

    def pending(self, limit: int = 20) -> list[Outbound]:
        """Messages without a verdict, oldest first, parked ones left out. What cannot be read is parked."""
        rows = self._all("SELECT * FROM outbox WHERE parked = 0 ORDER BY seq LIMIT ?", (limit,))
        read = [self._readable(row) for row in rows]
        return [outbound for outbound in read if outbound is not None]

    def pending_count(self) -> int:
        """Count the messages that wait for a verdict, parked ones left out."""
        return int(self._all("SELECT count(*) FROM outbox WHERE parked = 0", ())[0][0])

    def unsent_count(self) -> int:
        """Count the reports that wait for a verdict: `pending_count` without a question still to be answered."""
        return int(self._all("SELECT count(*) FROM outbox WHERE parked = 0 AND alone = 0", ())[0][0])

    def parked_count(self) -> int:
        """Count the messages the server could not take in this form; they are tried again after a restart."""
        return int(self._all("SELECT count(*) FROM outbox WHERE parked = 1", ())[0][0])

    def waiting_alone(self) -> Outbound | None:
        """Find the message whose answer the agent waits for, if any."""
        row = self._one("SELECT * FROM outbox WHERE alone = 1 ORDER BY seq DESC LIMIT 1")
        return self._outbound(row) if row else None

    def settle(self, outbound: Outbound, *, reason: str | None = None) -> None:
        """Erase a row and its payload after a verdict; with a `reason` keep the refused message as an incident."""
        with self._write() as db:
            if reason is not None:
                self._note(db, f"Rejected:{reason}", outbound.message.kind.value, outbound)
            db.execute("DELETE FROM outbox WHERE id = ?", (outbound.message.id,))
        if outbound.payload is not None:
            self._erase_traces()

    def park(self, outbound: Outbound, *, reason: str) -> None:
        """Keep a message that the server cannot take, payload and all, out of the way of the others."""
        self._park(outbound.message.id, reason, outbound.message.kind.value)

    def note(self, *, code: str, detail: str) -> None:
        """Record something that should not have happened. No personal data in either text."""
        with self._write() as db:
            self._note(db, code, detail, None)

    def incidents(self) -> list[tuple[str, str, str]]:
        """(time, code, detail) of every incident, oldest first."""
        return [
            (row[0], row[1], row[2]) for row in self._all("SELECT at, code, detail FROM incident_log ORDER BY n", ())
        ]

    def _park(self, ident: str, reason: str, detail: str) -> None:
        with self._write() as db:
            self._note(db, f"Parked:{reason}", detail, None)
            db.execute("UPDATE outbox SET parked = 1 WHERE id = ?", (ident,))

    def _readable(self, row: tuple[Any, ...]) -> Outbound | None:
        try:
            return self._outbound(row)
        except (EvidenceError, ProtocolError, ValueError) as error:
            self._park(row[1], type(error).__name__, f"seq {row[0]}")
            return None

    def _open(self, terminal: str) -> sqlite3.Connection:
        trouble = None
        if self._path.exists():
            trouble = _trouble(self._path, terminal)
            if trouble:
                _set_aside(self._path, trouble)
        elif self._mirror.exists():
            trouble = "lost"
        db = _connect(self._path)
        db.executescript(_SCHEMA)
        with db:
            db.execute("INSERT OR IGNORE INTO enrolment VALUES (1, ?)", (terminal,))
            if trouble:
                self._note(db, "JournalSetAside", trouble, None)
        return db

    def _restore_number(self) -> None:
        known = _read_number(self._mirror)
        with self._write() as db:
            db.execute("INSERT OR IGNORE INTO counters VALUES ('seq', ?)", (known,))

    def _unpark(self) -> None:
        with self._write() as db:
            db.execute("UPDATE outbox SET parked = 0")

    def _mirror_number(self) -> None:
        handle = os.open(self._mirror, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(handle, f"{self.last_seq:020d}\n".encode(), 0)
            os.fsync(handle)
        except OSError as error:
            raise JournalBroken(type(error).__name__) from error
        finally:
            os.close(handle)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                with self._db:
                    yield self._db
            except sqlite3.Error as error:
                raise JournalBroken(type(error).__name__) from error

    def _one(self, sql: str) -> tuple[Any, ...] | None:
        rows = self._all(sql, ())
        return rows[0] if rows else None

    def _all(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise JournalBroken(type(error).__name__) from error

    def _insert(self, db: sqlite3.Connection, out: Outbound) -> None:
        sealed = None
        if out.payload is not None:
            sealed = seal(self._seal_key, _place(out.message.id), json.dumps(out.payload).encode())
        values = (out.seq, out.message.id, json.dumps(out.message.to_json()), out.signature, sealed, int(out.alone))
        db.execute("INSERT INTO outbox (seq, id, message, signature, payload, alone) VALUES (?, ?, ?, ?, ?, ?)", values)
        db.execute("UPDATE counters SET value = ? WHERE name = 'seq'", (out.seq,))

    def _outbound(self, row: tuple[Any, ...]) -> Outbound:
        _, ident, message, signature, sealed, alone, _ = row
        payload = json.loads(unseal(self._seal_key, _place(ident), sealed)) if sealed is not None else None
        return Outbound(Message.from_json(json.loads(message)), signature, payload, bool(alone))

    def _note(self, db: sqlite3.Connection, code: str, detail: str, out: Outbound | None) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        kept = (json.dumps(out.message.to_json()), out.signature) if out else (None, None)
        db.execute(
            "INSERT INTO incident_log (at, code, detail, message, signature) VALUES (?, ?, ?, ?, ?)",
            (at, code, detail, *kept),
        )
        db.execute(
            "DELETE FROM incident_log WHERE n <= (SELECT max(n) FROM incident_log) - ?",
            (_KEEP_INCIDENTS,),
        )

    def _erase_traces(self) -> None:
        # secure_delete overwrites the page in the database; the older copy still stands in the write-ahead log
        self._all("PRAGMA wal_checkpoint(TRUNCATE)", ())


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "busy_timeout = 5000"):
        db.execute(f"PRAGMA {pragma}")
    return db


def _trouble(path: Path, terminal: str) -> str | None:
    """Why the file cannot be used: "damaged", "foreign" (another terminal's), or None."""
    try:
        db = _connect(path)
        try:
            if db.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
                return "damaged"
            db.executescript(_SCHEMA)
            db.execute("SELECT * FROM outbox LIMIT 1")
            owner = db.execute("SELECT terminal FROM enrolment").fetchone()
            return "foreign" if owner and owner[0] != terminal else None
        finally:
            db.close()
    except sqlite3.Error:
        return "damaged"


def _set_aside(path: Path, why: str) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    for suffix in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(path.with_name(f"{path.name}.{why}-{stamp}{suffix}"))
    mirror = path.with_suffix(".seq")
    if why == "foreign" and mirror.exists():
        mirror.rename(path.with_name(f"{mirror.name}.{why}-{stamp}"))


def _read_number(mirror: Path) -> int:
    try:
        return int(mirror.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _hold(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise AgentAlreadyRunning(str(path)) from error
    return handle


def _terminal(text: str) -> Terminal:
    data = json.loads(text)
    return Terminal(**{**data, "state": TerminalState(data["state"])})


def _assignment(text: str | None) -> Assignment | None:
    if text is None:
        return None
    return Assignment.from_json(json.loads(text))


def _dump_assignment(assignment: Assignment | None) -> str | None:
    return None if assignment is None else json.dumps(assignment.to_json())


def _place(ident: str) -> str:
    return f"outbox|payload|{ident}"
