"""Whole visits at an installed terminal: real pages by real keys, through pcscd, a virtual reader and Chromium."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from whole.helpers import until
from whole.kiosk import Kiosk, kiosk

pytestmark = pytest.mark.slow

A, B = "市民A", "市民B"
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
