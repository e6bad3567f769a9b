"""An entry of the log, as the bytes that are hashed: canonical JSON of key, received, signature, statement.

`statement` is what `key` has signed: a device's message, or what the server states of itself and of staff. It stands
last, and its bytes are a part of the entry's bytes: signatures can be checked without any JSON writer, so that `read`
needs the standard library alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from madoguchi.evidence.errors import LeafBroken

_MARK = b',"statement":'
_NOTED = frozenset({"at", "order", "skew"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry. `key`: the signer's public key, base64. `said`: the statement's bytes, as signed.

    `received`: what the server noted beside it (`at` RFC 3339; `order` within the visit; `skew` in seconds).
    """

    key: str
    signature: str
    statement: Mapping[str, Any]
    said: bytes
    received: Mapping[str, Any]


def make(*, key: str, signature: str, statement: Mapping[str, Any], received: Mapping[str, Any]) -> bytes:
    """The entry's bytes. Raises `rfc8785.CanonicalizationError` for what JSON cannot hold."""
    from madoguchi.evidence.envelope import canonical

    return canonical({"key": key, "received": dict(received), "signature": signature, "statement": dict(statement)})


def read(leaf: bytes) -> Leaf:
    """Inverse of `make`. Raises `LeafBroken`."""
    try:
        given = json.loads(leaf, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise LeafBroken("no JSON") from error
    if not isinstance(given, dict) or list(given) != ["key", "received", "signature", "statement"]:
        raise LeafBroken("not the four parts of an entry")
    key, received, signature, statement = given.values()
    if not (isinstance(key, str) and isinstance(signature, str)):
        raise LeafBroken("key and signature are texts")
    if not (isinstance(received, dict) and isinstance(statement, dict)):
        raise LeafBroken("a part has the wrong type")
    return Leaf(key, signature, statement, _said(leaf, received, key + signature), received)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand once each: a name that stands twice means two things to two readers."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _said(leaf: bytes, received: Mapping[str, Any], coded: str) -> bytes:
    """The statement's bytes. Nothing before them can contain the mark: base64, and plain values of known names."""
    if not received.keys() <= _NOTED or any(
        not isinstance(value, str | int | float | None) for value in received.values()
    ):
        raise LeafBroken("received holds at, order and skew")
    if '"' in coded or any('"' in value for value in received.values() if isinstance(value, str)):
        raise LeafBroken("quotes where none can be")
    _, mark, rest = leaf.partition(_MARK)
    if not mark or not rest.endswith(b"}"):
        raise LeafBroken("no statement")
    return rest[:-1]
