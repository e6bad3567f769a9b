"""The desk page in a real browser: signing, losing nothing, for one person only, without script, the relay."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from madoguchi.protocol import TerminalState, VisitState
from madoguchi.terminal.languages import catalogue
from terminal.browsing import choose, desk_of, keep, shows, sign, to_confirming
from terminal.doubles import CARD_B, MemoryScreen
from terminal.live import LiveRig, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LiveRig]:
    with LiveRig(tmp_path, training=True, relay=True).running() as made:
        yield made


@pytest.fixture
def page(browser: Browser, rig: LiveRig) -> Iterator[Page]:
    with desk_of(browser, rig, has_touch=True) as made:
        yield made


def complete(page: Page) -> None:
    page.check("[name=outcome][value=completed]")
    page.check("#own-own")
    page.check("#kind-signature")


def drawn(page: Page) -> int:
    """How many pixels of the pad are ink."""
    count: int = page.evaluate(
        """() => { const pad = document.getElementById('pad');
          const ink = pad.getContext('2d').getImageData(0, 0, pad.width, pad.height).data;
          let n = 0; for (let i = 3; i < ink.length; i += 4) n += ink[i] > 0; return n; }"""
    )
    return count


def _with_strokes(answer: Response) -> bool:
    return answer.url.endswith("/draft") and "[[" in (answer.request.post_data or "")


def written(page: Page) -> str:
    return page.locator("#strokes").input_value()


def test_a_visit_signed_by_hand(rig: LiveRig, page: Page) -> None:
    rig.seat()
    shows(page, "open")
    page.locator("#finish").click()
    shows(page, "confirming")
    complete(page)
    state = page.locator("#sign-state")
    expect(state).to_have_text(catalogue("ja").plain("form.sign_empty"))
    sign(page)
    expect(state).to_have_text(catalogue("ja").plain("form.sign_done"))
    keep(page, "signed-by-hand")
    page.locator("#send").click()
    shows(page, "locked")
    [ident] = rig.office.tickets
    wait_for(lambda: rig.office.state(ident) is VisitState.CLOSED, "closed at the office")
    wait_for(lambda: len(rig.office.payloads) == 1, "the signature at the office")
    [payload] = rig.office.payloads.values()
    drawing = payload["payload"]
    [stroke] = drawing["strokes"]
    assert len(stroke) > 10
    assert stroke[-1][0] - stroke[0][0] > 200
    assert stroke[0][2] == 0
    assert [point[2] for point in stroke] == sorted(point[2] for point in stroke)
    assert all(0 <= x <= drawing["width"] and 0 <= y <= drawing["height"] for x, y, _ in stroke)


def test_a_finger_writes_too(rig: LiveRig, page: Page) -> None:
    to_confirming(rig, page)
    complete(page)
    pad = page.locator("#pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    hand = page.context.new_cdp_session(page)
    for kind, x in (("touchStart", 50), *(("touchMove", 50 + 15 * n) for n in range(1, 12)), ("touchEnd", 0)):
        points = [] if kind == "touchEnd" else [{"x": box["x"] + x, "y": box["y"] + 50 + x / 5}]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator("#sign-state")).to_have_text(catalogue("ja").plain("form.sign_done"))
    [stroke] = json.loads(written(page))["strokes"]
    assert stroke[-1][0] - stroke[0][0] > 100


def test_a_signature_survives_everything_that_goes_wrong(rig: LiveRig, page: Page) -> None:
    to_confirming(rig, page)
    complete(page)
    sign(page)
    first, ink = written(page), drawn(page)
    assert len(json.loads(first)["strokes"]) == 1
    rig.cable.cut = True
    expect(page.locator("#notices")).to_contain_text("サーバーにつながりません")
    page.check("[name=outcome][value=interrupted]")
    page.locator("#send").click()
    expect(page.locator("#trouble a")).to_have_attribute("href", "#field-reason")
    assert written(page) == first
    assert abs(drawn(page) - ink) < ink / 2
    page.check("[name=outcome][value=completed]")
    page.route("**/confirm", lambda route: route.abort())
    with page.expect_response("**/draft"):
        page.locator("#send").click()
    expect(page.locator("#trouble")).to_contain_text("もう一度押してください")
    page.unroute("**/confirm")
    assert written(page) == first
    page.reload()
    shows(page, "confirming")
    assert written(page) == first
    wait_for(lambda: drawn(page) > ink / 2, "the drawing is there again")
    choose(page, "language", "vi")
    assert written(page) == first
    choose(page, "size", "largest")
    assert written(page) == first
    wait_for(lambda: drawn(page) > ink / 2, "the drawing is there again")
    page.locator("#send").click()
    shows(page, "locked")
    rig.cable.cut = False
    [ident] = rig.office.tickets
    wait_for(lambda: rig.office.state(ident) is VisitState.CLOSED, "closed at the office")
    wait_for(lambda: len(rig.office.payloads) == 1, "the signature at the office")
    [payload] = rig.office.payloads.values()
    assert payload["payload"] == json.loads(first)


def test_a_stroke_after_a_reload_goes_beside_the_first(rig: LiveRig, page: Page) -> None:
    to_confirming(rig, page)
    complete(page)
    with page.expect_response(_with_strokes):
        sign(page)
    page.reload()
    sign(page)
    strokes = json.loads(written(page))["strokes"]
    assert len(strokes) == 2
    times = [point[2] for stroke in strokes for point in stroke]
    assert times == sorted(times)
    assert times[-1] < 60_000
    page.locator("#send").click()
    shows(page, "locked")


def test_what_is_typed_survives_a_reload(rig: LiveRig, page: Page) -> None:
    to_confirming(rig, page)
    page.check("[name=outcome][value=abandoned]")
    page.check("#kind-spoken")
    with page.expect_response("**/draft"):
        page.fill("#field-staff_1", "sato")
    page.reload()
    expect(page.locator("#field-staff_1")).to_have_value("sato")
    expect(page.locator("#kind-spoken")).to_be_checked()


def test_clearing_the_pad(rig: LiveRig, page: Page) -> None:
    to_confirming(rig, page)
    complete(page)
    sign(page)
    assert drawn(page) > 0
    page.locator("#clear").click()
    assert written(page) == ""
    assert drawn(page) == 0
    with page.expect_response("**/draft"):
        sign(page)
    assert len(json.loads(written(page))["strokes"]) == 1


def test_the_next_person_finds_neither_language_nor_drawing(rig: LiveRig, page: Page) -> None:
    to_confirming(rig, page)
    choose(page, "language", "ko")
    choose(page, "contrast", "high")
    complete(page)
    sign(page)
    page.locator("#send").click()
    shows(page, "locked")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(page.locator("html")).to_have_attribute("data-contrast", "normal")
    rig.reader.remove()
    [ident] = rig.office.tickets
    wait_for(lambda: rig.office.state(ident) is VisitState.CLOSED, "closed at the office")
    rig.office.call()
    shows(page, "waiting_card")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    rig.reader.insert(CARD_B)
    rig.until(TerminalState.OPEN)
    rig.agent.finish_pressed()
    shows(page, "confirming")
    assert written(page) == ""
    assert page.locator("input:checked").count() == 0
    complete(page)
    assert drawn(page) == 0
    assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


def test_a_page_left_over_from_the_person_before_ends_nothing(rig: LiveRig, page: Page) -> None:
    """As when the page's browser hangs while the next person sits down, then wakes with a finger still on it."""
    rig.seat()
    shows(page, "open")
    page.route("**/status.json", lambda route: route.abort())
    rig.agent.finish_pressed()
    rig.until(TerminalState.CONFIRMING)
    rig.confirm()
    rig.until(TerminalState.LOCKED)
    rig.reader.remove()
    [ident] = rig.office.tickets
    wait_for(lambda: rig.office.state(ident) is VisitState.CLOSED, "closed at the office")
    rig.seat()
    page.locator("#finish").click()
    expect(page.locator("#trouble")).to_contain_text("係員")
    assert rig.now() is TerminalState.OPEN


