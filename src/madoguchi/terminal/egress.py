"""The only way out of a box: a small proxy in the agent that lets through the visit's places and nothing else.

A box has a network of its own with nothing on it. Its first program opens a listening socket there and hands it out
through the door (`take_listener`), so that whatever runs inside can speak to this proxy and to nobody else: the
browser's pages and scripts, its own housekeeping, the input method. Names are looked up here, outside.

Until the visit opens, the browser waits with its first request, to `START`, which is answered by a redirect to the
start address (`go`): a box can be made ready beforehand without having loaded anything.
"""

import asyncio
import ipaddress
import os
import re
import select
import socket
import stat
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from madoguchi.terminal.boxconfig import START

_PORTS = {"http": 80, "https": 443}
_DOOR_LIMIT = 20.0
_LONGEST_HEAD = 1 << 16
_CHUNK = 1 << 16
_MOST = 256
_HEADER = re.compile(rb"(?i)^(connection|proxy-connection|proxy-authorization|keep-alive|upgrade)\s*:")
_LENGTH = re.compile(rb"(?im)^content-length\s*:\s*(\d+)\s*$")
_CODED = re.compile(rb"(?im)^transfer-encoding\s*:")
_MOVED = (
    b"HTTP/1.1 302 Found\r\nLocation: %s\r\nCache-Control: no-store\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
_TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a visit may go: a URL filter `scheme://host:port/path` of which host and port count here.

    A host means its subdomains too, a leading dot the host alone. Without a port: the scheme's own, or both of the web.
    """

    host: str
    ports: frozenset[int]
    alone: bool

    @classmethod
    def read(cls, text: str) -> "Place":
        """Parse a filter. Raises `ValueError` for a port that is none."""
        parts = urlsplit(text if "://" in text else f"//{text}")
        own = _PORTS.get(parts.scheme)
        ports = {parts.port} if parts.port else {own} if own else set(_PORTS.values())
        host = (parts.hostname or "").rstrip(".")
        return cls(host.lstrip("."), frozenset(ports), alone=host.startswith("."))

    def holds(self, host: str, port: int) -> bool:
        """Tell whether a connection belongs here."""
        host = host.lower().rstrip(".")
        same = host == self.host or (not self.alone and host.endswith(f".{self.host}"))
        return bool(self.host) and same and port in self.ports


class Egress:
    """One box's proxy, in a thread of its own. `failed` is called from there if the box hands out no listener.

    `door` is the agent's end of the door, which stays the caller's. What is said without https passes this process in
    the clear, and could be found in its memory after the visit: unless `plain`, it goes no further than this machine.
    Raises `ValueError` for a place that is none.
    """

    def __init__(self, door: int, places: Iterable[str], *, plain: bool = False, failed: Callable[[str], None]) -> None:
        self._door = door
        self._plain = plain
        self._places = [Place.read(place) for place in places]
        self._failed = failed
        self._waiting = threading.Event()
        self._target: str | None = None
        self._busy: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._opened = asyncio.Event()
        self._stop_read, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._run, name="egress", daemon=True)
        self._thread.start()

    def wait_waiting(self, limit: float) -> bool:
        """Wait until the browser asks for its first page; whether it did within `limit` seconds."""
        return self._waiting.wait(limit)

    def go(self, url: str) -> None:
        """Send the waiting browser to the visit's start address."""
        self._target = quote(url, safe=":/?#[]@!$&'()*+,;=%~")
        self._loop.call_soon_threadsafe(self._opened.set)

    def close(self) -> None:
        """Cut every connection and end. Idempotent."""
        if self._stop >= 0:
            os.close(self._stop)
            self._stop = -1
            self._thread.join()
            os.close(self._stop_read)

    def _run(self) -> None:
        try:
            listener = self._listener()
            if listener is not None:
                self._loop.run_until_complete(self._serve(listener))
        finally:
            self._loop.close()

    def _listener(self) -> socket.socket | None:
        try:
            ready, _, _ = select.select((self._door, self._stop_read), (), (), _DOOR_LIMIT)
            return None if self._stop_read in ready else take_listener(self._door)
        except (OSError, ValueError) as error:
            self._failed(f"no way out of the box: {type(error).__name__}")
            return None

    async def _serve(self, listener: socket.socket) -> None:
        ended = asyncio.Event()
        self._loop.add_reader(self._stop_read, ended.set)
        server = await asyncio.start_server(self._client, sock=listener, limit=_LONGEST_HEAD)
        await ended.wait()
        self._loop.remove_reader(self._stop_read)
        server.close()
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._busy) >= _MOST:
            writer.close()
            return
        self._busy.add(task)
        try:
            # whatever goes wrong, the box sees a closed connection: its browser shows its own error page
            with suppress(OSError, ValueError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError):
                await self._answer(reader, writer)
        finally:
            self._busy.discard(task)
            writer.transport.abort() if task.cancelling() else writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.partition(b"\r\n")[0].decode("ascii").split(" ")
        if target == START:
            await self._start(writer)
        elif method == "CONNECT":
            await self._tunnel(target, reader, writer)
        else:
            await self._forward(method, target, head, reader, writer)

    async def _start(self, writer: asyncio.StreamWriter) -> None:
        self._waiting.set()
        await self._opened.wait()
        writer.write(_MOVED % (self._target or "").encode("ascii"))
        await writer.drain()

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(f"//{target}")
        far_reader, far_writer = await self._connect(parts.hostname, parts.port)
        try:
            writer.write(_TUNNEL)
            await _both(_pump(reader, far_writer), _pump(far_reader, writer), until=asyncio.FIRST_EXCEPTION)
        finally:
            far_writer.close()

    async def _forward(
        self, method: str, target: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        parts = urlsplit(target)
        if parts.scheme != "http" or _CODED.search(head) or not (self._plain or is_near(parts.hostname or "")):
            raise ValueError(method)
        far_reader, far_writer = await self._connect(parts.hostname, parts.port or _PORTS["http"])
        try:
            far_writer.write(_rewritten(method, parts._replace(scheme="", netloc="").geturl() or "/", head))
            await _copy(reader, far_writer, _body_length(head))
            # a browser that leaves, or says more than its request, is cut off
            await _both(_pump(far_reader, writer), reader.read(1), until=asyncio.FIRST_COMPLETED)
        finally:
            far_writer.close()

    async def _connect(self, host: str | None, port: int | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if not host or not port or not any(place.holds(host, port) for place in self._places):
            raise PermissionError("not a place of this visit")
        return await asyncio.open_connection(host, port)


def is_near(host: str) -> bool:
    """Tell whether a host is this machine: a loopback address, or the name for it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def take_listener(door: int) -> socket.socket:
    """Take the listening socket that a box hands out. Raises `OSError`, `ValueError`: anything but that socket."""
    with socket.socket(fileno=os.dup(door)) as end:
        end.settimeout(0)
        _, given, _, _ = socket.recv_fds(end, 1, 1)
    try:
        (one,) = given
        if not stat.S_ISSOCK(os.fstat(one).st_mode):
            raise ValueError("not a socket")
        found = socket.socket(fileno=os.dup(one))
    finally:
        for descriptor in given:
            os.close(descriptor)
    if found.family != socket.AF_INET or not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        found.close()
        raise ValueError("not a listener")
    return found


def hand_out_own(door: int) -> tuple[str, int]:
    """Do what a box does, with a listener on this machine's own loopback (training without a box); its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(fileno=os.dup(door)) as end:
        socket.send_fds(end, [b"."], [listener.fileno()])
        address: tuple[str, int] = listener.getsockname()
        return address


def _rewritten(method: str, path: str, head: bytes) -> bytes:
    """The request as a site wants it, for one exchange on one connection."""
    lines = [line for line in head.split(b"\r\n")[1:-2] if not _HEADER.match(line)]
    return b"\r\n".join([f"{method} {path} HTTP/1.1".encode("ascii"), *lines, b"Connection: close", b"", b""])


def _body_length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int) -> None:
    while length > 0:
        part = await reader.readexactly(min(length, _CHUNK))
        writer.write(part)
        await writer.drain()
        length -= len(part)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(_CHUNK):
        writer.write(part)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _both(*ways: Coroutine[Any, Any, object], until: str) -> None:
    """Run both ways of a connection until one is over, or fails; then the other is cut."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=until)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
