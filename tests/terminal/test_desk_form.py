"""The desk page's form: each way of confirming, what is refused, kept, escaped, and for whom."""

import json
import re

import pytest

from madoguchi.protocol import TerminalState, VisitState
from madoguchi.terminal.errors import JournalBroken
from terminal.deskclient import DRAWING, DRAWN, HOME, SIGNED, Desk, plain, to_confirming

# the ways to confirm

SPOKEN = {"outcome": "completed", "own_name": "own", "kind": "spoken", "staff_1": "sato", "staff_2": "suzuki"}


ABSENT = {"outcome": "abandoned", "reason": "left_seat", "kind": "absent", "absence": "left_seat"}


PROXY = {**SIGNED, "kind": "proxy_signature", "witness": "sato"}


@pytest.mark.parametrize(
    ("form", "by"),
    [(SIGNED, "signature"), (PROXY, "proxy_signature"), (SPOKEN, "spoken"), (ABSENT, "absent")],
)
@pytest.mark.parametrize("outcome", [{}, {"outcome": "interrupted", "reason": "certificate_renewed"}])
def test_each_way_of_confirming_closes_the_visit(
    desk: Desk, form: dict[str, str], by: str, outcome: dict[str, str]
) -> None:
    ident = to_confirming(desk)
    assert desk.confirm({**form, **outcome}).status_code == 303
    desk.rig.poll()
    assert desk.rig.office.state(ident) is VisitState.CLOSED
    [message] = [m for m in desk.rig.office.messages if m.kind == "confirm"]
    assert message.body["confirmation"]["kind"] == by
    assert message.body["outcome"] == {**form, **outcome}["outcome"]


BAD = [
    ({**SIGNED, "outcome": ""}, "outcome"),
    ({**SIGNED, "own_name": ""}, "own_name"),
    ({**SIGNED, "own_name": "mine"}, "own_name"),
    ({**SIGNED, "outcome": "interrupted"}, "reason"),
    ({**SIGNED, "outcome": "interrupted", "reason": "because"}, "reason"),
    ({**SIGNED, "kind": ""}, "kind"),
    ({**SIGNED, "strokes": ""}, "strokes"),
    ({**SIGNED, "strokes": "{}"}, "strokes"),
    ({**SIGNED, "strokes": "[" * 20000}, "strokes"),
    ({**SIGNED, "strokes": json.dumps({**DRAWING, "strokes": []})}, "strokes"),
    ({**SIGNED, "strokes": json.dumps({**DRAWING, "strokes": [[]]})}, "strokes"),
    ({**SIGNED, "strokes": json.dumps({**DRAWING, "strokes": [[[5, 5, 0], [5, 5, 9]]]})}, "strokes"),
    ({**SIGNED, "strokes": json.dumps({**DRAWING, "strokes": [[[5, 5.5, 0], [6, 6, 1]]]})}, "strokes"),
    ({**SIGNED, "strokes": json.dumps({**DRAWING, "strokes": [[[5, -5, 0], [6, 6, 1]]]})}, "strokes"),
    ({**SIGNED, "strokes": json.dumps({**DRAWING, "strokes": [[[1, 2, 3]] * 20001]})}, "strokes"),
    ({**SIGNED, "strokes": json.dumps({**DRAWING, "width": True})}, "width"),
    ({**SIGNED, "strokes": json.dumps({**DRAWING, "name": "架空 花子"})}, "strokes"),
    ({**PROXY, "witness": ""}, "witness"),
    ({**PROXY, "witness": "佐藤 花子"}, "witness"),
    ({**SPOKEN, "staff_2": ""}, "staff_2"),
    ({**SPOKEN, "staff_2": " SATO "}, "staff_2"),
    ({**ABSENT, "absence": ""}, "absence"),
    ({**ABSENT, "absence": "went to 架空町"}, "absence"),
]


@pytest.mark.parametrize(("form", "field"), BAD, ids=[f"{n}-{field}" for n, (_, field) in enumerate(BAD)])
def test_an_incomplete_form_is_refused_with_what_was_typed_kept(desk: Desk, form: dict[str, str], field: str) -> None:
    to_confirming(desk)
    answer = desk.confirm(form)
    assert answer.status_code == 400
    assert "入力が足りません" in plain(answer.text)
    assert 'value="completed"' in answer.text
    if form.get("staff_1"):
        assert 'value="sato"' in answer.text
    assert desk.rig.now() is TerminalState.CONFIRMING
    named = desk.confirm(form, headers={"Accept": "application/json"})
    assert named.json is not None
    assert named.json["code"] == "FormIncomplete"
    assert named.json["field"] == field


