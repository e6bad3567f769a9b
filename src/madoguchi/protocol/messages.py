"""What terminal and server say to each other. Both ends parse with these; unknown or missing fields are refused."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from madoguchi.protocol.errors import MalformedMessage
from madoguchi.protocol.events import Event, EventKind
from madoguchi.protocol.roles import Role

REPORTED = frozenset(
    {
        EventKind.BIND_CARD,
        EventKind.CURTAIN,
        EventKind.UNCURTAIN,
        EventKind.END,
        EventKind.WIPE_PROVEN,
        EventKind.WIPE_FAILED,
        EventKind.SWEEP_PROVEN,
        EventKind.CONFIRM,
    }
)
"""Events a terminal may report; every other kind from a device is malformed."""


class Verdict(StrEnum):
    """The server's answer to one message. Each of them ends the sending: the outbox drops the row."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Message:
    """One signed report of a terminal.

    `id` is the idempotency key (UUID). `seq` counts the terminal's messages from 1 without gaps. `at` is RFC 3339
    with offset, by the terminal's clock. `training`: the terminal ran without a real box or reader.
    """

    id: str
    terminal: str
    seq: int
    kind: EventKind
    at: str
    visit: str | None = None
    lease: int | None = None
    training: bool = False
    body: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The object that is canonicalised and signed."""
        return asdict(self) | {"kind": self.kind.value, "body": dict(self.body)}

    @classmethod
    def from_json(cls, data: object) -> "Message":
        """Parse strictly. Raises `MalformedMessage`."""
        given = _object(data, {f.name for f in fields(cls)})
        _require(given, {"id": str, "terminal": str, "seq": int, "at": str, "training": bool, "body": dict})
        _require(given, {"visit": (str, type(None)), "lease": (int, type(None))})
        kind = _reported(given["kind"])
        _moment(given["at"])
        return cls(**{**given, "kind": kind})

    def event(self) -> Event:
        """The visit event that this message reports."""
        return Event(self.kind, Role.TERMINAL, self.lease, self.body)


@dataclass(frozen=True, slots=True)
class Procedure:
    """The procedure a visit is for: where the box may go. `start_url` is the prepared shortcut."""

    code: str
    label: str
    start_url: str
    logout_url: str
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The visit that the server holds for a terminal, as answered to a poll."""

    visit: str
    ticket: str
    lease: int
    state: str
    procedure: Procedure
    end_asked: bool = False
    cleared: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object) -> "Assignment":
        """Parse strictly. Raises `MalformedMessage`."""
        given = _object(data, {f.name for f in fields(cls)})
        _require(given, {"visit": str, "ticket": str, "lease": int, "state": str, "end_asked": bool, "cleared": bool})
        procedure = _object(given["procedure"], {f.name for f in fields(Procedure)})
        procedure["allowed"] = tuple(procedure["allowed"])
        return cls(**{**given, "procedure": Procedure(**procedure)})


def _object(data: object, names: set[str]) -> dict[str, Any]:
    if not isinstance(data, dict) or set(data) != names:
        raise MalformedMessage(f"expected an object with {', '.join(sorted(names))}")
    return dict(data)


def _require(given: Mapping[str, Any], types: Mapping[str, Any]) -> None:
    for name, kind in types.items():
        if not isinstance(given[name], kind) or (kind is int and isinstance(given[name], bool)):
            raise MalformedMessage(f"{name} has the wrong type")


def _reported(value: object) -> EventKind:
    if value not in REPORTED:
        raise MalformedMessage(f"a terminal does not report {value!r}")
    return EventKind(value)


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise MalformedMessage(f"{value!r} is no time") from error
    if moment.tzinfo is None:
        raise MalformedMessage(f"{value!r} has no offset")
    return moment
