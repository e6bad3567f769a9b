"""The desk page in a real browser: every state for everybody, signing, losing nothing, the relay."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from madoguchi.protocol import TerminalState, VisitState
from terminal.doubles import CARD_A, MemoryScreen
from terminal.live import LiveRig, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LiveRig]:
    with LiveRig(tmp_path, training=True, relay=True).running() as made:
        yield made


@pytest.fixture
def page(browser: Browser, rig: LiveRig) -> Iterator[Page]:
    context = browser.new_context(locale="ja-JP", viewport={"width": 1280, "height": 900})
    made = context.new_page()
    troubles: list[str] = []
    made.on("pageerror", lambda error: troubles.append(str(error)))
    made.goto(rig.home)
    yield made
    context.close()
    assert troubles == []


def to_confirming(rig: LiveRig) -> None:
    rig.seat()
    rig.agent.finish_pressed()
    rig.until(TerminalState.CONFIRMING)


def check(page: Page, name: str, folder: Path) -> None:
    """Nothing that axe objects to; a picture for people."""
    page.wait_for_timeout(100)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == [], name


def sign(page: Page) -> None:
    box = page.locator("#pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(20):
        page.mouse.move(box["x"] + 40 + step * 20, box["y"] + 60 + (step % 5) * 12)
    page.mouse.up()


def test_every_state_is_for_everybody(rig: LiveRig, page: Page, tmp_path: Path) -> None:
    heading = page.locator("h1")
    expect(heading).to_contain_text("番号が呼ばれるまで")
    check(page, "locked", tmp_path)
    rig.reader.insert(CARD_A)
    wait_for(lambda: rig.agent.watcher.present, "card on the reader")
    rig.office.call()
    expect(heading).to_contain_text("カードを置いてください")
    expect(page.locator(".attention")).to_contain_text("一度取ってください")
    check(page, "waiting-lying", tmp_path)
    rig.reader.remove()
    expect(page.locator(".attention")).to_have_count(0)
    check(page, "waiting", tmp_path)
    rig.reader.insert(CARD_A)
    expect(heading).to_contain_text("手続中です")
    check(page, "open", tmp_path)
    rig.clock.forward(545)
    expect(page.locator("#idle")).to_be_visible()
    check(page, "open-idle", tmp_path)
    rig.agent.touch()
    rig.reader.remove()
    expect(heading).to_contain_text("同じカードを戻してください")
    check(page, "curtained", tmp_path)
    rig.clock.forward(30)
    expect(heading).to_contain_text("ログアウトを確かめてください")
    page.get_by_label("中断").check()
    for kind in ("署名", "代筆(立会人あり)", "口頭(係員2人で記録)", "不在"):
        page.get_by_label(kind, exact=True).check()
        check(page, f"confirming-{kind}", tmp_path)


def test_states_out_of_use_are_for_everybody(rig: LiveRig, page: Page, tmp_path: Path) -> None:
    rig.seat()
    rig.boxes.fail_wipe()
    rig.agent.finish_pressed()
    expect(page.locator("h1")).to_contain_text("使用停止")
    check(page, "quarantined", tmp_path)
    rig.boxes.failing.clear()
    rig.office.clear()
    rig.until(TerminalState.CONFIRMING)
    rig.confirm()
    rig.boxes.lacks = ("bubblewrap が入っていません。", "利用者 madoguchi-visit がありません。")
    rig.clock.forward(60)
    expect(page.locator("h1")).to_contain_text("この端末は使えません")
    rig.cable.cut = True
    expect(page.locator("#notices")).to_contain_text("サーバーにつながりません")
    check(page, "cannot-serve", tmp_path)


def test_a_visit_signed_by_hand(rig: LiveRig, page: Page) -> None:
    rig.seat()
    page.get_by_role("button", name="終了").click()
    expect(page.locator("h1")).to_contain_text("ログアウトを確かめてください")
    page.get_by_label("完了").check()
    page.get_by_label("署名", exact=True).check()
    expect(page.locator("#sign-state")).to_have_text("まだ書かれていません。")
    sign(page)
    expect(page.locator("#sign-state")).to_have_text("書かれています。")
    page.get_by_role("button", name="確かめました").click()
    expect(page.locator("h1")).to_contain_text("番号が呼ばれるまで")
    [ident] = rig.office.tickets
    wait_for(lambda: rig.office.state(ident) is VisitState.CLOSED, "closed at the office")
    wait_for(lambda: len(rig.office.payloads) == 1, "the signature at the office")
    [payload] = rig.office.payloads.values()
    [stroke] = payload["payload"]["strokes"]
    assert len(stroke) > 10
    assert stroke[-1][0] - stroke[0][0] > 200
    assert stroke[-1][2] >= stroke[0][2] == 0


def test_a_signature_survives_everything_that_goes_wrong(rig: LiveRig, page: Page) -> None:
    to_confirming(rig)
    page.get_by_label("完了").check()
    page.get_by_label("署名", exact=True).check()
    sign(page)
    written = page.locator("#strokes").input_value()
    assert len(json.loads(written)["strokes"]) == 1
    rig.cable.cut = True
    expect(page.locator("#notices")).to_contain_text("サーバーにつながりません")
    page.get_by_label("中断").check()
    page.get_by_role("button", name="確かめました").click()
    expect(page.locator("#trouble")).to_contain_text("入力が足りません")
    assert page.locator("#strokes").input_value() == written
    page.get_by_label("完了").check()
    page.route("**/confirm", lambda route: route.abort())
    page.get_by_role("button", name="確かめました").click()
    expect(page.locator("#trouble")).to_contain_text("もう一度押してください")
    page.unroute("**/confirm")
    assert page.locator("#strokes").input_value() == written
    page.get_by_role("button", name="確かめました").click()
    expect(page.locator("h1")).to_contain_text("番号が呼ばれるまで")
    rig.cable.cut = False
    [ident] = rig.office.tickets
    wait_for(lambda: rig.office.state(ident) is VisitState.CLOSED, "closed at the office")
    wait_for(lambda: len(rig.office.payloads) == 1, "the signature at the office")
    [payload] = rig.office.payloads.values()
    assert payload["payload"] == json.loads(written)


def test_clearing_the_pad(rig: LiveRig, page: Page) -> None:
    to_confirming(rig)
    page.get_by_label("署名", exact=True).check()
    sign(page)
    page.get_by_role("button", name="書き直す").click()
    assert page.locator("#strokes").input_value() == ""


def test_a_spoken_confirmation_by_keyboard_alone(rig: LiveRig, page: Page) -> None:
    to_confirming(rig)
    expect(page.locator("#confirm")).to_be_visible()
    page.locator("h1").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_label("口頭(係員2人で記録)")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("sato")
    page.keyboard.press("Tab")
    page.keyboard.type("suzuki")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    rig.until(TerminalState.LOCKED)
    wait_for(lambda: any(m.kind == "confirm" for m in rig.office.messages), "the confirmation at the office")
    [message] = [m for m in rig.office.messages if m.kind == "confirm"]
    assert message.body["confirmation"] == {"kind": "spoken", "staff_1": "sato", "staff_2": "suzuki"}


def test_without_javascript_a_visit_can_be_ended_and_confirmed(rig: LiveRig, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(rig.home)
    rig.seat()
    expect(page.locator("h1")).to_contain_text("手続中です", timeout=15000)
    page.get_by_role("button", name="終了").click()
    rig.until(TerminalState.CONFIRMING)
    expect(page.locator("h1")).to_contain_text("ログアウトを確かめてください", timeout=15000)
    page.get_by_label("中断").check()
    page.get_by_label("終わらなかった理由").select_option("certificate_renewed")
    page.get_by_label("口頭(係員2人で記録)").check()
    page.get_by_label("係員1のログイン名").fill("sato")
    page.get_by_label("係員2のログイン名").fill("suzuki")
    page.get_by_role("button", name="確かめました").click()
    expect(page.locator("h1")).to_contain_text("番号が呼ばれるまで")
    context.close()


def test_the_relay_shows_the_box_and_passes_hands_on(rig: LiveRig, page: Page) -> None:
    rig.seat()
    area = page.locator("#relay")
    expect(area).to_be_visible()
    expect(page.locator("#frame")).to_have_js_property("naturalWidth", 16)
    box = area.locator("img").bounding_box()
    assert box is not None
    screen = rig.boxes.alive[0].screen
    assert isinstance(screen, MemoryScreen)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    wait_for(lambda: len(screen.got) >= 1, "the click")
    kind, x, y, button = screen.got[0]
    assert (kind, button) == ("click", 1)
    assert abs(x - 512) <= 2
    assert abs(y - 192) <= 2
    page.keyboard.type("Ab")
    page.keyboard.press("Enter")
    wait_for(lambda: len(screen.got) >= 4, "the keys")
    assert screen.got[1:4] == [("text", "A"), ("text", "b"), ("key", "Enter")]
    page.keyboard.press("F6")
    expect(page.get_by_role("button", name="終了")).to_be_focused()
    page.get_by_label("文字を送る").fill("カクウ ハナコ")
    page.get_by_role("button", name="送る").click()
    wait_for(lambda: ("text", "カクウ ハナコ") in screen.got, "the text")