def test_the_same_form_twice_is_harmless(desk: Desk) -> None:
    to_confirming(desk)
    token = desk.token()
    form = {"token": token, "lease": desk.rig.office.lease, **SIGNED}
    for _ in range(2):
        assert desk.client.post("/confirm", data=form, base_url=HOME).status_code == 303
    desk.rig.poll()
    assert len([m for m in desk.rig.office.messages if m.kind == "confirm"]) == 1
    assert desk.rig.office.rejected == []


def test_a_form_of_an_earlier_visit_confirms_nothing(desk: Desk) -> None:
    to_confirming(desk)
    desk.rig.poll()
    desk.rig.office.close_at_staff_screen()
    desk.rig.poll()
    late = desk.confirm(SIGNED, headers={"Accept": "application/json"})
    assert late.status_code == 409
    desk.rig.take()
    to_confirming(desk)
    old = desk.post("/confirm", {"lease": 1, **SIGNED})
    assert old.status_code == 409
    assert "ほかの画面ですでに終わっています" in plain(old.text)
    assert desk.rig.now() is TerminalState.CONFIRMING


@pytest.mark.parametrize("lease", ["", "x", "-1", "999"])
def test_a_form_with_a_made_up_lease_confirms_nothing(desk: Desk, lease: str) -> None:
    to_confirming(desk)
    assert desk.post("/confirm", {"lease": lease, **SIGNED}).status_code in (400, 409)
    assert desk.rig.now() is TerminalState.CONFIRMING


def test_what_cannot_be_kept_is_not_answered_as_kept(desk: Desk) -> None:
    to_confirming(desk)
    token = desk.token()
    desk.rig.break_journal()
    form = {"token": token, "lease": desk.rig.office.lease, **SIGNED}
    answer = desk.client.post("/confirm", data=form, base_url=HOME, headers={"Accept": "application/json"})
    assert answer.status_code == 503
    assert answer.json == {"code": "JournalBroken", "sentence": JournalBroken.sentence}
    desk.rig.mend_journal()
    desk.rig.wait(1)
    assert desk.client.post("/confirm", data=form, base_url=HOME).status_code == 303
    desk.rig.poll()
    assert len(desk.rig.office.payloads) == 1


# nothing written is lost

HALF = {**SIGNED, "kind": "proxy_signature", "witness": "架空 花子", "staff_1": "sato"}


def test_a_refused_form_loses_nothing(desk: Desk) -> None:
    to_confirming(desk)
    page = plain(desk.confirm(HALF).text)
    assert f'name="strokes" id="strokes" value="{DRAWN}"' in page
    assert 'value="架空 花子"' in page
    assert 'value="sato"' in page
    for chosen in ("completed", "own", "proxy_signature"):
        assert re.search(rf'value="{chosen}"[^>]*checked', page)


def test_what_is_wrong_is_named_all_at_once_and_leads_to_its_field(desk: Desk) -> None:
    to_confirming(desk)
    page = plain(desk.confirm({"outcome": "completed", "kind": "spoken", "staff_1": "佐藤"}).text)
    assert re.findall(r'<a href="#field-(\w+)">', page) == ["own_name", "staff_1", "staff_2"]
    for field in ("own_name", "staff_1", "staff_2"):
        assert re.search(rf'id="field-{field}"[^>]*aria-invalid="true"\s+aria-describedby="error-{field}"', page)
        assert f'id="error-{field}"' in page
    assert 'id="error-kind"' not in page


def test_a_page_that_is_loaded_again_or_in_another_language_holds_the_form(desk: Desk) -> None:
    to_confirming(desk)
    assert desk.post("/draft", HALF).status_code == 204
    assert DRAWN in desk.page()
    assert desk.post("/manner", {**HALF, "language": "pt", "staff_1": "abe"}).status_code == 303
    page = desk.page()
    assert DRAWN in page
    assert 'value="abe"' in page
    assert 'lang="pt-BR"' in page


