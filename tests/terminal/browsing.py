"""The desk page in a real browser, for tests: one browser, one page that must not complain, hands, and an eye."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from madoguchi.protocol import TerminalState
from terminal.live import LiveRig

SIZES = ((1280, 800), (1024, 768))
"""Displays of counters: the page must need no scrolling sideways on any."""

FINGER = 44
"""Pixels: the least that a finger hits."""

_RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
}
_TOO_SMALL = """least => Array.from(document.querySelectorAll(
    'button:not(.unseen), .choice, select, input[type=text], a[href]'))
  .filter(one => one.getClientRects().length)
  .map(one => [one.id || one.textContent.trim() || one.name, one.getBoundingClientRect()])
  .filter(([, box]) => box.width < least || box.height < least)
  .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""
_CUT_OFF = """() => Array.from(document.querySelectorAll('body *'))
  .filter(one => one.getClientRects().length && !one.closest('.unseen') && !one.closest('#relay'))
  .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(one => one.tagName + ' ' + one.textContent.trim().slice(0, 40))"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A real browser."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield made
        made.close()


@contextmanager
def desk_of(browser: Browser, rig: LiveRig, **options: Any) -> Iterator[Page]:
    """The desk page as the terminal's own screen shows it. A script that fails is a failure."""
    width, height = SIZES[0]
    context = browser.new_context(locale="ja-JP", viewport={"width": width, "height": height}, **options)
    made = context.new_page()
    troubles: list[str] = []
    made.on("pageerror", lambda error: troubles.append(str(error)))
    made.on("console", lambda said: troubles.append(said.text) if "Content Security Policy" in said.text else None)
    made.goto(rig.home)
    yield made
    context.close()
    assert troubles == []


def shows(page: Page, view: str) -> None:
    """Wait until the page shows this view, by itself."""
    expect(page.locator("body")).to_have_attribute("data-view", view)


def choose(page: Page, name: str, value: str) -> None:
    """Press a button of language, size, contrast or readings, and wait until it holds."""
    page.locator(f'.settings [name="{name}"][value="{value}"]').click()
    held = {"language": "lang", "size": "data-size", "contrast": "data-contrast"}.get(name)
    if held in ("data-size", "data-contrast"):
        expect(page.locator("html")).to_have_attribute(held, value)
    elif name == "language":
        expect(page.locator(f'.settings [name="language"][value="{value}"]')).to_have_attribute("aria-pressed", "true")


def to_confirming(rig: LiveRig, page: Page) -> None:
    """Seat somebody and end the visit."""
    rig.seat()
    rig.agent.finish_pressed()
    rig.until(TerminalState.CONFIRMING)
    shows(page, "confirming")


def sign(page: Page) -> None:
    """Write something with the mouse."""
    pad = page.locator("#pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(20):
        page.mouse.move(box["x"] + 40 + step * 20, box["y"] + 60 + (step % 5) * 12)
    page.mouse.up()


def check(page: Page, name: str) -> None:
    """Nothing that axe objects to, nothing too small for a finger, nothing cut off at the side; one heading."""
    found = Axe().run(page, options=_RULES).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == [], name
    check_room(page, name)
    expect(page.locator("h1")).to_have_count(1)
    for landmark in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)


def check_room(page: Page, name: str) -> None:
    """Every target is for a finger, and nothing needs scrolling sideways, on every display."""
    keep(page, name)
    for width, height in reversed(SIZES):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(_TOO_SMALL, FINGER) == [], (name, width)
        assert page.evaluate(_CUT_OFF) == [], (name, width)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), (name, width)


def keep(page: Page, name: str) -> None:
    """Keep the picture if somebody wants to look at it."""
    if place := os.environ.get("MADOGUCHI_TEST_PICTURES"):
        page.screenshot(path=Path(place) / f"desk-{name}.png", full_page=True)
