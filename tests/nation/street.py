"""A town with its sites mounted in this process, and a small user agent for pages without JavaScript."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from flask import Flask
from lxml import html

from madoguchi.nation.web.accounts import create_accounts_app
from madoguchi.nation.web.card_client import create_card_client_app
from madoguchi.nation.web.desks import create_desks_app
from madoguchi.nation.web.points import create_points_app
from nation.town import KANA, Town

POINTS, ACCOUNTS, DESKS, CARD = (f"http://127.0.0.1:{port}" for port in (9001, 9002, 9003, 9004))


class Switchboard(httpx.BaseTransport):
    """Carries a request to the app mounted at its origin."""

    def __init__(self, apps: dict[str, Flask]) -> None:
        self.apps = apps

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        return httpx.WSGITransport(self.apps[origin].wsgi_app).handle_request(request)


class Page:
    """A browser window. `visited`: every address it came to, in order."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.visited: list[str] = []
        self.typed: dict[str, str] = {}

    def go(self, url: str) -> "Page":
        return self._stand(self.client.get(url))

    def fill(self, **values: str) -> "Page":
        for name in values:
            assert any(name in form.fields for form in self.document.forms), f"no field {name}"
        self.typed |= values
        return self

    def press(self, identity: str) -> "Page":
        element: Any = self.element(identity)
        assert element is not None, f"no {identity} on {self.name}: {self.text('sentence')}"
        if element.tag == "a":
            return self.go(str(self.url.join(element.get("href") or "")))
        form = next(parent for parent in element.iterancestors("form"))
        values = dict(form.form_values()) | {n: v for n, v in self.typed.items() if n in form.fields}
        if element.get("name"):
            values[str(element.get("name"))] = element.get("value") or ""
        assert form.method == "POST"
        return self._stand(self.client.post(self.url.join(form.action or ""), data=values))

    def element(self, identity: str) -> Any:
        return self.document.get_element_by_id(identity, None)

    def has(self, identity: str) -> bool:
        return self.element(identity) is not None

    def text(self, identity: str) -> str:
        element = self.element(identity)
        return "" if element is None else " ".join(element.text_content().split())

    @property
    def name(self) -> str:
        return str(self.document.find(".//main").get("id")).removeprefix("page-")

    @property
    def url(self) -> httpx.URL:
        return self.response.url

    def _stand(self, response: httpx.Response) -> "Page":
        self.visited += [str(answer.url) for answer in (*response.history, response)]
        self.response = response
        self.document: Any = html.document_fromstring(response.text)
        self.typed = {}
        return self


@dataclass
class Street:
    """The sites of a town under their addresses, without sockets."""

    town: Town
    apps: dict[str, Flask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nation = self.town.nation
        self.apps[POINTS] = create_points_app(nation, origin=POINTS, card_client_url=CARD)
        self.apps[ACCOUNTS] = create_accounts_app(nation, origin=ACCOUNTS, card_client_url=CARD)
        self.apps[DESKS] = create_desks_app(nation)
        sites = {"points": POINTS, "accounts": ACCOUNTS}
        self.apps[CARD] = create_card_client_app(self.town.reader, sites=sites, http=self.client())

    def client(self) -> httpx.Client:
        return httpx.Client(transport=Switchboard(self.apps), follow_redirects=True)

    def window(self) -> Page:
        """A fresh browser: no cookies."""
        return Page(self.client())

    def use_card(self, page: Page, letter: str) -> Page:
        """At the card client: the person's own card and PIN."""
        self.town.put(letter)
        if page.has("pin"):
            face = "券面" in page.response.text
            page.fill(pin=self.town.face_pin(letter) if face else self.town.pin(letter))
        return page.press("use")

    def log_in(self, page: Page, origin: str, letter: str) -> Page:
        """From the prepared shortcut to the own page."""
        return self.use_card(page.go(origin + "/").press("login"), letter)

    def apply(self, page: Page, letter: str, card: str | None = None) -> Page:
        """From the own page to the end of the application; `card` lies on the reader (default: the own one)."""
        means = self.town.means(letter)
        page.press("apply")
        if page.name == "refused":
            return page
        page.fill(service=means.service).press("next")
        page.fill(payment_id=means.payment_id, security_code=means.security_code).press("next").press("submit")
        return self.use_card(page, card or letter) if page.name == "card" else page

    def register(self, page: Page, letter: str, start: str = "register") -> Page:
        """From the own page to the end of the registration or change."""
        page.press(start)
        if page.name == "refused":
            return page
        self.use_card(page.fill(consent="yes").press("next"), letter)
        if page.name == "refused":
            return page
        return self.type_account(page, letter)

    def type_account(self, page: Page, letter: str) -> Page:
        """From the account page to the end."""
        account = self.town.account(letter)
        page.fill(kana=KANA[letter], bank=account.bank, branch=account.branch, kind=account.kind, number=account.number)
        page.press("next").press("submit")
        return self.use_card(page, letter) if page.name == "card" else page
