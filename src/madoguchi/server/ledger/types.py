"""The closed list of event types: label, who states it, which fields, which of them are personal.

Labels, emitters and fields of a visit's events come from the protocol's tables. A personal field never holds words: it
holds `sealed:<commitment>`, and the words lie in a payload that can be erased. A pseudonym is a keyed hash.

`docs/event-types.md` is written from here: `python -m madoguchi.server.ledger.types > docs/event-types.md`.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from madoguchi.protocol import TERMINAL_TABLE, VISIT_TABLE, EventKind, Role
from madoguchi.protocol.messages import REPORTED
from madoguchi.protocol.roles import PERMISSIONS, STAFF, Permission

TOKEN = re.compile(r"sealed:[A-Za-z0-9+/]{43}=")
"""What stands in a statement in place of words: the commitment of the payload that holds them."""


class Sort(StrEnum):
    """What a field holds."""

    PLAIN = "plain"
    PSEUDONYM = "pseudonym"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class EventType:
    """One type. `of_visit`: a step of the protocol, or about a terminal, and kept as a `VisitEvent` too.

    `fields`: names to sorts; a name with a dot is a part of the field before it.
    """

    code: str
    label: str
    by: frozenset[Role]
    fields: Mapping[str, Sort] = field(default_factory=dict)
    of_visit: bool = False

    @property
    def personal(self) -> tuple[str, ...]:
        """The fields that hold tokens."""
        return tuple(name for name, sort in self.fields.items() if sort is Sort.PERSONAL)

    @property
    def names(self) -> frozenset[str]:
        """The names that may stand in a body."""
        return frozenset(name.partition(".")[0] for name in self.fields)


class NotInTheList(Exception):
    """A statement of a type, by somebody, or with a field that the list does not have: a defect, never a refusal."""

    sentence = "記録の種類の表にない記録です。ソフトの不具合です。開発元に知らせてください。"


_BY_SERVER = frozenset({Role.SERVER})
_OFFICER = PERMISSIONS[Permission.ENROL_TERMINAL]
_OVERSIGHT = PERMISSIONS[Permission.EXPORT_EVIDENCE]
_ANY_STAFF = frozenset(STAFF)


def _fields(*, plain: str = "", personal: str = "", pseudonym: str = "") -> dict[str, Sort]:
    sorts = ((Sort.PLAIN, plain), (Sort.PERSONAL, personal), (Sort.PSEUDONYM, pseudonym))
    return {name: sort for sort, names in sorts for name in names.split()}


_PROTOCOL_FIELDS: dict[EventKind, dict[str, Sort]] = {
    EventKind.ISSUE: _fields(plain="preflight procedure"),
    EventKind.CALL: _fields(plain="terminal lease"),
    EventKind.RETURN_TO_QUEUE: _fields(personal="reason"),
    EventKind.WITHDRAW: _fields(personal="reason"),
    EventKind.BIND_CARD: _fields(pseudonym="card_tag"),
    EventKind.CURTAIN: {},
    EventKind.UNCURTAIN: _fields(pseudonym="card_tag"),
    EventKind.ASK_END: _fields(personal="reason"),
    EventKind.END: _fields(plain="cause"),
    EventKind.WIPE_PROVEN: _fields(plain="proof"),
    EventKind.WIPE_FAILED: _fields(plain="failure"),
    EventKind.SWEEP_PROVEN: _fields(plain="proof"),
    EventKind.CLEAR: _fields(personal="reason"),
    EventKind.ATTEST_WIPE: _fields(plain="proof", personal="proof.attested reason"),
    EventKind.CONFIRM: _fields(plain="confirmation outcome reason", personal="confirmation.reason"),
    EventKind.CLOSE: {},
}


def _emitters(kind: EventKind) -> frozenset[Role]:
    """Who may, by the visit's table; what a terminal reports of itself by its own."""
    found = {role for row in VISIT_TABLE if row.event is kind for role in row.who}
    return frozenset(found | ({Role.TERMINAL} if kind in REPORTED else set()))


def _label(kind: EventKind) -> str:
    if kind is EventKind.SWEEP_PROVEN:
        return "残りのないことの証明"
    return next(row.label for row in (*VISIT_TABLE, *TERMINAL_TABLE) if row.event is kind)


