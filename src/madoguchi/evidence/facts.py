"""What the checks need of an entry: read from its bytes, its signature checked. No state: can run in many processes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from madoguchi.evidence import keys
from madoguchi.evidence.errors import BadSignature, LeafBroken
from madoguchi.evidence.leaf import Leaf, read

DEVICE = frozenset({"id", "terminal", "seq", "kind", "at", "visit", "lease", "training", "body"})
"""The fields of a device's statement, which is its message."""

SERVER = frozenset({"at", "body", "by", "kind", "lease", "seq", "staff", "terminal", "visit"})
"""The fields of the server's."""

SEALED = "sealed:"

DEMANDS = {"end": "cause", "wipe_proven": "proof", "attest_wipe": "proof", "confirm": "confirmation"}
"""What a link of a visit's chain must carry to count as one."""

_MOST_KEYS = 10_000


class Fact(NamedTuple):
    """One statement. `problem`: a finding's code, or empty. `order`: its number within the visit.

    `carries`: it has what `DEMANDS` asks of its kind. `detail`: `public_key` of `enrolled`, `(expected, got)` of gaps,
    the number of a refused message, the commitments of `payload_erased`. `sealed`: the commitments in it.
    """

    position: int
    problem: str
    key: str = ""
    device: bool = False
    kind: str = ""
    terminal: str | None = None
    visit: str | None = None
    seq: int | None = None
    order: int | None = None
    noted: int | None = None
    skew: float | None = None
    carries: bool = True
    detail: Any = None
    sealed: tuple[str, ...] = ()


def facts(lines: Sequence[bytes]) -> list[Fact]:
    """The facts of lines of `events.jsonl`; lines without a position are left out (the log's check says so)."""
    known: dict[str, Ed25519PublicKey | None] = {}
    found = []
    for line in lines:
        number, _, leaf = line.partition(b" ")
        if number.isdigit() and len(number) < 20:
            found.append(_fact(int(number), leaf, known))
    return found


def _fact(position: int, entry: bytes, known: dict[str, Ed25519PublicKey | None]) -> Fact:
    try:
        leaf = read(entry)
        fact = _of(position, leaf)
    except (LeafBroken, _NotAStatement):
        return Fact(position, "entry_form")
    return fact if _signed(leaf, known) else fact._replace(problem="signature")


def _signed(leaf: Leaf, known: dict[str, Ed25519PublicKey | None]) -> bool:
    if leaf.key not in known:
        if len(known) >= _MOST_KEYS:
            known.clear()
        known[leaf.key] = _key(leaf.key)
    key = known[leaf.key]
    try:
        if key is not None:
            keys.check(key, leaf.signature, leaf.said)
    except BadSignature:
        return False
    return key is not None


def _key(text: str) -> Ed25519PublicKey | None:
    try:
        return keys.public_from_text(text)
    except BadSignature:
        return None


class _NotAStatement(Exception):
    """A field is missing or has the wrong type."""


def _of(position: int, leaf: Leaf) -> Fact:
    statement, received = leaf.statement, leaf.received
    device = statement.keys() == DEVICE
    if not device and statement.keys() != SERVER:
        raise _NotAStatement
    body, kind = statement["body"], _text(statement["kind"])
    if not isinstance(body, dict) or kind is None:
        raise _NotAStatement
    seq, noted = _count(statement["seq"]), _count(received.get("order"))
    return Fact(
        position,
        "",
        leaf.key,
        device,
        kind,
        _text(statement["terminal"]),
        _text(statement["visit"]),
        seq,
        noted if device else seq,
        noted,
        _number(received.get("skew")),
        not (demanded := DEMANDS.get(kind)) or bool(body.get(demanded)),
        _detail(kind, body),
        tuple(_sealed(body)) if b"sealed:" in leaf.said or b'"commitment"' in leaf.said else (),
    )


def _text(value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or len(value) > 200):
        raise _NotAStatement
    return value


def _count(value: object) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53):
        raise _NotAStatement
    return value


def _number(value: object) -> float | None:
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise _NotAStatement
    return value


def _detail(kind: str, body: Mapping[str, Any]) -> Any:
    if kind == "enrolled":
        return str(body.get("public_key"))
    if kind in ("sequence_gap", "sequence_back"):
        pair = (body.get("expected"), body.get("got"))
        return pair if all(isinstance(one, int) for one in pair) else None
    if kind == "payload_erased":
        said = body.get("commitments")
        return tuple(one for one in said if isinstance(one, str)) if isinstance(said, list) else ()
    if kind == "message_rejected":
        return body["seq"] if isinstance(body.get("seq"), int) else None
    return None


def _sealed(body: Mapping[str, Any]) -> Iterator[str]:
    """The commitments in a body: that of a confirmation, and every text `sealed:<commitment>`."""
    confirmation = body.get("confirmation")
    if isinstance(confirmation, dict) and isinstance(confirmation.get("commitment"), str):
        yield confirmation["commitment"]
    waiting: list[Any] = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str) and value.startswith(SEALED):
            yield value.removeprefix(SEALED)
