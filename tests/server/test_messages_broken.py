"""What terminals report that cannot be read or is out of range: kept, answered, and nothing is held up."""

from typing import Any

import pytest
from django.test import Client

from madoguchi.evidence import envelope
from madoguchi.protocol import EventKind
from madoguchi.server.visits.models import RejectedMessage, Visit
from server.seat import Json, People, Seat, serve, state, ticket


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return {"message": {"a": value}, "signature": "x", "payload": None}


BROKEN: list[Any] = [
    None,
    3,
    "x",
    [],
    {},
    {"message": {}, "signature": "", "payload": None},
    {"message": None, "signature": "", "payload": None},
    {"message": {"id": "a\u0000b"}, "signature": "\u0000", "payload": None},
    {"message": {"id": ["x"], "kind": []}, "signature": 3, "payload": None},
    {"message": {"a": 2**80}, "signature": "é", "payload": None},
    {"message": {"a": "\ud800"}, "signature": "x", "payload": None},
    {"message": {"a": "x" * 20_000}, "signature": "x", "payload": None},
    {"message": {"a": 1}, "signature": "x", "payload": None, "more": 1},
    nested(150),
    nested(700),
]


def test_what_cannot_be_read_is_kept_and_holds_up_nothing(seat: Seat, serving: Visit) -> None:
    good = seat.message(EventKind.END, {"cause": "finish"})
    verdicts = seat.send(*BROKEN, good)
    assert [answer["verdict"] for answer in verdicts] == ["rejected"] * len(BROKEN) + ["accepted"]
    assert {answer["reason"] for answer in verdicts[:-1]} <= {"MalformedMessage", "BadSignature"}
    assert all(answer["sentence"] for answer in verdicts[:-1])
    assert RejectedMessage.objects.count() == len(BROKEN)
    assert state(serving) == "ending"


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 0},
        {"seq": 2**63},
        {"lease": 2**70},
        {"lease": None},
        {"visit": None},
        {"at": "yesterday"},
        {"at": "0001-01-01T00:00:00+09:00"},
        {"at": "9999-12-31T23:59:59Z"},
        {"at": "2026-01-01T00:00:00"},
        {"id": "x"},
        {"kind": "close"},
        {"body": {"cause": "a\u0000b"}},
        {"body": {"cause": "because"}},
        {"body": {"cause": ["finish"]}},
        {"body": {}},
        {"body": {"cause": "finish", "card_tag": "1234567890123456"}},
    ],
)
def test_fields_out_of_their_range_change_nothing(seat: Seat, serving: Visit, change: Json) -> None:
    """Signed with the right key: the device itself is broken or has been taken over."""
    made = seat.message(EventKind.END, {"cause": "finish"})
    made["message"] |= change
    try:
        made["signature"] = envelope.sign(made["message"], seat.key)
    except ValueError:  # what canonical JSON cannot hold cannot be signed either
        made["signature"] = "x"
    answer = seat.send(made)[0]
    assert answer["verdict"] == "rejected"
    assert answer["reason"] in ("MalformedMessage", "MissingEvidence", "StaleLease")
    assert state(serving) == "serving"
    assert RejectedMessage.objects.count() == 1


@pytest.mark.parametrize("proof", [{"logout": []}, {"space": {}}, {"logout": 5, "leftovers": [1]}])
def test_a_strange_proof_breaks_no_page(seat: Seat, staff: People, client: Client, proof: Any) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    assert seat.report(EventKind.WIPE_PROVEN, {"proof": proof})["verdict"] == "accepted"
    client.force_login(staff("honcho-1"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/visits/{visit.pk}/").status_code == 200
