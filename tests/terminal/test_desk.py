"""The desk page through its forms, and everybody who has no business there."""

import json
import re
from pathlib import Path

import pytest
from markupsafe import escape

from madoguchi.evidence.sealed import check_commitment
from madoguchi.protocol import TerminalState, VisitState
from madoguchi.terminal.errors import JournalBroken
from terminal.deskclient import DRAWING, HOME, SIGNED, Desk, plain, to_confirming
from terminal.doubles import CARD_A, MemoryScreen
from terminal.rig import Rig


@pytest.fixture
def desk(rig: Rig) -> Desk:
    return Desk(rig)


def test_a_locked_page_invites_nobody(desk: Desk) -> None:
    assert "番号が呼ばれるまで" in desk.page()
    assert "<form" not in desk.page()


def test_a_visit_by_the_pages(desk: Desk) -> None:
    rig = desk.rig
    ident = rig.office.call()
    rig.poll()
    assert "カードを置いてください" in desk.page()
    assert "A-001" in desk.page()
    rig.put()
    assert "終了" in desk.page()
    assert desk.post("/finish").status_code == 303
    page = desk.page()
    assert "終了ボタンが押されました" in page
    assert "国のサイトのログアウトの画面を開きました" in page
    assert desk.confirm(SIGNED).status_code == 303
    assert "番号が呼ばれるまで" in desk.page()
    rig.poll()
    assert rig.office.state(ident) is VisitState.CLOSED


def test_the_signature_is_committed_to_and_goes_beside_the_message(desk: Desk) -> None:
    to_confirming(desk)
    desk.confirm(SIGNED)
    desk.rig.poll()
    [message] = [m for m in desk.rig.office.messages if m.kind == "confirm"]
    [payload] = desk.rig.office.payloads.values()
    assert payload["payload"] == DRAWING
    check_commitment(message.body["confirmation"]["commitment"], payload["salt"], DRAWING)
    assert "strokes" not in json.dumps(dict(message.body))


# who may not


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1", "127.0.0.1:80", "localhost.evil.test:8787", "[::1]:99"])
@pytest.mark.parametrize("path", ["/", "/status.json", "/static/desk/desk.js", "/relay/frame.jpg"])
def test_a_foreign_host_is_refused(desk: Desk, host: str, path: str) -> None:
    answer = desk.client.get(path, base_url=f"http://{host}", buffered=True)
    assert answer.status_code == 421
    assert "A-001" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8787", "localhost:8787", "[::1]:8787"])
def test_the_terminals_own_names_are_served(desk: Desk, host: str) -> None:
    assert desk.client.get("/", base_url=f"http://{host}").status_code == 200


@pytest.mark.parametrize("path", ["/finish", "/stay", "/manner", "/draft", "/confirm", "/relay/input"])
@pytest.mark.parametrize("token", ["", "guess", None])
def test_a_form_without_the_token_changes_nothing(desk: Desk, path: str, token: str | None) -> None:
    desk.rig.serve()
    data = {"lease": "1"} if token is None else {"token": token, "lease": "1"}
    answer = desk.client.post(path, data=data, base_url=HOME)
    assert answer.status_code == 403
    assert "この画面は古くなりました" in plain(answer.text)
    assert desk.rig.now() is TerminalState.OPEN


def test_a_form_from_another_origin_is_refused_even_with_the_token(desk: Desk) -> None:
    desk.rig.serve()
    answer = desk.post("/finish", headers={"Origin": "http://points.test"})
    assert answer.status_code == 403
    assert desk.rig.now() is TerminalState.OPEN
    assert desk.post("/finish", headers={"Origin": HOME}).status_code == 303


def test_the_token_of_another_agent_process_is_old(desk: Desk) -> None:
    old = desk.token()
    again = Desk(desk.rig)
    assert again.client.post("/stay", data={"token": old}, base_url=HOME).status_code == 403


@pytest.mark.parametrize("path", ["/", "/status.json", "/static/desk/desk.css", "/nothing", "/relay/frame.jpg"])
def test_every_answer_is_hardened(desk: Desk, path: str) -> None:
    answer = desk.client.get(path, base_url=HOME, buffered=True)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_nothing_of_the_page_is_inline_or_from_elsewhere(desk: Desk) -> None:
    to_confirming(desk)
    page = desk.page()
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page)
    assert not re.search(r"(?:src|href|action)=\"(?!/)", page)


def test_a_huge_form_is_refused(desk: Desk) -> None:
    to_confirming(desk)
    assert desk.confirm({**SIGNED, "strokes": "x" * 3_000_000}).status_code == 413
    assert desk.rig.now() is TerminalState.CONFIRMING


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


def test_finish_twice_is_harmless(desk: Desk) -> None:
    desk.rig.serve()
    token = desk.token()
    for _ in range(2):
        assert desk.client.post("/finish", data={"token": token, "lease": "1"}, base_url=HOME).status_code == 303
    assert desk.rig.now() is TerminalState.CONFIRMING


# what each page says


