"""A visit from the call to the confirmation, and everything that can come in between."""

import pytest

from madoguchi.protocol import EndCause, IllegalTransition, TerminalState, VisitState
from madoguchi.terminal.status import View
from terminal.doubles import CARD_A, CARD_B
from terminal.rig import Rig


def test_a_start_sweeps_and_proves_before_it_is_locked(rig: Rig) -> None:
    assert rig.boxes.sweeps == 1
    assert rig.now() is TerminalState.LOCKED
    rig.poll()
    assert [message.kind for message in rig.office.messages] == ["sweep_proven"]


def test_a_visit_end_to_end(rig: Rig) -> None:
    ident = rig.serve()
    assert rig.office.state(ident) is VisitState.SERVING
    [box] = rig.boxes.alive
    assert not box.covered
    rig.agent.finish()
    assert rig.boxes.alive == []
    assert rig.now() is TerminalState.CONFIRMING
    assert box.visited == ["http://points.test/logout"]
    rig.confirm()
    assert rig.now() is TerminalState.LOCKED
    rig.poll()
    assert rig.office.state(ident) is VisitState.CLOSED
    assert rig.office.chain(ident) == ["bind_card", "end", "wipe_proven", "confirm"]


def test_the_same_card_back_within_the_grace_time_lifts_the_curtain(rig: Rig) -> None:
    ident = rig.serve()
    [box] = rig.boxes.alive
    rig.take()
    assert rig.now() is TerminalState.CURTAINED
    assert box.curtains == [True]
    rig.wait(19)
    rig.put()
    assert rig.now() is TerminalState.OPEN
    assert box.curtains == [True, False]
    rig.wait(30)
    assert rig.now() is TerminalState.OPEN
    rig.poll()
    assert rig.office.chain(ident) == ["bind_card", "curtain", "uncurtain"]


def test_a_card_that_does_not_come_back_ends_the_visit(rig: Rig) -> None:
    rig.serve()
    rig.take()
    rig.wait(20)
    assert rig.now() is TerminalState.CONFIRMING
    assert rig.agent.record().terminal.cause == EndCause.CARD_GONE
    assert rig.boxes.alive == []


def test_another_card_ends_the_visit(rig: Rig) -> None:
    rig.serve(CARD_A)
    rig.take()
    rig.put(CARD_B)
    assert rig.agent.record().terminal.cause == EndCause.OTHER_CARD
    assert rig.boxes.alive == []


def test_a_swap_that_only_the_counter_tells_ends_the_visit(rig: Rig) -> None:
    rig.serve(CARD_A)
    rig.reader.swap(CARD_A)
    rig.agent.settle()
    assert rig.agent.record().terminal.cause == EndCause.DOUBT
    assert rig.boxes.alive == []


def test_a_lost_reader_ends_the_visit(rig: Rig) -> None:
    rig.serve()
    rig.reader.lose()
    rig.agent.settle()
    assert rig.agent.record().terminal.cause == EndCause.READER_LOST
    assert rig.boxes.alive == []


def test_a_card_that_lay_there_before_the_call_is_not_bound(rig: Rig) -> None:
    rig.put()
    rig.office.call()
    rig.poll(3)
    assert rig.now() is TerminalState.WAITING_CARD
    assert rig.boxes.opened == []
    assert rig.agent.status().card_lying
    rig.take()
    assert not rig.agent.status().card_lying
    rig.put()
    assert rig.now() is TerminalState.OPEN


def test_without_a_server_nothing_opens_and_it_opens_when_the_server_is_back(rig: Rig) -> None:
    ident = rig.office.call()
    rig.poll()
    rig.cable.cut = True
    rig.put()
    assert rig.now() is TerminalState.WAITING_CARD
    assert rig.boxes.opened == []
    assert [n.code for n in rig.agent.status().notices] == ["ServerUnreachable"]
    rig.cable.cut = False
    rig.poll()
    assert rig.now() is TerminalState.OPEN
    assert rig.office.chain(ident) == ["bind_card"]


def test_a_lost_answer_is_asked_for_again_under_the_same_key(rig: Rig) -> None:
    ident = rig.office.call()
    rig.poll()
    rig.cable.lose_next_answers = 1
    rig.put()
    assert rig.now() is TerminalState.WAITING_CARD
    assert rig.office.state(ident) is VisitState.SERVING
    rig.poll()
    assert rig.now() is TerminalState.OPEN
    assert rig.office.chain(ident) == ["bind_card"]


def test_ending_needs_no_server(rig: Rig) -> None:
    ident = rig.serve()
    rig.cable.cut = True
    rig.agent.finish()
    assert rig.boxes.alive == []
    rig.confirm()
    assert rig.now() is TerminalState.LOCKED
    rig.poll()
    assert rig.office.state(ident) is VisitState.SERVING
    rig.cable.cut = False
    rig.poll(2)
    assert rig.office.state(ident) is VisitState.CLOSED
    assert rig.now() is TerminalState.LOCKED


def test_an_illegal_event_is_noted_and_changes_nothing(rig: Rig) -> None:
    with pytest.raises(IllegalTransition):
        rig.agent.finish()
    assert rig.now() is TerminalState.LOCKED
    assert ("IllegalTransition", "locked + end") in [(code, detail) for _, code, detail in rig.journal.incidents()]


def test_what_is_missing_is_said_and_nothing_is_opened(rig: Rig) -> None:
    rig.boxes.lacks = ("bubblewrap が入っていません",)
    rig.wait(60)
    assert rig.agent.status().view is View.CANNOT_SERVE
    assert rig.agent.status().missing == ("bubblewrap が入っていません",)
    rig.office.call()
    rig.poll()
    rig.put()
    assert rig.boxes.opened == []
