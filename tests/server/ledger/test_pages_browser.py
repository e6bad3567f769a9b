"""The evidence pages in a real browser: axe on every page, keys alone, no script, one sheet of paper each."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from madoguchi.protocol import EventKind
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.seed import seed_training_city
from madoguchi.server.ledger import integrator, log
from madoguchi.server.ledger.models import Entry
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from server.conftest import PASSWORD
from server.databases import Fresh, beside
from server.ledger.pages_support import closed_visit, place_of
from server.ledger.support import tamper
from server.seat import Seat, serve, ticket
from server.test_browser import WCAG, granian

pytestmark = pytest.mark.slow

DRAWING = {
    "strokes": [
        [[60, 40, 0], [58, 90, 90], [62, 150, 180]],
        [[20, 60, 300], [70, 56, 360], [110, 52, 420], [100, 100, 500], [70, 140, 600], [40, 160, 700]],
        [[150, 50, 900], [190, 46, 950], [230, 44, 1000]],
        [[190, 30, 1100], [186, 90, 1200], [170, 140, 1300], [150, 165, 1400]],
        [[186, 95, 1500], [215, 125, 1600], [245, 158, 1700]],
        [[300, 60, 1900], [340, 52, 2000], [390, 50, 2100], [380, 110, 2200], [330, 150, 2300], [300, 165, 2400]],
        [[345, 25, 2500], [342, 100, 2600], [346, 170, 2700]],
    ],
    "width": 600,
    "height": 200,
}


@dataclass(frozen=True)
class Office:
    """A running office with a sound visit, one whose wipe was not proven, one that was tampered with."""

    address: str
    sound: Visit
    again: Visit
    changed: Visit
    old_note: str


def prepare(monkeypatch: pytest.MonkeyPatch) -> tuple[Visit, Visit, Visit, str]:
    monkeypatch.setattr("server.seat.DRAWING", DRAWING)
    city = seed_training_city(password=PASSWORD, payment_until=None)
    staff = Staff.objects.get(username="honcho-1")
    seat = Seat(city.terminals[0], Client())
    seat.enrol()
    seat.poll()
    sound = closed_visit(seat, staff)
    old_note = log.newest().note
    again = ticket(seat, staff)
    serve(seat, again, staff)
    seat.report(EventKind.END, {"cause": "idle"}, lease=99)
    seat.end("card_gone")
    seat.report(EventKind.WIPE_FAILED, {"failure": "まだ動いている処理がある"})
    for procedure in city.procedures:
        services.issue_ticket(
            site=city.sites[0], procedure=procedure, preflight={"answers": {"pin_known": "yes"}}, staff=staff
        )
    changed = _changed(city, staff)
    return sound, again, changed, old_note


def _changed(city: Any, staff: Staff) -> Visit:
    """A visit at the second terminal, one byte of which was changed past all rules."""
    seat = Seat(city.terminals[1], Client())
    seat.enrol()
    seat.poll()
    visit = closed_visit(seat, staff)
    row = Entry.objects.get(visit=visit.pk, kind=EventKind.END.value)
    leaf = bytes(row.leaf).replace(b'"finish"', b'"idle"')
    tamper("UPDATE ledger_entry SET leaf = %s WHERE id = %s", leaf, row.pk)
    return visit


@pytest.fixture
def office(fresh: Fresh, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    sound, again, changed, old_note = prepare(monkeypatch)
    integrator.settle()
    environment = fresh.environment | {"PYTHONWARNINGS": "error", "MADOGUCHI_LOG_ORIGIN": str(settings.LOG_ORIGIN)}
    with granian(environment) as running:
        yield Office(running, sound, again, changed, old_note)


@pytest.fixture
def browser(office: Office) -> Iterator[Browser]:
    assert office.address
    options = {"executable_path": "/usr/bin/chromium", "args": ["--no-sandbox"] if os.getuid() == 0 else []}
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**options)  # type: ignore[arg-type]
        yield started
        started.close()


def enter(context: BrowserContext, office: Office, username: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(office.address)
    page.get_by_label("ログイン名").fill(username)
    page.get_by_label("パスワード").fill(PASSWORD)
    page.get_by_role("button", name="ログインする").click()
    page.wait_for_url(lambda url: "login" not in url)
    return page


def accessible(page: Page, name: str) -> None:
    """No violation of axe, and a picture for people where one is asked for."""
    if folder := os.environ.get("MADOGUCHI_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"evidence-{name}.png"), full_page=True)
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the window"


def one_sheet(page: Page, name: str) -> None:
    """Printed, the paper fits on one A4 page, and nothing but the paper is printed."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1000})
    box = page.locator(".sheet").bounding_box()
    assert box is not None
    assert box["height"] <= 1030, box
    for part in (".top", ".no-print"):
        assert all(not one.is_visible() for one in page.locator(part).all())
    if folder := os.environ.get("MADOGUCHI_PICTURES"):
        page.locator(".sheet").screenshot(path=str(Path(folder) / f"evidence-{name}-paper.png"))
    pdf = page.pdf(format="A4", prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") == 1
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_every_evidence_page_is_accessible(browser: Browser, office: Office) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = enter(context, office, "officer")
    broken: list[str] = []
    page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
    today = beside(clock.today).isoformat()
    end = beside(lambda: place_of(office.sound, EventKind.END))
    changed = beside(lambda: place_of(office.changed, EventKind.END))
    paths = {
        "overview": reverse("evidence"),
        "verify": reverse("evidence_verify"),
        "search": reverse("evidence_search"),
        "visit": reverse("evidence_visit", args=[office.sound.pk]),
        "visit-open": reverse("evidence_visit", args=[office.again.pk]),
        "visit-changed": reverse("evidence_visit", args=[office.changed.pk]),
        "entry": reverse("evidence_entry", args=[end]),
        "entry-changed": reverse("evidence_entry", args=[changed]),
        "checkpoints": reverse("evidence_checkpoints"),
        "anchor": reverse("evidence_anchor"),
        "export": reverse("evidence_export"),
        "daily-choose": reverse("daily_choose"),
    }
    for name, path in paths.items():
        page.goto(office.address + path)
        accessible(page, name)
    for name, path in {
        "receipt": reverse("receipt", args=[office.sound.pk]),
        "daily": reverse("daily", args=["honcho", today]),
    }.items():
        page.goto(office.address + path)
        accessible(page, name)
        one_sheet(page, name)
    # what answers to a form
    page.goto(office.address + paths["verify"])
    page.get_by_role("button", name="いま確かめる").click()
    expect(page.get_by_role("alert")).to_contain_text("合わないものがあります")
    accessible(page, "verified")
    page.goto(office.address + paths["anchor"])
    page.get_by_label("チェックポイントの文字").fill(office.old_note)
    page.get_by_role("button", name="照合する").click()
    expect(page.get_by_text("照合したことと結果を記録しました")).to_be_visible()
    accessible(page, "anchored")
    page.goto(office.address + paths["visit"])
    page.get_by_role("button", name=re.compile("開く.*市民の署名の筆跡")).click()
    expect(page.get_by_role("img", name="市民の署名の筆跡")).to_be_visible()
    accessible(page, "signature")
    page.goto(f"{office.address}{paths['search']}?begin={today}&end=2022-01-01")
    accessible(page, "search-refused")
    expected = "the server responded with a status of 400"
    assert [text for text in broken if expected not in text] == []
    context.close()


def test_an_old_checkpoint_is_compared_by_keys_alone_without_scripts(browser: Browser, office: Office) -> None:
    context = browser.new_context(locale="ja-JP", java_script_enabled=False, accept_downloads=True)
    page = enter(context, office, "auditor")
    page.goto(office.address + reverse("evidence"))
    page.get_by_role("link", name="古いチェックポイントと照合する").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("照合")
    page.get_by_label("チェックポイントの文字").focus()
    page.keyboard.insert_text(office.old_note)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".note-success, .note-error")).to_contain_text("古いチェックポイント")
    page.goto(office.address + reverse("evidence_visit", args=[office.sound.pk]))
    with page.expect_download() as download:
        page.get_by_role("button", name="書き出す").click()
    assert "A-001" in download.value.suggested_filename
    context.close()


def test_the_pages_fit_on_a_telephone(browser: Browser, office: Office) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": 390, "height": 844})
    page = enter(context, office, "auditor")
    for path in (
        reverse("evidence"),
        reverse("evidence_visit", args=[office.changed.pk]),
        reverse("receipt", args=[office.sound.pk]),
        reverse("evidence_entry", args=[0]),
    ):
        page.goto(office.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    context.close()
