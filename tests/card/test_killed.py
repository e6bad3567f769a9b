"""Clients and servers killed with SIGKILL."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from card.support import SELECT_JPKI, running, select, status, until
from madoguchi.card import (
    CardInUse,
    MemoryReader,
    ReaderLost,
    ReaderServer,
    Shelf,
    SocketReader,
    VirtualCard,
)

pytestmark = pytest.mark.slow
_SOON = 20.0

_HOLDER = """
    import sys
    from madoguchi.card import JpkiClient, SocketReader

    with SocketReader(sys.argv[1]).connect() as connection:
        JpkiClient(connection).verify_auth_pin("1234")
        print("ready", flush=True)
        sys.stdin.read()
"""

_SERVER = """
    import sys
    from datetime import UTC, date, datetime
    from madoguchi.card import *

    reader, card = MemoryReader("架空"), VirtualCard.foreign()
    server = ReaderServer(reader, {"架空": card}, sys.argv[1])
    print("ready", flush=True)
    server.serve_forever()
"""


def test_a_client_killed_while_holding_the_card_leaves_it_free_and_powered_off(
    server: ReaderServer, slot: MemoryReader, socket_path: Path, card: VirtualCard
) -> None:
    assert server
    slot.insert(card)
    with running(_HOLDER, str(socket_path)) as client:
        with pytest.raises(CardInUse), SocketReader(socket_path).connect():
            pass
        client.kill()
        client.wait(_SOON)
        until(lambda: not slot._in_use)
    assert status(card, SELECT_JPKI, select(0x0017), "802A0080023031") == "6982"
    with SocketReader(socket_path).connect():
        pass


def test_a_server_killed_is_a_lost_reader_for_everybody_and_can_be_started_again(socket_path: Path) -> None:
    reader, shelf = SocketReader(socket_path), Shelf(socket_path)
    with running(_SERVER, str(socket_path)) as server, ThreadPoolExecutor(1) as pool:
        shelf.insert("架空")
        known = reader.state()
        with reader.connect() as connection:
            waiting = pool.submit(reader.wait, known, _SOON)
            server.kill()
            server.wait(_SOON)
            with pytest.raises(ReaderLost):
                connection.transmit(bytes.fromhex(SELECT_JPKI))
            with pytest.raises(ReaderLost):
                waiting.result(_SOON)
        with pytest.raises(ReaderLost):
            reader.state()
    assert socket_path.exists()
    with running(_SERVER, str(socket_path)):
        assert not reader.state().present