def test_the_curtained_page_counts_down(desk: Desk) -> None:
    desk.rig.serve()
    desk.rig.take()
    desk.rig.wait(7)
    page = desk.page()
    assert "同じカードを戻してください" in page
    status = desk.client.get("/status.json", base_url=HOME).json
    assert status is not None
    assert status["grace_left"] == 13


def test_the_idle_warning_and_staying(desk: Desk) -> None:
    desk.rig.serve()
    desk.rig.wait(550)
    status = desk.client.get("/status.json", base_url=HOME).json
    assert status is not None
    assert status["idle_left"] == 50
    assert desk.post("/stay").status_code == 303
    desk.rig.wait(540)
    assert desk.rig.now() is TerminalState.OPEN


def test_a_quarantined_page(desk: Desk) -> None:
    desk.rig.serve()
    desk.rig.boxes.fail_wipe()
    desk.rig.agent.finish()
    assert "使用停止" in desk.page()
    assert "<form" not in desk.page()


def test_a_page_that_cannot_serve_lists_what_is_missing(desk: Desk) -> None:
    desk.rig.boxes.lacks = ("bubblewrap が入っていません",)
    desk.rig.wait(60)
    page = desk.page()
    assert "この端末は使えません" in page
    assert "bubblewrap が入っていません" in page


def test_the_reason_of_a_refusal_stands_on_the_page(desk: Desk) -> None:
    desk.rig.office.call()
    desk.rig.poll()
    desk.rig.office.refuse = (409, "TerminalOutOfService")
    desk.rig.put()
    assert "断りました。" in desk.page()


def test_without_script_every_page_but_the_form_reloads_itself(desk: Desk) -> None:
    assert 'http-equiv="refresh"' in desk.page()
    to_confirming(desk)
    assert 'http-equiv="refresh"' not in desk.page()


def test_no_personal_data_in_the_page_or_its_addresses(desk: Desk) -> None:
    desk.rig.serve()
    assert CARD_A.tag not in desk.page()
    assert "?" not in "".join(re.findall(r'(?:href|action|src)="([^"]*)"', desk.page()))


def test_training_stands_on_every_page(memory: Path) -> None:
    rig = Rig(memory, training=True).start()
    desk = Desk(rig)
    pages = [desk.page()]
    rig.office.call()
    rig.poll()
    pages.append(desk.page())
    rig.put()
    pages.append(desk.page())
    rig.take()
    pages.append(desk.page())
    rig.agent.finish()
    pages.append(desk.page())
    assert all("訓練中" in page for page in pages)
    assert "本物の消去の証明ではありません" in pages[-1]
    rig.close()


def test_easy_japanese_first(memory: Path) -> None:
    rig = Rig(memory, language="easy").start()
    assert re.search(r"<h1[^>]*>あなたの ばんごうが よばれるまで", Desk(rig).page())
    rig.close()


# what belongs to another visit


@pytest.mark.parametrize("path", ["/finish", "/stay", "/manner", "/draft", "/confirm"])
@pytest.mark.parametrize("before", ["open", "confirming"])
def test_a_page_of_the_visit_before_changes_nothing(desk: Desk, path: str, before: str) -> None:
    to_confirming(desk)
    old = {"token": desk.token(), "lease": desk.lease(), "language": "en", **SIGNED}
    desk.confirm(SIGNED)
    desk.rig.poll()
    desk.rig.take()
    desk.rig.serve()
    if before == "confirming":
        desk.rig.agent.finish()
    record, manner = desk.rig.agent.record(), desk.rig.agent.status().manner
    answer = desk.client.post(path, data=old, base_url=HOME)
    assert answer.status_code in ({303, 409} if path == "/confirm" else {409})
    assert desk.rig.agent.record() == record
    assert desk.rig.agent.status().manner == manner
    assert DRAWN not in desk.raw()
    desk.rig.poll()
    assert len([m for m in desk.rig.office.messages if m.kind == "confirm"]) == 1


def test_an_action_of_the_visit_before_does_not_reach_the_box(memory: Path) -> None:
    rig = Rig(memory, training=True, relay=True).start()
    desk = Desk(rig)
    rig.serve()
    headers = {"X-Desk-Token": desk.token(), "X-Desk-Lease": "0"}
    body = {"kind": "text", "text": "1234"}
    assert desk.client.post("/relay/input", json=body, base_url=HOME, headers=headers).status_code == 409
    screen = rig.boxes.alive[0].screen
    assert isinstance(screen, MemoryScreen)
    assert screen.got == []
    rig.close()


# nothing written is lost

DRAWN = str(escape(json.dumps(DRAWING)))
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


def test_the_pad_comes_from_here_with_its_licence(desk: Desk) -> None:
    for name, words in (("signature_pad.umd.min.js", "Signature Pad v5.1.4"), ("signature_pad.LICENSE.txt", "MIT")):
        answer = desk.client.get(f"/static/desk/vendor/{name}", base_url=HOME, buffered=True)
        assert answer.status_code == 200
        assert words in answer.text
        assert "http" not in answer.text.replace("https://github.com/szimek/signature_pad", "").replace(
            "http://www.w3.org/", ""
        )
