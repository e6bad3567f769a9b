"""Messages parse strictly: what is well formed comes back the same, everything else is `MalformedMessage`."""

import json
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.protocol import Assignment, EventKind, MalformedMessage, Message, Procedure, Role
from madoguchi.protocol.messages import REPORT_FIELDS, REPORTED
from madoguchi.protocol.states import OCCUPYING

FAST = settings(max_examples=60, deadline=None, database=None)
LARGEST = 2**53 - 1

words = st.text(min_size=1, max_size=100).filter(str.strip)
counts = st.integers(1, LARGEST)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=offsets).filter(lambda moment: 1 < moment.year < 9999)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    kind = draw(st.sampled_from(sorted(REPORTED)))
    about = kind is not EventKind.SWEEP_PROVEN and (kind is not EventKind.WIPE_FAILED or draw(st.booleans()))
    return Message(
        str(draw(st.uuids())),
        draw(words),
        draw(counts),
        kind,
        draw(moments).isoformat(),
        draw(words) if about else None,
        draw(counts) if about else None,
        draw(st.booleans()),
        {name: draw(json_values) for name in REPORT_FIELDS[kind] if draw(st.booleans())},
    )


PROCEDURE = Procedure("account", "公金受取口座", "https://a.example/", "https://a.example/out", ("https://a.example",))
MESSAGE = Message(
    "00000000-0000-4000-8000-000000000001", "T1", 1, EventKind.END, "2022-08-17T09:00:00+09:00", "V1", 7
).to_json()
ASSIGNMENT = Assignment("V1", "A-001", 7, "called", PROCEDURE).to_json()


def parsed(kind: type[Message] | type[Assignment], data: object) -> dict[str, Any] | None:
    try:
        return kind.from_json(data).to_json()
    except MalformedMessage:
        return None


@FAST
@given(messages())
def test_a_message_survives_the_wire(message: Message) -> None:
    assert Message.from_json(json.loads(json.dumps(message.to_json()))) == message


@FAST
@given(messages(), st.text(), json_values)
def test_a_report_carries_no_field_that_it_does_not_have(message: Message, name: str, value: object) -> None:
    given = message.to_json()
    given["body"][name] = value
    known = name in REPORT_FIELDS[message.kind]
    assert (parsed(Message, given) is not None) == known


@FAST
@given(words, words, counts, st.sampled_from(sorted(OCCUPYING)), st.lists(st.text(), max_size=3), st.booleans())
def test_an_assignment_survives_the_wire(
    visit: str, ticket: str, lease: int, state: str, allowed: list[str], flag: bool
) -> None:
    procedure = Procedure("c", "l", "s", "", tuple(allowed))
    assignment = Assignment(visit, ticket, lease, str(state), procedure, end_asked=flag, cleared=not flag)
    assert Assignment.from_json(json.loads(json.dumps(assignment.to_json()))) == assignment


@FAST
@given(json_values)
def test_other_json_is_malformed(value: object) -> None:
    for parse in (Message.from_json, Assignment.from_json):
        with pytest.raises(MalformedMessage):
            parse(value)


@FAST
@given(st.sampled_from(sorted(MESSAGE)), json_values)
def test_a_field_changed_is_refused_or_is_what_was_given(name: str, value: Any) -> None:
    """Never a crash, never something else than was sent."""
    changed = {**MESSAGE, name: value}
    assert parsed(Message, changed) in (None, changed)


@FAST
@given(st.sampled_from(sorted(ASSIGNMENT)), json_values)
def test_an_assignment_field_changed_is_refused_or_is_what_was_given(name: str, value: Any) -> None:
    changed = {**ASSIGNMENT, name: value}
    assert parsed(Assignment, changed) in (None, changed)


@pytest.mark.parametrize("whole", [MESSAGE, ASSIGNMENT, ASSIGNMENT["procedure"]])
def test_missing_and_unknown_fields_are_malformed(whole: dict[str, Any]) -> None:
    def parse(changed: dict[str, Any]) -> object:
        if whole is MESSAGE:
            return Message.from_json(changed)
        return Assignment.from_json(changed if whole is ASSIGNMENT else {**ASSIGNMENT, "procedure": changed})

    parse(whole)
    for changed in (*({k: v for k, v in whole.items() if k != name} for name in whole), {**whole, "more": 1}):
        with pytest.raises(MalformedMessage):
            parse(changed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "1"),
        ("id", "{00000000-0000-4000-8000-000000000001}"),
        ("id", "00000000-0000-4000-8000-00000000000A"),
        ("terminal", ""),
        ("terminal", " "),
        ("terminal", "T" * 101),
        ("seq", 0),
        ("seq", -1),
        ("seq", True),
        ("seq", 1.0),
        ("seq", LARGEST + 1),
        ("lease", 0),
        ("lease", True),
        ("lease", "7"),
        ("lease", LARGEST + 1),
        ("lease", None),
        ("visit", None),
        ("visit", ""),
        ("visit", 5),
        ("training", 1),
        ("training", None),
        ("body", []),
        ("kind", "call"),
        ("kind", "close"),
        ("kind", "clear"),
        ("kind", "sweep_proven"),
        ("kind", ["end"]),
        ("kind", {}),
        ("kind", None),
        ("at", "2022-08-17"),
        ("at", "2022-08-17T09:00:00"),
        ("at", "2022-08-17T09:00+09:00"),
        ("at", "2022-W33-3T09:00:00+09:00"),
        ("at", "2022-02-30T09:00:00+09:00"),
        ("at", "2022-08-17T25:00:00+09:00"),
        ("at", "0001-01-01T00:00:00+09:00"),
        ("at", "9999-12-31T23:59:59-09:00"),
        ("at", "２０２２-08-17T09:00:00+09:00"),
        ("at", "2022-08-17T09:00:00+09:00\n"),
    ],
)
def test_what_no_terminal_may_say(name: str, value: object) -> None:
    with pytest.raises(MalformedMessage):
        Message.from_json({**MESSAGE, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "waiting"),
        ("state", "closed"),
        ("state", "locked"),
        ("lease", 0),
        ("lease", True),
        ("visit", ""),
        ("end_asked", 0),
        ("cleared", None),
        ("procedure", None),
        ("procedure", {**ASSIGNMENT["procedure"], "allowed": "https://a.example"}),
        ("procedure", {**ASSIGNMENT["procedure"], "allowed": [5]}),
        ("procedure", {**ASSIGNMENT["procedure"], "allowed": 5}),
        ("procedure", {**ASSIGNMENT["procedure"], "start_url": None}),
    ],
)
def test_what_no_server_may_answer(name: str, value: object) -> None:
    with pytest.raises(MalformedMessage):
        Assignment.from_json({**ASSIGNMENT, name: value})


@pytest.mark.parametrize("kind", sorted(EventKind))
def test_a_terminal_reports_what_is_on_its_list_and_nothing_else(kind: EventKind) -> None:
    about = {"visit": None, "lease": None} if kind is EventKind.SWEEP_PROVEN else {}
    given = {**MESSAGE, **about, "kind": kind.value}
    if kind not in REPORTED:
        with pytest.raises(MalformedMessage):
            Message.from_json(given)
        return
    event = Message.from_json(given).event()
    assert (event.kind, event.by, event.lease) == (kind, Role.TERMINAL, given["lease"])


def test_a_failed_wipe_may_be_about_no_visit() -> None:
    assert Message.from_json({**MESSAGE, "kind": "wipe_failed", "visit": None, "lease": None}).visit is None
    with pytest.raises(MalformedMessage):
        Message.from_json({**MESSAGE, "kind": "wipe_failed", "visit": None})
