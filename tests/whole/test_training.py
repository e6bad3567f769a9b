"""`madoguchi training`, the command behind `script/server`: one start, a whole visit by pages only, one Ctrl-C.

With MADOGUCHI_PICTURES=FOLDER the walk leaves pictures there (docs/pictures).
"""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Request, expect

from madoguchi.training.ports import Ports
from whole.helpers import Helper, until
from whole.newcomer import Newcomer, chromium, newcomer
from whole.office import short_folder
from whole.training import Training, free_ports

pytestmark = pytest.mark.slow

Start = Callable[..., Training]

PAYMENT = "payment_service"
SECOND_START = 20.0
"""Seconds; on an idle machine it takes about five."""


@pytest.fixture(scope="module")
def start(zygote: Helper) -> Iterator[Start]:
    """Start the training counter on a state folder that has been started before; it serves one at a time."""
    with short_folder() as folder:
        begin = partial(Training, folder / "state", apart=zygote.process.pid)
        with begin(free_ports(), "--prepare-only") as first:
            assert first.await_end(120) == 0, first.said
        yield begin


@pytest.fixture
def training(start: Start) -> Iterator[Training]:
    """A training counter that runs."""
    with start(free_ports()) as made:
        made.await_ready()
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def person(browser: Browser, training: Training) -> Iterator[Newcomer]:
    """A newcomer who is logged in at the office."""
    folder = os.environ.get("MADOGUCHI_PICTURES")
    username, password, *_ = next(login for login in training.logins if login[3] == "本庁舎")
    with newcomer(browser, training.ports, Path(folder) if folder else None) as made:
        made.log_in(username, password)
        yield made


def test_a_newcomer_walks_through_a_whole_visit(training: Training, person: Newcomer) -> None:
    number = person.open_visit(PAYMENT, "市民B")
    relay = person.relay
    relay.await_site("points")
    relay.click_button("points")
    relay.await_site("card")
    relay.keys("Tab", "2002")
    relay.await_page()
    person.picture_of_visit("relay-card")
    relay.keys("Enter")
    relay.await_site("points")
    relay.keys("Tab", "Tab", "Enter")  # past the log-out, to the application
    relay.await_page()
    relay.keys("Tab", "Tab", " ", "ArrowDown", "Enter")  # the second of the services
    relay.await_page()
    relay.keys("Tab", "Tab", "KAKU-2002-0002", "Tab")
    relay.send("2202")
    relay.keys("Enter")
    relay.await_page()
    relay.click_button("points")
    relay.await_page()
    person.picture_of_visit("relay-done")
    expect(person.seat()).to_contain_text(number)
    person.desk.click("#finish")
    person.await_desk("confirming")
    person.picture("desk-proof", person.desk)
    person.desk.click("[name=kana][value=off]")
    for line in ("ログアウトの画面を開きました", "すべて止まったこと", "記録は残っていません"):
        expect(person.desk.locator("main")).to_contain_text(line)
    person.board()
    expect(person.seat()).to_contain_text("ログアウト確認中")
    expect(person.seat().locator("input[name=terminal]")).to_have_count(0)
    person.sign()
    person.await_desk("locked")
    expect(person.seat()).to_contain_text("呼べます")
    person.take()
    _see_the_registration(person, training.ports)
    assert person.complaints == []
    second = person.open_visit(PAYMENT, "市民C")
    assert second != number


def _see_the_registration(person: Newcomer, ports: Ports) -> None:
    """The points site has it on the right person, as its call centre sees."""
    page = person.office
    page.goto(ports.url(ports.desks))
    page.click("a:has-text('総務省コールセンター')")
    page.select_option("#asked_person", "B")
    page.click("#inquire-person")
    expect(page.locator("#answer #service")).to_contain_text("架空カード")


def test_what_is_typed_arrives_in_the_order_it_was_typed(person: Newcomer) -> None:
    """The way from the desk page to the agent may be slow for one key and quick for the next."""
    person.open_visit(PAYMENT, "市民D")
    arrived: list[str] = []
    person.desk.on("request", lambda request: arrived.append(_typed(request)))
    person.relay.await_site("points")
    person.desk.evaluate(_UNEVEN)
    person.relay.keys("abcdef", "Shift+Tab")
    until(lambda: person.desk.evaluate("window.passed") == len("abcdef") + 1, lambda: f"all keys arrive: {arrived}")
    assert [text for text in arrived if text] == [*"abcdef", "Shift+Tab"]


_UNEVEN = """() => {
  const real = window.fetch;
  let n = 0;
  window.passed = 0;
  window.fetch = async (...given) => {
    if (!String(given[0]).includes('/relay/input')) return real(...given);
    if (n++ % 2 === 0) await new Promise((go) => setTimeout(go, 200));
    const answer = await real(...given);
    window.passed += answer.ok ? 1 : 0;
    return answer;
  };
}"""
"""Every second action takes longer."""


def _typed(request: Request) -> str:
    if not request.url.endswith("/relay/input"):
        return ""
    given = request.post_data_json or {}
    return str(given.get("text") or given.get("key") or "")


def test_every_printed_address_and_login_works(training: Training) -> None:
    assert len(training.addresses) == 4
    for address in training.addresses:
        assert httpx.get(address, follow_redirects=True).status_code == 200, address
    assert len(training.logins) == 10
    for username, password, role, _ in training.logins:
        assert role in _logged_in(training.addresses[0], username, password), username


def _logged_in(address: str, username: str, password: str) -> str:
    """The first page after the login page."""
    with httpx.Client(base_url=address, follow_redirects=True, timeout=30) as client:
        client.get("/login/")
        given = {"username": username, "password": password, "csrfmiddlewaretoken": client.cookies["madoguchi_csrf"]}
        return client.post("/login/", data=given, headers={"Referer": address}).text


def test_the_second_start_is_quick(start: Start) -> None:
    with start(free_ports()) as training:
        assert training.await_ready() < SECOND_START


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_everything_even_in_the_middle_of_a_visit(
    training: Training, person: Newcomer, number: signal.Signals
) -> None:
    person.open_visit(PAYMENT, "市民E")
    person.relay.await_site("points")
    assert training.left()
    training.process.send_signal(number)
    assert training.await_end() == 0
    assert "Stopped" in training.said
    training.await_nothing_left(1.0)


def test_a_killed_supervisor_leaves_no_process(training: Training, person: Newcomer) -> None:
    person.open_visit(PAYMENT, "市民F")
    person.relay.await_site("points")
    training.process.kill()
    training.await_nothing_left()


def test_ctrl_c_while_it_starts_stops_it_too(start: Start) -> None:
    with start(free_ports()) as training:
        until(lambda: len(training.left()) > 2, "its parts are being started", 60)
        training.process.send_signal(signal.SIGINT)
        training.await_end()
        training.await_nothing_left(1.0)


def test_a_taken_port_is_named(start: Start) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports.panel)), start(ports) as training:
        assert training.await_end(30) == 2
        assert "PortTaken" in training.said
        assert "--port-base" in training.said
        assert str(ports.panel) in training.said
        training.await_nothing_left(1.0)


def test_a_part_that_ends_by_itself_stops_the_rest_and_is_named(training: Training) -> None:
    training.kill_part("nation")
    assert training.await_end() == 1
    assert "nation が止まりました" in training.said
    training.await_nothing_left(1.0)
