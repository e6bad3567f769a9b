"""The journal under power cuts, damage, and other people's eyes."""

import json
import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from madoguchi.protocol import EventKind, Terminal, TerminalState
from madoguchi.terminal.errors import AgentAlreadyRunning, JournalBroken
from madoguchi.terminal.journal import Draft, Journal, Record
from madoguchi.terminal.outbox import Stamper
from terminal.doubles import START, SimClock, make_credentials

OPEN = Record(Terminal(TerminalState.OPEN, visit="v1", lease=3, card_tag="a" * 64, exposed=True), None, 2)
SECRET = {"salt": "c2FsdA==", "payload": {"strokes": [[[1, 2, 3]]], "width": 77321, "height": 10}}
stamp = Stamper(make_credentials(), SimClock(), training=False)


def opened(path: Path, *, terminal: str = "t1") -> Journal:
    return Journal(path, terminal=terminal, seal_key=b"s" * 32)


def draft(*, alone: bool = False, payload: bool = False) -> Draft:
    kind = EventKind.BIND_CARD if alone else EventKind.END
    body = {"card_tag": "ab" * 32} if alone else {"cause": "finish"}
    return Draft(kind, "v1", 3, body, SECRET if payload else None, alone=alone)


@pytest.fixture
def path(memory: Path) -> Path:
    return memory / "state" / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = opened(path)
    yield made
    made.close()


def codes(journal: Journal) -> list[tuple[str, str]]:
    return [(code, detail) for _, code, detail in journal.incidents()]


def test_an_absent_journal_knows_nothing(journal: Journal) -> None:
    assert journal.load() is None
    assert journal.last_seq == 0
    assert journal.incidents() == []


def test_what_was_committed_is_there_after_reopening(path: Path, journal: Journal) -> None:
    journal.commit(OPEN, [draft(), draft(payload=True)], stamp)
    journal.close()
    again = opened(path)
    assert again.load() == OPEN
    first, second = again.pending()
    assert [first.seq, second.seq] == [1, 2]
    assert second.payload == SECRET
    again.close()
    journal.__init__(path, terminal="t1", seal_key=b"s" * 32)  # type: ignore[misc]  # for the fixture's close


def test_snapshot_and_reports_stand_or_fall_together(journal: Journal) -> None:
    def broken(_seq: int, _draft: Draft) -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        journal.commit(OPEN, [draft()], broken)  # type: ignore[arg-type]
    assert journal.load() is None
    assert journal.pending() == []
    assert journal.last_seq == 0


def test_only_the_owner_can_read_it(path: Path, journal: Journal) -> None:
    journal.commit(OPEN, [draft()], stamp)
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name


def test_the_payload_stands_nowhere_in_the_clear_and_is_gone_after_delivery(path: Path, journal: Journal) -> None:
    journal.commit(OPEN, [draft(payload=True)], stamp)
    [waiting] = journal.pending()
    sealed = sqlite3.connect(path).execute("SELECT payload FROM outbox").fetchone()[0]
    files = [path, path.with_name(path.name + "-wal")]
    assert any(sealed[:32] in file.read_bytes() for file in files)
    assert not any(b"77321" in file.read_bytes() for file in files)
    journal.settle(waiting)
    assert not any(sealed[:32] in file.read_bytes() for file in files)


def test_a_payload_pasted_on_another_row_does_not_open(path: Path, journal: Journal) -> None:
    journal.commit(OPEN, [draft(payload=True), draft(payload=True)], stamp)
    other = sqlite3.connect(path)
    with other:
        other.execute("UPDATE outbox SET payload = (SELECT payload FROM outbox WHERE seq = 1) WHERE seq = 2")
    other.close()
    assert [outbound.seq for outbound in journal.pending(1)] == [1]
    journal.settle(journal.pending(1)[0])
    assert journal.pending() == []
    assert ("Parked:SealBroken", "seq 2") in codes(journal)


def test_a_second_agent_is_refused(path: Path, journal: Journal) -> None:
    assert journal.last_seq == 0
    with pytest.raises(AgentAlreadyRunning):
        opened(path)


def test_a_damaged_file_is_set_aside_and_numbers_go_on(path: Path, journal: Journal) -> None:
    journal.commit(OPEN, [draft(), draft()], stamp)
    journal.close()
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    journal.__init__(path, terminal="t1", seal_key=b"s" * 32)  # type: ignore[misc]
    assert journal.load() is None
    assert journal.last_seq == 2
    assert codes(journal) == [("JournalSetAside", "damaged")]
    [kept] = [file for file in path.parent.glob("*.damaged-*") if not file.name.endswith(("-wal", "-shm"))]
    assert kept.read_bytes().endswith(b"\xff" * 100)


