"""A visit from the call to the confirmation; doubt, idleness, training."""

from pathlib import Path

import pytest

from madoguchi.card import AppletMissing, CardError, CardInUse, CardTrouble
from madoguchi.protocol import EndCause, IllegalTransition, TerminalState, VisitState
from madoguchi.terminal import texts
from madoguchi.terminal.errors import BoxUnavailable
from madoguchi.terminal.status import View
from terminal.doubles import CARD_A, CARD_B, failing
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


# doubt


def test_a_curtain_that_does_not_fall_ends_the_visit(rig: Rig) -> None:
    rig.serve()
    with failing(rig.boxes, "curtain", RuntimeError("stuck")):
        rig.take()
    assert rig.agent.record().terminal.cause == EndCause.DOUBT
    assert rig.boxes.alive == []


def test_a_box_that_does_not_open_ends_the_visit_with_its_reason(rig: Rig) -> None:
    rig.office.call()
    rig.poll()
    with failing(rig.boxes, "open", BoxUnavailable("ブラウザが動き出しません")):
        rig.put()
    assert rig.now() is TerminalState.CONFIRMING
    assert rig.agent.record().terminal.cause == EndCause.BROWSER_DIED
    assert ("BoxUnavailable", "ブラウザが動き出しません") in [(c, d) for _, c, d in rig.journal.incidents()]


def test_a_browser_that_dies_ends_the_visit_and_an_older_one_does_not(rig: Rig) -> None:
    rig.serve()
    first = rig.boxes.alive[0]
    first.die("browser")
    rig.agent.settle()
    assert rig.agent.record().terminal.cause == EndCause.BROWSER_DIED
    rig.confirm()
    rig.take()
    rig.poll()
    rig.serve()
    first.die("late news")
    rig.agent.settle()
    assert rig.now() is TerminalState.OPEN


def test_a_watcher_that_stops_looking_ends_the_visit(rig: Rig) -> None:
    rig.agent.watcher.beat = rig.clock.monotonic()
    rig.serve()
    rig.clock.forward(7)
    rig.agent.tick()
    assert rig.agent.record().terminal.cause == EndCause.DOUBT
    assert [n.code for n in rig.agent.status().notices] == ["ReaderLost"]


@pytest.mark.parametrize("error", [CardTrouble(0x6F00), CardInUse("x"), AppletMissing("x")])
def test_any_card_error_while_open_ends_the_visit(rig: Rig, error: CardError) -> None:
    rig.serve()
    rig.reader.fail_next(error)
    rig.agent.settle()
    assert rig.agent.record().terminal.cause == EndCause.DOUBT


# idle


def test_the_idle_warning_comes_before_the_end_and_goes_when_somebody_is_there(rig: Rig) -> None:
    rig.serve()
    [box] = rig.boxes.alive
    rig.wait(539)
    assert rig.agent.status().idle_deadline is None
    rig.wait(2)
    assert rig.agent.status().idle_deadline == pytest.approx(rig.clock.monotonic() + 59)
    assert box.notices[-1] == texts.idle_warning("ja", 59)
    rig.agent.touch()
    rig.wait(0)
    assert rig.agent.status().idle_deadline is None
    assert box.notices[-1] == ""
    rig.wait(599)
    assert rig.now() is TerminalState.OPEN
    rig.wait(1)
    assert rig.agent.record().terminal.cause == EndCause.IDLE


def test_work_in_the_box_keeps_the_visit_open(rig: Rig) -> None:
    rig.serve()
    [box] = rig.boxes.alive
    rig.clock.forward(5000)
    box.idle = 3.0
    rig.agent.tick()
    assert rig.now() is TerminalState.OPEN
    assert rig.agent.status().idle_deadline is None


# training


def test_unreal_boxes_open_only_with_the_training_switch(memory: Path) -> None:
    rig = Rig(memory).start()
    rig.boxes.training = True
    rig.office.call()
    rig.poll()
    rig.put()
    assert rig.boxes.opened == []
    rig.close()


def test_training_stands_in_every_message_and_poll(memory: Path) -> None:
    rig = Rig(memory, training=True).start()
    rig.serve()
    rig.agent.finish()
    rig.confirm()
    rig.poll()
    assert {message.training for message in rig.office.messages} == {True}
    assert {poll["training"] for poll in rig.office.polls} == {True}
    assert rig.agent.status().training
    rig.close()


def test_no_personal_data_in_incidents_or_logs(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.serve()
    rig.boxes.failing["curtain"] = RuntimeError("架空 花子")
    rig.take()
    told = caplog.text + repr(rig.journal.incidents())
    assert CARD_A.tag not in told
    assert "花子" not in told
    assert "RuntimeError at doubles.py" in told
