"""The desk page through its forms, and everybody who has no business there."""

import json
import re
from pathlib import Path

import pytest

from madoguchi.evidence.sealed import check_commitment
from madoguchi.protocol import TerminalState, VisitState
from terminal.deskclient import DRAWING, DRAWN, HOME, SIGNED, Desk, plain, to_confirming
from terminal.doubles import CARD_A, MemoryScreen
from terminal.rig import Rig


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


def test_the_pad_comes_from_here_with_its_licence(desk: Desk) -> None:
    for name, words in (("signature_pad.umd.min.js", "Signature Pad v5.1.4"), ("signature_pad.LICENSE.txt", "MIT")):
        answer = desk.client.get(f"/static/desk/vendor/{name}", base_url=HOME, buffered=True)
        assert answer.status_code == 200
        assert words in answer.text
        assert "http" not in answer.text.replace("https://github.com/szimek/signature_pad", "").replace(
            "http://www.w3.org/", ""
        )
