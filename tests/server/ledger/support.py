"""What the tests of the log share: entries, an office that has worked, and a superuser who tampers."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client

from madoguchi.evidence.tiles import tiles_of
from madoguchi.protocol import EventKind
from madoguchi.server import clock
from madoguchi.server.counters.seed import seed_training_city
from madoguchi.server.ledger import audit, statements, store
from madoguchi.server.ledger.models import Entry, Position, Tile
from server.seat import Seat

T = TypeVar("T")


def postgres() -> bool:
    """Whether these tests run on PostgreSQL."""
    return connection.vendor == "postgresql"


def sql(statement: str, *values: Any) -> None:
    """Run one statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a query answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())


def refused(rule: str, statement: str, *values: Any) -> None:
    """The database refuses the statement, and by this rule."""
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        sql(statement, *values)


def draft(skew: float = 0.0, kind: str = "clock_off") -> store.Draft:
    """An entry as the server makes it, not written yet."""
    now = clock.now()
    statement = {"at": now.isoformat(), "body": {"skew": skew}, "by": "server", "kind": kind, "lease": None}
    statement |= {"seq": None, "staff": None, "terminal": None, "visit": None}
    return store.Draft(statements.signed(statement, at=now), kind, now)


def fill(count: int) -> list[int]:
    """So many entries, committed together; their ids."""
    with transaction.atomic():
        return store.insert([draft(float(n)) for n in range(count)])


@contextmanager
def superuser() -> Iterator[None]:
    """Whoever may change the schema: the triggers do not hold. The connection is a new one afterwards."""
    if postgres():
        sql("SET session_replication_role = replica")
    else:
        for (name,) in rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            sql(f"DROP TRIGGER {name}")
    try:
        yield
    finally:
        connection.close()


def tamper(statement: str, *values: Any) -> None:
    """One statement past all rules."""
    with superuser():
        sql(statement, *values)


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Run each in a thread of its own, begun at the same moment; what they return, or the error of the first."""
    barrier = threading.Barrier(len(works))

    def one(work: Callable[[], T]) -> T:
        barrier.wait()
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def working_seat() -> Seat:
    """A committed city with an enrolled terminal whose machine has reported three sweeps."""
    city = seed_training_city(password="counter-practice-1", payment_until=None)
    seat = Seat(city.terminals[0], Client())
    seat.enrol()
    seat.poll()
    for number in range(3):
        verdict = seat.report(EventKind.SWEEP_PROVEN, {"proof": {"space": "none", "number": number}})
        assert verdict["verdict"] == "accepted", verdict
    return seat


def in_place() -> list[int]:
    """The entries in the order of the log."""
    return list(Position.objects.order_by("position").values_list("entry", flat=True))


def whole() -> None:
    """Every entry has one place, and everything that is stored follows from the entries."""
    found = audit.audit()
    assert found.intact, found.found
    assert found.waiting == 0
    assert found.size == Entry.objects.count() == Position.objects.values("entry").distinct().count()
    widths = {(row.level, row.number): len(row.hashes) // 32 for row in Tile.objects.all()}
    assert widths == {(level, number): width for level, number, width in tiles_of(found.size)}
