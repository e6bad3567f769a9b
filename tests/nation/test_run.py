"""Real sockets: the sites start on loopback, serve a whole visit, and stop without leaving anything."""

import socket
import threading

import httpx
import pytest

from madoguchi.nation.run import Config, serve
from nation.street import Page, Street
from nation.town import NAMES, Town


def test_a_visit_over_sockets_and_then_nothing_is_left() -> None:
    town = Town()
    before = set(threading.enumerate())
    with serve(town.nation, Config(reader=town.reader)) as running, httpx.Client(follow_redirects=True) as client:
        page = Page(client).go(running.points_url + "/").press("login")
        town.put("A")
        page.fill(pin=town.pin("A")).press("use")
        assert page.text("who") == NAMES["A"]
        assert page.go(running.points_url + "/logout").name == "logged-out"
        for url in (running.accounts_url, running.desks_url, running.card_client_url):
            assert page.go(url + "/").response.status_code == 200
    assert set(threading.enumerate()) == before
    with httpx.Client() as client, pytest.raises(httpx.ConnectError):
        client.get(running.points_url)
    running.close()


def test_the_card_client_may_run_elsewhere() -> None:
    town = Town()
    elsewhere = "http://127.0.0.1:1"
    with serve(town.nation, Config(card_client_url=elsewhere)) as running, httpx.Client() as client:
        assert running.card_client_url == elsewhere
        page = Page(client).go(running.points_url + "/")
        answer = client.post(
            running.points_url + "/login", data={"csrf": page.document.xpath("string(//input[@name='csrf']/@value)")}
        )
        assert answer.headers["Location"].startswith(elsewhere + "/use?site=points&challenge=")


def test_without_reader_and_address_nothing_starts() -> None:
    with pytest.raises(ValueError, match="reader"):
        serve(Town().nation, Config())


def test_a_port_that_is_taken_is_told_and_nothing_is_left_running() -> None:
    town = Town()
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve(town.nation, Config(reader=town.reader, desks_port=taken.getsockname()[1]))
    assert set(threading.enumerate()) == before


def test_browsers_may_only_lead_on_to_the_card_client_and_back() -> None:
    place = Street(Town())
    policies = {origin: place.client().get(origin + "/").headers["Content-Security-Policy"] for origin in place.apps}
    points, accounts, desks, card = policies
    assert f"form-action 'self' {card};" in policies[points]
    assert f"form-action 'self' {card};" in policies[accounts]
    assert "form-action 'self';" in policies[desks]
    assert f"form-action 'self' {points} {accounts};" in policies[card]
