"""The reader behind its socket: what the contract of a reader (test_memory) does not say."""

import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from card.support import SELECT_JPKI, SOON, until
from madoguchi.card import (
    CardInUse,
    CardRemoved,
    MemoryReader,
    ReaderLost,
    ReaderServer,
    ReaderState,
    Shelf,
    SlotTaken,
    SocketReader,
    SocketTaken,
    UnknownCard,
    VirtualCard,
    wire,
)
from madoguchi.card import (
    shelf as shelf_module,
)

_SELECT = bytes.fromhex(SELECT_JPKI)


def test_only_the_owner_may_open_the_socket(server: ReaderServer, socket_path: Path) -> None:
    assert server
    mode = socket_path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_the_mode_does_not_depend_on_the_umask(slot: MemoryReader, socket_path: Path) -> None:
    before = os.umask(0)
    try:
        server = ReaderServer(slot, {}, socket_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(socket_path.stat().st_mode) == 0o600
    server.close()


def test_cards_are_moved_by_name(shelf: Shelf, slot: MemoryReader, card: VirtualCard) -> None:
    assert shelf.cards() == ("花子", "次郎")
    assert shelf.on_reader() is None
    shelf.insert("花子")
    assert (shelf.on_reader(), slot.card) == ("花子", card)
    with pytest.raises(SlotTaken):
        shelf.insert("次郎")
    shelf.remove()
    shelf.remove()
    assert shelf.on_reader() is None
    shelf.insert("次郎")
    assert shelf.on_reader() == "次郎"


def test_a_name_that_is_not_there_is_told(shelf: Shelf) -> None:
    with pytest.raises(UnknownCard):
        shelf.insert("三郎")
    assert shelf.on_reader() is None


def test_a_card_from_elsewhere_has_no_name(shelf: Shelf, slot: MemoryReader) -> None:
    slot.insert(VirtualCard.foreign())
    assert shelf.on_reader() is None
    assert slot.state().present


def test_loss_and_recovery_by_the_shelf(shelf: Shelf, socket_path: Path) -> None:
    reader = SocketReader(socket_path)
    before = reader.state()
    shelf.lose()
    with pytest.raises(ReaderLost):
        reader.state()
    shelf.recover()
    assert reader.state().counter > before.counter


def test_the_card_can_be_moved_while_it_is_in_use(shelf: Shelf, socket_path: Path) -> None:
    shelf.insert("花子")
    with SocketReader(socket_path).connect() as connection:
        shelf.remove()
        with pytest.raises(CardRemoved):
            connection.transmit(_SELECT)


def test_a_use_ends_when_its_socket_drops(
    server: ReaderServer, slot: MemoryReader, socket_path: Path, card: VirtualCard
) -> None:
    assert server
    slot.insert(card)
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(socket_path))
        wire.send(channel, {"op": "connect"})
        assert wire.receive(channel) == {"ok": None}
        with pytest.raises(CardInUse), slot.connect():
            pass
    until(lambda: not slot._in_use)


def test_a_request_cut_off_in_the_middle_ends_the_use(
    server: ReaderServer, slot: MemoryReader, socket_path: Path, card: VirtualCard
) -> None:
    assert server
    slot.insert(card)
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(socket_path))
        wire.send(channel, {"op": "connect"})
        assert wire.receive(channel) == {"ok": None}
        channel.sendall(b"\0\0")
    until(lambda: not slot._in_use)


# --- a server that is not there


def _every_call(path: Path) -> list[Callable[[], object]]:
    reader, shelf = SocketReader(path), Shelf(path)
    return [
        reader.state,
        lambda: reader.wait(ReaderState(present=False, counter=0), 0.01),
        lambda: reader.connect().__enter__(),
        shelf.cards,
        shelf.on_reader,
        lambda: shelf.insert("花子"),
        shelf.remove,
        shelf.lose,
        shelf.recover,
    ]


def test_no_server_is_a_lost_reader_never_an_empty_one(socket_path: Path) -> None:
    for call in _every_call(socket_path):
        with pytest.raises(ReaderLost):
            call()


def test_a_closed_server_is_a_lost_reader(server: ReaderServer, socket_path: Path) -> None:
    SocketReader(socket_path).state()
    server.close()
    assert not socket_path.exists()
    for call in _every_call(socket_path):
        with pytest.raises(ReaderLost):
            call()


def test_a_server_that_closes_ends_the_use_and_powers_the_card_off(
    server: ReaderServer, slot: MemoryReader, socket_path: Path, card: VirtualCard
) -> None:
    slot.insert(card)
    with SocketReader(socket_path).connect() as connection:
        assert connection.transmit(_SELECT) == (b"", 0x9000)
        server.close()
        for _ in range(2):
            with pytest.raises(ReaderLost):
                connection.transmit(_SELECT)
    assert card._application is None
    with slot.connect():
        pass


