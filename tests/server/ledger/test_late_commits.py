"""Rows that become visible in another order than their ids, and databases that move house.

On SQLite one transaction writes at a time: there the second writer waits, and ids are the order of the commits.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, connections

from madoguchi.server.ledger import integrator
from madoguchi.server.ledger.models import Cursor, Entry, Position
from postgres import _run, cluster
from server.databases import Fresh, using
from server.ledger.support import fill, in_place, postgres, rows, sql, whole

COPY = "INSERT INTO ledger_entry (leaf, kind, at) SELECT leaf, kind, at FROM ledger_entry ORDER BY id LIMIT 1"
Execute = Callable[[str], object]


@pytest.fixture(autouse=True)
def _own_database(fresh: Fresh) -> None:
    assert fresh.url


@contextmanager
def second_transaction(begin: str = "SELECT 1") -> Iterator[Execute]:
    """Another connection's transaction; committed when the block ends."""
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN" if postgres() else "BEGIN IMMEDIATE")
            cursor.execute(begin)
            yield cursor.execute
            cursor.execute("COMMIT")
    finally:
        other.close()


def write_meanwhile(known: list[int]) -> threading.Thread:
    """A writer that begins now; its ids are added to `known` when it has committed."""

    def work() -> None:
        try:
            known.extend(fill(3))
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    if postgres():
        thread.join(30)
    return thread


@pytest.mark.parametrize("begin", [COPY, "SELECT {number}"])
def test_what_commits_late_is_neither_missed_nor_doubled(begin: str) -> None:
    """The trap: the integrator has passed a higher id (or number) when the row of a longer transaction appears."""
    first = fill(2)
    meanwhile: list[int] = []
    number = "pg_current_xact_id()" if postgres() else "1"
    with second_transaction(begin.format(number=number)) as other:
        thread = write_meanwhile(meanwhile)
        assert bool(meanwhile) is postgres(), "SQLite lets nobody write beside it"
        if postgres():
            integrator.integrate()
            assert in_place() == first, "nothing is taken while a transaction below may still write"
        other(COPY)
    thread.join(30)
    integrator.settle()
    late = set(Entry.objects.values_list("pk", flat=True)) - {*first, *meanwhile}
    assert len(late) == (2 if begin == COPY else 1)
    assert sorted(in_place()) == sorted([*first, *meanwhile, *late])
    assert in_place()[:2] == first
    assert integrator.integrate() is None
    whole()


@pytest.mark.slow
def test_a_log_that_is_restored_elsewhere_goes_on(tmp_path: Path) -> None:
    """A dump brings the transaction numbers of another cluster; here they lie ahead of the new one's."""
    first = fill(300)
    integrator.settle()
    left = [found for _ in range(50) for found in fill(1)]
    assert integrator.integrate(20) == 320
    before = in_place()
    if postgres():
        for _ in range(300):
            sql("SELECT pg_current_xact_id()")
        left += fill(1)
    with restored(tmp_path):
        if postgres():
            assert rows("SELECT max(xid) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM ledger_entry")[
                0
            ][0]
        more = fill(4)
        assert integrator.settle().size == 300 + len(left) + 4
        assert in_place() == [*first, *left, *more]
        assert in_place()[:320] == before
        again = fill(3)
        integrator.settle()
        assert in_place()[-3:] == again
        assert integrator.integrate() is None
        whole()
        if postgres():
            assert Cursor.objects.get().floor == more[-1]


def test_a_restore_with_nothing_left_over_is_noticed_too() -> None:
    """The cluster's name in the cursor is another's: the cursor begins anew although there is nothing to take."""
    fill(3)
    integrator.settle()
    if postgres():
        sql("UPDATE ledger_cursor SET cluster = 1, xid = 9000000000")
    assert integrator.integrate() is None
    if postgres():
        cursor = Cursor.objects.get()
        assert (cursor.size, cursor.xid, cursor.entry) == (3, 0, 0)
        assert cursor.floor == Entry.objects.order_by("-pk")[0].pk
    ids = fill(2)
    integrator.settle()
    assert in_place()[3:] == ids
    assert Position.objects.count() == 5
    whole()


def test_a_rebase_waits_for_whoever_writes() -> None:
    """An id below the new floor that is not committed yet would be lost."""
    fill(1)
    integrator.settle()
    if postgres():
        sql("UPDATE ledger_cursor SET cluster = 1")
    sizes: list[int] = []

    def settle() -> None:
        try:
            sizes.append(integrator.settle().size)
        finally:
            connections.close_all()

    with second_transaction(COPY):
        thread = threading.Thread(target=settle)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive() is postgres(), "on SQLite a look is enough: nothing new is committed"
    thread.join(30)
    integrator.settle()
    assert sizes == ([2] if postgres() else [1])
    assert len(in_place()) == 2
    whole()


@contextmanager
def restored(folder: Path) -> Iterator[None]:
    """A dump of the database, restored in a new cluster (SQLite: a new file), and Django pointed to it."""
    if not postgres():
        file = folder / "restored.sqlite3"
        sql("VACUUM INTO %s", str(file))
        with using(str(file)):
            yield
        return
    name, host = connection.settings_dict["NAME"], connection.settings_dict["HOST"]
    with cluster() as other:
        other.create("restored")
        dump = other.folder / "dump"
        _run("pg_dump", "-h", host, "-U", "postgres", "-Fc", "-f", dump, name)
        _run("pg_restore", "-h", other.folder, "-U", "postgres", "-d", "restored", "--exit-on-error", dump)
        connections.settings["default"]["HOST"] = str(other.folder)
        try:
            with using("restored"):
                yield
        finally:
            connections.settings["default"]["HOST"] = host
