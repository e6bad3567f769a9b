"""Starts the simulated sites on loopback ports and stops them cleanly.

The listening sockets are opened first, so that every site knows its own address before it is made; port 0 takes a free
one. Threads only, no processes: closing leaves nothing behind.
"""

import socket
import threading
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx
from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from madoguchi.card import Reader
from madoguchi.nation.web.accounts import create_accounts_app
from madoguchi.nation.web.card_client import TIMEOUT, create_card_client_app
from madoguchi.nation.web.desks import create_desks_app
from madoguchi.nation.web.points import create_points_app
from madoguchi.nation.world import Nation

_THREADS = 4
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Config:
    """Where to listen; port 0 means any free one.

    `reader`: the terminal's. None: the card client runs elsewhere, at `card_client_url`.
    """

    host: str = "127.0.0.1"
    points_port: int = 0
    accounts_port: int = 0
    desks_port: int = 0
    card_client_port: int = 0
    reader: Reader | None = None
    card_client_url: str | None = None


class Server:
    """One Flask app behind waitress, in a thread of its own."""

    def __init__(self, listener: socket.socket, app: Flask, name: str) -> None:
        made = create_server(app, sockets=[listener], threads=_THREADS, clear_untrusted_proxy_headers=True)
        self._server: Any = made  # the stubs know neither `trigger` nor the map
        self._thread = threading.Thread(target=self._server.run, name=f"nation-{name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let the requests in hand finish (five seconds at most), stop listening, and wait for the thread."""
        self._server.task_dispatcher.shutdown()
        self._server.trigger.pull_trigger(self._close_all)
        self._thread.join(_STOP_SECONDS)

    def _close_all(self) -> None:
        # in the thread of the loop: it ends when nothing is left in its map
        wasyncore.close_all(self._server._map)


class Running(AbstractContextManager["Running"]):
    """What `serve` started. Addresses without a slash at the end."""

    def __init__(self, *, points_url: str, accounts_url: str, desks_url: str, card_client_url: str) -> None:
        self.points_url = points_url
        self.accounts_url = accounts_url
        self.desks_url = desks_url
        self.card_client_url = card_client_url
        self.closing = ExitStack()

    def close(self) -> None:
        """Stop everything; a second call does nothing."""
        self.closing.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(nation: Nation, config: Config) -> Running:
    """Start points site, account registry, desks and, given a reader, the card client.

    Raises OSError for a port that is taken (then nothing runs), ValueError for a config without reader and address.
    """
    if config.reader is None and config.card_client_url is None:
        raise ValueError("give a reader, or the address of a card client that runs elsewhere")
    ports = [config.points_port, config.accounts_port, config.desks_port]
    if config.reader is not None:
        ports.append(config.card_client_port)
    with ExitStack() as stack:
        listeners = [stack.enter_context(_listen(config.host, port)) for port in ports]
        urls = [_url(listener) for listener in listeners]
        card = config.card_client_url or urls[-1]
        running = Running(points_url=urls[0], accounts_url=urls[1], desks_url=urls[2], card_client_url=card)
        for listener, app in zip(listeners, _apps(nation, config, running, stack), strict=True):
            stack.callback(Server(listener, app, app.name).close)
        running.closing = stack.pop_all()
    return running


def _apps(nation: Nation, config: Config, running: Running, stack: ExitStack) -> list[Flask]:
    """In the order of the ports."""
    card = running.card_client_url
    apps = [
        create_points_app(nation, origin=running.points_url, card_client_url=card),
        create_accounts_app(nation, origin=running.accounts_url, card_client_url=card),
        create_desks_app(nation, host=config.host),
    ]
    if config.reader is not None:
        http = stack.enter_context(httpx.Client(timeout=TIMEOUT))
        sites = {"points": running.points_url, "accounts": running.accounts_url}
        apps.append(create_card_client_app(config.reader, sites=sites, http=http, host=config.host))
    return apps


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"http://{host}:{port}"