def test_a_server_that_closes_ends_the_waiting(server: ReaderServer, socket_path: Path) -> None:
    reader = SocketReader(socket_path)
    known = reader.state()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(reader.wait, known, SOON)
        server.close()
        with pytest.raises(ReaderLost):
            waiting.result(SOON)


def test_a_server_closes_twice_and_unserved(slot: MemoryReader, socket_path: Path) -> None:
    server = ReaderServer(slot, {}, socket_path)
    server.close()
    server.close()
    server.serve_forever()
    assert not socket_path.exists()


def test_a_server_can_be_closed_from_within(slot: MemoryReader, socket_path: Path) -> None:
    """As a signal handler does it: in the serving thread."""
    server = ReaderServer(slot, {}, socket_path)
    reader = MemoryReader("閉じる架空リーダー")
    welcome = server._welcome

    def close_then_welcome(channel: socket.socket) -> None:
        server.close()
        welcome(channel)

    server._welcome = close_then_welcome  # type: ignore[method-assign]  # the moment of the signal
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with pytest.raises(ReaderLost):
        SocketReader(socket_path).wait(reader.state(), SOON)
    thread.join(SOON)
    assert not thread.is_alive()


def test_a_second_server_on_the_same_path_is_refused(
    server: ReaderServer, slot: MemoryReader, socket_path: Path
) -> None:
    assert server
    with pytest.raises(SocketTaken):
        ReaderServer(slot, {}, socket_path)
    SocketReader(socket_path).state()


def test_a_file_that_is_no_socket_is_left_alone(slot: MemoryReader, socket_path: Path) -> None:
    socket_path.write_text("大切")
    with pytest.raises(SocketTaken):
        ReaderServer(slot, {}, socket_path)
    assert socket_path.read_text() == "大切"


def test_the_socket_of_a_dead_server_is_replaced(slot: MemoryReader, socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_path))
    ReaderServer(slot, {}, socket_path).close()
    assert not socket_path.exists()


def test_a_server_does_not_remove_another_servers_socket(slot: MemoryReader, socket_path: Path) -> None:
    first = ReaderServer(slot, {}, socket_path)
    socket_path.rename(socket_path.with_suffix(".old"))
    second = ReaderServer(slot, {}, socket_path)
    first.close()
    assert socket_path.exists()
    second.close()
    assert not socket_path.exists()


# --- a server that misbehaves


@contextmanager
def _answering(path: Path, *answers: bytes) -> Iterator[None]:
    """Something on the path that answers these bytes to the requests of each client, then nothing more."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    ended = threading.Event()

    def serve() -> None:
        channel, _ = listener.accept()
        with channel, suppress(BrokenPipeError):  # the client may have gone, as it should
            for answer in answers:
                wire.receive(channel)
                channel.sendall(answer)
            ended.wait(SOON)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        listener.close()


def _framed(value: object) -> bytes:
    data = json.dumps(value).encode()
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    "answer",
    [
        _framed({}),
        _framed([]),
        _framed({"ok": None}),
        _framed({"ok": [True]}),
        _framed({"ok": [True, "5"]}),
        _framed({"ok": [1, 5]}),
        _framed({"error": "NoSuchError", "args": []}),
        b"\0\0\0\x04nope",
        b"\xff\xff\xff\xff",
    ],
)
def test_an_answer_that_cannot_be_read_is_a_lost_reader(socket_path: Path, answer: bytes) -> None:
    with _answering(socket_path, answer), pytest.raises(ReaderLost):
        SocketReader(socket_path).state()


def test_a_server_that_hangs_is_lost_and_its_late_answer_is_not_taken(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf_module, "_PATIENCE", 0.05)
    late = _framed({"ok": ["", 0x9000]})
    with (
        _answering(socket_path, _framed({"ok": None}), b"", late),
        SocketReader(socket_path).connect() as connection,
    ):
        for _ in range(2):
            with pytest.raises(ReaderLost):
                connection.transmit(_SELECT)


@pytest.mark.parametrize("answer", [{"ok": None}, {"ok": ["zz", 0x9000]}, {"ok": ["", "9000"]}, {"ok": [""]}])
def test_a_response_that_cannot_be_read_ends_the_use(socket_path: Path, answer: object) -> None:
    with (
        _answering(socket_path, _framed({"ok": None}), _framed(answer)),
        SocketReader(socket_path).connect() as connection,
    ):
        for _ in range(2):
            with pytest.raises(ReaderLost):
                connection.transmit(_SELECT)
