"""The process that plays the world outside the counter: national sites, card client, and the practice cards' reader."""

import signal
import socket
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from madoguchi.card import MemoryReader, ReaderServer
from madoguchi.nation.run import Config, Server, serve
from madoguchi.nation.seed import make_training_city
from madoguchi.nation.world import Behaviour
from madoguchi.training.panel import create_panel_app
from madoguchi.training.ports import Ports


def run_nation(*, state: Path, port_base: int, sites: str) -> None:
    """Serve until a signal says stop. Raises OSError for a port that is taken."""
    ports = Ports(port_base)
    city = make_training_city(clock=lambda: datetime.now(UTC), behaviour=Behaviour(sites))
    reader = MemoryReader("訓練用リーダー")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        shared = ReaderServer(reader, city.cards, reader_socket(state))
        threading.Thread(target=shared.serve_forever, daemon=True).start()
        stack.callback(shared.close)
        stack.enter_context(serve(city.nation, _config(ports, reader)))
        panel = create_panel_app(reader, city)
        listener = socket.create_server(("127.0.0.1", ports.panel))
        stack.callback(Server(listener, panel, "panel").close)
        stop.wait()


def reader_socket(state: Path) -> Path:
    """Where the practice reader is shared."""
    return state / "reader.sock"


def _config(ports: Ports, reader: MemoryReader) -> Config:
    return Config(
        points_port=ports.points,
        accounts_port=ports.accounts,
        desks_port=ports.desks,
        card_client_port=ports.card_client,
        reader=reader,
    )