def _protocol() -> Iterator[EventType]:
    for kind, fields in _PROTOCOL_FIELDS.items():
        yield EventType(kind.value, _label(kind), _emitters(kind), fields, of_visit=True)


_OFFICE = (
    EventType("enrolled", "端末の登録", _BY_SERVER, _fields(plain="public_key code_by"), of_visit=True),
    EventType("revoked", "端末の登録の取り消し", _OFFICER, _fields(personal="reason"), of_visit=True),
    EventType("in_service", "使用開始", _OFFICER, of_visit=True),
    EventType("out_of_service", "使用をやめる設定", _OFFICER, of_visit=True),
    EventType("sequence_gap", "連絡の番号が飛んだ", _BY_SERVER, _fields(plain="expected got"), of_visit=True),
    EventType("sequence_back", "連絡の順番が前後した", _BY_SERVER, _fields(plain="expected got"), of_visit=True),
    EventType(
        "message_rejected",
        "受け付けなかった連絡",
        _BY_SERVER,
        _fields(plain="reason message_id seq", personal="raw"),
    ),
    EventType("clock_off", "端末の時計がずれた", _BY_SERVER, _fields(plain="skew")),
    EventType("clock_right", "端末の時計が合った", _BY_SERVER, _fields(plain="skew")),
    EventType("code_issued", "端末の登録コードの発行", _OFFICER, _fields(plain="old_machine_off")),
    EventType(
        "staff_saved",
        "職員の登録・変更",
        PERMISSIONS[Permission.MANAGE_STAFF],
        _fields(plain="username role site active password"),
    ),
    EventType("counter_saved", "窓口の設定の変更", _OFFICER, _fields(plain="what key changed")),
    EventType("payload_opened", "署名などの内容を開いた", _ANY_STAFF, _fields(plain="commitment kind")),
    EventType("payload_erased", "内容の消去", _OFFICER | _BY_SERVER, _fields(plain="commitments kind reason")),
    EventType("key_changed", "鍵の取り替え", _OFFICER | _BY_SERVER, _fields(plain="old new rewrapped")),
    EventType(
        "evidence_exported",
        "証拠の書き出し",
        _OVERSIGHT | _BY_SERVER,
        _fields(plain="scope size entries payloads"),
    ),
    EventType(
        "checkpoint_compared", "古いチェックポイントとの照合", _OVERSIGHT | _BY_SERVER, _fields(plain="size holds")
    ),
)

TYPES: dict[str, EventType] = {kind.code: kind for kind in (*_protocol(), *_OFFICE)}
"""Every type, by its code."""

OFFICE_EVENTS = {kind.code: kind.label for kind in _OFFICE if kind.of_visit}
"""Kinds that the office records on a terminal beside the protocol's own."""

LABELS = {code: kind.label for code, kind in TYPES.items()}
"""Japanese labels."""


def check(*, kind: str, by: Role, body: Mapping[str, Any]) -> None:
    """Raises `NotInTheList` for a statement of staff or server that the list does not allow."""
    known = TYPES.get(kind)
    if known is None or by not in known.by:
        raise NotInTheList(f"{kind} by {by}")
    if not body.keys() <= known.names:
        raise NotInTheList(f"{kind} with {', '.join(sorted(body.keys() - known.names))}")
    for name in known.personal:
        value = _part(body, name)
        if value is not None and not (isinstance(value, str) and TOKEN.fullmatch(value)):
            raise NotInTheList(f"{kind}: {name} is not sealed")


def _part(body: Mapping[str, Any], name: str) -> Any:
    found: Any = body
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def document() -> str:
    """`docs/event-types.md`."""
    head = "# Event types\n\nWritten by `python -m madoguchi.server.ledger.types`; do not edit.\n"
    rows = ["| type | 日本語 | stated by | fields | personal (sealed) | pseudonym |", "|---|---|---|---|---|---|"]
    for kind in TYPES.values():
        by = ", ".join(role.label for role in Role if role in kind.by)
        sorts = (
            ", ".join(name for name, sort in kind.fields.items() if sort is wanted)
            for wanted in (Sort.PLAIN, Sort.PERSONAL, Sort.PSEUDONYM)
        )
        rows.append(f"| {kind.code} | {kind.label} | {by} | {' | '.join(sorts)} |")
    return "\n".join([head, *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(document())
