"""Training without a box works, cleans up after itself, and never passes for the real thing."""

from pathlib import Path

import pytest

from madoguchi.terminal.bare import BareBoxes
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.errors import BoxUnavailable
from terminal.box.conftest import MakeAgent
from terminal.box.site import Site
from terminal.box.support import left_of, until


def test_production_cannot_have_it(tmp_path: Path) -> None:
    with pytest.raises(BoxUnavailable, match="training only"):
        BareBoxes(BoxConfig(state=tmp_path, training=False))


def test_it_says_that_it_is_training(tmp_path: Path) -> None:
    assert BareBoxes(BoxConfig(state=tmp_path, training=True)).training is True


@pytest.mark.slow
def test_a_visit_can_be_walked_through(make_agent: MakeAgent, site: Site) -> None:
    agent = make_agent(bare=True)
    agent.open(site, "/form")
    until(lambda: agent.ask("frame"))
    agent.ask("act", name="click", values=[300, 120])
    agent.ask("act", name="text", values=["市民A"])
    until(lambda: agent.ask("inside", script="document.forms[0].who.value") == "市民A")
    agent.ask("curtain", down=True)
    assert agent.ask("frame") is None
    assert agent.ask("logout", url=site.origin + "/logout") == "visited"
    proof = agent.ask("destroy")
    assert (proof["training"], proof["space"], proof["logout"]) == (True, "none", "visited")
    assert (proof["processes_gone_at"], proof["namespaces_empty_at"], proof["space_gone_at"]) == (None, None, None)
    assert left_of(agent) == []
    assert agent.ask("state")["deaths"] == []


@pytest.mark.slow
def test_a_killed_agent_leaves_nothing_after_the_sweep(make_agent: MakeAgent, site: Site) -> None:
    agent = make_agent(bare=True)
    agent.open(site)
    agent.kill()
    proof = agent.again().ask("sweep")
    assert proof["training"] is True
    assert left_of(agent) == []


@pytest.mark.slow
def test_a_browser_that_dies_is_reported(make_agent: MakeAgent, site: Site) -> None:
    agent = make_agent(bare=True)
    agent.open(site)
    agent.tell("command", method="Browser.close", params={})
    assert agent.process.stdout is not None
    agent.process.stdout.readline()
    until(lambda: agent.ask("state")["deaths"] == ["the browser died"])
    agent.ask("destroy")
    assert left_of(agent) == []
