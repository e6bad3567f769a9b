"""The national sites and the card client of a replay: in this process without sockets, or on loopback for a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from madoguchi.nation.run import Config, serve
from madoguchi.nation.web.accounts import create_accounts_app
from madoguchi.nation.web.card_client import create_card_client_app
from madoguchi.nation.web.points import create_points_app
from madoguchi.nation.world import Nation
from madoguchi.replay.counter import Addresses, MakePages, SwitchReader
from madoguchi.replay.hands import ACCOUNT, PAYMENT
from madoguchi.replay.pages import FormPages, Pages

_HOSTS = ("points.nation.invalid", "accounts.nation.invalid", "card.terminal.invalid")


@dataclass(frozen=True, slots=True)
class Mounted:
    """Sites that can be reached, and how to open a page on them."""

    addresses: Addresses
    make_pages: MakePages
    card_client: str


@contextmanager
def mount(nation: Nation, reader: SwitchReader, *, browser: str) -> Iterator[Mounted]:
    """Make the sites reachable. `browser`: chromium or none."""
    if browser == "none":
        yield _in_process(nation, reader)
        return
    from madoguchi.replay.chromium import SharedBrowsers

    with serve(nation, Config(reader=reader)) as running, TemporaryDirectory(prefix="madoguchi-browsers-") as folder:
        addresses = _addresses(running.points_url, running.accounts_url, running.card_client_url)
        shared = SharedBrowsers(Path(folder), running.card_client_url, addresses.allowed)
        yield Mounted(addresses, shared.open, running.card_client_url)


class _Switchboard(httpx.BaseTransport):
    """Carries a request to the app that has its host; apps may call each other before all of them are connected."""

    def __init__(self) -> None:
        self.transports: dict[str, httpx.WSGITransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport`."""
        return self.transports[request.url.host].handle_request(request)


def _in_process(nation: Nation, reader: SwitchReader) -> Mounted:
    points, accounts, card = (f"http://{host}" for host in _HOSTS)
    switchboard = _Switchboard()
    client = create_card_client_app(
        reader, sites={"points": points, "accounts": accounts}, http=httpx.Client(transport=switchboard), host=_HOSTS[2]
    )
    apps = (
        create_points_app(nation, origin=points, card_client_url=card),
        create_accounts_app(nation, origin=accounts, card_client_url=card),
        client,
    )
    for host, app in zip(_HOSTS, apps, strict=True):
        switchboard.transports[host] = httpx.WSGITransport(app=app.wsgi_app)

    def make_pages(url: str) -> Pages:
        pages = FormPages(switchboard)
        pages.go(url)
        return pages

    return Mounted(_addresses(points, accounts, card), make_pages, card)


def _addresses(points: str, accounts: str, card: str) -> Addresses:
    sites = {PAYMENT: points, ACCOUNT: accounts}
    return Addresses(
        start={procedure: f"{origin}/" for procedure, origin in sites.items()},
        logout={procedure: f"{origin}/logout" for procedure, origin in sites.items()},
        allowed=(points, accounts, card),
    )
