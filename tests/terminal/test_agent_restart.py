"""Wipes that fail, processes that die, journals that break."""

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from madoguchi.protocol import EndCause, TerminalState, VisitState
from madoguchi.terminal.errors import JournalBroken
from terminal.rig import Rig

# quarantine


def test_an_unproven_wipe_puts_the_terminal_out_of_use_until_it_is_cleared_and_proven(rig: Rig) -> None:
    rig.serve()
    rig.boxes.fail_wipe()
    rig.agent.finish()
    assert rig.now() is TerminalState.QUARANTINED
    rig.poll()
    assert rig.office.quarantined
    rig.boxes.failing.clear()
    rig.restart()
    assert rig.now() is TerminalState.QUARANTINED
    rig.office.clear()
    rig.poll()
    assert rig.now() is TerminalState.CONFIRMING
    assert rig.boxes.alive == []
    rig.poll()
    assert not rig.office.quarantined


def test_a_wipe_that_fails_in_an_unforeseen_way_is_unproven_too(rig: Rig) -> None:
    rig.serve()
    rig.boxes.failing["destroy"] = OSError("disk on fire")
    rig.agent.finish()
    assert rig.now() is TerminalState.QUARANTINED
    rig.poll()
    assert [m.body["failure"] for m in rig.office.messages if m.kind == "wipe_failed"] == ["unexpected OSError"]


def test_a_log_out_address_that_hangs_does_not_hold_up_the_end(memory: Path) -> None:
    rig = Rig(memory, logout_seconds=0.05).start()
    rig.serve()
    release = threading.Event()
    box = rig.boxes.alive[0]

    def hang(url: str) -> str:
        release.wait(30)
        return url

    box.logout = hang  # type: ignore[method-assign]
    rig.agent.finish()
    release.set()
    assert rig.now() is TerminalState.CONFIRMING
    assert rig.agent.record().terminal.proof["logout"] == "unreachable"
    rig.close()


# restarts and a broken journal


@pytest.mark.parametrize("moment", ["waiting", "asked", "open", "curtained", "confirming"])
def test_a_restart_at_any_moment_leaves_nothing_and_proves_it(rig: Rig, moment: str) -> None:
    ident = rig.office.call()
    rig.poll()
    if moment == "asked":
        rig.cable.lose_next_answers = 1
    if moment != "waiting":
        rig.put()
    if moment == "curtained":
        rig.take()
    if moment == "confirming":
        rig.agent.finish()
    rig.restart()
    assert rig.boxes.alive == []
    if moment == "waiting":
        rig.poll(2)
        assert rig.now() is TerminalState.WAITING_CARD  # the same call still stands
        return
    assert rig.now() is TerminalState.CONFIRMING
    rig.confirm()
    rig.poll(2)
    assert rig.office.state(ident) is VisitState.CLOSED
    cause = next(m.body["cause"] for m in rig.office.messages if m.kind == "end")
    assert cause == ("finish" if moment == "confirming" else "agent_restarted")


def test_a_power_cut_after_any_commit_is_survived(rig: Rig, memory: Path) -> None:
    """What stood on the disk after each commit, before its effects, is what a new agent starts from."""
    copies: list[Path] = []
    real = rig.journal.commit

    def commit(*given: Any) -> None:
        real(*given)
        copies.append(memory / f"cut-{len(copies)}")
        shutil.copytree(rig.folder, copies[-1], ignore=shutil.ignore_patterns("cut-*"))

    rig.journal.commit = commit  # type: ignore[method-assign,assignment]
    rig.serve()
    rig.take()
    rig.put()
    rig.agent.finish()
    rig.confirm()
    assert len(copies) == 8
    for copy in copies:
        again = Rig(copy, credentials=rig.credentials)
        before = again.journal.load()
        assert before is not None
        again.start()
        assert again.boxes.sweeps == 1
        exposed = before.terminal.exposed
        assert again.now() is (TerminalState.CONFIRMING if exposed else TerminalState.LOCKED)
        seqs = [outbound.seq for outbound in again.journal.pending(1000)]
        assert seqs == list(range(again.journal.last_seq - len(seqs) + 1, again.journal.last_seq + 1))
        again.close()


def test_a_lost_journal_is_covered_by_the_servers_picture(rig: Rig) -> None:
    ident = rig.serve()
    rig.journal.close()
    rig.path.unlink()
    rig.path.with_name(rig.path.name + "-wal").unlink(missing_ok=True)
    rig.reopen()
    rig.agent.start()
    assert rig.boxes.alive == []
    assert rig.now() is TerminalState.LOCKED
    rig.poll(2)
    assert rig.now() is TerminalState.CONFIRMING
    rig.confirm()
    rig.poll(2)
    assert rig.office.state(ident) is VisitState.CLOSED
    assert rig.office.violations == []


def test_a_journal_that_cannot_be_written_ends_the_box_and_opens_nothing(rig: Rig) -> None:
    rig.serve()
    rig.break_journal()
    rig.take()
    assert rig.boxes.alive == []
    assert "JournalBroken" in [n.code for n in rig.agent.status().notices]
    rig.wait(1)
    with pytest.raises(JournalBroken):
        rig.confirm()
    rig.mend_journal()
    rig.wait(1)
    assert rig.now() is TerminalState.CONFIRMING
    assert rig.agent.record().terminal.cause == EndCause.AGENT_RESTARTED
    assert rig.agent.status().notices == ()


def test_stopping_the_program_ends_an_open_visit(rig: Rig) -> None:
    rig.serve()
    stop = threading.Event()
    stop.set()
    rig.agent.run(stop)
    assert rig.boxes.alive == []
    assert rig.now() is TerminalState.CONFIRMING
