"""One in-memory reader shared over a Unix socket, as pcscd shares a real one.

Every call has its own connection to the socket; a use of the card keeps its connection, and losing that connection
(the client was killed, say) ends the use, power-off included. A server that cannot be reached is `ReaderLost`.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from madoguchi.card import wire
from madoguchi.card.errors import CardError, CardRemoved, ReaderLost, RequestRefused
from madoguchi.card.reader import Connection, ReaderState

_PATIENCE = 5.0
"""Seconds that an answer may take beyond what was asked for: a server that hangs is lost."""


class SocketReader:
    """A `Reader` on the other side of a `ReaderServer`'s socket."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    @property
    def name(self) -> str:
        """The socket's file name: known without asking anybody."""
        return self._path.name

    def state(self) -> ReaderState:
        """See `Reader.state`."""
        return _state(_ask(self._path, {"op": "state"}))

    def wait(self, known: ReaderState, timeout: float) -> ReaderState:
        """See `Reader.wait`. After a day at the latest it returns, changed or not."""
        timeout = max(0.0, min(timeout, wire.LONGEST_WAIT))
        request = {"op": "wait", "known": list(known), "timeout": timeout}
        return _state(_ask(self._path, request, timeout))

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """See `Reader.connect`."""
        with _channel(self._path) as channel:
            _exchange(channel, {"op": "connect"})
            connection = _SocketConnection(channel)
            try:
                yield connection
            finally:
                connection.finish()


class Shelf:
    """The hand that puts practice cards on the shared reader, by name."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    def cards(self) -> tuple[str, ...]:
        """Names of all cards, on the reader or not."""
        return tuple(_texts(_ask(self._path, {"op": "cards"})))

    def on_reader(self) -> str | None:
        """Name of the card on the reader."""
        name = _ask(self._path, {"op": "on_reader"})
        return None if name is None else str(name)

    def insert(self, name: str) -> None:
        """Put a card down. Raises `UnknownCard`, `SlotTaken`."""
        _ask(self._path, {"op": "insert", "name": name})

    def remove(self) -> None:
        """Take the card away; nothing happens when there is none."""
        _ask(self._path, {"op": "remove"})

    def lose(self) -> None:
        """See `MemoryReader.lose`."""
        _ask(self._path, {"op": "lose"})

    def recover(self) -> None:
        """See `MemoryReader.recover`."""
        _ask(self._path, {"op": "recover"})


class _SocketConnection:
    """A use of the card; dead for good after any failure of the socket, so that no late answer is taken for another."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel: socket.socket | None = channel
        self._end: type[CardError] = CardRemoved

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """See `Connection.transmit`."""
        if self._channel is None:
            raise self._end
        try:
            answer = _talk(self._channel, {"op": "transmit", "apdu": apdu.hex()})
            if "ok" in answer:
                return _response(answer["ok"])
        except ReaderLost:
            self._channel.close()
            self._channel, self._end = None, ReaderLost
            raise
        raise wire.error_from_json(answer)

    def finish(self) -> None:
        """Wait until the server has powered the card off, so that the next use finds it free."""
        channel, self._channel = self._channel, None
        if channel is not None:
            with suppress(CardError):  # dropping the channel does the same a moment later
                _exchange(channel, {"op": "disconnect"})


@contextmanager
def _channel(path: Path, timeout: float = 0.0) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(timeout + _PATIENCE)
        try:
            channel.connect(str(path))
        except OSError as error:
            raise ReaderLost(path.name) from error
        yield channel


def _ask(path: Path, request: dict[str, Any], timeout: float = 0.0) -> Any:  # whatever JSON holds
    with _channel(path, timeout) as channel:
        return _exchange(channel, request)


def _exchange(channel: socket.socket, request: dict[str, Any]) -> Any:  # whatever JSON holds
    answer = _talk(channel, request)
    if "ok" not in answer:
        raise wire.error_from_json(answer)
    return answer["ok"]


def _talk(channel: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
    try:
        wire.send(channel, request)
        answer = wire.receive(channel)
    except (OSError, RequestRefused) as error:
        raise ReaderLost("no answer from the reader's server") from error
    if answer is None:
        raise ReaderLost("the reader's server has closed")
    return answer


def _response(answer: object) -> tuple[bytes, int]:
    match answer:
        case [str(data), int(status)]:
            with suppress(ValueError):
                return bytes.fromhex(data), status
    raise ReaderLost("an answer that cannot be read")


def _state(answer: object) -> ReaderState:
    match answer:
        case [bool(present), int(counter)]:
            return ReaderState(present, counter)
    raise ReaderLost("an answer that cannot be read")


def _texts(answer: object) -> list[str]:
    if isinstance(answer, list) and all(isinstance(text, str) for text in answer):
        return answer
    raise ReaderLost("an answer that cannot be read")
