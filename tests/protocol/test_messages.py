"""What terminal and server say to each other is parsed strictly, on both ends."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.protocol import Assignment, EventKind, MalformedMessage, Message, Procedure, Role
from madoguchi.protocol.messages import REPORTED
from madoguchi.protocol.states import OCCUPYING

PROCEDURE = Procedure("points", "申込", "http://site.invalid/", "http://site.invalid/logout", ("http://site.invalid",))
ASSIGNMENT = Assignment("v1", "A-001", 3, "called", PROCEDURE)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def message(**changes: Any) -> dict[str, Any]:
    plain = Message(str(uuid4()), "t1", 1, EventKind.END, "2022-08-17T10:00:00+09:00", "v1", 3, body={"cause": "idle"})
    return {**plain.to_json(), **changes}


@pytest.mark.parametrize("kind", sorted(REPORTED))
def test_what_is_sent_arrives(kind: EventKind) -> None:
    about = {"visit": None, "lease": None} if kind is EventKind.SWEEP_PROVEN else {}
    sent = message(kind=kind.value, **about)
    arrived = Message.from_json(sent)
    assert arrived.to_json() == sent
    assert (arrived.event().kind, arrived.event().by, arrived.event().lease) == (kind, Role.TERMINAL, sent["lease"])


@pytest.mark.parametrize("kind", sorted(set(EventKind) - REPORTED))
def test_what_a_terminal_does_not_report(kind: EventKind) -> None:
    with pytest.raises(MalformedMessage):
        Message.from_json(message(kind=kind.value))


@pytest.mark.parametrize("name", list(message()))
def test_a_missing_field(name: str) -> None:
    cut = message()
    del cut[name]
    with pytest.raises(MalformedMessage):
        Message.from_json(cut)


@given(st.text(min_size=1, max_size=10), json_values)
def test_a_field_too_many(name: str, value: Any) -> None:
    if name not in message():
        with pytest.raises(MalformedMessage):
            Message.from_json(message(**{name: value}))


@given(json_values)
def test_what_is_no_message_at_all(value: Any) -> None:
    with pytest.raises(MalformedMessage):
        Message.from_json(value)
    with pytest.raises(MalformedMessage):
        Assignment.from_json(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "1"),
        ("id", str(uuid4()).upper()),
        ("terminal", ""),
        ("seq", 0),
        ("seq", True),
        ("seq", 2**60),
        ("seq", "1"),
        ("at", "yesterday"),
        ("at", "2022-08-17T10:00:00"),
        ("at", "2022-13-17T10:00:00+09:00"),
        ("at", "0001-01-01T00:00:00+23:00"),
        ("visit", None),
        ("visit", 5),
        ("lease", None),
        ("lease", -1),
        ("lease", True),
        ("training", 1),
        ("body", []),
        ("kind", ["end"]),
        ("kind", 1),
    ],
)
def test_a_field_of_the_wrong_form(name: str, value: Any) -> None:
    with pytest.raises(MalformedMessage):
        Message.from_json(message(**{name: value}))


@given(st.sampled_from(sorted(set(message()) - {"body"})), json_values)
def test_whatever_stands_in_a_field_is_refused_or_kept(name: str, value: Any) -> None:
    given_message = message(**{name: value})
    try:
        arrived = Message.from_json(given_message)
    except MalformedMessage:
        return
    assert arrived.to_json() == given_message


@pytest.mark.parametrize("state", sorted(OCCUPYING))
def test_an_assignment_arrives(state: str) -> None:
    sent = Assignment("v1", "A-001", 3, state, PROCEDURE, end_asked=True)
    assert Assignment.from_json(sent.to_json()) == sent


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("visit", ""),
        ("lease", 0),
        ("lease", None),
        ("state", "waiting"),
        ("state", "flying"),
        ("end_asked", "no"),
        ("procedure", {}),
        ("procedure", {**ASSIGNMENT.to_json()["procedure"], "allowed": "http://site.invalid"}),
        ("procedure", {**ASSIGNMENT.to_json()["procedure"], "allowed": [1]}),
        ("procedure", {**ASSIGNMENT.to_json()["procedure"], "start_url": None}),
    ],
)
def test_an_assignment_of_the_wrong_form(name: str, value: Any) -> None:
    with pytest.raises(MalformedMessage):
        Assignment.from_json({**ASSIGNMENT.to_json(), name: value})
