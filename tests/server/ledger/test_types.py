from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.protocol import EventKind, Role
from madoguchi.protocol.messages import REPORT_FIELDS, REPORTED
from madoguchi.protocol.table import VISIT_TABLE
from madoguchi.server.ledger.types import LABELS, TYPES, NotInTheList, Sort, check, document

TOKEN = "sealed:" + "A" * 43 + "="


def test_the_document_is_up_to_date() -> None:
    written = Path(__file__).parents[3] / "docs" / "event-types.md"
    assert written.read_text() == document(), "python -m madoguchi.server.ledger.types > docs/event-types.md"


def test_every_step_of_a_visit_and_every_report_is_in_the_list() -> None:
    recorded = {row.event for row in VISIT_TABLE} | REPORTED
    assert {kind.value for kind in recorded} <= TYPES.keys()
    assert all(LABELS[kind.value] for kind in recorded)


def test_the_list_knows_every_field_that_the_protocol_asks_for() -> None:
    for row in VISIT_TABLE:
        assert set(row.evidence) <= TYPES[row.event.value].names, row
    for kind, fields in REPORT_FIELDS.items():
        assert set(fields) <= TYPES[kind.value].names, kind


def test_who_may_by_the_protocol_may_by_the_list() -> None:
    for row in VISIT_TABLE:
        assert row.who <= TYPES[row.event.value].by, row
    assert TYPES[EventKind.BIND_CARD.value].by == {Role.TERMINAL}


@pytest.mark.parametrize(
    ("kind", "by", "body"),
    [
        ("no_such_kind", Role.SERVER, {}),
        ("clear", Role.SUPPORTER, {"reason": TOKEN}),
        ("clear", Role.CITY_OFFICER, {"reason": TOKEN, "name": "架空 花子"}),
        ("clear", Role.CITY_OFFICER, {"reason": "架空さんが忘れたカード"}),
        ("clear", Role.CITY_OFFICER, {"reason": {"text": "架空"}}),
        ("clear", Role.CITY_OFFICER, {"reason": TOKEN + " 架空"}),
        ("attest_wipe", Role.CITY_OFFICER, {"reason": TOKEN, "proof": {"attested": "電源を切った", "by": "sato"}}),
        ("confirm", Role.SUPPORTER, {"confirmation": {"kind": "absent", "reason": "帰った"}, "outcome": "abandoned"}),
        ("payload_erased", Role.SUPPORTER, {}),
    ],
)
def test_a_statement_outside_the_list_is_a_defect(kind: str, by: Role, body: dict[str, object]) -> None:
    with pytest.raises(NotInTheList):
        check(kind=kind, by=by, body=body)


def test_sealed_words_and_plain_fields_pass() -> None:
    check(kind="clear", by=Role.CITY_OFFICER, body={"reason": TOKEN})
    proof = {"attested": TOKEN, "by": "sato"}
    check(kind="attest_wipe", by=Role.CITY_OFFICER, body={"reason": TOKEN, "proof": proof})
    check(kind="confirm", by=Role.SUPPORTER, body={"confirmation": {"kind": "spoken"}, "outcome": "completed"})
    check(kind="close", by=Role.SERVER, body={})


@given(kind=st.sampled_from([kind for kind in TYPES.values() if kind.personal]), words=st.text(min_size=1))
def test_no_personal_field_takes_words(kind: object, words: str) -> None:
    assert isinstance(kind, type(TYPES["clear"]))
    for name in kind.personal:
        *before, last = name.split(".")
        body: dict[str, object] = {last: words}
        for step in reversed(before):
            body = {step: body}
        with pytest.raises(NotInTheList):
            check(kind=kind.code, by=next(iter(kind.by)), body=body)


def test_only_free_words_and_raw_messages_are_personal() -> None:
    found = {f"{kind.code}.{name}" for kind in TYPES.values() for name in kind.personal}
    assert len(found) == 9
    assert {name for kind in TYPES.values() for name, sort in kind.fields.items() if sort is Sort.PSEUDONYM} == {
        "card_tag"
    }
