"""Places in the log: positions, tiles, checkpoints; late commits, several integrators, restores."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import override_settings

from madoguchi.evidence import note
from madoguchi.evidence.merkle import check_consistency, leaf_hash, root_of
from madoguchi.evidence.tiles import tiles_of
from madoguchi.server.ledger import audit, integrator, log, statements, store
from madoguchi.server.ledger.errors import LogBroken, LogEmpty, LogOfAnotherKey
from madoguchi.server.ledger.models import Checkpoint, Cursor, Entry, Position, Tile
from madoguchi.server.ledger.signer import origin, verifier
from postgres import Cluster, cluster
from server.databases import Fresh, using
from server.ledger.support import at_once, draft, fill, postgres, rows, sql, tamper


@pytest.fixture(autouse=True)
def _own_database(fresh: Fresh) -> None:
    assert fresh.url


def whole() -> None:
    """Every entry has one place, and everything that is stored follows from the entries."""
    found = audit.audit()
    assert found.intact, found.found
    assert found.waiting == 0
    assert found.size == Entry.objects.count() == Position.objects.values("entry").distinct().count()
    widths = {(row.level, row.number): len(row.hashes) // 32 for row in Tile.objects.all()}
    assert widths == {(level, number): width for level, number, width in tiles_of(found.size)}


def in_place() -> list[int]:
    return list(Position.objects.order_by("position").values_list("entry", flat=True))


def test_a_statement_gets_a_place_and_a_checkpoint() -> None:
    ids = [statements.state(kind="clock_off", body={"skew": float(n)}, alone=True) for n in range(20)]
    last = integrator.settle()
    text, signers = note.open_note(last.note, [verifier()])
    said = note.Checkpoint.parse(text)
    assert signers == [verifier()]
    assert (said.origin, said.size) == (origin(), 20)
    assert said.root == root_of(leaf_hash(raw) for _, raw in log.entries()) == log.tree().root()
    assert said.extra == (last.at.isoformat(timespec="seconds"),)
    assert in_place() == ids
    assert integrator.integrate() is None
    assert Checkpoint.objects.count() == 1


def test_an_empty_log_has_no_checkpoint() -> None:
    assert integrator.integrate() is None
    with pytest.raises(LogEmpty):
        integrator.settle()


@pytest.mark.parametrize("limit", [1, 7, 255, 256, 257, 1000])
def test_steps_of_every_size_make_the_same_log(limit: int) -> None:
    fill(600)
    sizes = []
    while (size := integrator.integrate(limit)) is not None:
        sizes.append(size)
    assert sizes == [*range(limit, 600, limit), 600]
    whole()
    roots = {row.size: log.parsed(row).root for row in Checkpoint.objects.all()}
    for old in sizes[:: max(1, len(sizes) // 9)]:
        check_consistency(old, 600, roots[old], roots[600], log.consistency(old))


def test_what_is_rolled_back_was_never_there() -> None:
    for number in range(30):
        try:
            with transaction.atomic():
                fill(1)
                if number % 3 == 0:
                    raise RuntimeError
        except RuntimeError:
            integrator.integrate()
    assert integrator.settle().size == 20
    whole()


def test_a_transaction_may_settle_what_it_has_written_itself() -> None:
    with transaction.atomic():
        ids = fill(3)
        assert integrator.settle().size == 3
        more = fill(2)
    assert integrator.settle().size == 5
    assert in_place() == ids + more
    whole()


def test_writers_and_integrators_at_once() -> None:
    """Eight writers that commit late and out of order, or not at all, and two integrators: each row once."""
    stop = threading.Event()
    chance = random.Random(7)
    seeds = [chance.random() for _ in range(8)]

    def write(seed: float) -> list[int]:
        mine, own = [], random.Random(seed)
        for _ in range(25):
            try:
                with transaction.atomic():
                    ids = store.insert([draft() for _ in range(own.randint(1, 4))])
                    threading.Event().wait(own.random() * 0.01)
                    if own.random() < 0.2:
                        raise RuntimeError
                    mine += ids
            except RuntimeError:
                continue
        return mine

    def work(write_: Callable[[], list[int]]) -> list[int]:
        try:
            return write_()
        finally:
            connections.close_all()

    integrators = [threading.Thread(target=integrator.run, args=(stop, 0.005)) for _ in range(2)]
    for thread in integrators:
        thread.start()
    with ThreadPoolExecutor(8) as pool:
        written = [found for some in pool.map(work, [partial(write, seed) for seed in seeds]) for found in some]
    stop.set()
    for thread in integrators:
        thread.join(30)
        assert not thread.is_alive()
    integrator.settle()
    assert sorted(in_place()) == sorted(written)
    assert Checkpoint.objects.count() > 1
    whole()


def test_two_integrators_at_one_moment_do_it_once() -> None:
    for _ in range(10):
        fill(50)
        answers = at_once([integrator.integrate] * 4)
        size = Position.objects.count()
        assert set(answers) <= {size, None}
        assert answers.count(size) == 1
    whole()


def test_a_log_that_was_changed_is_not_signed() -> None:
    fill(10)
    integrator.settle()
    before = Checkpoint.objects.count()
    tile = bytes(Tile.objects.get().hashes)
    tamper("UPDATE ledger_tile SET hashes = %s", bytes([tile[0] ^ 1]) + tile[1:])
    fill(1)
    with pytest.raises(LogBroken) as refusal:
        integrator.settle()
    assert "止めました" in refusal.value.sentence
    assert Checkpoint.objects.count() == before
    assert Cursor.objects.get().size == Position.objects.count() == 10


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger_checkpoint",
        "DELETE FROM ledger_position WHERE position = 9",
        "UPDATE ledger_cursor SET size = 9",
        "DELETE FROM ledger_tile",
        "UPDATE ledger_checkpoint SET size = 11",
        "UPDATE ledger_checkpoint SET note = replace(note, '10', '11')",
    ],
)
def test_a_log_that_was_cut_is_not_signed(statement: str) -> None:
    fill(10)
    integrator.settle()
    tamper(statement)
    fill(1)
    with pytest.raises(LogBroken):
        integrator.settle()


def test_a_broken_log_ends_the_integrator_and_the_office_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    fill(10)
    integrator.settle()
    tamper("UPDATE ledger_cursor SET size = 9")
    fill(1)
    running = threading.Thread(target=integrator.run, args=(threading.Event(), 0.01))
    running.start()
    running.join(20)
    assert not running.is_alive()
    assert "LogBroken" in caplog.text
    assert fill(1)


def test_the_log_of_another_key_is_not_continued(tmp_path: Path) -> None:
    name = origin()
    fill(3)
    integrator.settle()
    fill(3)
    with override_settings(SERVER_KEY_FILE=tmp_path / "other.key", LOG_ORIGIN=name):
        with pytest.raises(LogOfAnotherKey) as refusal:
            integrator.settle()
        assert "鍵" in refusal.value.sentence
    with override_settings(LOG_ORIGIN="another-log"), pytest.raises(LogOfAnotherKey):
        integrator.settle()
    assert integrator.settle().size == 6


def test_the_integrator_waits_for_a_database_that_comes_back() -> None:
    stop, answers = threading.Event(), iter([DatabaseError("gone"), OSError("gone"), 5, None])
    calls: list[int] = []

    def step() -> int | None:
        calls.append(1)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            stop.set()
        return answer

    running = threading.Thread(target=integrator.run, args=(stop, 0.001, step))
    running.start()
    running.join(20)
    assert not running.is_alive()
    assert len(calls) == 4


def test_a_web_process_integrates_unless_it_is_forbidden() -> None:
    with override_settings(INTEGRATE=False):
        assert integrator.start_in_process() is None
    ids = fill(5)
    stop = integrator.start_in_process()
    assert stop is not None
    thread = next(found for found in threading.enumerate() if found.name == "ledger-integrator")
    for _ in range(200):
        if Position.objects.count() == 5:
            break
        threading.Event().wait(0.05)
    stop.set()
    thread.join(20)
    assert in_place() == ids


class OnPostgres:
    """Marks what can only happen there; on SQLite one transaction writes at a time and ids are the order."""


@contextmanager
def second_connection() -> Iterator[Callable[[str], None]]:
    """Statements of a second transaction that stays open until the block ends it."""
    other = connections.create_connection("default")
    other.inc_thread_sharing()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            yield cursor.execute
        other.commit()
    finally:
        other.close()


INSERT = "INSERT INTO ledger_entry (leaf, kind, at) SELECT leaf, kind, at FROM ledger_entry ORDER BY id LIMIT 1"


def test_a_lower_id_that_commits_after_a_higher_one_was_integrated() -> None:
    """The trap: the cursor stands at the higher id when the lower one appears."""
    fill(1)
    if not postgres():
        # SQLite cannot come into this situation: the second writer waits for the first.
        assert in_order_of_commit() == sorted(in_order_of_commit())
        return
    with second_connection() as other:
        other(INSERT)
        higher = fill(1)[0]
        seen = in_order_of_commit()
        assert higher not in seen, "taken although a transaction below still runs"
    (lower,) = set(Entry.objects.values_list("pk", flat=True)) - {higher} - set(seen)
    assert lower < higher
    assert in_order_of_commit() == [*seen, lower, higher]
    whole()


def in_order_of_commit() -> list[int]:
    integrator.settle()
    return in_place()


def test_a_transaction_that_began_early_and_wrote_late() -> None:
    """Its number is low, its row's id high, and it commits last."""
    fill(1)
    if not postgres():
        return
    with second_connection() as other:
        other("SELECT pg_current_xact_id()")
        first = fill(5)
        assert integrator.integrate() in (None, 1)
        other(INSERT)
    integrator.settle()
    assert set(first) < set(in_place())
    assert len(in_place()) == 7
    whole()


