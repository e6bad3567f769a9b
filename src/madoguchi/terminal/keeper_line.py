"""What agent and keeper say to each other: one JSON object a message, over a Unix SOCK_SEQPACKET socket.

The keeper is root and believes nothing it is told: a request is one of `missing`, `start`, `settle`, `kill`, `prove`,
`sweep`, with exactly its fields, each bounded; descriptors come with `start` alone, and are exactly the three pipes and
the socket of `Inner`. An order names places and a size: no command, path, user or option. Every answer is `{"done":
value}` or `{"refused": code, "lines": [text, …]}`; there is one for every request, in order.
"""

import array
import json
import os
import socket
import stat
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from madoguchi.protocol import Procedure
from madoguchi.terminal.errors import BoxUnavailable, TerminalError, WipeUnproven
from madoguchi.terminal.ground import Order
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, LOGOUT_UNREACHABLE, LOGOUT_VISITED
from madoguchi.terminal.spawn import raised

FORM = 1
"""Number of this way of talking; the keeper tells it in its greeting."""

LONGEST = 1 << 16
_LOGOUTS = frozenset({LOGOUT_VISITED, LOGOUT_UNREACHABLE, LOGOUT_NOT_TRIED})
_FIELDS: Mapping[str, frozenset[str]] = {
    "missing": frozenset(),
    "start": frozenset({"start_url", "logout_url", "allowed", "size"}),
    "settle": frozenset({"id"}),
    "kill": frozenset({"id"}),
    "prove": frozenset({"id", "logout"}),
    "sweep": frozenset(),
}
_KINDS = (stat.S_ISFIFO, stat.S_ISFIFO, stat.S_ISFIFO, stat.S_ISSOCK)
_ROOM = socket.CMSG_SPACE(64 * array.array("i").itemsize)
_TEXT, _PLACES, _PIXELS = 2048, 200, 1 << 14
_LINES, _LINE = 20, 500


class LineClosed(Exception):  # a finding, never shown
    """The other side has hung up."""


class MessageRefused(TerminalError):
    """A message is not of the agreed form; the text names what is wrong with it."""

    sentence = "端末の部品どうしの版が合っていません。端末のソフトを入れ直し、再起動してください。"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message and the descriptors that came with it, which are the receiver's now."""

    message: Mapping[str, Any]
    descriptors: tuple[int, ...] = ()

    def close(self) -> None:
        """Let go of the descriptors."""
        _close(self.descriptors)


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the agreed form; `number` is a box's, `order` belongs to `start` and owns its descriptors."""

    do: str
    number: int = 0
    logout: str = LOGOUT_NOT_TRIED
    order: Order | None = None


def send(line: socket.socket, message: Mapping[str, Any], descriptors: Iterable[int] = ()) -> None:
    """Send one message. Raises `MessageRefused` when it is too long; `OSError`."""
    data = json.dumps(message).encode("ascii")
    if len(data) > LONGEST:
        raise MessageRefused(f"message of {len(data)} bytes")
    given = array.array("i", descriptors)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, given)] if given else []
    line.sendmsg([data], rights)


def receive(line: socket.socket) -> Parcel:
    """Take the next message. Raises `LineClosed`; `MessageRefused`, having closed what came with it; `OSError`."""
    data, ancillary, flags, _ = line.recvmsg(LONGEST, _ROOM, socket.MSG_CMSG_CLOEXEC)
    descriptors = _descriptors(ancillary)
    try:
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise MessageRefused("message or descriptors cut off")
        if not data:
            raise LineClosed
        return Parcel(_object(data), descriptors)
    except BaseException:
        _close(descriptors)
        raise


def peer_uid(line: socket.socket) -> int:
    """Read who is at the other end, as the kernel knows it."""
    _, uid, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(uid)


def order_message(order: Order) -> dict[str, Any]:
    """Write an order; its descriptors are sent along."""
    given = order.procedure
    places = {"start_url": given.start_url, "logout_url": given.logout_url, "allowed": list(given.allowed)}
    return {"do": "start", **places, "size": list(order.size)}


def read_request(parcel: Parcel) -> Request:
    """Check a request in every part. Raises `MessageRefused`, having closed its descriptors."""
    try:
        return _request(parcel.message, parcel.descriptors)
    except MessageRefused:
        parcel.close()
        raise


def refusal(error: TerminalError) -> dict[str, Any]:
    """Write a refusal."""
    lines = error.missing if isinstance(error, BoxUnavailable) else (str(error),)
    return {"refused": error.code, "lines": [line[:_LINE] for line in lines[:_LINES]]}


def answered(message: Mapping[str, Any]) -> Any:
    """Read an answer. Raises `BoxUnavailable`, `WipeUnproven`, `MessageRefused` as the keeper did."""
    if set(message) == {"done"}:
        return message["done"]
    lines = [str(line) for line in message.get("lines", ())]
    if message.get("refused") == BoxUnavailable.__name__:
        raise BoxUnavailable(*lines)
    if message.get("refused") == WipeUnproven.__name__:
        raise WipeUnproven(" / ".join(lines))
    raise MessageRefused(f"{message.get('refused')}: {' / '.join(lines)}")


def _request(message: Mapping[str, Any], descriptors: tuple[int, ...]) -> Request:
    do = message.get("do")
    _demand(isinstance(do, str) and do in _FIELDS and set(message) == {"do", *_FIELDS[do]}, "fields")
    if do == "start":
        return Request("start", order=_order(message, descriptors))
    _demand(not descriptors, "descriptors")
    number = message.get("id", 0)
    _demand(type(number) is int and number >= 0, "id")
    logout = message.get("logout", LOGOUT_NOT_TRIED)
    _demand(isinstance(logout, str) and logout in _LOGOUTS, "logout")
    return Request(str(do), number=number, logout=logout)


def _order(message: Mapping[str, Any], descriptors: tuple[int, ...]) -> Order:
    """Read an order. What the procedure is called is nothing that the keeper needs to know."""
    start, logout = _address(message["start_url"]), _address(message["logout_url"])
    _demand(start.startswith(("http://", "https://")), "start_url")
    allowed, size = message["allowed"], message["size"]
    _demand(isinstance(allowed, list) and len(allowed) <= _PLACES, "allowed")
    _demand(isinstance(size, list) and len(size) == 2, "size")
    _demand(all(type(pixels) is int and 0 < pixels <= _PIXELS for pixels in size), "size")
    procedure = Procedure("", "", start, logout, tuple(_address(place) for place in allowed))
    _demand(len(descriptors) == len(_KINDS), "descriptors")
    modes = [os.fstat(descriptor).st_mode for descriptor in descriptors]
    _demand(all(kind(mode) for kind, mode in zip(_KINDS, modes, strict=True)), "descriptors")
    return Order(procedure, (size[0], size[1]), raised(descriptors))


def _address(value: object) -> str:
    """Take an address or a URL filter: bounded, printable, and one that can be parsed."""
    _demand(isinstance(value, str), "address")
    text = str(value)
    _demand(len(text) <= _TEXT and text.isprintable(), "address")
    try:
        urlsplit(text if "://" in text else f"//{text}")
    except ValueError as error:
        raise MessageRefused("address") from error
    return text


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MessageRefused("no JSON") from error
    _demand(isinstance(found, dict), "no object")
    return dict(found)


def _descriptors(ancillary: Iterable[tuple[int, int, bytes]]) -> tuple[int, ...]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return tuple(found)


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _demand(good: bool, what: str) -> None:
    if not good:
        raise MessageRefused(what)
