"""Whatever a terminal is made of, killed at random moments: agent, browser, keeper, card service, server.

`MADOGUCHI_KILLS` says how often (the suite makes a few dozen; the figures in the docs are from 500).
"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from madoguchi.terminal.namespaces import MARKER, environ_of, processes
from whole.helpers import Refused, until
from whole.kiosk import Kiosk, kiosk
from whole.office import FINAL
from whole.stack import CALLABLE_LATER
from whole.tally import Tally

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("MADOGUCHI_KILLS", "25"))
CITIZEN = "市民E"
LONGEST_VISIT = 60.0
CAUSES = {"finish", "card_gone", "agent_restarted", "browser_died", "reader_lost", "doubt", "idle"}


@pytest.fixture
def seat() -> Iterator[Kiosk]:
    """A terminal that is locked."""
    with kiosk() as made:
        made.start()
        yield made


class Storm:
    """One terminal, people one after the other, and something that dies in every visit."""

    def __init__(self, seat: Kiosk, tally: Tally, chance: random.Random) -> None:
        self.seat, self.tally, self.chance = seat, tally, chance
        self.next = seat.office.issue()
        self._later: list[tuple[float, Callable[[], object]]] = []
        self._away = False
        self._put_at = 0.0
        seat.desk.fine = {*seat.desk.fine, 503}  # the agent waits for its keeper: "press again"

    def one(self) -> None:
        """One visit with one death in it, to its end."""
        visit, self._away = self.next, False
        self.next = self.seat.office.issue()
        begun, moment = time.monotonic(), self.chance.uniform(0.0, 3.0)
        target = self.chance.choice(TARGETS)
        while not self._step(visit) or target is not None:
            now = time.monotonic()
            assert now - begun < LONGEST_VISIT, f"{visit} does not end: {self.seat.picture()}"
            if target is not None and now - begun > moment and target(self):
                self.tally.killed(f"{target.__name__[1:]}, {self.seat.view() or 'agent gone'}")
                self._refused_at_once(visit)
                target = None
            self._due(now)
            time.sleep(0.02)
        self._due(float("inf"))
        self._whole(visit)

    def _whole(self, visit: str) -> None:
        """The visit has its chain, its proof and its reason."""
        found = self.seat.office.ask("visit", visit=visit)
        if found["state"] == "closed":
            self.tally.causes[found["cause"]] += 1
            assert found["cause"] in CAUSES
        assert self.seat.office.faults(self.seat.terminal) == []

    def _refused_at_once(self, visit: str) -> None:
        """Nobody is called while the visit is not closed."""
        with suppress(httpx.TransportError):
            if self.seat.office.state(visit) in {*FINAL, "waiting"}:
                return
            refusal = self._call(self.next)
            self.tally.refusals[refusal or "called: the visit was closed meanwhile"] += 1
            assert refusal in CALLABLE_LATER or self.seat.office.state(visit) in FINAL

    def _call(self, visit: str) -> str:
        """Call a visit; the refusal's name, empty when it was called."""
        try:
            self.seat.office.ask("call", visit=visit, terminal=self.seat.terminal)
        except Refused as refused:
            return refused.code
        return ""

    # what people do

    def _step(self, visit: str) -> bool:
        """Do what the screens ask for; whether the visit is over and the terminal free."""
        view = self.seat.view()
        assert view != "quarantined", self.seat.picture()
        with suppress(httpx.TransportError, Refused):
            return bool(getattr(self, f"_at_{view}", lambda _: False)(visit))
        return False

    def _at_locked(self, visit: str) -> bool:
        state = self.seat.office.state(visit)
        if state == "waiting":
            self.seat.office.ask("call", visit=visit, terminal=self.seat.terminal)
        if state in FINAL:
            self.seat.remove()
            return not self.seat.desk.status()["card_present"]
        return False

    def _at_waiting_card(self, _visit: str) -> None:
        lying = str(self.seat.desk.status()["key"]).split(".")[3] == "True"
        if lying or (self.seat.town.ask("lying") and time.monotonic() - self._put_at > 4):
            self.seat.remove()
        elif not self.seat.town.ask("lying"):
            self._put()

    def _at_open(self, _visit: str) -> None:
        if not self._away:
            self._away = True
            self.seat.remove()
        elif self.seat.town.ask("lying"):
            self.seat.desk.finish()

    def _at_curtained(self, _visit: str) -> None:
        self._put()

    def _at_confirming(self, _visit: str) -> None:
        self.seat.desk.sign()

    def _put(self) -> None:
        self._put_at = time.monotonic()
        self.seat.insert(CITIZEN)

    # what dies; each says whether there was anything to kill

    def _agent(self) -> bool:
        self.seat.agent.kill()
        self._soon(self.seat.agent.start)
        return True

    def _keeper(self) -> bool:
        self.seat.keeper.kill()
        self._soon(self.seat.keeper.start)
        return True

    def _browser(self) -> bool:
        found = [pid for pid in self._ours() if b"--remote-debugging-pipe" in _command(pid)]
        for pid in found[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(found)

    def _pcscd(self) -> bool:
        self.seat.town.ask("pcscd", act="kill")
        self._soon(lambda: self.seat.town.ask("pcscd", act="start"))
        return True

    def _server(self) -> bool:
        self.seat.office.kill()
        self._soon(self.seat.office.start)
        return True

    def _soon(self, act: Callable[[], object]) -> None:
        """Bring back what was killed, as a service manager does: at once or after a moment."""
        self._later.append((time.monotonic() + self.chance.choice((0.0, 0.3, 1.5)), act))

    def _due(self, now: float) -> None:
        due = [act for at, act in self._later if at <= now]
        self._later = [(at, act) for at, act in self._later if at > now]
        for act in due:
            act()

    def _ours(self) -> list[int]:
        name = self.seat.box.name
        return [pid for pid in processes() if environ_of(pid).get(MARKER) == name]


TARGETS: list[Callable[[Storm], bool] | None] = [
    Storm._agent,
    Storm._keeper,
    Storm._browser,
    Storm._pcscd,
    Storm._server,
]


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def test_killed_at_random(seat: Kiosk, tally: Tally) -> None:
    seed = int(os.environ.get("MADOGUCHI_SEED", "20220830"))
    storm = Storm(seat, tally, random.Random(seed))  # noqa: S311 # moments, not secrets
    for _ in range(KILLS):
        storm.one()
    seat.agent.stop()
    seat.keeper.stop()
    until(lambda: not seat.remains().everything(), lambda: f"nothing is left: {seat.remains().everything()}", 3)
    assert tally.kills == KILLS
