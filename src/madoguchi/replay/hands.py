"""What people do with the pages of the national sites: the same hands with and without the walls."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from madoguchi.replay.counter import Addresses
from madoguchi.replay.errors import PageUnlike
from madoguchi.replay.pages import Pages
from madoguchi.replay.scenario import Person

PAYMENT, ACCOUNT = "payment_service", "public_money_account"
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the page said: done, or refused with a reason (snake case) and a sentence."""

    done: bool
    reason: str = ""
    sentence: str = ""
    at_card: bool = False


@dataclass
class Hands:
    """One person's hands and eyes. `sees`: what was on the own page at the last look."""

    person: Person
    addresses: Addresses
    sees: str = ""
    refused: set[str] = field(default_factory=set)

    def log_in(self, pages: Pages) -> Outcome:
        """Read the own card for login, whatever stands on the screen."""
        if pages.has("login"):
            pages.press("login")
            return self._at_card(pages, "page-me")
        onward = next((link for link in ("me", "back") if pages.has(link)), None)
        if onward is not None:
            pages.press(onward)
        if not pages.has("who"):
            raise PageUnlike("neither a login nor a person logged in on this page")
        return Outcome(done=True)

    def apply_service(self, pages: Pages) -> Outcome:
        """Apply with the own payment service, in whoever's session stands there."""
        means = self.person.payment
        if means is None:
            raise PageUnlike(f"市民{self.person.letter} has no payment service")
        steps: list[Callable[[], object]] = [
            lambda: pages.go(self._at(PAYMENT, "apply")),
            lambda: self._type(pages, {"service": means.service}, "next"),
            lambda: self._type(pages, {"payment_id": means.id, "security_code": means.code}, "next"),
            lambda: pages.press("submit"),
        ]
        return self._through(pages, steps)

    def register_account(self, pages: Pages) -> Outcome:
        """Register the own account, in whoever's session stands there."""
        account = self.person.account
        if account is None:
            raise PageUnlike(f"市民{self.person.letter} has no account")
        typed = {"kana": self.person.kana, "bank": account.bank, "branch": account.branch}
        typed |= {"kind": account.kind, "number": account.number}
        steps: list[Callable[[], object]] = [
            lambda: pages.go(self._at(ACCOUNT, "register")),
            lambda: self._type(pages, {"consent": "yes"}, "next"),
            lambda: self._type(pages, typed, "next"),
            lambda: pages.press("submit"),
        ]
        return self._through(pages, steps)

    def look(self, pages: Pages, procedure: str) -> str:
        """Read the own page: `own`, `foreign` or `nothing`."""
        pages.go(self._at(procedure, "me"))
        self.sees = self._what_stands(pages, procedure)
        return self.sees

    def whose(self, pages: Pages, procedure: str) -> str:
        """The name shown as the person logged in; empty without a login."""
        pages.go(self._at(procedure, "me"))
        return pages.text("who")

    def log_out(self, pages: Pages, procedure: str) -> None:
        """Open the site's log-out page."""
        pages.go(self.addresses.logout[procedure])

    def _what_stands(self, pages: Pages, procedure: str) -> str:
        means, account = self.person.payment, self.person.account
        if procedure == PAYMENT and pages.has("payment-id"):
            own = (
                means is not None
                and _tail(pages.text("payment-id"), means.id)
                and means.service in pages.text("service")
            )
            return "own" if own else "foreign"
        if procedure == ACCOUNT and pages.has("account"):
            own = account is not None and _tail(pages.text("account"), account.number)
            return "own" if own else "foreign"
        return "nothing"

    def _through(self, pages: Pages, steps: list[Callable[[], object]]) -> Outcome:
        for step in steps:
            step()
            outcome = self._at_card(pages, "")
            if not outcome.done:
                return outcome
        if not pages.has("page-done"):
            raise PageUnlike("the procedure came to no end page")
        return Outcome(done=True)

    def _at_card(self, pages: Pages, expected: str) -> Outcome:
        """Use the own PIN where the card client asks for one."""
        if pages.has("page-card"):
            if pages.has("pin"):
                pages.fill("pin", self.person.pin)
            pages.press("use")
        if pages.has("page-card"):
            outcome = Outcome(
                done=False, reason=_snake(pages.text("note-code")), sentence=pages.text("note"), at_card=True
            )
            pages.press("cancel")
            return self._keep(outcome)
        if pages.has("page-refused"):
            return self._keep(Outcome(done=False, reason=pages.text("reason"), sentence=pages.text("sentence")))
        if expected and not pages.has(expected):
            raise PageUnlike(f"expected {expected}")
        return Outcome(done=True)

    def _keep(self, outcome: Outcome) -> Outcome:
        self.refused.add(outcome.reason)
        return outcome

    def _type(self, pages: Pages, values: Mapping[str, str], button: str) -> None:
        for name, value in values.items():
            pages.fill(name, value)
        pages.press(button)

    def _at(self, procedure: str, path: str) -> str:
        return urljoin(self.addresses.start[procedure], "/" + path)


def _snake(code: str) -> str:
    return _WORD.sub("_", code).lower()


def _tail(masked: str, whole: str) -> bool:
    shown = masked.rsplit("*", 1)[-1].strip()
    return bool(shown) and whole.endswith(shown)
