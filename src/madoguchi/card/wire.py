"""What reader server and clients say to each other: JSON objects, each behind its length (4 bytes, big-endian).

Request `{"op", …}`; answer `{"ok": …}` or `{"error": code, "args": […]}`. The socket is for one machine and one
user (mode 0600): PINs pass through it on their way to the card, as they do through pcscd's.
"""

import contextlib
import json
import socket
from typing import Any

from madoguchi.card import errors
from madoguchi.card.errors import CardError, ReaderLost, RequestRefused

LONGEST = 1 << 20
LONGEST_WAIT = 86_400.0
"""Seconds; longer waits are cut into several by whoever waits."""
_HEADER = 4

ERRORS: dict[str, type[CardError]] = {
    kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CardError)
}


def send(channel: socket.socket, value: dict[str, Any]) -> None:
    """Send one object. Raises `OSError`."""
    data = json.dumps(value).encode()
    channel.sendall(len(data).to_bytes(_HEADER, "big") + data)


def receive(channel: socket.socket) -> dict[str, Any] | None:
    """Return the next object, or None when the other end has closed between two. Raises `OSError`, `RequestRefused`."""
    header = _exactly(channel, _HEADER)
    if header is None:
        return None
    size = int.from_bytes(header, "big")
    if size > LONGEST:
        raise RequestRefused("too long")
    return _parse(_exactly(channel, size) or b"")


def error_to_json(error: CardError) -> dict[str, Any]:
    """Make an answer that tells of an error. Only numbers travel as arguments: no text that could name somebody."""
    return {"error": error.code, "args": [value for value in error.args if isinstance(value, int)]}


def error_from_json(answer: dict[str, Any]) -> CardError:
    """Read what `error_to_json` made; what cannot be understood is `ReaderLost`: fail closed."""
    kind = ERRORS.get(str(answer.get("error")))
    args = answer.get("args")
    if kind is not None and isinstance(args, list) and all(isinstance(value, int) for value in args):
        with contextlib.suppress(TypeError):
            return kind(*args)
    return ReaderLost("an answer that cannot be read")


def _parse(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RequestRefused("not JSON") from error
    if not isinstance(value, dict):
        raise RequestRefused("not an object")
    return value


def _exactly(channel: socket.socket, count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        part = channel.recv(count - len(data))
        if not part:
            if data:
                raise ConnectionResetError("cut off in the middle")
            return None
        data += part
    return data
