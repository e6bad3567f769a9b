"""Training without a display: the page is seen and used through the relay, and only there."""

import os
import tempfile
from pathlib import Path

import pytest

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.cdp import Cdp
from madoguchi.terminal.xscreen import KEYS, RelayRefused, XScreen
from terminal.box.conftest import MakeAgent
from terminal.box.site import Site
from terminal.box.support import Agent, Refused, until

FIELD, MENU, SECOND, BUTTON = (300, 120), (300, 230), (300, 360), (200, 530)
"""Where things are on the site's form page."""


@pytest.fixture
def form(agent: Agent, site: Site) -> Agent:
    agent.open(site, "/form")
    until(lambda: agent.ask("inside", script="document.readyState") == "complete")
    until(lambda: agent.ask("frame"))
    return agent


def act(agent: Agent, name: str, *values: object) -> None:
    agent.ask("act", name=name, values=list(values))


def value(agent: Agent, name: str) -> str:
    found: str = agent.ask("inside", script=f"document.forms[0].{name}.value")
    return found


@pytest.mark.slow
def test_a_form_is_filled_in_japanese_and_sent(form: Agent, site: Site) -> None:
    act(form, "click", *FIELD)
    act(form, "text", "市民A 髙橋𠮷子")
    until(lambda: value(form, "who") == "市民A 髙橋𠮷子")
    act(form, "click", *BUTTON)
    until(lambda: "/sent" in site.paths())
    assert next(seen.form for seen in site.seen if seen.path == "/sent") == {"who": "市民A 髙橋𠮷子", "bank": "none"}


@pytest.mark.slow
def test_a_form_works_with_keys_alone(form: Agent, site: Site) -> None:
    act(form, "key", "Tab")
    act(form, "text", "架空X")
    act(form, "key", "Backspace")
    until(lambda: value(form, "who") == "架空")
    act(form, "key", "Tab")
    act(form, "key", "Shift+Tab")
    act(form, "key", "Enter")
    until(lambda: "/sent" in site.paths())


@pytest.mark.slow
def test_a_menu_opens_inside_the_picture_and_takes_a_click(form: Agent) -> None:
    before = form.ask("frame")
    act(form, "click", *MENU)
    until(lambda: form.ask("inside", script="document.querySelector('select').matches(':open')"))
    until(lambda: form.ask("frame") != before)
    act(form, "click", *SECOND)
    until(lambda: value(form, "bank") != "none")


@pytest.mark.slow
def test_the_wheel_turns_the_page(form: Agent) -> None:
    form.ask("inside", script="document.body.style.height = '5000px'")
    act(form, "scroll", 600, 400, 3)
    until(lambda: form.ask("inside", script="scrollY") > 100)
    act(form, "scroll", 600, 400, -3)
    until(lambda: form.ask("inside", script="scrollY") == 0)


@pytest.mark.slow
def test_behind_the_curtain_there_is_no_picture_and_nothing_arrives(form: Agent) -> None:
    act(form, "click", *FIELD)
    form.ask("curtain", down=True)
    assert form.ask("frame") is None
    act(form, "text", "secret")
    act(form, "key", "Enter")
    act(form, "click", *BUTTON)
    form.ask("curtain", down=False)
    act(form, "text", "after")
    until(lambda: value(form, "who") == "after")
    assert form.ask("frame") > 1000


@pytest.mark.slow
def test_the_window_opened_last_is_in_front_until_it_closes(form: Agent, site: Site) -> None:
    opening = f"() => open('{site.origin}/second', '_blank', 'popup')"
    form.ask("inside", script=f"document.querySelector('button').onclick = {opening}; 0")
    form.ask("inside", script="document.forms[0].onsubmit = () => false; 0")
    act(form, "click", *BUTTON)
    until(lambda: form.ask("inside", script="location.pathname") == "/second")
    assert form.ask("frame") > 1000
    form.ask("inside", script="setTimeout(close, 10); 0")
    until(lambda: form.ask("pages") == [site.origin + "/form"])  # a page that closes answers no question
    assert form.ask("inside", script="location.pathname") == "/form"


@pytest.mark.slow
@pytest.mark.parametrize(("script", "answer"), [("alert('a')", None), ("confirm('a')", False), ("prompt('a')", None)])
def test_the_pages_own_windows_do_not_stop_the_relay(form: Agent, script: str, answer: object) -> None:
    assert form.ask("inside", script=script) == answer
    assert form.ask("frame") > 1000


@pytest.mark.slow
def test_idle_time_counts_from_the_last_action(form: Agent) -> None:
    act(form, "key", "Tab")
    first = form.ask("state")["idle"]
    until(lambda: form.ask("state")["idle"] > first + 0.2)
    act(form, "key", "Tab")
    assert form.ask("state")["idle"] < 0.2


@pytest.mark.slow
def test_an_unknown_key_is_refused_by_name(form: Agent) -> None:
    with pytest.raises(Refused) as refused:
        act(form, "key", "F12")
    assert refused.value.code == "UnknownKey"
    with pytest.raises(Refused):
        act(form, "key", "Ctrl+Tab")


@pytest.mark.slow
def test_no_picture_is_kept_on_disk(form: Agent) -> None:
    place = Path(tempfile.gettempdir())
    before = set(os.listdir(place))
    assert form.ask("frame") > 1000
    assert {name for name in set(os.listdir(place)) - before if name.endswith((".jpg", ".jpeg"))} == set()


@pytest.mark.slow
def test_a_real_display_has_no_relay_and_production_has_no_virtual_screen(make_agent: MakeAgent, site: Site) -> None:
    agent = make_agent(training=False)
    with pytest.raises(Refused) as refused:
        agent.open(site)
    assert refused.value.code == "BoxUnavailable"
    assert "DISPLAY" in refused.value.text


def test_the_relay_refuses_to_be_made_outside_training(tmp_path: Path) -> None:
    (to_read, to_browser), (from_browser, to_write) = os.pipe(), os.pipe()
    cdp = Cdp(to_browser=to_browser, from_browser=from_browser, on_event=lambda _: None, on_close=lambda: None)
    with pytest.raises(RelayRefused) as refused:
        XScreen(cdp, BoxConfig(state=tmp_path, training=False))
    assert "練習" in refused.value.sentence
    cdp.close()
    os.close(to_read)
    os.close(to_write)


def test_the_named_keys_are_those_a_form_needs() -> None:
    assert {"Enter", "Tab", "Backspace", "Delete", "Escape", "ArrowDown", "Home", "PageDown", " "} <= KEYS.keys()
