"""Group commit: many writers, one transaction; nobody is told of what is not committed."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, connections

from madoguchi.server.ledger import group, store
from madoguchi.server.ledger.errors import WriterClosed
from madoguchi.server.ledger.group import GroupWriter
from madoguchi.server.ledger.models import Entry
from server.databases import Fresh
from server.ledger.support import draft, postgres, rows

WRITERS = 64


@pytest.fixture(autouse=True)
def _own_database(fresh: Fresh) -> None:
    assert fresh.url


class Counting:
    """Inserts as the store does, and remembers how many rows each transaction had."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.entered = 0
        self.hold = threading.Event()
        self.hold.set()

    def __call__(self, drafts: Sequence[store.Draft]) -> list[int]:
        self.entered += len(drafts)
        assert self.hold.wait(30)
        self.sizes.append(len(drafts))
        return store.insert(drafts)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def writer(counting: Counting) -> Iterator[GroupWriter]:
    made = GroupWriter(insert=counting)
    yield made
    counting.hold.set()
    made.close()


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def until_waiting(writer: GroupWriter, counting: Counting, count: int) -> None:
    """So many have come in all: held in the writer's hands, and behind it."""
    until(lambda: counting.entered + writer._queue.qsize() >= count)


def seen(entry: int, given: store.Draft) -> bool:
    """Whether another connection sees exactly this entry committed, now."""
    try:
        return bytes(Entry.objects.get(pk=entry).leaf) == given.leaf
    finally:
        connection.close()


def write_all(writer: GroupWriter, drafts: Sequence[store.Draft]) -> list[int | BaseException]:
    """Each in a thread of its own; the id, or the error that it was told."""

    def one(given: store.Draft) -> int | BaseException:
        try:
            found = writer.write(given)
        except Exception as error:  # noqa: BLE001 - it is the answer
            return error
        assert seen(found, given), "told before it was committed"
        return found

    with ThreadPoolExecutor(len(drafts)) as pool:
        return list(pool.map(one, drafts))


def test_sixty_four_writers_share_transactions_and_each_gets_its_own_id(
    writer: GroupWriter, counting: Counting
) -> None:
    for _ in range(3):
        drafts = [draft(float(n)) for n in range(WRITERS)]
        ids = write_all(writer, drafts)
        assert len(set(ids)) == WRITERS
    assert sum(counting.sizes) == WRITERS * 3
    assert len(counting.sizes) < WRITERS * 3
    assert Entry.objects.count() == WRITERS * 3


def test_what_waits_together_is_committed_together(writer: GroupWriter, counting: Counting) -> None:
    counting.hold.clear()
    drafts = [draft(float(n)) for n in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        jobs = [pool.submit(writer.write, given) for given in drafts]
        until_waiting(writer, counting, WRITERS)
        assert not any(job.done() for job in jobs)
        counting.hold.set()
        ids = [job.result(30) for job in jobs]
    assert len(set(ids)) == WRITERS
    assert len(counting.sizes) == 2, "what waited behind the first batch is one transaction"
    for found, given in zip(ids, drafts, strict=True):
        assert bytes(Entry.objects.get(pk=found).leaf) == given.leaf


def bad(kind: str) -> store.Draft:
    """An entry that the database refuses."""
    good = draft()
    if kind == "twice":
        return store.Draft(good.leaf, good.kind, good.at, event=7)
    return store.Draft(good.leaf, None, good.at)  # type: ignore[arg-type]  # that is the fault


@pytest.mark.parametrize("kind", ["twice", "null"])
def test_one_bad_row_does_not_take_the_others_with_it(writer: GroupWriter, counting: Counting, kind: str) -> None:
    if kind == "twice":
        writer.write(bad("twice"))
    before = Entry.objects.count()
    drafts = [draft(float(n)) for n in range(20)]
    drafts[13] = bad(kind)
    counting.hold.clear()
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(write_all, writer, drafts)
        until_waiting(writer, counting, before + 20)
        counting.hold.set()
        answers = job.result(60)
    assert isinstance(answers[13], IntegrityError)
    assert sum(isinstance(answer, int) for answer in answers) == 19
    assert Entry.objects.count() == before + 19
    assert isinstance(writer.write(draft()), int)


def test_closing_while_it_is_busy_loses_nobody() -> None:
    counting = Counting()
    writer = GroupWriter(insert=counting, most=8)
    stop = threading.Event()

    def write_on() -> tuple[list[int], int]:
        told: list[int] = []
        try:
            while not stop.is_set():
                try:
                    told.append(writer.write(draft()))
                except WriterClosed:
                    return told, 1
            return told, 0
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        jobs = [pool.submit(write_on) for _ in range(16)]
        until(lambda: sum(counting.sizes) >= 100)
        writer.close()
        results = [job.result(30) for job in jobs]
        stop.set()
    told = [found for some, _ in results for found in some]
    assert all(closed for _, closed in results)
    assert len(told) == len(set(told)) == Entry.objects.count()
    with pytest.raises(WriterClosed) as refusal:
        writer.write(draft())
    assert refusal.value.sentence
    writer.close()


def test_a_lost_connection_is_told_and_the_next_write_works() -> None:
    """Whether a lost connection had committed cannot be known: it is not tried again behind the writer's back."""
    calls: list[int] = []

    def insert(drafts: Sequence[store.Draft]) -> list[int]:
        calls.append(len(drafts))
        if len(calls) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return store.insert(drafts)

    writer = GroupWriter(insert=insert)
    with pytest.raises(OperationalError):
        writer.write(draft())
    assert calls == [1]
    assert isinstance(writer.write(draft()), int)
    writer.close()
    assert Entry.objects.count() == 1


def test_a_backend_that_is_ended_in_between_is_replaced(writer: GroupWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("CONN_MAX_AGE", 60), ("CONN_HEALTH_CHECKS", True)):
        monkeypatch.setitem(connections.settings["default"], name, value)
    first = writer.write(draft())
    if postgres():
        ended = rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        assert ended == [(True,)]
    assert writer.write(draft()) > first
    assert Entry.objects.count() == 2


def test_the_error_of_a_row_that_stands_alone_is_its_own(writer: GroupWriter) -> None:
    good = draft()
    long = store.Draft(good.leaf, "k" * 31, good.at)
    if postgres():
        with pytest.raises(DataError):
            writer.write(long)
        assert Entry.objects.count() == 0
    assert isinstance(writer.write(good), int)


def test_the_process_has_one_writer() -> None:
    assert group.shared() is group.shared()
    assert isinstance(group.shared().write(draft()), int)
