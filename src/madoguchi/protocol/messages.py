"""What terminal and server say to each other. Both ends parse with these; unknown or missing fields are refused."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from madoguchi.protocol.errors import MalformedMessage
from madoguchi.protocol.events import Event, EventKind
from madoguchi.protocol.roles import Role
from madoguchi.protocol.states import OCCUPYING

_LARGEST = 2**53 - 1
_LONGEST = 100
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)

REPORT_FIELDS: dict[EventKind, tuple[str, ...]] = {
    EventKind.BIND_CARD: ("card_tag",),
    EventKind.CURTAIN: (),
    EventKind.UNCURTAIN: ("card_tag",),
    EventKind.END: ("cause",),
    EventKind.WIPE_PROVEN: ("proof",),
    EventKind.SWEEP_PROVEN: ("proof",),
    EventKind.WIPE_FAILED: ("failure",),
    EventKind.CONFIRM: ("confirmation", "outcome", "reason"),
}
"""What the body of each report carries, as far as it is known; any other field is malformed: it could be personal."""

REPORTED = frozenset(REPORT_FIELDS)
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
        """Return the object that is canonicalised and signed."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {
            "kind": self.kind.value,
            "body": dict(self.body),
        }

    @classmethod
    def from_json(cls, data: object) -> "Message":
        """Parse strictly. Raises `MalformedMessage`."""
        given = _object(data, {f.name for f in fields(cls)})
        _require(given, {"id": str, "terminal": str, "seq": int, "at": str, "training": bool, "body": dict})
        _require(given, {"visit": (str, type(None)), "lease": (int, type(None))})
        _identifier(given["id"])
        _filled(given, ("terminal",))
        _counted(given["seq"])
        _moment(given["at"])
        kind = _reported(given["kind"])
        _about(kind, given["visit"], given["lease"])
        if not given["body"].keys() <= set(REPORT_FIELDS[kind]):
            raise MalformedMessage(f"{kind} carries fields that it does not have")
        return cls(**{**given, "kind": kind})

    def event(self) -> Event:
        """Return the visit event that this message reports."""
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
        plain = asdict(self)
        plain["procedure"]["allowed"] = list(self.procedure.allowed)
        return plain

    @classmethod
    def from_json(cls, data: object) -> "Assignment":
        """Parse strictly. Raises `MalformedMessage`."""
        given = _object(data, {f.name for f in fields(cls)})
        _require(given, {"visit": str, "ticket": str, "lease": int, "state": str, "end_asked": bool, "cleared": bool})
        _filled(given, ("visit",))
        _counted(given["lease"])
        if given["state"] not in OCCUPYING:
            raise MalformedMessage(f"a visit in {given['state']!r} holds no terminal")
        return cls(**{**given, "procedure": _procedure(given["procedure"])})


def _procedure(data: object) -> Procedure:
    given = _object(data, {f.name for f in fields(Procedure)})
    _require(given, {"code": str, "label": str, "start_url": str, "logout_url": str, "allowed": list})
    if not all(isinstance(origin, str) for origin in given["allowed"]):
        raise MalformedMessage("allowed has an entry of the wrong type")
    return Procedure(**{**given, "allowed": tuple(given["allowed"])})


def _object(data: object, names: set[str]) -> dict[str, Any]:
    if not isinstance(data, dict) or set(data) != names:
        raise MalformedMessage(f"expected an object with {', '.join(sorted(names))}")
    return dict(data)


def _require(given: Mapping[str, Any], types: Mapping[str, Any]) -> None:
    for name, kind in types.items():
        value = given[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise MalformedMessage(f"{name} has the wrong type")


def _filled(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if not given[name].strip() or len(given[name]) > _LONGEST:
            raise MalformedMessage(f"{name} is empty or too long")


def _identifier(value: str) -> None:
    try:
        canonical = str(UUID(value))
    except ValueError as error:
        raise MalformedMessage("id is no UUID") from error
    if canonical != value:
        raise MalformedMessage("id is not written in the canonical form of a UUID")


def _counted(value: int) -> None:
    """Numbers count from 1 and stay within what every JSON reader holds exactly (RFC 7493)."""
    if not 1 <= value <= _LARGEST:
        raise MalformedMessage(f"{value} is no count")


def _about(kind: EventKind, visit: str | None, lease: int | None) -> None:
    """Check what it is about: a sweep no visit, a failed wipe one or none, all else one and its lease."""
    if (visit is None) != (lease is None):
        raise MalformedMessage("visit and lease stand together or not at all")
    if visit is None or lease is None:
        if kind not in (EventKind.SWEEP_PROVEN, EventKind.WIPE_FAILED):
            raise MalformedMessage(f"{kind} is about no visit")
        return
    if kind is EventKind.SWEEP_PROVEN:
        raise MalformedMessage(f"{kind} is about a visit")
    _filled({"visit": visit}, ("visit",))
    _counted(lease)


def _reported(value: object) -> EventKind:
    for kind in REPORTED:
        if value == kind.value:
            return kind
    raise MalformedMessage("a terminal does not report this kind of event")


def _moment(value: str) -> datetime:
    """RFC 3339 with offset, and a moment that exists in universal time."""
    if not _RFC_3339.fullmatch(value):
        raise MalformedMessage(f"{value!r} is no time with offset")
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedMessage(f"{value!r} is no time") from error
