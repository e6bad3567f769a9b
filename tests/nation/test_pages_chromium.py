"""Every page in a real Chromium: no accessibility fault that axe finds, the keyboard is enough, the type is large."""

import os
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from madoguchi.nation.run import Config, Running, serve
from madoguchi.nation.world import Behaviour
from nation.town import KANA, NAMES, Town

pytestmark = pytest.mark.slow

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield found
        found.close()


@pytest.fixture
def town() -> Town:
    return Town(Behaviour.PROOF)


@pytest.fixture
def sites(town: Town) -> Iterator[Running]:
    with serve(town.nation, Config(reader=town.reader)) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="ja-JP", viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


class Visitor:
    """Clicks through the pages and looks at each of them."""

    def __init__(self, page: Page, town: Town) -> None:
        self.page = page
        self.town = town
        self.seen: set[str] = set()
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("requestfailed", lambda request: self.complaints.append(request.url))

    def look(self) -> str:
        """Check the page that stands; return its name."""
        name = str(self.page.locator("main").get_attribute("id")).removeprefix("page-")
        found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": STANDARDS}})
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        size = self.page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
        assert size >= 18, name
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width == 0, f"{name} scrolls sideways"
        assert self.page.locator("h1").count() == 1, name
        self.seen.add(name)
        return name

    def press(self, identity: str) -> str:
        self.page.locator(f"#{identity}").click()
        return self.look()

    def at_card(self, letter: str, *, face: bool = False) -> str:
        self.town.put(letter)
        self.page.fill("#pin", self.town.face_pin(letter) if face else self.town.pin(letter))
        return self.press("use")


def test_the_points_site(page: Page, town: Town, sites: Running) -> None:
    visitor = Visitor(page, town)
    page.goto(sites.points_url + "/")
    visitor.look()
    assert visitor.press("login") == "card"
    assert visitor.press("use") == "card"
    assert page.locator("#note-code").inner_text() == "NoCard"
    assert visitor.at_card("A") == "me"
    assert page.locator("#who").inner_text() == NAMES["A"]
    visitor.press("apply")
    means = town.means("A")
    page.get_by_label(means.service, exact=True).check()
    visitor.press("next")
    page.get_by_label("決済サービスID").fill(means.payment_id)
    page.get_by_label("セキュリティコード").fill(means.security_code)
    visitor.press("next")
    assert visitor.press("submit") == "card"
    assert visitor.at_card("A") == "done"
    assert visitor.press("me") == "me"
    assert visitor.press("apply") == "refused"
    assert visitor.press("logout") == "logged-out"
    assert visitor.press("start") == "start"
    assert [text for text in visitor.complaints if "status of 409" not in text] == []
    assert town.landed == [("A", "A")]
    assert visitor.seen == {"start", "card", "me", "service", "means", "confirm", "done", "refused", "logged-out"}


def test_the_account_registry(page: Page, town: Town, sites: Running) -> None:
    visitor = Visitor(page, town)
    page.goto(sites.accounts_url + "/")
    visitor.press("login")
    visitor.at_card("C")
    assert visitor.press("register") == "consent"
    page.get_by_label("同意します").check()
    assert visitor.press("next") == "card"
    assert visitor.at_card("C", face=True) == "account"
    account = town.account("C")
    page.get_by_label("口座名義カナ").fill(KANA["C"])
    for label, value in (("銀行", account.bank), ("支店", account.branch), ("種類", account.kind.value)):
        page.get_by_label(label).select_option(value)
    page.get_by_label("口座番号").fill(account.number)
    assert visitor.press("next") == "confirm"
    visitor.press("submit")
    assert visitor.at_card("C") == "done"
    visitor.press("me")
    assert visitor.press("delete") == "delete"
    visitor.press("submit")
    assert visitor.at_card("C") == "done"
    page.goto(sites.accounts_url + "/")
    assert visitor.look() == "start"
    assert page.locator("#who").inner_text() == NAMES["C"]
    assert visitor.complaints == []
    assert town.landed == [("C", "C")]


def test_a_locked_pin(page: Page, town: Town, sites: Running) -> None:
    visitor = Visitor(page, town)
    page.goto(sites.points_url + "/")
    visitor.press("login")
    town.put("A")
    for _ in range(3):
        page.fill("#pin", "9999")
        assert visitor.press("use") == "card"
        page.reload()
    assert visitor.look() == "card"
    assert page.locator("#locked").is_visible()
    assert not page.locator("#pin").count()
    assert visitor.press("cancel") == "refused"
    assert visitor.press("back") == "start"


def test_the_desks(page: Page, town: Town, sites: Running) -> None:
    town.nation.behaviour = Behaviour.Y2022
    town.apply(town.login(town.nation.points, "A"), "B")
    visitor = Visitor(page, town)
    page.goto(sites.desks_url + "/")
    visitor.look()
    visitor.press("soumu")
    page.locator("#asked_person").select_option("A")
    assert visitor.press("inquire-person") == "answer"
    visitor.press("back")
    page.locator("#delete_person").select_option("A")
    visitor.press("ask-delete-service")
    visitor.press("begin-soumu-0001")
    visitor.press("finish-soumu-0001")
    assert page.locator("#state-soumu-0001").inner_text() == "完了"
    page.goto(sites.desks_url + "/digital")
    assert visitor.look() == "digital"
    page.goto(sites.card_client_url + "/")
    assert visitor.look() == "card-idle"
    assert town.nation.points.standing("A") is None


def test_the_keyboard_alone_is_enough(page: Page, town: Town, sites: Running) -> None:
    page.goto(sites.points_url + "/")

    def tab_to(identity: str) -> None:
        for _ in range(20):
            page.keyboard.press("Tab")
            focused = page.evaluate("document.activeElement.id")
            if focused == identity:
                shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert shown != "none", f"focus on {identity} cannot be seen"
                return
        pytest.fail(f"{identity} is out of reach")

    town.put("A")
    tab_to("login")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pin")
    tab_to("pin")
    page.keyboard.type(town.pin("A"))
    page.keyboard.press("Enter")
    page.wait_for_selector("#page-me")
    assert page.locator("#who").inner_text() == NAMES["A"]
    tab_to("logout")
    page.keyboard.press("Enter")
    page.wait_for_selector("#page-logged-out")
    assert town.nation.points.live_sessions() == 0


def test_narrow_windows_and_large_type_do_not_scroll_sideways(browser: Browser, town: Town, sites: Running) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 800})
    page = context.new_page()
    visitor = Visitor(page, town)
    for url in (sites.points_url, sites.accounts_url, sites.desks_url, sites.desks_url + "/soumu"):
        page.goto(url)
        visitor.look()
    context.close()
