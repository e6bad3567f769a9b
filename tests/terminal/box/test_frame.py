"""Bar and curtain of a box on a real display: seen by pixel, pressed by a hand, and doubt when they fail."""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.browser import BAR_HEIGHT
from madoguchi.terminal.namespaces import MARKER, processes
from madoguchi.terminal.sweep import kill_own
from terminal.box.conftest import MakeAgent
from terminal.box.screen import AT_BUTTON, ENTER, F11, IN_BAR, IN_PAGE, NIGHT, PAGE, PRESS, UNDER_BAR, A, picture
from terminal.box.site import Site
from terminal.box.support import SOURCE, Agent, Refused, left_of, nearest_mark, until
from terminal.box.xserver import XServer

pytestmark = pytest.mark.slow


FIELD, MENU, MENU_ITEM, SEND = (
    (300, BAR_HEIGHT + 120),
    (300, BAR_HEIGHT + 230),
    (300, BAR_HEIGHT + 330),
    (200, BAR_HEIGHT + 530),
)
"""Where things are on the display while the site's form is shown."""


@pytest.fixture
def shown(make_agent: MakeAgent, display: XServer, site: Site) -> Iterator[Agent]:
    """An agent whose box shows the site's form on the display."""
    agent = make_agent(training=False, display=display.display)
    agent.open(site, "/form")
    until(lambda: display.pixel(*IN_PAGE) == PAGE)
    until(lambda: display.pixel(*IN_BAR) == NIGHT)
    yield agent
    agent.kill()


def test_the_bar_stands_above_the_page(shown: Agent, display: XServer) -> None:
    picture(display, "bar")
    assert display.pixel(600, BAR_HEIGHT - 2) == NIGHT
    assert display.pixel(1200, 10) in {PRESS, NIGHT}
    assert shown.ask("state")["finished"] == 0


def test_pressing_finish_is_reported(shown: Agent, display: XServer) -> None:
    display.click(*AT_BUTTON)
    until(lambda: shown.ask("state")["finished"] == 1)


def test_the_curtain_covers_everything_at_once_and_goes_again(shown: Agent, display: XServer) -> None:
    shown.ask("curtain", down=True)
    corners = [(2, 2), (1277, 2), (2, 797), (1277, 797), IN_PAGE]
    until(lambda: {display.pixel(*corner) for corner in corners} == {NIGHT}, 1)
    picture(display, "curtain")
    shown.ask("curtain", down=True)
    shown.ask("curtain", down=False)
    until(lambda: display.pixel(*IN_PAGE) == PAGE, 2)


def test_nothing_done_before_the_curtain_reaches_the_page(shown: Agent, display: XServer, site: Site) -> None:
    display.click(*FIELD)
    display.press(A)
    shown.ask("curtain", down=True)
    display.click(*SEND)
    display.click(*AT_BUTTON)
    display.press(A)
    display.press(ENTER)
    shown.ask("curtain", down=False)
    assert "/sent" not in site.paths()
    assert shown.ask("state")["finished"] == 0
    display.press(A)
    display.press(ENTER)
    until(lambda: "/sent" in site.paths())
    assert next(seen.form["who"] for seen in site.seen if seen.path == "/sent") == "aa"


def test_an_open_menu_is_covered_or_counts_as_doubt(shown: Agent, display: XServer) -> None:
    """The browser may hold the keyboard while a menu is open: what cannot be taken away is not said to be taken."""
    display.click(*MENU)
    until(lambda: display.pixel(*MENU_ITEM) != PAGE)
    assert shown.attempt("curtain", down=True) in {"", "CurtainFailed"}
    until(lambda: {display.pixel(*MENU_ITEM), display.pixel(*IN_PAGE)} == {NIGHT}, 1)
    picture(display, "menu")


def test_keys_do_not_bring_anything_over_the_curtain(shown: Agent, display: XServer) -> None:
    display.click(*FIELD)
    shown.ask("curtain", down=True)
    for key in (F11, 57, 28, 43, 37, F11):  # n, t, h, Control by position
        display.press(key)
        assert display.pixel(*IN_PAGE) == NIGHT
    assert [url for url in shown.ask("pages") if "/form" not in url] == []


@pytest.mark.usefixtures("shown")
def test_full_screen_is_not_to_be_had(display: XServer) -> None:
    display.click(*IN_PAGE)
    display.press(F11)
    until(lambda: display.pixel(*IN_BAR) == NIGHT, 3)
    assert display.pixel(*UNDER_BAR) == PAGE
    picture(display, "full-screen")