def test_another_persons_name_calls_the_staff_at_once_and_after(rig: LiveRig, page: Page) -> None:
    to_confirming(rig, page)
    choose(page, "kana", "off")
    complete(page)
    expect(page.locator("#call-staff")).to_be_hidden()
    page.check("#own-other")
    expect(page.locator("#call-staff")).to_contain_text("係の人を呼んでください")
    sign(page)
    page.locator("#send").click()
    shows(page, "locked")
    expect(page.locator("[role=alert].call")).to_contain_text("係の人を呼んでください")
    keep(page, "call-staff")


def test_without_javascript_a_visit_can_be_ended_and_confirmed(rig: LiveRig, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(rig.home)
    rig.seat()
    expect(page.locator("body")).to_have_attribute("data-view", "open", timeout=15000)
    page.locator("#finish").click()
    rig.until(TerminalState.CONFIRMING)
    expect(page.locator("body")).to_have_attribute("data-view", "confirming", timeout=15000)
    page.check("[name=outcome][value=interrupted]")
    page.select_option("#field-reason", "certificate_renewed")
    page.check("#kind-spoken")
    page.fill("#field-staff_1", "sato")
    page.locator(".settings [value=en]").click()
    expect(page.locator("h1")).to_have_text(catalogue("en").plain("view.confirming"))
    expect(page.locator("#field-staff_1")).to_have_value("sato")
    page.fill("#field-staff_2", "suzuki")
    page.keyboard.press("Enter")
    shows(page, "locked")
    context.close()


def test_the_relay_shows_the_box_and_passes_hands_on(rig: LiveRig, page: Page) -> None:
    rig.seat()
    area = page.locator("#relay")
    expect(area).to_be_visible()
    expect(page.locator("#frame")).to_have_js_property("naturalWidth", 16)
    area.scroll_into_view_if_needed()
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
    expect(page.locator("#finish")).to_be_focused()
    page.fill("#relay-words", "カクウ ハナコ")
    page.locator("#relay-text button").click()
    wait_for(lambda: ("text", "カクウ ハナコ") in screen.got, "the text")
