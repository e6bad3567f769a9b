"""Places in the log: positions, tiles, checkpoints; several integrators, logs that were changed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from django.db import DatabaseError, connections, transaction
from django.test import override_settings

from madoguchi.evidence import note
from madoguchi.evidence.merkle import check_consistency, leaf_hash, root_of
from madoguchi.server.ledger import integrator, log, statements, store
from madoguchi.server.ledger.errors import LogBroken, LogEmpty, LogOfAnotherKey
from madoguchi.server.ledger.models import Checkpoint, Cursor, Position, Tile
from madoguchi.server.ledger.signer import origin, verifier
from server.databases import Fresh
from server.ledger.support import at_once, draft, fill, in_place, tamper, whole


@pytest.fixture(autouse=True)
def _own_database(fresh: Fresh) -> None:
    assert fresh.url


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


def write_some(writer: int) -> list[int]:
    mine: list[int] = []
    for number in range(25):
        late = (writer * 5 + number * 3) % 11
        try:
            with transaction.atomic():
                ids = store.insert([draft() for _ in range(1 + late % 4)])
                threading.Event().wait(late / 1000)
                if late == 7:
                    raise RuntimeError
                mine += ids
        except RuntimeError:
            continue
    return mine


def test_writers_and_integrators_at_once() -> None:
    """Eight writers that commit late and out of order, or not at all, and two integrators: each row once."""
    stop = threading.Event()

    def work(write_: Callable[[], list[int]]) -> list[int]:
        try:
            return write_()
        finally:
            connections.close_all()

    integrators = [threading.Thread(target=integrator.run, args=(stop, 0.005)) for _ in range(2)]
    for thread in integrators:
        thread.start()
    written: list[int] = []
    with ThreadPoolExecutor(8) as pool:
        # Until the integrators have worked beside the writers, not only after them.
        for _ in range(20):
            for some in pool.map(work, [partial(write_some, writer) for writer in range(8)]):
                written += some
            if Checkpoint.objects.count() > 1:
                break
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
