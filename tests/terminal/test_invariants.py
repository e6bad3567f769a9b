"""Anything at any time: random hands, faults, crashes and staff against the invariants of the design."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from madoguchi.card import CardInUse, CardRemoved, ReaderLost
from madoguchi.protocol import EndCause, Event, EventKind, ProtocolError, Role, TerminalState, VisitState
from madoguchi.terminal.errors import BoxUnavailable, TerminalError, WipeUnproven
from terminal.doubles import CARD_A, CARD_B, TagCard
from terminal.rig import ABSENT, MEMORY, Rig

IN_USE = (TerminalState.OPEN, TerminalState.CURTAINED)
CHAIN = ("bind_card", "end", "wipe_proven")

BOX_FAULTS: tuple[tuple[str, Exception], ...] = (
    ("open", BoxUnavailable("x")),
    ("open", RuntimeError("x")),
    ("curtain", RuntimeError("x")),
    ("logout", RuntimeError("x")),
    ("idle_for", RuntimeError("x")),
    ("destroy", WipeUnproven("x")),
    ("sweep", WipeUnproven("x")),
)


class Killed(BaseException):
    """The process dies here."""


class Counter(RuleBasedStateMachine):
    """One terminal, its office, and everybody who can touch either.

    One rule draws the action, so that every action that is possible now is equally likely: with a rule for each,
    most runs would never seat anybody.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="agent-", dir=MEMORY)
        self.rig = Rig(Path(self.folder.name)).start()
        self.lost = False

    def teardown(self) -> None:
        try:
            self.everything_can_be_brought_to_an_end()
        finally:
            self.rig.close()
            self.folder.cleanup()

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        possible = [*self.hands(), *self.staff(), *self.faults(), *self.crashes(data)]
        act = data.draw(st.sampled_from(possible), label="act")
        act()

    # who can do what now

    def hands(self) -> list[Callable[[], None]]:
        rig = self.rig
        acts = [self.wait_a_moment, self.poll]
        if rig.reader.card is None:
            acts += [self.put_a, self.put_a, self.put_b, self.put_unseen]
        else:
            acts += [self.take, self.swap_same, self.swap_other]
        if rig.now() is not TerminalState.LOCKED:
            acts += [self.finish, self.confirm, self.grace_passes, self.idle_passes]
        return acts

    def staff(self) -> list[Callable[[], None]]:
        office = self.rig.office
        held = office.held()
        if held is None:
            return [] if office.quarantined else [self.call_and_seat] * 4 + [office.call]  # type: ignore[list-item]
        acts: dict[VisitState, Callable[[], None]] = {
            VisitState.CALLED: office.back_to_queue,
            VisitState.SERVING: office.ask_end,
            VisitState.CONFIRMING: office.close_at_staff_screen,
        }
        state = held[1].visit.state
        return [*([acts[state]] if state in acts else []), *([office.clear] if office.quarantined else [])]

    def faults(self) -> list[Callable[[], object]]:
        rig = self.rig
        acts: list[Callable[[], object]] = [self.cable_cut_or_mended, self.reader_lost_or_back, self.old_lease]
        if rig.now() is not TerminalState.LOCKED:
            acts += [self.answer_lost, self.reader_fails_once, self.journal_fails_next]
            acts += [partial(rig.boxes.failing.__setitem__, *fault) for fault in BOX_FAULTS]
        if rig.boxes.alive:
            acts.append(self.browser_dies)
        return acts

    def crashes(self, data: st.DataObject) -> list[Callable[[], None]]:
        return [self.restarted, lambda: self.killed_in_the_middle(data), lambda: self.killed_in_the_middle(data)]

    # hands

    def call_and_seat(self) -> None:
        self.rig.office.call()
        self.rig.poll()
        self.rig.reader.remove()
        self.rig.agent.settle()
        self.put_a()

    def wait_a_moment(self) -> None:
        self.rig.wait(1)

    def grace_passes(self) -> None:
        self.rig.wait(21)

    def idle_passes(self) -> None:
        self.rig.wait(601)

    def poll(self) -> None:
        self.rig.poll()

    def put_a(self) -> None:
        self.put(CARD_A)

    def put_b(self) -> None:
        self.put(CARD_B)

    def put(self, card: TagCard) -> None:
        if self.rig.reader.card is None:
            self.rig.reader.insert(card)
        self.rig.agent.settle()

    def put_unseen(self) -> None:
        self.rig.reader.insert(CARD_A)

    def take(self) -> None:
        self.rig.reader.remove()
        self.rig.agent.settle()

    def swap_same(self) -> None:
        self.rig.reader.swap(CARD_A)
        self.rig.agent.settle()

    def swap_other(self) -> None:
        self.rig.reader.swap(CARD_B)
        self.rig.agent.settle()

    def finish(self) -> None:
        attempt(self.rig.agent.finish)

    def confirm(self) -> None:
        attempt(self.rig.confirm)

    # faults

    def cable_cut_or_mended(self) -> None:
        self.rig.cable.cut = not self.rig.cable.cut

    def answer_lost(self) -> None:
        self.rig.cable.lose_next_answers = 1

    def reader_lost_or_back(self) -> None:
        if self.lost:
            self.rig.reader.recover()
        else:
            self.rig.reader.lose()
        self.lost = not self.lost
        self.rig.agent.settle()

    def reader_fails_once(self) -> None:
        errors = (ReaderLost, CardInUse, CardRemoved)
        self.rig.reader.fail_next(errors[len(self.rig.office.polls) % 3]("架空"))
        self.rig.agent.settle()

    def journal_fails_next(self) -> None:
        self.rig.break_journal_once()

    def browser_dies(self) -> None:
        self.rig.boxes.alive[0].die("browser")
        self.rig.agent.settle()

    def old_lease(self) -> None:
        """I6: an event of an older lease changes nothing."""
        before = self.rig.agent.record()
        kinds = (EventKind.END, EventKind.CONFIRM, EventKind.BOUND, EventKind.UNASSIGN)
        kind = kinds[len(self.rig.office.polls) % 4]
        body = {**ABSENT, "cause": EndCause.SERVER_SAID.value}
        attempt(lambda: self.rig.agent.ask(Event(kind, Role.SERVER, (before.terminal.lease or 1) - 1, body)))
        assert self.rig.agent.record() == before

    # crashes

    def restarted(self) -> None:
        self.rig.restart()

    def killed_in_the_middle(self, data: st.DataObject) -> None:
        rig = self.rig
        places = ("open", "curtain", "destroy", "sweep")
        acts = (self.take, self.finish, self.poll, self.grace_passes, self.put_a, rig.restart, self.put_b)
        rig.boxes.failing[data.draw(st.sampled_from(places), label="killed at")] = Killed()
        try:
            data.draw(st.sampled_from(acts), label="killed in")()
        except Killed:
            rig.restart()
        finally:
            rig.boxes.failing = {k: v for k, v in rig.boxes.failing.items() if not isinstance(v, Killed)}

    # what must always hold

    @invariant()
    def the_design_holds(self) -> None:
        rig = self.rig
        rig.agent.settle()
        for _ in range(3):  # a journal that failed is tried again at the next ticks
            rig.agent.tick()
        self.i1_what_is_open_is_being_served()
        self.i2_a_box_has_a_visit_and_there_are_never_two()
        self.i2_an_uncovered_box_belongs_to_the_card_that_lies_there()
        self.i4_a_terminal_waits_only_for_the_visit_called_last()
        self.i5_a_closed_visit_has_its_chain()
        assert rig.office.violations == []

    def i1_what_is_open_is_being_served(self) -> None:
        if self.rig.now() in IN_USE:
            ident = self.rig.agent.record().terminal.visit
            assert ident is not None
            assert self.rig.office.state(ident) is VisitState.SERVING

    def i2_a_box_has_a_visit_and_there_are_never_two(self) -> None:
        alive = self.rig.boxes.alive
        assert len(alive) <= 1
        assert bool(alive) == (self.rig.now() in IN_USE) or self.rig.now() is TerminalState.QUARANTINED
        if alive:
            assert alive[0].assignment.visit == self.rig.agent.record().terminal.visit

    def i2_an_uncovered_box_belongs_to_the_card_that_lies_there(self) -> None:
        for box in self.rig.boxes.alive:
            terminal = self.rig.agent.record().terminal
            if box.covered or terminal.state is TerminalState.QUARANTINED:
                continue
            card = self.rig.reader.card
            assert not self.lost
            assert isinstance(card, TagCard)
            assert card.tag == terminal.card_tag

    def i4_a_terminal_waits_only_for_the_visit_called_last(self) -> None:
        terminal = self.rig.agent.record().terminal
        if terminal.state is TerminalState.WAITING_CARD:
            assert self.rig.boxes.alive == []
            assert terminal.lease is not None
            assert terminal.lease > self.rig.agent.record().closed_lease

    def i5_a_closed_visit_has_its_chain(self) -> None:
        for ident, ticket in self.rig.office.tickets.items():
            if ticket.visit.state is VisitState.CLOSED:
                assert ticket.visit.proof
                assert ticket.visit.confirmation
                chain = [kind for kind in self.rig.office.chain(ident) if kind in CHAIN]
                assert "end" in chain[:-1]
                assert chain[-1] == "wipe_proven"

    def everything_can_be_brought_to_an_end(self) -> None:
        rig = self.rig
        rig.cable.cut, rig.cable.lose_next_answers = False, 0
        rig.boxes.failing.clear()
        rig.mend_journal()
        if self.lost:
            rig.reader.recover()
        rig.reader.remove()
        for _ in range(6):
            rig.poll(2)
            rig.wait(21)
            self._staff_help()
        assert rig.now() is TerminalState.LOCKED, (
            f"{rig.agent.record()} {rig.office.held()} {rig.journal.incidents()[-5:]}"
        )
        assert rig.office.held() is None
        assert rig.boxes.alive == []
        assert rig.journal.pending_count() == 0

    def _staff_help(self) -> None:
        rig = self.rig
        if rig.office.quarantined:
            rig.office.clear()
        if rig.now() is TerminalState.CONFIRMING:
            attempt(rig.confirm)
        held = rig.office.held()
        if held is not None and held[1].visit.state is VisitState.CALLED:
            rig.office.back_to_queue()
        elif held is not None and held[1].visit.state is VisitState.CONFIRMING and rig.now() is TerminalState.LOCKED:
            rig.office.close_at_staff_screen()


def attempt(action: Callable[[], None]) -> None:
    try:
        action()
    except (ProtocolError, TerminalError):
        return


TestCounter = Counter.TestCase
TestCounter.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.slow
def test_for_longer() -> None:
    run_state_machine_as_test(Counter, settings=settings(TestCounter.settings, max_examples=250))