def test_a_truncated_file_is_set_aside(path: Path, journal: Journal) -> None:
    for _ in range(40):
        journal.commit(OPEN, [draft(payload=True)], stamp)
    journal.close()
    path.write_bytes(path.read_bytes()[:6000])
    journal.__init__(path, terminal="t1", seal_key=b"s" * 32)  # type: ignore[misc]
    assert journal.load() is None
    assert journal.last_seq == 40


def test_a_lost_file_is_noted_and_numbers_go_on(path: Path, journal: Journal) -> None:
    journal.commit(OPEN, [draft()], stamp)
    journal.close()
    path.unlink()
    journal.__init__(path, terminal="t1", seal_key=b"s" * 32)  # type: ignore[misc]
    assert journal.last_seq == 1
    assert codes(journal) == [("JournalSetAside", "lost")]


def test_the_journal_of_another_terminal_is_set_aside_with_its_numbers(path: Path, journal: Journal) -> None:
    journal.commit(OPEN, [draft()], stamp)
    journal.close()
    journal.__init__(path, terminal="t2", seal_key=b"s" * 32)  # type: ignore[misc]
    assert journal.load() is None
    assert journal.last_seq == 0
    assert codes(journal) == [("JournalSetAside", "foreign")]


def test_a_snapshot_of_an_unknown_form_is_no_snapshot_but_messages_stay(path: Path, journal: Journal) -> None:
    journal.commit(OPEN, [draft()], stamp)
    other = sqlite3.connect(path)
    with other:
        other.execute("UPDATE snapshot SET terminal = ?", (json.dumps({"state": "dancing"}),))
    other.close()
    assert journal.load() is None
    assert journal.pending_count() == 1
    assert codes(journal)[0][0] == "SnapshotUnreadable"


def test_a_question_taken_back_gives_its_number_back(journal: Journal) -> None:
    journal.commit(OPEN, [draft()], stamp)
    waiting = Record(Terminal(TerminalState.WAITING_CARD, visit="v1", lease=3))
    journal.commit(waiting, [draft(alone=True)], stamp)
    question = journal.waiting_alone()
    assert question is not None
    assert (question.seq, journal.unsent_count(), journal.pending_count()) == (2, 1, 2)
    journal.take_back(question)
    assert journal.last_seq == 1
    assert journal.waiting_alone() is None


def test_a_question_left_behind_becomes_an_ordinary_report(journal: Journal) -> None:
    waiting = Record(Terminal(TerminalState.WAITING_CARD, visit="v1", lease=3))
    journal.commit(waiting, [draft(alone=True)], stamp)
    journal.commit(OPEN, [], stamp)
    assert journal.waiting_alone() is None
    assert journal.unsent_count() == 1


def test_parked_messages_are_tried_again_after_a_restart(path: Path, journal: Journal) -> None:
    journal.commit(OPEN, [draft(payload=True)], stamp)
    journal.park(journal.pending()[0], reason="TooLarge")
    assert (journal.pending_count(), journal.parked_count()) == (0, 1)
    journal.close()
    journal.__init__(path, terminal="t1", seal_key=b"s" * 32)  # type: ignore[misc]
    assert [outbound.payload for outbound in journal.pending()] == [SECRET]


def test_a_full_disk_is_a_broken_journal(path: Path, journal: Journal) -> None:
    blocker = sqlite3.connect(path)
    journal._db.execute("PRAGMA busy_timeout = 1")
    blocker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalBroken):
        journal.commit(OPEN, [draft()], stamp)
    blocker.rollback()
    blocker.close()
    journal.commit(OPEN, [draft()], stamp)
    assert journal.last_seq == 1


def test_messages_are_dated_by_the_agents_clock(journal: Journal) -> None:
    journal.commit(OPEN, [draft()], stamp)
    assert journal.pending()[0].message.at == START.isoformat()


def _commit_until_killed(path: Path, ready: "multiprocessing.synchronize.Event") -> None:
    journal = opened(path)
    number = 0
    while True:
        number += 1
        record = Record(Terminal(TerminalState.OPEN, visit="v1", lease=number), None, number)
        journal.commit(record, [Draft(EventKind.END, "v1", number, {"cause": "finish"})], stamp)
        ready.set()


@pytest.mark.slow
def test_sigkill_at_any_moment_leaves_snapshot_and_reports_in_step(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for turn in range(40):
        ready = context.Event()
        child = context.Process(target=_commit_until_killed, args=(path, ready))
        child.start()
        assert ready.wait(20)
        child.join(0.002 * turn)
        child.kill()
        child.join()
        journal = opened(path)
        record = journal.load()
        assert record is not None
        [newest] = [outbound.message for outbound in journal.pending(10**6)][-1:]
        assert newest.lease == record.terminal.lease
        seqs = [outbound.seq for outbound in journal.pending(10**6)]
        assert seqs == list(range(1, journal.last_seq + 1))
        assert codes(journal) == []
        journal.close()
