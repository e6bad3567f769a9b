"""Whoever dies, and whenever: no box stays, nothing stays mounted unseen, nothing counts as gone that is not proven."""

import random
import time
from pathlib import Path

import pytest

from madoguchi.terminal.space import stale_mounts
from terminal.box.site import Site
from terminal.box.support import left_of, until
from terminal.keeper.conftest import MakeAgent
from terminal.keeper.support import KeeperProcess, KeptAgent, boxed, holding

pytestmark = pytest.mark.slow


def test_a_killed_agents_box_is_gone_at_once(make_agent: MakeAgent) -> None:
    agent = make_agent()
    took = []
    for _ in range(5):
        agent.ask("hold_start")
        assert stale_mounts(agent.runtime)
        begun = time.monotonic()
        agent.kill()
        until(lambda: not stale_mounts(agent.runtime), 5)
        took.append(time.monotonic() - begun)
        until(lambda: left_of(agent) == [], 1)
        agent.again()
    assert sorted(took)[2] < 0.3
    assert agent.ask("sweep")["leftovers"] >= 1


def test_a_killed_agents_open_visit_is_gone_and_told(agent: KeptAgent, site: Site) -> None:
    agent.open(site)
    until(lambda: "/start" in site.paths())
    agent.kill()
    until(lambda: left_of(agent) == [], 5)
    proof = agent.again().ask("sweep")
    assert (proof["leftovers"] >= 1, proof["space"]) == (True, "unmounted")
    assert agent.ask("sweep")["space"] == "none"


def test_a_hung_agent_does_not_keep_a_box(agent: KeptAgent, site: Site, state: Path) -> None:
    agent.open(site)
    agent.ask("hang", hung=True)
    until(lambda: not boxed(state), 6)
    until(lambda: agent.ask("state")["deaths"] == ["the browser died"])
    assert agent.ask("destroy")["space"] == "unmounted"


def test_a_killed_keeper_takes_the_open_visit_along(
    keeper: KeeperProcess, make_agent: MakeAgent, site: Site, state: Path
) -> None:
    agent = make_agent(back=1)
    agent.open(site)
    keeper.kill()
    until(lambda: not boxed(state), 2)
    until(lambda: agent.ask("state")["deaths"] == ["the browser died"])
    assert stale_mounts(agent.runtime)  # the record that outlives the keeper
    assert agent.attempt("destroy") == "WipeUnproven"
    (line,) = agent.ask("lacking")
    assert "systemctl status madoguchi-keeper" in line
    keeper.again()
    proof = agent.ask("destroy")
    assert (proof["space"], proof["logout"]) == ("unmounted", "not_tried")
    assert left_of(agent) == []
    agent.open(site)
    assert agent.ask("destroy")["space"] == "unmounted"


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.06, 0.12])
def test_a_keeper_killed_while_it_starts_a_box(
    keeper: KeeperProcess, make_agent: MakeAgent, state: Path, after: float
) -> None:
    agent = make_agent(back=1)
    agent.ask("sweep")
    agent.tell("hold_start")
    time.sleep(after)
    keeper.kill()
    answer = agent.answer()
    assert "result" in answer or answer["error"] in {"BoxUnavailable", "WipeUnproven"}
    assert agent.attempt("hold_start") == "BoxUnavailable"
    keeper.again()
    assert agent.ask("sweep")["space_gone_at"]
    assert left_of(agent) == []
    assert not boxed(state)


@pytest.mark.parametrize("back", [True, False])
def test_a_keeper_killed_while_it_proves(keeper: KeeperProcess, make_agent: MakeAgent, state: Path, back: bool) -> None:
    agent = make_agent(back=10 if back else 1)
    agent.ask("hold_start")
    with holding(agent):
        agent.tell("hold_prove")
        until(lambda: not boxed(state))
        keeper.kill()
    if not back:
        assert agent.answer()["error"] == "WipeUnproven"
        assert stale_mounts(agent.runtime)
    keeper.again()
    proof = agent.answer()["result"] if back else agent.ask("hold_prove")
    assert proof["space"] == "unmounted"
    assert left_of(agent) == []


def test_a_keeper_that_hangs_is_doubt(keeper: KeeperProcess, make_agent: MakeAgent) -> None:
    agent = make_agent(back=1)
    agent.ask("hold_start")
    agent.ask("limits", seconds=0.5)
    with keeper.hung():
        assert agent.attempt("hold_prove") == "WipeUnproven"
    agent.ask("limits", seconds=20)
    assert agent.ask("hold_prove")["space_gone_at"]
    assert left_of(agent) == []


def test_a_stopped_keeper_leaves_nothing(keeper: KeeperProcess, make_agent: MakeAgent) -> None:
    agent = make_agent()
    agent.ask("hold_start")
    assert keeper.stop() == 0
    assert left_of(agent) == []
    assert not keeper.place.exists()


def test_kills_at_random_moments(keeper: KeeperProcess, make_agent: MakeAgent, state: Path) -> None:
    chance = random.Random()  # noqa: S311 # moments, not secrets
    agent = make_agent(back=15)
    for _ in range(12):
        victim = chance.choice((agent, keeper))
        agent.ask("hold_start")
        agent.tell(chance.choice(("hold_start", "hold_settle", "hold_prove", "sweep", "lacking")))
        time.sleep(chance.random() * 0.15)
        victim.kill()
        if victim is keeper:
            keeper.again()
            agent.kill()
        agent.again()
        assert agent.ask("sweep")["space_gone_at"]
        assert not boxed(state)
        assert left_of(agent) == []
