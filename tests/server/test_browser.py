"""The pages in a real browser, served by granian: a visit from reception to closing, and axe on every page."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from madoguchi.protocol import EventKind, TerminalState
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import HelpLine, ProcedureKind
from madoguchi.server.counters.seed import City, seed_training_city
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from server.conftest import PASSWORD
from server.databases import Fresh, beside
from server.seat import Seat

pytestmark = pytest.mark.slow

WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


class Wire:
    """What `Seat` needs of a client, over a real socket."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address)

    def post(self, path: str, data: Any, content_type: str, headers: dict[str, str]) -> httpx.Response:
        return self._client.post(path, json=data, headers=headers | {"Content-Type": content_type})

    def close(self) -> None:
        self._client.close()


@contextmanager
def granian(environment: dict[str, str]) -> Iterator[str]:
    """The office as it runs in production; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws", "--workers", "1"]
    process = subprocess.Popen(
        [*command, "madoguchi.server.wsgi:application"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        transport = httpx.HTTPTransport(retries=0)
        with httpx.Client(transport=transport) as client:
            wait_for(client, f"{address}/login/", process)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def wait_for(client: httpx.Client, address: str, process: "subprocess.Popen[bytes]") -> None:
    import time

    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        assert process.poll() is None, "granian ended"
        try:
            if client.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("granian did not answer")


@pytest.fixture
def city(fresh: Fresh, settings: Any) -> City:
    """Planted with the hasher that the running office uses."""
    assert fresh.url
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    return seed_training_city(password=PASSWORD, payment_until=None)


@pytest.fixture
def address(fresh: Fresh, city: City) -> Iterator[str]:
    assert city.sites
    with granian(fresh.environment | {"PYTHONWARNINGS": "error"}) as running:
        yield running


@pytest.fixture
def browser(address: str) -> Iterator[Browser]:
    assert address
    options = {"executable_path": "/usr/bin/chromium", "args": ["--no-sandbox"] if os.getuid() == 0 else []}
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**options)  # type: ignore[arg-type]
        yield started
        started.close()


@pytest.fixture
def seat(city: City, address: str) -> Iterator[Seat]:
    wire = Wire(address)
    made = Seat(city.terminals[0], wire)  # type: ignore[arg-type]  # speaks like Django's client
    made.key = Ed25519PrivateKey.generate()
    beside(made.enrol)
    yield made
    wire.close()


def enter(context: BrowserContext, address: str, username: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.get_by_label("ログイン名").fill(username)
    page.get_by_label("パスワード").fill(PASSWORD)
    page.get_by_role("button", name="ログインする").click()
    page.wait_for_url(lambda url: "login" not in url)
    page.problems = problems  # type: ignore[attr-defined]
    return page


def shoot(page: Page, name: str) -> None:
    """Screenshots for people, where they are asked for."""
    if folder := os.environ.get("MADOGUCHI_TEST_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def accessible(page: Page, name: str) -> None:
    shoot(page, name)
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"


def test_a_visit_from_reception_to_closing(browser: Browser, address: str, seat: Seat) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": 1280, "height": 900})
    seat.poll()
    page = enter(context, address, "honcho-1")
    # given: a citizen at reception, without account data
    page.get_by_role("link", name="受付する").click()
    accessible(page, "reception-procedure")
    page.get_by_role("link", name="公金受取口座の登録").click()
    accessible(page, "reception-questions")
    for question, answer in (("電子証明書を", "いいえ"), ("暗証番号が", "はい"), ("登録するものは", "はい")):
        page.get_by_role("group", name=question).get_by_label(answer).check()
    page.get_by_label("マイナンバーカード").check()
    page.get_by_label("利用者証明用").check()
    page.get_by_label("券面事項").check()
    page.get_by_role("button", name="受付番号を出す").click()
    # then: reception is told what will interrupt the visit, and nothing of the answers is lost
    expect(page.get_by_text("このままでは、途中で終わるかもしれません")).to_be_visible()
    expect(page.get_by_role("alert").get_by_text("口座の情報")).to_be_visible()
    expect(page.get_by_role("group", name="暗証番号が").get_by_label("はい")).to_be_checked()
    accessible(page, "reception-advice")
    page.get_by_label("説明しました").check()
    page.get_by_role("button", name="受付番号を出す").click()
    expect(page.get_by_text("A-001")).to_be_visible()
    accessible(page, "slip")
    # when: the ticket is called
    page.get_by_role("link", name="一覧板へ").click()
    accessible(page, "board-waiting")
    page.get_by_label("A-001").check()
    page.get_by_label("端末1").check()
    seat.poll()
    page.get_by_role("button", name="呼ぶ").click()
    expect(page.get_by_role("status")).to_contain_text("A-001 を 端末1 に呼びました。")
    accessible(page, "board-called")
    display = context.new_page()
    display.goto(f"{address}/display/honcho/")
    expect(display.get_by_text("端末1 へどうぞ")).to_be_visible()
    accessible(display, "display")
    # then: the page follows the terminal by itself
    page.get_by_role("link", name="詳しく").first.click()
    expect(page.locator(".state").first).to_have_text("呼び出し中")
    accessible(page, "visit-called")
    seat.poll()
    seat.bind()
    expect(page.locator(".state").first).to_have_text("対応中")
    expect(display.get_by_text("いまお呼びしている番号はありません。")).to_be_visible()
    seat.end()
    seat.wipe()
    expect(page.locator(".state").first).to_have_text("ログアウト確認中")
    page.get_by_text("口頭でログアウトを確認する").click()
    accessible(page, "visit-confirming")
    spoken = page.locator("details", has_text="口頭でログアウト")
    spoken.get_by_label("中断", exact=True).check()
    spoken.get_by_label("中断・離席の理由").select_option("no_account_data")
    page.get_by_label("もう1人の係員のログイン名").fill("honcho-2")
    page.get_by_label("もう1人の係員のパスワード").fill("wrong")
    spoken.get_by_role("button", name="記録して終了する").click()
    expect(page.get_by_role("alert").first).to_contain_text("もう1人の係員")
    expect(spoken.get_by_label("中断", exact=True)).to_be_checked()
    accessible(page, "visit-refused")
    page.get_by_label("もう1人の係員のパスワード").fill(PASSWORD)
    spoken.get_by_role("button", name="記録して終了する").click()
    expect(page.get_by_role("status")).to_contain_text("対応を終了しました")
    accessible(page, "visit-closed")
    assert beside(Visit.objects.get).state == "closed"
    expected = "the server responded with a status of 409"
    assert [text for text in page.problems if expected not in text] == []  # type: ignore[attr-defined]
    context.close()


def test_what_is_being_chosen_stays_chosen_and_a_refusal_is_shown(browser: Browser, address: str, seat: Seat) -> None:
    context = browser.new_context(locale="ja-JP")
    beside(lambda: issue(seat))
    seat.poll()
    page = enter(context, address, "honcho-1")
    page.get_by_label("A-001").check()
    page.get_by_label("端末1").check()
    # when: the board changes under the person's hands
    beside(lambda: issue(seat))
    expect(page.get_by_text("A-002", exact=True)).to_be_visible()
    # then: the choice stands
    expect(page.get_by_label("A-001")).to_be_checked()
    expect(page.get_by_label("端末1")).to_be_checked()
    # when: somebody else was quicker
    seat.poll()
    beside(lambda: call(seat, Visit.objects.get(ticket="A-001")))
    page.get_by_role("button", name="呼ぶ").click()
    expect(page.get_by_role("alert").first).to_contain_text("対応が終わっていません")
    accessible(page, "board-refused")
    context.close()


def issue(seat: Seat) -> Visit:
    return services.issue_ticket(
        site=seat.terminal.site,
        procedure=ProcedureKind.objects.get(code="insurance_card"),
        preflight={"answers": {"pin_known": "yes"}},
        staff=Staff.objects.get(username="officer"),
    )


def call(seat: Seat, visit: Visit) -> Visit:
    return services.call(visit=visit, terminal=seat.terminal, staff=Staff.objects.get(username="officer"))


def test_every_other_page_is_accessible(browser: Browser, address: str, seat: Seat, city: City) -> None:
    context = browser.new_context(locale="ja-JP", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address)
    accessible(page, "login")
    page.close()
    visit = beside(lambda: quarantine(seat))
    line = beside(HelpLine.objects.first)
    supporter = beside(lambda: Staff.objects.get(username="honcho-1"))
    page = enter(context, address, "officer")
    paths = {
        "sites": reverse("sites"),
        "board-quarantined": reverse("board", args=["honcho"]),
        "terminals": reverse("terminals"),
        "terminal": reverse("terminal", args=[seat.terminal.pk]),
        "terminal-edit": reverse("terminal_edit", args=[seat.terminal.pk]),
        "terminal-new": reverse("terminal_new"),
        "counters": reverse("counters"),
        "site-edit": reverse("site_edit", args=[city.sites[0].pk]),
        "site-new": reverse("site_new"),
        "procedure-edit": reverse("procedure_edit", args=[city.procedures[1].pk]),
        "procedure-new": reverse("procedure_new"),
        "help-line-edit": reverse("help_line_edit", args=[line.pk]),
        "help-line-new": reverse("help_line_new"),
        "staff": reverse("staff"),
        "staff-new": reverse("staff_new"),
        "staff-edit": reverse("staff_edit", args=[supporter.pk]),
        "rejected": reverse("rejected"),
        "password": reverse("password"),
        "visit-ending": reverse("visit", args=[visit.pk]),
        "not-found": "/nothing/",
    }
    for name, path in paths.items():
        page.goto(f"{address}{path}")
        accessible(page, name)
    page.goto(address + paths["terminal"])
    page.get_by_label("今までの機械").check()
    page.get_by_role("button", name="登録コードを出す").click()
    expect(page.locator(".code")).to_be_visible()
    accessible(page, "terminal-code")
    small = browser.new_context(locale="ja-JP", viewport={"width": 390, "height": 844})
    phone = enter(small, address, "honcho-1")
    accessible(phone, "board-phone")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    small.close()
    context.close()


def quarantine(seat: Seat) -> Visit:
    seat.poll()
    visit = call(seat, issue(seat))
    seat.poll()
    seat.bind()
    seat.end("card_gone")
    seat.report(EventKind.WIPE_FAILED, {"failure": "まだ動いている処理がある"})
    seat.report(EventKind.END, {"cause": "idle"}, lease=99)
    seat.poll(TerminalState.QUARANTINED)
    return visit


def test_without_javascript_a_ticket_can_be_issued_and_called(browser: Browser, address: str, seat: Seat) -> None:
    context = browser.new_context(locale="ja-JP", java_script_enabled=False)
    page = enter(context, address, "honcho-1")
    page.goto(f"{address}/sites/honcho/reception/?procedure=insurance_card")
    for label in ("いいえ", "はい"):
        for radio in page.get_by_label(label, exact=True).all():
            radio.check()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="受付番号を出す").click()
    if page.get_by_label("説明しました").count():
        page.get_by_label("説明しました").check()
        page.get_by_role("button", name="受付番号を出す").click()
    page.get_by_role("link", name="一覧板へ").click()
    expect(page.get_by_text("この画面は自動では変わりません。")).to_be_visible()
    seat.poll()
    page.get_by_role("link", name="新しい状態にする").click()
    page.get_by_label("A-001").check()
    page.get_by_label("端末1").check()
    page.get_by_role("button", name="呼ぶ").click()
    expect(page.get_by_text("A-001 を 端末1 に呼びました。")).to_be_visible()
    context.close()
