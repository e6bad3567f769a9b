"""The box that waits: it has loaded nothing, nobody sees it, it serves one visit, and a doubtful one serves none."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from madoguchi.terminal.browser import BAR_HEIGHT
from madoguchi.terminal.namespaces import Namespaces, members, ticks
from peers import windows
from terminal.box.conftest import MakeAgent
from terminal.box.site import Site
from terminal.box.support import Agent, left_of, until
from terminal.box.xserver import XServer

pytestmark = pytest.mark.slow

NIGHT, PAGE = "#12263a", "#f4f4f4"
IN_BAR, IN_PAGE = (600, 10), (1000, 700)
LOOKED_AT = [(x, y) for x in range(20, 1280, 180) for y in (10, 28, 60, 300, 500, 795)]


@pytest.fixture
def display() -> Iterator[XServer]:
    with XServer() as server:
        yield server


@pytest.fixture
def seated(make_agent: MakeAgent, display: XServer) -> Agent:
    """An agent on a display, without a box."""
    return make_agent(training=False, display=display.display)


def wait_for_spare(agent: Agent, site: Site, path: str = "/start") -> Any:
    """Make a spare and let it come to where it waits."""
    traces = agent.ask("prepare", **agent.visit(site, path))
    agent.ask("spare_waits")
    return {**traces, "noted": ticks()}


def lives(traces: Any) -> list[int]:
    """What lives of a box, of what lived when it was noted: the kernel gives its numbers to the next ones."""
    return members(Namespaces(*traces["namespaces"]), until=traces["noted"])


def seat(agent: Agent, site: Site, path: str = "/start") -> Any:
    """Open a box."""
    return {**agent.open(site, path), "noted": ticks()}


def test_it_has_loaded_nothing(seated: Agent, site: Site) -> None:
    traces = wait_for_spare(seated, site)
    assert lives(traces)
    targets = seated.ask("spare_command", method="Target.getTargets", params={})["targetInfos"]
    assert {target["url"] for target in targets if target["type"] == "page"} == {"http://start.invalid/"}
    assert site.paths() == []
    if seated.root:
        (home,) = (place / "home" for place in seated.runtime.iterdir())
        kept = [path for path in home.rglob("*") if path.is_file() and site.origin.encode() in path.read_bytes()]
        assert kept == []
        assert [path for path in home.rglob("Cookies") if b"127.0.0.1" in path.read_bytes()] == []


def test_nobody_sees_it_until_its_visit(seated: Agent, site: Site, display: XServer) -> None:
    bare = [display.pixel(*place) for place in LOOKED_AT]
    wait_for_spare(seated, site, "/form")
    assert [display.pixel(*place) for place in LOOKED_AT] == bare
    assert windows.shown(display, (0, 0, 1280, 800)) == []
    seated.open(site, "/form")
    until(lambda: display.pixel(*IN_PAGE) == PAGE)
    until(lambda: display.pixel(*IN_BAR) == NIGHT)
    assert display.pixel(640, BAR_HEIGHT + 8) == PAGE


def test_it_neither_covers_nor_hears_the_visit_that_goes_on(seated: Agent, site: Site, display: XServer) -> None:
    seated.open(site, "/form")
    until(lambda: display.pixel(*IN_PAGE) == PAGE)
    until(lambda: display.pixel(*IN_BAR) == NIGHT)
    before = [display.pixel(*place) for place in LOOKED_AT]
    traces = wait_for_spare(seated, site, "/form")
    assert [display.pixel(*place) for place in LOOKED_AT] == before
    display.click(300, BAR_HEIGHT + 120)
    display.press(38)
    display.press(36)
    until(lambda: "/sent" in site.paths())
    assert next(seen.form["who"] for seen in site.seen if seen.path == "/sent") == "a"
    assert seated.ask("spare")["init"] == traces["init"]
    assert site.paths().count("/form") == 1


def test_each_visit_takes_it_and_the_next_gets_another(seated: Agent, site: Site) -> None:
    inits = []
    for person in "AB":
        site.person = person
        spare = wait_for_spare(seated, site)
        site.seen.clear()
        opened = seat(seated, site)
        assert opened["init"] == spare["init"]
        assert seated.ask("spare") is None
        until(lambda: "/start" in site.paths())
        assert [seen.cookie for seen in site.seen if seen.path == "/start"] == [""]
        seated.ask("destroy")
        assert left_of(seated, opened) == []
        inits.append(opened["init"])
    assert len(set(inits)) == len("AB")


def test_preparing_again_keeps_the_one_that_waits(seated: Agent, site: Site) -> None:
    assert wait_for_spare(seated, site)["init"] == wait_for_spare(seated, site)["init"]


def test_another_procedure_gets_another_and_the_old_one_is_proven_gone(seated: Agent, site: Site) -> None:
    first = wait_for_spare(seated, site, "/first")
    second = wait_for_spare(seated, site, "/second")
    assert lives(first) == []
    assert lives(second)
    third = seat(seated, site, "/third")
    assert lives(second) == []
    until(lambda: "/third" in site.paths())
    assert {"/first", "/second"}.isdisjoint(site.paths())
    seated.ask("destroy")
    assert left_of(seated, third) == []


def test_nobody_wants_it_any_more(seated: Agent, site: Site) -> None:
    traces = wait_for_spare(seated, site)
    seated.ask("dismiss")
    assert seated.ask("spare") is None
    assert left_of(seated, traces) == []


@pytest.mark.parametrize("how", ["killed", "Browser.crash", "Browser.close"])
def test_one_whose_browser_ends_before_its_visit_serves_nobody(seated: Agent, site: Site, how: str) -> None:
    spare = wait_for_spare(seated, site)
    if how == "killed":
        os.kill(_browser(spare), signal.SIGKILL)
    else:
        seated.attempt("spare_command", method=how, params={})
    until(lambda: not lives(spare))
    opened = seat(seated, site)
    assert opened["init"] != spare["init"]
    until(lambda: "/start" in site.paths())
    seated.ask("destroy")
    assert left_of(seated, opened) == []


def test_one_whose_browser_hangs_is_destroyed_and_a_new_one_opens(
    make_agent: MakeAgent, site: Site, display: XServer
) -> None:
    agent = make_agent(training=False, display=display.display, start_limit=5.0)
    spare = wait_for_spare(agent, site)
    os.kill(_browser(spare), signal.SIGSTOP)
    opened = seat(agent, site)
    assert lives(spare) == []
    until(lambda: site.paths().count("/start") == 1)
    assert lives(opened)


def test_it_goes_with_a_killed_agent(seated: Agent, site: Site) -> None:
    opened = seat(seated, site)
    spare = wait_for_spare(seated, site)
    seated.kill()
    until(lambda: not lives(opened) and not lives(spare), 5)
    seated.again().ask("sweep")
    assert left_of(seated, spare) == []


def test_the_sweep_takes_it(seated: Agent, site: Site) -> None:
    opened = seat(seated, site)
    spare = wait_for_spare(seated, site)
    seated.ask("sweep")
    assert lives(opened) == []
    assert left_of(seated, spare) == []
    assert seated.ask("spare") is None
    again = seat(seated, site)
    assert lives(again)


def test_it_outlives_the_end_of_the_visit_untouched(seated: Agent, site: Site) -> None:
    opened = seat(seated, site)
    spare = wait_for_spare(seated, site)
    before = lives(spare)
    seated.ask("destroy")
    assert lives(opened) == []
    assert set(before) <= set(lives(spare))
    assert site.paths().count("/start") == 1
    assert seated.open(site)["init"] == spare["init"]
    until(lambda: site.paths().count("/start") == 2)


def test_an_agent_that_hangs_takes_it_along(seated: Agent, site: Site) -> None:
    spare = wait_for_spare(seated, site)
    seated.ask("hang", hung=True)
    until(lambda: not lives(spare), 6)
    seated.ask("hang", hung=False)
    seated.open(site)
    until(lambda: "/start" in site.paths())


def test_it_waits_without_a_display_too(agent: Agent, site: Site) -> None:
    spare = wait_for_spare(agent, site)
    assert site.paths() == []
    assert agent.open(site)["init"] == spare["init"]
    until(lambda: "/start" in site.paths())


def _browser(traces: Any) -> int:
    """The browser's first process: the one that no other of them has started."""
    found = []
    for base in (Path(f"/proc/{pid}") for pid in lives(traces)):
        if (base / "comm").read_text().strip() == "chromium" and b"--type=" not in (base / "cmdline").read_bytes():
            found.append(int(base.name))
    return min(found)
