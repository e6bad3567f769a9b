"""Erasing that is killed anywhere, and sealing at the same time: nothing is lost, nothing stays half done."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from madoguchi.server import keyring
from madoguchi.server.ledger import erasing
from madoguchi.server.ledger.models import Erasure, Payload
from server.databases import Fresh
from server.ledger.erasing_support import OTHER, PERSON, all_open, erase_person, key_bytes, opens_with, stated, stock


@pytest.mark.slow
def test_who_seals_while_the_key_is_changed_loses_nothing(folder: Path) -> None:
    """Bounded writers: each round wraps all that is there anew, and must not race with endless growth."""
    problems: list[Exception] = []

    def writer() -> None:
        try:
            for _ in range(100):
                stock(OTHER, 3)
        except Exception as error:  # noqa: BLE001 - shown below
            problems.append(error)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=writer) for _ in range(4)]
    for one in writers:
        one.start()
    rounds = 0
    while rounds < 3 or any(one.is_alive() for one in writers):
        stock()
        erase_person()
        rounds += 1
    for one in writers:
        one.join()
    assert problems == []
    assert all_open() == 4 * 100 * 3
    assert len(keyring.read()) == 1
    assert folder.exists()


# Kills


def run_killed(fresh: Fresh, act: str, step: str, passes: int = 0) -> int:
    program = [sys.executable, str(Path(__file__).with_name("eraser.py")), act, str(PERSON), step, str(passes)]
    environment = fresh.environment | {"MADOGUCHI_STATE": str(settings.STATE_DIR)}
    return subprocess.run(program, env=environment, check=False, stderr=subprocess.DEVNULL).returncode


@pytest.mark.slow
@pytest.mark.parametrize("step", erasing.STEPS)
def test_an_erasure_killed_anywhere_is_finished_by_the_next(fresh: Fresh, folder: Path, step: str) -> None:
    gone, kept = stock(), stock(OTHER, 250)
    first = keyring.current()
    copies = [(row.pk, bytes(row.wrapped), bytes(row.sealed)) for row in erasing.of_visit(PERSON)]
    assert run_killed(fresh, "erase", step) == -signal.SIGKILL
    left = all_open()
    assert left in (253, 250)
    assert Erasure.objects.count() == 253 - left, "a row is gone exactly when that is written down"
    assert {one for said in stated("payload_erased") for one in said["body"]["commitments"]} == (
        set() if left == 253 else set(gone)
    )
    erase_person()
    assert set(Payload.objects.values_list("commitment", flat=True)) == set(kept)
    assert all_open() == 250
    assert sorted(one for said in stated("payload_erased") for one in said["body"]["commitments"]) == sorted(gone)
    assert not erasing.unfinished()
    assert len(keyring.read()) == len(list(folder.glob("*.key"))) == 1
    assert keyring.current().id != first.id
    assert not any(opens_with(key_bytes(), *copy) for copy in copies)


@pytest.mark.slow
@pytest.mark.parametrize("step", [step for step in erasing.STEPS if step not in ("deleted", "committed", "cleared")])
def test_a_key_change_killed_again_and_again_loses_nothing(fresh: Fresh, folder: Path, step: str) -> None:
    stock(OTHER, 250)
    for passes in (0, 0, 1 if step == "batch wrapped" else 0):
        assert run_killed(fresh, "change", step, passes) == -signal.SIGKILL
        assert all_open() == 250
    erasing.change_key()
    assert all_open() == 250
    assert len(list(folder.glob("*.key"))) == 1
    assert not erasing.unfinished()
