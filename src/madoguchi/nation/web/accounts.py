"""Pages of the public-money account registry.

`page-start` -> `page-me` (`#who`, `#status`; when registered `#account`, `#holder-kana`; `#history-N`; links
`register`, `change`, `delete`) -> `page-consent` (field `consent`, value `yes`; button `next`) -> the card client, with
the card-face PIN -> `page-account` (`#face-name`; fields `kana`, `bank`, `branch`, `kind`, `number`; button `next`) ->
`page-confirm` (button `submit`) -> the card client, with proof -> `page-done` (`#result`; link `me`).
`/change` runs through the same pages. `page-delete` has the button `submit`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, g, redirect
from flask.typing import ResponseReturnValue

from madoguchi.nation.accounts import SECOND_READ, AccountApplication, Write, check_form, normal_kana, normal_number
from madoguchi.nation.bank import Account, AccountKind
from madoguchi.nation.challenges import Returned
from madoguchi.nation.errors import ConsentMissing, InputMalformed, SecondReadMissing
from madoguchi.nation.sessions import Session
from madoguchi.nation.web.shell import typed
from madoguchi.nation.web.site_pages import SitePages
from madoguchi.nation.world import Nation

_BACK = {
    "already_registered": "/me",
    "nothing_registered": "/me",
    "consent_missing": "/me",
    "certificate_not_yet_effective": "/me",
    "second_read_missing": "/me",
    "input_malformed": "/account",
    "account_not_found": "/account",
}
_FIELDS = ("kana", "bank", "branch", "kind", "number")


def create_accounts_app(nation: Nation, *, origin: str, card_client_url: str) -> Flask:
    """The account registry, to be mounted at `origin`; it sends browsers to the card client at `card_client_url`."""
    return _AccountPages(nation, origin=origin, card_client_url=card_client_url).app


class _AccountPages(SitePages):
    def __init__(self, nation: Nation, *, origin: str, card_client_url: str) -> None:
        super().__init__(nation.accounts, origin=origin, card_client_url=card_client_url, back=_BACK)
        self.registry = nation.accounts
        self.finishes[SECOND_READ] = self.second_read
        for write in Write:
            self.finishes[write] = self.finish
        for path, view, methods in (
            ("/me", self.me, ["GET"]),
            ("/register", self.register, ["GET"]),
            ("/change", self.change, ["GET"]),
            ("/consent", self.consented, ["POST"]),
            ("/account", self.enter, ["GET"]),
            ("/account", self.entered, ["POST"]),
            ("/confirm", self.confirm, ["GET"]),
            ("/confirm", self.confirmed, ["POST"]),
            ("/delete", self.delete, ["GET"]),
            ("/delete", self.deleted, ["POST"]),
            ("/done", self.done, ["GET"]),
        ):
            self.app.add_url_rule(path, view_func=view, methods=methods)

    def me(self) -> ResponseReturnValue:
        session, page = self.registry.me(g.cookie), self.registry.own_page(g.cookie)
        return self.show("me", who=self.registry.person_name(session), page=page, label=self.registry.banks.label)

    def register(self) -> ResponseReturnValue:
        self.registry.may_register(g.cookie)
        return self._consent_page(Write.REGISTER)

    def change(self) -> ResponseReturnValue:
        self.registry.may_change(g.cookie)
        return self._consent_page(Write.CHANGE)

    def _consent_page(self, write: Write) -> ResponseReturnValue:
        self.registry.keep(g.cookie, write=write, consent=None, face=None)
        return self.show("consent", write=write)

    def consented(self) -> ResponseReturnValue:
        self.registry.me(g.cookie)
        if typed("consent") != "yes":
            raise ConsentMissing
        self.registry.keep(g.cookie, consent=True)
        return self.to_card(self.registry.ask_second_read(g.cookie))

    def second_read(self, returned: Returned) -> str:
        self.registry.second_read(g.cookie, returned)
        return "/account"

    def enter(self) -> ResponseReturnValue:
        draft = self._read_draft()
        values = {name: draft.get(name, "") for name in _FIELDS}
        return self.show(
            "account", face=draft["face"], values=values, banks=self.registry.banks.banks, kinds=AccountKind
        )

    def entered(self) -> ResponseReturnValue:
        self._read_draft()
        values = {name: typed(name) for name in _FIELDS}
        values |= {"kana": normal_kana(values["kana"]), "number": normal_number(values["number"])}
        session = self.registry.keep(g.cookie, **values)
        check_form(_application(session))
        return redirect("/confirm", 303)

    def confirm(self) -> ResponseReturnValue:
        self._read_draft()
        session = self.registry.me(g.cookie)
        if "number" not in session.draft:
            return redirect("/account", 303)
        application = _application(session)
        account = self.registry.banks.label(application.account, masked=False)
        return self.show(
            "confirm", write=_write(session), face=session.draft["face"], account=account, kana=application.kana
        )

    def confirmed(self) -> ResponseReturnValue:
        session = self.registry.me(g.cookie)
        return self._submit(_write(session), _application(session))

    def delete(self) -> ResponseReturnValue:
        self.registry.may_change(g.cookie)
        page = self.registry.own_page(g.cookie)
        return self.show("delete", page=page, label=self.registry.banks.label)

    def deleted(self) -> ResponseReturnValue:
        self.registry.keep(g.cookie, write=Write.DELETE)
        return self._submit(Write.DELETE, None)

    def _submit(self, write: Write, application: AccountApplication | None) -> ResponseReturnValue:
        challenge = self.registry.ask_write(g.cookie, write, application)
        if challenge is not None:
            return self.to_card(challenge)
        self.registry.write(g.cookie, write, application)
        return redirect("/done", 303)

    def finish(self, returned: Returned) -> str:
        session = self.registry.me(g.cookie)
        write = _write(session)
        application = None if write is Write.DELETE else _application(session)
        self.registry.write(g.cookie, write, application, returned)
        return "/done"

    def done(self) -> ResponseReturnValue:
        page = self.registry.own_page(g.cookie)
        return self.show("done", page=page, label=self.registry.banks.label)

    def _read_draft(self) -> Mapping[str, Any]:
        draft = self.registry.me(g.cookie).draft
        if "face" not in draft:
            raise SecondReadMissing
        return draft


def _write(session: Session) -> Write:
    return Write(session.draft.get("write", Write.REGISTER))


def _application(session: Session) -> AccountApplication:
    draft = session.draft
    kind = draft.get("kind")
    if kind not in list(AccountKind):
        raise InputMalformed("kind", "口座の種類を選んでください。")
    account = Account(draft.get("bank", ""), draft.get("branch", ""), AccountKind(kind), draft.get("number", ""))
    return AccountApplication(account, draft.get("kana", ""), draft.get("consent", False))
