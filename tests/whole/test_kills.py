"""The agent killed with SIGKILL at every step of a visit: issue 2, "What must be shown" 3.

After every kill: nobody can be called to the terminal while its visit is not closed, the records are whole, the box is
gone. After the restart: nothing is left, the visit comes to its end, the next one runs. At the end no message is lost.
"""

import random
from contextlib import suppress
from itertools import count

import pytest

from whole.agents import AgentDied
from whole.cards import CARDS
from whole.helpers import until
from whole.office import FINAL
from whole.stack import CALLABLE_LATER, Counter, after
from whole.tally import Tally

pytestmark = pytest.mark.slow

CHUNKS = 4
VIEWS = ("waiting_card", "open", "curtained", "confirming")
LEAST = {"every place": 20, "recovering": 20, "moments": 30, "chromium": 15}
"""Kills that each test of a kind makes at least; it fails with fewer."""
TESTS = {"every place": CHUNKS, "recovering": len(VIEWS), "moments": 1, "chromium": 1}
FIRST_OF_A_BOX, STRIDE = 33, 5
"""With the real browser: only from about the place where its box begins, and every so many."""


def test_the_plan_is_for_two_hundred_kills_at_least() -> None:
    assert sum(LEAST[kind] * TESTS[kind] for kind in LEAST) >= 200


class Attack:
    """One terminal under attack, with the next person waiting all the time."""

    def __init__(self, seat: Counter, tally: Tally) -> None:
        self.seat, self.tally = seat, tally
        self.next = seat.office.issue()

    def killed(self, place: str) -> None:
        """Look at everything at once after a kill."""
        self.tally.killed(place)
        refusal = self.seat.try_call(self.next)
        held = self.seat.held()
        self.tally.refusals[refusal or "called: the terminal was free"] += 1
        if not refusal:
            assert held == self.next
            self.next = self.seat.office.issue()
        assert refusal in CALLABLE_LATER | {""}
        assert held is None or refusal in {"", "TerminalBusy"}, f"{held} holds the terminal, refused as {refusal}"
        assert self.seat.office.faults(self.seat.terminal) == []
        self.tally.seconds.append(self.seat.remains.await_programs_gone())

    def restart(self, at: int | None = None) -> None:
        """Start the next agent: before it shows anything, nothing is left. Raises `AgentDied`."""
        self.seat.start(at)
        self.seat.await_swept()
        assert self.seat.remains.everything() == []

    def finish(self, visit: str) -> None:
        """Bring the visit that holds the terminal to its end, then this one. Raises `AgentDied`."""
        while held := self.seat.held():
            self.seat.walk(held)
        if self.seat.office.state(visit) not in FINAL:
            self.seat.walk(visit)
        assert self.seat.office.state(visit) == "closed"
        assert self.seat.office.faults(self.seat.terminal) == []
        assert self.seat.remains.everything() == []

    def one_kill(self, at: int) -> bool:
        """A visit whose agent dies at a place, and its end under the next agent; False: it ran through."""
        visit = self.seat.office.issue()
        place = self._until_death(visit, at)
        if place:
            assert self.seat.running.passed == at, f"died by itself at {place}\n{self.seat.running.log()}"
            self.killed(place)
            self.restart()
            self.finish(visit)
        return bool(place)

    def _until_death(self, visit: str, at: int) -> str:
        try:
            self.restart(at)
            self.finish(visit)
            self.seat.await_quiet()
        except AgentDied as died:
            return died.place
        return ""

    def end(self) -> None:
        """After everything: a whole visit runs, and no message was lost or doubled."""
        self.restart()
        self.finish(self.seat.office.issue())
        self.seat.nothing_lost()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_killed_at_every_place_of_a_visit(seat: Counter, tally: Tally, chunk: int) -> None:
    attack = Attack(seat, tally)
    for at in count(1 + chunk, CHUNKS):
        if not attack.one_kill(at):
            break
    attack.end()
    assert tally.kills >= LEAST["every place"]


@pytest.mark.parametrize("view", VIEWS)
def test_killed_again_and_again_while_it_recovers(seat: Counter, tally: Tally, view: str) -> None:
    attack = Attack(seat, tally)
    visit = seat.office.issue()
    seat.start()
    seat.walk_until(visit, view)
    seat.running.kill()
    attack.killed(f"while {view}")
    for at in count(1):
        try:
            attack.restart(at)
            attack.finish(visit)
            break
        except AgentDied as died:
            attack.killed(f"recovering, {died.place}")
    attack.end()
    assert seat.office.ask("visit", visit=visit)["cause"] == ("finish" if view == "confirming" else "agent_restarted")
    assert tally.kills >= LEAST["recovering"]


def test_killed_at_any_moment(seat: Counter, tally: Tally) -> None:
    attack = Attack(seat, tally)
    chance = random.Random(20220830)  # noqa: S311 # moments, not secrets
    for _ in range(LEAST["moments"]):
        visit = seat.office.issue()
        attack.restart()
        with after(chance.uniform(0.0, 1.0), seat.running.kill), suppress(AgentDied):
            attack.finish(visit)
            seat.await_quiet()
        attack.killed("any moment")
        attack.restart()
        attack.finish(visit)
    attack.end()


def test_killed_with_the_real_browser_in_its_box(chromium_seat: Counter, tally: Tally) -> None:
    attack = Attack(chromium_seat, tally)
    for at in count(FIRST_OF_A_BOX, STRIDE):
        if not attack.one_kill(at):
            break
    attack.end()
    assert tally.kills >= LEAST["chromium"]


@pytest.mark.parametrize("view", VIEWS)
def test_the_server_killed_in_the_middle_of_a_visit(seat: Counter, view: str) -> None:
    """The terminal ends by itself what it has begun; it opens nothing without the server (I7)."""
    office = seat.office
    visit = office.issue()
    seat.start()
    seat.walk_until(visit, view)
    office.kill()
    if view == "waiting_card":
        seat.shelf.insert(CARDS[0])
        until(seat.notices, "the desk says that the server is away")
        assert seat.view() == "waiting_card"
        assert seat.remains.everything() == []
    else:
        seat.walk_until(visit, "locked")
        assert seat.remains.everything() == []
        assert office.state(visit) not in FINAL
    assert seat.try_call(office.issue()) == "TerminalBusy"
    office.start()
    seat.walk(visit)
    seat.walk(office.issue())
    seat.nothing_lost()


def test_the_server_replaced_at_any_moment(seat: Counter) -> None:
    chance = random.Random(20220831)  # noqa: S311 # moments, not secrets
    seat.start()
    for _ in range(6):
        visit = seat.office.issue()
        with after(chance.uniform(0.0, 1.2), seat.office.replace):
            seat.walk(visit)
        assert seat.office.state(visit) == "closed"
        assert seat.office.faults(seat.terminal) == []
    seat.nothing_lost()


def test_server_and_agent_killed_together(seat: Counter, tally: Tally) -> None:
    attack = Attack(seat, tally)
    for view in VIEWS:
        visit = seat.office.issue()
        seat.start()
        seat.walk_until(visit, view)
        seat.office.kill()
        seat.running.kill()
        attack.killed(f"with the server, while {view}")
        attack.restart()
        seat.office.start()
        attack.finish(visit)
    attack.end()
