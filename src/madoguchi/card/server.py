"""The serving end of the shared reader: one thread per client, one client per use of the card."""

import contextlib
import errno
import os
import select
import socket
import stat
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from madoguchi.card import wire
from madoguchi.card.errors import CardError, ReaderLost, RequestRefused, SocketTaken, UnknownCard
from madoguchi.card.memory import MemoryReader
from madoguchi.card.reader import Connection, ReaderState
from madoguchi.card.virtual import VirtualCard

_SLICE = 0.5
"""Seconds after which a waiting thread looks whether its client, or the server, is still there."""
_BACKLOG = 16
_OWNER_ONLY = 0o600

Request = dict[str, Any]


class ReaderServer:
    """Shares one reader and a shelf of named cards. The socket exists, mode 0600, as soon as the object does."""

    def __init__(self, reader: MemoryReader, cards: Mapping[str, VirtualCard], path: Path | str) -> None:
        """Start listening. Raises `SocketTaken` when `path` is served already or is something else than a socket."""
        self._reader = reader
        self._cards = dict(cards)
        self._path = Path(path)
        self._closing = threading.Event()
        self._clients: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._guard = threading.Lock()
        self._listener = _listen(self._path)
        self._identity = _identity(self._path)
        self._wake_end, self._wake = socket.socketpair()
        self._serving: threading.Thread | None = None
        self._gone = threading.Event()

    def serve_forever(self) -> None:
        """Serve until `close` is called; then every client is dropped and the socket removed."""
        self._serving = threading.current_thread()
        try:
            while not self._closing.is_set():
                ready, _, _ = select.select([self._listener, self._wake_end], [], [])
                if self._listener in ready:
                    with contextlib.suppress(ConnectionAbortedError):
                        self._welcome(self._listener.accept()[0])
        finally:
            self._shut_down()

    def close(self) -> None:
        """Stop serving: callable from any thread, from a signal handler, and twice. Uses of the card end.

        Returns when all is gone, unless called by the serving thread itself, which then goes on to end.
        """
        if not self._closing.is_set():
            self._closing.set()
            self._wake.send(b"\0")
        if self._serving is None:
            self._shut_down()
        elif self._serving is not threading.current_thread():
            self._gone.wait()

    def _welcome(self, channel: socket.socket) -> None:
        thread = threading.Thread(target=self._serve, args=(channel,), daemon=True)
        with self._guard:
            self._clients.add(channel)
            self._threads.add(thread)
        thread.start()

    def _serve(self, channel: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                self._converse(channel)
        finally:
            with self._guard:
                self._clients.discard(channel)
                self._threads.discard(threading.current_thread())
            channel.close()

    def _converse(self, channel: socket.socket) -> None:
        while (request := _next(channel)) is not None:
            if request.get("op") == "connect":
                self._lend(channel)
            else:
                _answer(channel, partial(self._do, channel, request))

    def _lend(self, channel: socket.socket) -> None:
        """One use of the card: until the client says so, or its end of the socket is gone."""
        try:
            with self._reader.connect() as connection:
                wire.send(channel, {"ok": None})
                _use(channel, connection)
        except CardError as error:
            wire.send(channel, wire.error_to_json(error))
        else:
            with contextlib.suppress(OSError):
                wire.send(channel, {"ok": None})

    def _do(self, channel: socket.socket, request: Request) -> object:
        operation = _OPERATIONS.get(str(request.get("op")))
        if operation is None:
            raise RequestRefused("unknown operation")
        return operation(self, channel, request)

    def _state(self, _channel: socket.socket, _request: Request) -> object:
        return list(self._reader.state())

    def _wait(self, channel: socket.socket, request: Request) -> object:
        known, timeout = _known(request)
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            state = self._reader.wait(known, min(left, _SLICE))
            if self._closing.is_set():
                raise ReaderLost
            if state != known or left <= _SLICE or _gone(channel):
                return list(state)

    def _list(self, _channel: socket.socket, _request: Request) -> object:
        return list(self._cards)

    def _on_reader(self, _channel: socket.socket, _request: Request) -> object:
        lying = self._reader.card
        return next((name for name, card in self._cards.items() if card is lying), None)

    def _insert(self, _channel: socket.socket, request: Request) -> object:
        card = self._cards.get(str(request.get("name")))
        if card is None:
            raise UnknownCard
        self._reader.insert(card)
        return None

    def _remove(self, _channel: socket.socket, _request: Request) -> object:
        self._reader.remove()
        return None

    def _lose(self, _channel: socket.socket, _request: Request) -> object:
        self._reader.lose()
        return None

    def _recover(self, _channel: socket.socket, _request: Request) -> object:
        self._reader.recover()
        return None

    def _shut_down(self) -> None:
        """Remove the path while still listening: nobody else's socket can stand there yet."""
        self._closing.set()
        if _identity(self._path) == self._identity:
            self._path.unlink(missing_ok=True)
        self._listener.close()
        with self._guard:
            clients, threads = list(self._clients), list(self._threads)
        for channel in clients:
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        self._wake.close()
        self._wake_end.close()
        self._gone.set()


_OPERATIONS: dict[str, Callable[[ReaderServer, socket.socket, Request], object]] = {
    "state": ReaderServer._state,
    "wait": ReaderServer._wait,
    "cards": ReaderServer._list,
    "on_reader": ReaderServer._on_reader,
    "insert": ReaderServer._insert,
    "remove": ReaderServer._remove,
    "lose": ReaderServer._lose,
    "recover": ReaderServer._recover,
}


def _use(channel: socket.socket, connection: Connection) -> None:
    while (request := _next(channel)) is not None and request.get("op") != "disconnect":
        _answer(channel, partial(_transmit, connection, request))


def _transmit(connection: Connection, request: Request) -> object:
    try:
        apdu = bytes.fromhex(str(request["apdu"]))
    except (KeyError, ValueError) as error:
        raise RequestRefused("no APDU") from error
    data, status = connection.transmit(apdu)
    return [data.hex(), status]


def _next(channel: socket.socket) -> Request | None:
    """Return the next request; whoever does not keep to the form is told so and dropped."""
    try:
        return wire.receive(channel)
    except RequestRefused as error:
        wire.send(channel, wire.error_to_json(error))
        return None


def _answer(channel: socket.socket, work: Callable[[], object]) -> None:
    try:
        answer: Request = {"ok": work()}
    except CardError as error:
        answer = wire.error_to_json(error)
    wire.send(channel, answer)


def _known(request: Request) -> tuple[ReaderState, float]:
    match request:
        case {"known": [bool(present), int(counter)], "timeout": int(timeout) | float(timeout)}:
            if not isinstance(timeout, bool) and abs(timeout) <= wire.LONGEST_WAIT:
                return ReaderState(present, counter), timeout
    raise RequestRefused("no state to wait on")


def _gone(channel: socket.socket) -> bool:
    """Whether the client has closed its end: it would be readable, with nothing in it."""
    ready, _, _ = select.select([channel], [], [], 0)
    return bool(ready) and not channel.recv(1, socket.MSG_PEEK)


def _listen(path: Path) -> socket.socket:
    _clear_leftover(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), _OWNER_ONLY)  # before bind: the file never exists with wider rights
        listener.bind(str(path))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SocketTaken(path.name) from error
        raise
    return listener


def _clear_leftover(path: Path) -> None:
    """Remove the socket of a server that is gone. Raises `SocketTaken`."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise SocketTaken(path.name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise SocketTaken(path.name)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
