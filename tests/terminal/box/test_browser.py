"""A visit's browser goes where the procedure allows, and leaves through the log-out address."""

import socket
from collections.abc import Iterator

import pytest

from madoguchi.protocol import Procedure
from madoguchi.terminal.check_policies import ROWS
from madoguchi.terminal.policies import policies_for
from terminal.box.conftest import MakeAgent
from terminal.box.site import Site
from terminal.box.support import Agent, Refused, left_of, until
from terminal.box.xserver import XServer

pytestmark = pytest.mark.slow


@pytest.fixture
def elsewhere() -> Iterator[Site]:
    """Another site that no procedure names."""
    with Site() as running:
        yield running


@pytest.fixture
def production(make_agent: MakeAgent) -> Iterator[Agent]:
    """An agent with a real display, where developer tools are off for everyone."""
    with XServer() as server:
        agent = make_agent(training=False, display=server.display)
        yield agent
        agent.kill()


OWN_PAGES = (
    "chrome://version/",
    "chrome://settings/",
    "file:///etc/passwd",
    "view-source:{start}",
    "devtools://devtools/bundled/inspector.html",
    "data:text/html,x",
)


def test_the_browsers_own_pages_are_closed(agent: Agent, site: Site) -> None:
    agent.open(site)
    assert set(_navigations(agent, site)) == {"net::ERR_BLOCKED_BY_ADMINISTRATOR"}


def test_without_policies_they_are_open(make_agent: MakeAgent, site: Site) -> None:
    """Nothing else closes them, so the test above shows what it says."""
    agent = make_agent(bare=True)
    agent.open(site)
    assert set(_navigations(agent, site)) == {""}


def _navigations(agent: Agent, site: Site) -> list[str]:
    until(lambda: agent.ask("inside", script="document.title") == "架空 /start")
    return [_navigation(agent, url.format(start=site.origin + "/start")) for url in OWN_PAGES]


def _navigation(agent: Agent, url: str) -> str:
    """Go there and wait until the page is done, error page or not; what the browser said."""
    before = agent.ask("inside", script="window.left = location.href")
    answer: str = agent.ask("navigate", url=url)
    until(lambda: agent.ask("inside", script="!window.left && document.readyState == 'complete'"))
    assert answer or before != agent.ask("inside", script="location.href") or url.startswith("view-source:")
    return answer


def test_the_browser_takes_every_policy(agent: Agent, site: Site) -> None:
    agent.open(site, allowed=("chrome://policy",))
    assert _navigation(agent, "chrome://policy/") == ""
    shown = until(lambda: (found := agent.ask("inside", script=ROWS)) and "URLBlocklist" in found and found)
    procedure = Procedure("p", "架空", site.origin, site.origin, ())
    wanted = policies_for(procedure, card_client=None, inspectable=True)
    assert set(wanted) <= set(shown)
    places = [place for place, text in enumerate(shown) if text == "Mandatory" and shown[place - 1] == "Machine"]
    states = {shown[place - 4]: shown[place + 1] for place in places if shown[place - 2] == "Platform"}
    assert {name for name in wanted if states.get(name) not in {"OK", "Deprecated"}} == set()


def test_another_site_is_blocked_and_never_hears_of_it(agent: Agent, site: Site, elsewhere: Site) -> None:
    agent.open(site)
    until(lambda: agent.ask("inside", script="document.title") == "架空 /start")
    assert "BLOCKED_BY_ADMINISTRATOR" in agent.ask("navigate", url=elsewhere.origin + "/start")
    assert agent.ask("navigate", url=site.origin + "/form") == ""
    script = f"fetch('{elsewhere.origin}/stolen', {{mode: 'no-cors'}}).then(() => 'went', () => 'stopped')"
    assert agent.ask("inside", script=script) == "stopped"
    assert agent.ask("inside", script="fetch('/own').then(() => 'went', () => 'stopped')") == "went"
    assert elsewhere.seen == []


def test_the_card_client_is_reachable_beside_the_site(make_agent: MakeAgent, site: Site, elsewhere: Site) -> None:
    agent = make_agent(card_client=elsewhere.origin)
    agent.open(site)
    assert agent.ask("navigate", url=elsewhere.origin + "/card") == ""
    assert "/card" in elsewhere.paths()


def test_a_start_address_that_does_not_answer_still_gives_a_box(agent: Agent, site: Site) -> None:
    agent.ask("open", start="http://127.0.0.1:9/", logout=site.origin + "/logout", allowed=[site.origin])
    assert agent.ask("logout", url=site.origin + "/logout") == "visited"


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("/logout", "visited"),
        ("/untitled", "visited"),
        ("/moved", "visited"),
        ("/slow", "unreachable"),
    ],
)
def test_the_log_out_is_visited_with_the_visits_own_session(
    production: Agent, site: Site, path: str, result: str
) -> None:
    production.open(site)
    until(lambda: "/start" in site.paths())
    assert production.ask("logout", url=site.origin + path) == result
    assert next(seen.cookie for seen in site.seen if seen.path == path) == "person=someone"
    assert production.ask("destroy")["logout"] == result


def test_a_log_out_nobody_answers_is_unreachable(production: Agent, site: Site) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
        production.open(site, allowed=(closed,))
        assert production.ask("logout", url=closed + "/logout") == "unreachable"


@pytest.mark.parametrize(("url", "result"), [("", "not_tried"), ("file:///etc/passwd", "not_tried")])
def test_a_log_out_that_is_no_address_is_not_tried(production: Agent, site: Site, url: str, result: str) -> None:
    production.open(site)
    assert production.ask("logout", url=url) == result


def test_a_log_out_at_a_forbidden_site_is_unreachable(production: Agent, site: Site, elsewhere: Site) -> None:
    production.open(site)
    assert production.ask("logout", url=elsewhere.origin + "/logout") == "unreachable"
    assert elsewhere.seen == []


def test_a_log_out_of_a_dead_browser_is_unreachable(production: Agent, site: Site) -> None:
    production.open(site)
    with pytest.raises(Refused):
        production.ask("command", method="Browser.crash", params={})
    assert production.ask("logout", url=site.origin + "/logout") == "unreachable"


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_policies_hold_whatever_the_agents_umask(
    make_agent: MakeAgent, site: Site, elsewhere: Site, umask: int
) -> None:
    agent = make_agent(umask=umask)
    agent.open(site)
    assert "BLOCKED_BY_ADMINISTRATOR" in _navigation(agent, elsewhere.origin + "/start")


def test_a_browser_without_policies_gives_no_box(production: Agent, site: Site) -> None:
    production.ask("without_policies")
    with pytest.raises(Refused, match="PoliciesNotInForce") as refused:
        production.open(site)
    assert refused.value.code == "BoxUnavailable"
    assert left_of(production) == []


def test_nobody_looks_into_pages_in_production(production: Agent, site: Site) -> None:
    production.open(site)
    found = production.ask("command", method="Target.getTargets", params={})["targetInfos"]
    page = next(target["targetId"] for target in found if target["type"] == "page")
    with pytest.raises(Refused, match="Not allowed"):
        production.ask("command", method="Target.attachToTarget", params={"targetId": page, "flatten": True})
