"""WCAG 2.2 AA on every page of the desk: languages, sizes, contrasts; by keyboard alone; for a screen reader."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from madoguchi.protocol import EndCause
from madoguchi.terminal.languages import LANGUAGES, catalogue
from madoguchi.terminal.status import View
from terminal.browsing import check, check_room, choose, desk_of, shows, sign, to_confirming
from terminal.doubles import CARD_A
from terminal.live import LiveRig, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LiveRig]:
    with LiveRig(tmp_path).running() as made:
        yield made


@pytest.fixture
def page(browser: Browser, rig: LiveRig) -> Iterator[Page]:
    with desk_of(browser, rig) as made:
        yield made


def test_the_pages_of_a_visit(rig: LiveRig, page: Page) -> None:
    shows(page, "locked")
    check(page, "locked")
    rig.reader.insert(CARD_A)
    wait_for(lambda: rig.agent.watcher.present, "card on the reader")
    rig.office.call()
    shows(page, "waiting_card")
    expect(page.locator(".attention")).to_have_count(1)
    check(page, "lying")
    rig.reader.remove()
    expect(page.locator(".attention")).to_have_count(0)
    check(page, "waiting")
    rig.reader.insert(CARD_A)
    shows(page, "open")
    check(page, "open")
    rig.clock.forward(545)
    expect(page.locator("#idle")).to_be_visible()
    check(page, "idle")
    page.locator("#stay").click()
    expect(page.locator("#idle")).to_be_hidden()
    rig.reader.remove()
    shows(page, "curtained")
    check(page, "curtained")
    rig.clock.forward(30)
    shows(page, "confirming")
    check(page, "proof")


def test_every_way_to_confirm(rig: LiveRig, page: Page) -> None:
    to_confirming(rig, page)
    page.check("[name=outcome][value=interrupted]")
    for kind in ("signature", "spoken", "absent", "proxy_signature"):
        page.check(f"#kind-{kind}")
        check_room(page, f"confirming-{kind}")
    check(page, "proxy")
    page.check("[name=outcome][value=completed]")
    page.check("#own-other")
    expect(page.locator("#call-staff")).to_be_visible()
    check_room(page, "other-name")
    page.locator("#send").click()
    expect(page.locator("#trouble")).to_be_focused()
    check(page, "refused")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language(rig: LiveRig, page: Page, language: str) -> None:
    rig.office.call()
    shows(page, "waiting_card")
    if language != "ja":
        choose(page, "language", language)
    check_room(page, f"waiting-{language}")
    rig.reader.insert(CARD_A)
    shows(page, "open")
    rig.agent.finish_pressed()
    shows(page, "confirming")
    page.check("[name=outcome][value=completed]")
    page.check("#own-other")
    page.check("#kind-spoken")
    page.locator("#send").click()
    expect(page.locator("#trouble a")).to_have_count(2)
    check(page, f"confirming-{language}")
    choose(page, "size", "largest")
    check_room(page, f"largest-{language}")


@pytest.mark.parametrize(("size", "contrast"), [("large", "normal"), ("largest", "high"), ("normal", "high")])
def test_every_size_and_contrast(rig: LiveRig, page: Page, size: str, contrast: str) -> None:
    rig.office.call()
    shows(page, "waiting_card")
    normal = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.more')).fontSize)")
    if size != "normal":
        choose(page, "size", size)
        bigger = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.more')).fontSize)")
        assert bigger >= normal * 1.2
    if contrast != "normal":
        choose(page, "contrast", contrast)
    check_room(page, f"waiting-{size}-{contrast}")
    rig.reader.insert(CARD_A)
    shows(page, "open")
    rig.clock.forward(545)
    expect(page.locator("#idle")).to_be_visible()
    check_room(page, f"idle-{size}-{contrast}")
    rig.agent.finish_pressed()
    shows(page, "confirming")
    page.check("[name=outcome][value=completed]")
    page.check("#own-other")
    page.check("#kind-proxy_signature")
    sign(page)
    check(page, f"confirming-{size}-{contrast}")


@pytest.mark.parametrize("asked", ["contrast", "forced_colors"])
def test_what_the_machine_asks_for_is_followed(browser: Browser, rig: LiveRig, asked: str) -> None:
    option = {"contrast": "more"} if asked == "contrast" else {"forced_colors": "active"}
    with desk_of(browser, rig, **option) as page:
        to_confirming(rig, page)
        page.check("[name=outcome][value=completed]")
        page.check("#kind-signature")
        check(page, f"machine-{asked}")
        colour = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--line').trim()")
        assert colour == ("#000000" if asked == "contrast" else "#5b6675")


def test_the_pages_of_nobody(rig: LiveRig, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = rig.agent.status()
    for view in (View.STARTING, View.ENDING, View.QUARANTINED, View.CANNOT_SERVE):
        missing = ("bubblewrap が入っていません。",) if view is View.CANNOT_SERVE else ()
        about = replace(shown.visit, cause=EndCause.IDLE.value if view is View.ENDING else "")
        picture = replace(shown, view=view, missing=missing, visit=about)
        monkeypatch.setattr(rig.agent, "status", lambda picture=picture: picture)
        shows(page, view.value)
        check(page, view.value)


# by keyboard alone


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there; it must stand out there."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", selector):
            place = page.locator(":focus")
            ring = "one => getComputedStyle(one.closest('.choice') || one).outlineWidth"
            assert place.evaluate(ring) == "4px", selector
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_whole_confirmation_by_keyboard_alone(rig: LiveRig, page: Page) -> None:
    to_confirming(rig, page)
    expect(page.locator("h1")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    tab_to(page, "[name=outcome]")
    page.keyboard.press("Space")
    tab_to(page, "[name=own_name]")
    page.keyboard.press("Space")
    tab_to(page, "[name=kind]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    tab_to(page, "#field-staff_1")
    page.keyboard.type("sato")
    page.keyboard.press("Enter")
    expect(page.locator("#trouble")).to_be_focused()
    tab_to(page, "#trouble a")
    page.keyboard.press("Enter")
    expect(page.locator("#field-staff_2")).to_be_focused()
    page.keyboard.type("suzuki")
    tab_to(page, "#send")
    page.keyboard.press("Enter")
    shows(page, "locked")
    wait_for(lambda: any(m.kind == "confirm" for m in rig.office.messages), "the confirmation at the office")
    [message] = [m for m in rig.office.messages if m.kind == "confirm"]
    assert message.body["confirmation"] == {
        "kind": "spoken",
        "staff_1": "sato",
        "staff_2": "suzuki",
        "own_name": "own",
    }


def test_a_language_by_keyboard_alone_keeps_the_place(rig: LiveRig, page: Page) -> None:
    rig.office.call()
    shows(page, "waiting_card")
    tab_to(page, ".settings [value=vi]")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page.locator(".settings [value=vi]")).to_be_focused()


# for a screen reader


def test_what_changes_is_said(rig: LiveRig, page: Page) -> None:
    rig.seat()
    shows(page, "open")
    expect(page.locator("h1")).to_be_focused()
    rig.clock.forward(545)
    expect(page.locator("#announce")).to_contain_text("55")
    rig.clock.forward(5)
    expect(page.locator("#idle-left")).to_have_text("50")
    expect(page.locator("#announce")).to_contain_text("55")
    rig.clock.forward(20)
    expect(page.locator("#announce")).to_contain_text("30")
    rig.agent.finish_pressed()
    shows(page, "confirming")
    page.check("[name=outcome][value=completed]")
    page.check("#own-other")
    expect(page.locator("#announce")).to_contain_text(catalogue("en").plain("say.call_staff"))


def test_readings_are_not_read_twice(rig: LiveRig, page: Page) -> None:
    rig.office.call()
    shows(page, "waiting_card")
    # the browser may put spaces around a reading's word, but never the reading
    expect(page.get_by_role("heading", level=1)).to_have_accessible_name(re.compile(r"カードを\s*置\s*いてください。"))
    expect(page.locator("h1 rt")).to_have_text("お")


def test_every_field_has_a_name_and_an_error_its_field(rig: LiveRig, page: Page) -> None:
    to_confirming(rig, page)
    choose(page, "language", "en")
    page.check("[name=outcome][value=completed]")
    page.check("#kind-spoken")
    page.locator("#send").click()
    for field, name in (("staff_1", "Login name of staff 1"), ("staff_2", "Login name of staff 2")):
        place = page.locator(f"#field-{field}")
        expect(place).to_have_accessible_name(f"{name} {catalogue('ja').plain(f'form.{field}')}")
        expect(place).to_have_accessible_description(catalogue("en").plain(f"error.{field}"))
    group = page.get_by_role("group", name="Did the last screen show your own name?")
    expect(group).to_have_accessible_description(catalogue("en").plain("error.own_name"))