def test_a_busy_agent_loses_nothing(desk: Desk) -> None:
    to_confirming(desk)
    token, lease = desk.token(), desk.lease()
    desk.rig.break_journal()
    answer = desk.client.post("/confirm", data={"token": token, "lease": lease, **SIGNED}, base_url=HOME)
    assert answer.status_code == 503
    assert DRAWN in answer.text
    desk.rig.mend_journal()
    assert DRAWN in desk.page()


def test_nothing_of_a_form_is_left_for_the_next_visit(desk: Desk) -> None:
    to_confirming(desk)
    desk.post("/draft", HALF)
    desk.confirm(SIGNED)
    assert DRAWN not in desk.page()
    memory = desk.client.application.extensions["memory"]
    assert memory.given(int(desk.rig.office.lease)) == {}
    desk.rig.poll()
    desk.rig.take()
    to_confirming(desk)
    assert DRAWN not in desk.page()
    assert "架空 花子" not in desk.page()


def test_a_half_filled_form_is_kept_by_nobody_else(desk: Desk) -> None:
    """Neither the journal nor any file holds what was not confirmed."""
    to_confirming(desk)
    desk.post("/draft", HALF)
    found = [file for file in desk.rig.folder.rglob("*") if file.is_file() and b"strokes" in file.read_bytes()]
    assert found == []


def test_too_much_is_not_kept(desk: Desk) -> None:
    to_confirming(desk)
    desk.post("/draft", {**HALF, "strokes": "x" * 1_000_001, "witness": "w" * 41, "other": "field"})
    given = desk.client.application.extensions["memory"].given(int(desk.lease()))
    assert set(given) == {"outcome", "own_name", "kind", "staff_1"}


def test_what_is_typed_is_escaped(desk: Desk) -> None:
    to_confirming(desk)
    bad = '"><script>alert(1)</script>'
    page = desk.confirm({**HALF, "witness": bad, "strokes": bad, "outcome": bad}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


# whose name was shown


@pytest.mark.parametrize("answer", ["own", "unseen"])
def test_whose_name_was_shown_is_in_the_evidence(desk: Desk, answer: str) -> None:
    ident = to_confirming(desk)
    assert desk.confirm({**SIGNED, "own_name": answer}).status_code == 303
    desk.rig.poll()
    [message] = [m for m in desk.rig.office.messages if m.kind == "confirm"]
    assert message.body["confirmation"]["own_name"] == answer
    assert desk.rig.office.state(ident) is VisitState.CLOSED
    assert CALL_STAFF not in desk.page()


CALL_STAFF = "係の人を呼んでください"


def test_another_name_closes_the_visit_and_calls_the_staff(desk: Desk) -> None:
    ident = to_confirming(desk)
    desk.post("/manner", {"language": "en"})
    answer = desk.client.post(
        "/confirm",
        data={"token": desk.token(), "lease": desk.lease(), **SIGNED, "own_name": "other"},
        base_url=HOME,
        follow_redirects=True,
    )
    page = plain(answer.text)
    assert 'data-view="locked"' in page
    call = page[page.index('role="alert"') :]
    assert "Please call the staff." in call
    assert CALL_STAFF in call
    assert "A-001" in call
    desk.rig.poll()
    [message] = [m for m in desk.rig.office.messages if m.kind == "confirm"]
    assert message.body["confirmation"]["own_name"] == "other"
    assert desk.rig.office.state(ident) is VisitState.CLOSED
    assert CALL_STAFF in desk.page()
    desk.rig.take()
    desk.rig.office.call()
    desk.rig.poll()
    assert CALL_STAFF not in desk.page()
    desk.rig.office.back_to_queue()
    desk.rig.poll()
    assert CALL_STAFF not in desk.page()


def test_who_did_not_finish_is_not_asked_for_a_name(desk: Desk) -> None:
    to_confirming(desk)
    form = {**SIGNED, "outcome": "interrupted", "reason": "pin_locked", "own_name": "other"}
    assert desk.confirm(form).status_code == 303
    desk.rig.poll()
    [message] = [m for m in desk.rig.office.messages if m.kind == "confirm"]
    assert "own_name" not in message.body["confirmation"]