@pytest.mark.slow
def test_a_dump_restored_into_another_cluster_goes_on() -> None:
    """The dump's transaction numbers lie ahead of the new cluster's: nothing may be missed or doubled."""
    if not postgres():
        return
    fill(300)
    integrator.settle()
    for _ in range(50):
        fill(1)
    integrator.integrate(20)
    sql("SELECT pg_current_xact_id() FROM generate_series(1, 2)")
    ahead = rows("SELECT max(xid) FROM ledger_entry")[0][0]
    left = Entry.objects.count() - Position.objects.count()
    assert left == 30
    before = in_place()
    with restored(connection.settings_dict["NAME"], connection.settings_dict["HOST"]):
        (now,) = rows("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")[0]
        assert now != ahead
        more = fill(4)
        assert integrator.settle().size == 354
        assert in_place()[: len(before)] == before
        assert in_place()[-4:] == more
        cursor = Cursor.objects.get()
        assert cursor.floor == more[-1]
        again = fill(3)
        assert integrator.settle().size == 357
        assert in_place()[-3:] == again
        whole()
        assert integrator.integrate() is None


@contextmanager
def restored(name: str, host: str) -> Iterator[Cluster]:
    """The database dumped and restored in a new cluster, and Django pointed to it."""
    from postgres import _run

    with cluster() as other:
        other.create("restored")
        file = other.folder / "dump"
        _run("pg_dump", "-h", host, "-U", "postgres", "-Fc", "-f", file, name)
        _run("pg_restore", "-h", other.folder, "-U", "postgres", "-d", "restored", "--exit-on-error", file)
        usual = connections.settings["default"]["HOST"]
        connections.settings["default"]["HOST"] = str(other.folder)
        try:
            with using("restored"):
                yield other
        finally:
            connections.settings["default"]["HOST"] = usual