def test_a_warning_stands_on_the_bar(shown: Agent, display: XServer) -> None:
    def bright() -> int:
        return sum(display.pixel(x, y) != NIGHT for x in range(10, 900, 3) for y in range(10, 46, 4))

    before = bright()
    shown.ask("notice", text="あと 60 秒 操作がないと、手続を終わりにします。 60 seconds left before this visit ends.")
    until(lambda: bright() > before)
    picture(display, "notice")
    shown.ask("notice", text="")
    until(lambda: bright() == before)


def test_idle_time_is_the_displays(shown: Agent, display: XServer) -> None:
    until(lambda: (shown.ask("state")["idle"] or 0) > 1.5, 6)
    display.click(*IN_PAGE)
    until(lambda: shown.ask("state")["idle"] < 1.5, 3)


def test_a_bar_that_dies_is_reported_and_the_curtain_fails(shown: Agent) -> None:
    bar = _bar_of(shown)
    os.kill(bar, signal.SIGKILL)
    until(lambda: shown.ask("state")["deaths"] == ["the bar died"])
    with pytest.raises(Refused) as failed:
        shown.ask("curtain", down=True)
    assert failed.value.code == "CurtainFailed"


def test_a_bar_that_hangs_makes_the_curtain_fail_in_time(shown: Agent) -> None:
    bar = _bar_of(shown)
    os.kill(bar, signal.SIGSTOP)
    with pytest.raises(Refused) as failed:
        shown.ask("curtain", down=True)
    assert failed.value.code == "CurtainFailed"


def test_the_bar_goes_with_the_box(shown: Agent, display: XServer) -> None:
    shown.ask("destroy")
    assert left_of(shown) == []
    until(lambda: display.pixel(*IN_BAR) != NIGHT, 10)
    assert shown.ask("state")["deaths"] == []


def test_the_bar_goes_with_a_killed_agent(shown: Agent, display: XServer) -> None:
    shown.kill()
    until(lambda: display.pixel(*IN_BAR) != NIGHT, 10)
    shown.again()


@pytest.mark.parametrize("bare", [False, True])
def test_a_locked_display_opens_with_the_agents_key_alone(
    make_agent: MakeAgent, site: Site, person: str, bare: bool
) -> None:
    with XServer(cookie=os.urandom(16)) as display:
        if os.geteuid() == 0:
            os.chown(display.key.parent, pwd.getpwnam(person).pw_uid, -1)
            os.chown(display.key, pwd.getpwnam(person).pw_uid, -1)
        stranger = make_agent(training=bare, bare=bare, display=display.display)
        assert stranger.attempt("open", **stranger.visit(site)) == "BoxUnavailable"
        stranger.kill()
        agent = make_agent(training=bare, bare=bare, display=display.display, xauthority=str(display.key))
        agent.open(site, "/form")
        until(lambda: display.pixel(*IN_PAGE) == PAGE)
        until(lambda: display.pixel(*IN_BAR) == NIGHT)
        agent.ask("destroy")
        assert left_of(agent) == []


def _bar_of(agent: Agent) -> int:
    (bar,) = [
        pid
        for pid in processes()
        if b"madoguchi.terminal.frame" in _command_line(pid) and nearest_mark(pid) == agent.config.name
    ]
    return bar


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def start_bar(display: XServer, **more: str) -> "subprocess.Popen[bytes]":
    """A bar on this display, which has said its size; its line is ours."""
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(SOURCE), "DISPLAY": display.display}
    command = [sys.executable, "-m", "madoguchi.terminal.frame", "--hidden"]
    bar = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**environment, **more})
    assert bar.stdout is not None
    assert b"size" in bar.stdout.readline()
    return bar


def test_a_bar_ends_with_its_agent_while_the_display_does_not_answer(display: XServer) -> None:
    bar = start_bar(display)
    with bar, display.frozen():
        assert bar.stdin is not None
        bar.stdin.close()
        assert bar.wait(10) == 1


def test_an_agent_kills_bars_of_an_earlier_one_that_somebody_else_keeps_on_the_line(
    display: XServer, tmp_path: Path
) -> None:
    config = BoxConfig(state=tmp_path, display=display.display)
    with start_bar(display, **{MARKER: config.name}) as bar, start_bar(display, **{MARKER: "another"}) as foreign:
        assert kill_own(config) == 1
        assert bar.wait(5) == -signal.SIGKILL
        assert foreign.poll() is None
        foreign.kill()
