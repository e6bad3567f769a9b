"""Whole visits at an installed terminal: real pages by real keys, through pcscd, a virtual reader and Chromium."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from whole.hands import TAB
from whole.helpers import until
from whole.kiosk import Kiosk, kiosk

pytestmark = pytest.mark.slow

A, B = "市民A", "市民B"
NIGHT = "#12263a"
PICTURES = os.environ.get("MADOGUCHI_PICTURES")
"""Where to keep what the screen looks like, if anywhere."""


@pytest.fixture
def seat() -> Iterator[Kiosk]:
    """A terminal that is locked."""
    with kiosk() as made:
        made.start()
        yield made


def picture(seat: Kiosk, name: str) -> None:
    if PICTURES:
        seat.display.keep(Path(PICTURES) / f"{name}.ppm")


def log_in(seat: Kiosk, citizen: str) -> None:
    """From the site's first page to one's own, with card and PIN."""
    seat.await_page("/")
    seat.push("login")
    seat.await_page("/use")
    seat.fill("pin", seat.town.ask("knows", citizen=citizen)["auth_pin"])
    seat.hands.press(36)
    seat.await_page("/me")


def apply(seat: Kiosk, citizen: str) -> None:
    """Apply for the citizen's own payment service."""
    known = seat.town.ask("knows", citizen=citizen)
    seat.push("apply")
    seat.await_page("/apply")
    seat.choose("service", seat.choices("service").index(known["service"]))
    seat.push("next")
    seat.await_page("/apply/means")
    seat.fill("payment_id", known["payment_id"])
    seat.fill("security_code", known["security_code"])
    seat.hands.press(36)
    seat.await_page("/apply/confirm")
    seat.push("submit")
    seat.await_page("/done")


def sign(seat: Kiosk) -> None:
    seat.await_view("confirming")
    seat.desk.sign()
    seat.await_view("locked")


@contextmanager
def desk_page(seat: Kiosk) -> Iterator[Page]:
    """The desk page's browser on the same display, as the terminal starts it, held by the tests' own hand."""
    shown = {"DISPLAY": seat.display.display, "XAUTHORITY": str(seat.display.key)}
    address = f"http://127.0.0.1:{seat.port}/"
    flags = ["--kiosk", f"--app={address}", "--window-position=0,0", "--window-size=1280,800", "--ozone-platform=x11"]
    flags += ["--disable-features=Translate", "--lang=ja", "--accept-lang=ja"]
    with sync_playwright() as tool:
        browser = tool.chromium.launch_persistent_context(
            str(seat.folder / "desk"),
            executable_path="/usr/bin/chromium",
            headless=False,
            no_viewport=True,
            args=flags,
            env={**os.environ, **shown},
        )
        yield browser.pages[0]
        browser.close()


def draw(seat: Kiosk, page: Page) -> None:
    """Write something by hand."""
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    assert box is not None
    x, y, width, height = (int(box[name]) for name in ("x", "y", "width", "height"))
    wave = [(x + width // 6 + step * width // 24, y + height // 2 + (step % 3 - 1) * height // 5) for step in range(16)]
    seat.display.drag(wave)


def test_the_screen_from_call_to_confirmation(seat: Kiosk) -> None:
    """Desk page, visit, curtain and bar share one display; each is in front when it has to be, and takes the keys."""
    with desk_page(seat) as page:
        page.wait_for_selector("body[data-view=locked]")
        picture(seat, "kiosk-locked")
        seat.call()
        page.wait_for_selector("body[data-view=waiting_card]")
        picture(seat, "kiosk-insert")
        seat.insert(B)
        seat.await_view("open")
        log_in(seat, B)
        assert "見本 花子" in seat.town.ask("page")[1]
        picture(seat, "kiosk-visit")
        seat.remove()
        seat.await_view("curtained")
        until(lambda: seat.display.pixel(640, 740) == NIGHT, "the curtain covers everything")
        picture(seat, "kiosk-curtain")
        seat.insert(B)
        seat.await_view("open")
        until(lambda: seat.display.pixel(640, 740) != NIGHT, "the curtain is lifted")
        seat.display.click(1180, 28)
        page.wait_for_selector("body[data-view=confirming]")
        picture(seat, "kiosk-proof")
        seat.hands.press(TAB)
        assert page.evaluate("document.hasFocus() && document.activeElement !== document.body"), "the keys are lost"
        page.check("[name=outcome][value=completed]")
        page.check("[name=own_name][value=own]")
        page.check("[name=kind][value=signature]")
        draw(seat, page)
        picture(seat, "kiosk-signature")
        page.click("#confirm button[type=submit]")
        page.wait_for_selector("body[data-view=locked]")


def test_two_people_one_after_the_other(seat: Kiosk) -> None:
    for citizen in (A, B):
        seat.call()
        seat.await_view("waiting_card")
        seat.insert(citizen)
        seat.await_view("open")
        log_in(seat, citizen)
        picture(seat, f"open-{citizen}")
        assert seat.town.ask("knows", citizen=citizen)["name"] in seat.town.ask("page")[1]
        if citizen == B:
            apply(seat, citizen)
        seat.remove()
        seat.await_view("curtained")
        picture(seat, f"curtain-{citizen}")
        seat.insert(citizen)
        seat.await_view("open")
        seat.display.click(1180, 28)
        sign(seat)
        seat.remove()
        until(lambda: not seat.desk.status()["card_present"], "the card is gone")
    assert [found[1:] for found in seat.town.ask("registrations")] == [["B", "B"]]
