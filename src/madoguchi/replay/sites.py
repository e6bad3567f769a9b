"""The national sites and the card client of a replay: in this process without sockets, or on loopback for a browser."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from flask import Flask

from madoguchi.nation.web.accounts import create_accounts_app
from madoguchi.nation.web.card_client import create_card_client_app
from madoguchi.nation.web.points import create_points_app
from madoguchi.nation.world import Nation
from madoguchi.replay.counter import Addresses, MakePages, SwitchReader
from madoguchi.replay.hands import ACCOUNT, PAYMENT
from madoguchi.replay.pages import FormPages, Pages

_HOSTS = {"points": "points.nation.invalid", "accounts": "accounts.nation.invalid", "card": "card.terminal.invalid"}


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
    from madoguchi.replay.chromium import SharedBrowsers, serve

    with ExitStack() as stack:
        back_channel = stack.enter_context(httpx.Client(timeout=10.0))
        origins = stack.enter_context(serve(lambda given: _apps(nation, reader, given, back_channel), tuple(_HOSTS)))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="madoguchi-browsers-")))
        addresses = _addresses(origins)
        shared = SharedBrowsers(folder, origins["card"], addresses.allowed)
        yield Mounted(addresses, shared.open, origins["card"])


class _Switchboard(httpx.BaseTransport):
    """Carries a request to the app that has its host; apps may call each other before all of them are connected."""

    def __init__(self) -> None:
        self.transports: dict[str, httpx.WSGITransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport`."""
        return self.transports[request.url.host].handle_request(request)


def _in_process(nation: Nation, reader: SwitchReader) -> Mounted:
    origins = {name: f"http://{host}" for name, host in _HOSTS.items()}
    switchboard = _Switchboard()
    for name, app in _apps(nation, reader, origins, httpx.Client(transport=switchboard)).items():
        switchboard.transports[httpx.URL(origins[name]).host] = httpx.WSGITransport(app=app.wsgi_app)

    def make_pages(url: str) -> Pages:
        pages = FormPages(switchboard)
        pages.go(url)
        return pages

    return Mounted(_addresses(origins), make_pages, origins["card"])


def _apps(
    nation: Nation, reader: SwitchReader, origins: Mapping[str, str], back_channel: httpx.Client
) -> dict[str, Flask]:
    sites = {name: origins[name] for name in ("points", "accounts")}
    host = httpx.URL(origins["card"]).host
    return {
        "points": create_points_app(nation, origin=origins["points"], card_client_url=origins["card"]),
        "accounts": create_accounts_app(nation, origin=origins["accounts"], card_client_url=origins["card"]),
        "card": create_card_client_app(reader, sites=sites, http=back_channel, host=host),
    }


def _addresses(origins: Mapping[str, str]) -> Addresses:
    sites = {PAYMENT: origins["points"], ACCOUNT: origins["accounts"]}
    return Addresses(
        start={procedure: f"{origin}/" for procedure, origin in sites.items()},
        logout={procedure: f"{origin}/logout" for procedure, origin in sites.items()},
        allowed=tuple(origins.values()),
    )
