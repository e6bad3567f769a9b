"""The agent and the server: asking for a card, late and lost answers, what the server says."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from madoguchi.protocol import EndCause, TerminalState, VisitState
from madoguchi.terminal.status import Server, View
from terminal.doubles import CARD_A, CARD_B
from terminal.rig import Rig

# the card while the server is asked


def test_a_card_that_leaves_while_the_server_is_asked_opens_only_under_the_curtain(rig: Rig) -> None:
    rig.office.call()
    rig.poll()
    rig.cable.meanwhile = rig.reader.remove
    rig.put()
    assert rig.now() is TerminalState.CURTAINED
    [box] = rig.boxes.alive
    assert box.curtains == [True]
    rig.put()
    assert rig.now() is TerminalState.OPEN
    assert box.curtains == [True, False]


def test_a_card_swapped_while_the_server_is_asked_never_sees_the_box(rig: Rig) -> None:
    rig.office.call()
    rig.poll()
    rig.cable.meanwhile = lambda: rig.reader.swap(CARD_B)
    rig.put(CARD_A)
    assert rig.now() is TerminalState.CONFIRMING
    assert rig.boxes.opened[0].curtains[0] is True
    assert False not in rig.boxes.opened[0].curtains


def test_a_refused_card_gets_a_reason_and_can_be_put_again(rig: Rig) -> None:
    rig.office.call()
    rig.poll()
    rig.office.refuse = (409, "TerminalOutOfService")
    rig.put()
    assert rig.now() is TerminalState.WAITING_CARD
    assert [(n.code, n.sentence) for n in rig.agent.status().notices] == [("TerminalOutOfService", "断りました。")]
    rig.office.refuse = None
    rig.take()
    rig.put()
    assert rig.now() is TerminalState.OPEN


def test_another_card_while_an_answer_is_missing_ends_the_visit(rig: Rig) -> None:
    ident = rig.office.call()
    rig.poll()
    rig.cable.lose_next_answers = 1
    rig.put(CARD_A)
    rig.take()
    rig.put(CARD_B)
    assert rig.now() is TerminalState.CONFIRMING
    assert rig.boxes.opened == []
    rig.poll()
    assert rig.office.chain(ident) == ["bind_card", "end", "wipe_proven"]


def test_a_question_that_never_left_leaves_no_gap_and_any_card_may_follow(rig: Rig) -> None:
    ident = rig.office.call()
    rig.poll()
    rig.cable.cut = True
    rig.put(CARD_A)
    assert rig.journal.pending_count() == 0
    rig.take()
    rig.put(CARD_B)
    rig.cable.cut = False
    rig.poll()
    assert rig.now() is TerminalState.OPEN
    assert rig.agent.record().terminal.card_tag == CARD_B.tag
    assert rig.office.chain(ident) == ["bind_card"]
    assert rig.office.violations == []


def test_a_question_that_never_left_is_not_repeated_for_a_card_that_is_gone(rig: Rig) -> None:
    rig.office.call()
    rig.poll()
    rig.cable.cut = True
    rig.put()
    rig.take()
    rig.cable.cut = False
    rig.poll(3)
    assert rig.now() is TerminalState.WAITING_CARD
    assert rig.boxes.opened == []


def test_duplicate_opens_only_when_the_server_still_serves_the_visit(rig: Rig) -> None:
    ident = rig.office.call()
    rig.poll()
    rig.cable.lose_next_answers = 1
    rig.put()
    ticket = rig.office.tickets[ident]
    ticket.visit = replace(ticket.visit, state=VisitState.CONFIRMING)
    rig.agent.pump()
    rig.agent._ask_again()  # the poll that would have brought the news comes later
    rig.agent.pump()
    assert rig.boxes.opened == []


# the server's picture


def test_staff_can_end_a_visit(rig: Rig) -> None:
    rig.serve()
    rig.office.ask_end()
    rig.poll()
    assert rig.agent.record().terminal.cause == EndCause.SERVER_SAID
    assert rig.boxes.alive == []


def test_a_visit_taken_back_locks_the_terminal_again(rig: Rig) -> None:
    rig.office.call()
    rig.poll()
    rig.office.back_to_queue()
    rig.poll()
    assert rig.now() is TerminalState.LOCKED


def test_a_visit_closed_at_the_staff_screen_locks_the_terminal(rig: Rig) -> None:
    rig.serve()
    rig.agent.finish()
    rig.poll()
    rig.office.close_at_staff_screen()
    rig.poll()
    assert rig.now() is TerminalState.LOCKED


def test_an_answer_from_before_the_end_does_not_bring_the_visit_back(rig: Rig) -> None:
    """The lag rule: the server said "serving" before it heard of the end."""
    ident = rig.serve()
    rig.agent.settle()
    rig.cable.after_answer = lambda: [act() for act in (rig.agent.finish, rig.confirm)]
    rig.agent.poll()
    rig.agent.settle()
    assert rig.now() is TerminalState.LOCKED
    rig.poll(2)
    assert rig.now() is TerminalState.LOCKED
    assert rig.office.state(ident) is VisitState.CLOSED
    assert rig.office.chain(ident) == ["bind_card", "end", "wipe_proven", "confirm"]


def test_a_lease_that_was_closed_here_never_opens_again(rig: Rig) -> None:
    """A server restored from a copy calls the same visit under the same lease."""
    ident = rig.serve()
    before = rig.office.tickets[ident].visit
    rig.agent.finish()
    rig.confirm()
    rig.take()
    rig.poll()
    rig.office.tickets[ident].visit = replace(before, state=VisitState.CALLED)
    rig.poll(2)
    rig.put()
    assert rig.now() is TerminalState.LOCKED
    assert [n.code for n in rig.agent.status().notices] == ["StaleLease"]


def test_a_clock_far_off_is_said_and_kept_in_the_status(rig: Rig) -> None:
    rig.clock.offset = timedelta(hours=3)
    rig.poll()
    assert rig.agent.status().skew_seconds == pytest.approx(3 * 3600)
    assert [n.code for n in rig.agent.status().notices] == ["ClockFarOff"]
    rig.clock.offset = timedelta(0)
    rig.poll()
    assert rig.agent.status().notices == ()


def test_a_revoked_terminal_opens_nothing_and_says_so(rig: Rig) -> None:
    rig.office.call()
    rig.poll()
    rig.office.tokens = ["another"]
    rig.poll()
    rig.put()
    assert rig.boxes.opened == []
    assert rig.agent.status().view is View.CANNOT_SERVE
    assert "TokenRevoked" in [n.code for n in rig.agent.status().notices]


def test_an_answer_that_is_no_answer_changes_nothing(rig: Rig) -> None:
    rig.serve()
    rig.cable.instead = httpx.Response(200, json={"assignment": 5, "server_time": "now", "cleared": "no"})
    rig.poll()
    assert rig.now() is TerminalState.OPEN
    rig.cable.instead = httpx.Response(502, text="<html>proxy</html>")
    rig.poll()
    assert rig.now() is TerminalState.OPEN
    assert rig.agent.status().server is Server.UNREACHABLE
