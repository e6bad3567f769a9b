"""Pages of the points site.

`page-start` -> `page-me` (`#who`, `#status`; when registered `#service`, `#payment-id`, `#registered-at`; link `apply`)
-> `page-service` (field `service`: the service's name; button `next`) -> `page-means` (fields `payment_id`,
`security_code`; button `next`) -> `page-confirm` (button `submit`) -> the card client, from 2023 on -> `page-done`
(`#result`; link `me`).
"""

from flask import Flask, g, redirect
from flask.typing import ResponseReturnValue

from madoguchi.nation.challenges import Returned
from madoguchi.nation.points import REGISTER, Application, check_form
from madoguchi.nation.web.shell import typed
from madoguchi.nation.web.site_pages import SitePages
from madoguchi.nation.world import Nation

_BACK = {
    "payment_service_unknown": "/apply",
    "payment_id_unknown": "/apply/means",
    "wrong_security_code": "/apply/means",
    "input_malformed": "/apply/means",
    "already_registered": "/me",
    "certificate_not_yet_effective": "/me",
}


def create_points_app(nation: Nation, *, origin: str, card_client_url: str) -> Flask:
    """The points site, to be mounted at `origin`; it sends browsers to the card client at `card_client_url`."""
    return _PointsPages(nation, origin=origin, card_client_url=card_client_url).app


class _PointsPages(SitePages):
    def __init__(self, nation: Nation, *, origin: str, card_client_url: str) -> None:
        super().__init__(nation.points, origin=origin, card_client_url=card_client_url, back=_BACK)
        self.points = nation.points
        self.finishes[REGISTER] = self.register
        for path, view, methods in (
            ("/me", self.me, ["GET"]),
            ("/apply", self.choose, ["GET"]),
            ("/apply", self.chosen, ["POST"]),
            ("/apply/means", self.enter, ["GET"]),
            ("/apply/means", self.entered, ["POST"]),
            ("/apply/confirm", self.confirm, ["GET"]),
            ("/apply/confirm", self.confirmed, ["POST"]),
            ("/done", self.done, ["GET"]),
        ):
            self.app.add_url_rule(path, view_func=view, methods=methods)

    def me(self) -> ResponseReturnValue:
        session, record = self.points.me(g.cookie), self.points.own_page(g.cookie)
        return self.show("me", who=self.points.person_name(session), record=record)

    def choose(self) -> ResponseReturnValue:
        session = self.points.may_apply(g.cookie)
        services = self.points.payments.services
        return self.show("service", services=services, chosen=session.draft.get("service"))

    def chosen(self) -> ResponseReturnValue:
        self.points.may_apply(g.cookie)
        self.points.payments.check_service(typed("service"))
        self.points.keep(g.cookie, service=typed("service"))
        return redirect("/apply/means", 303)

    def enter(self) -> ResponseReturnValue:
        draft = self.points.may_apply(g.cookie).draft
        if "service" not in draft:
            return redirect("/apply", 303)
        return self.show("means", service=draft["service"], payment_id=draft.get("payment_id", ""))

    def entered(self) -> ResponseReturnValue:
        draft = self.points.may_apply(g.cookie).draft
        application = Application(draft.get("service", ""), typed("payment_id"), typed("security_code"))
        self.points.keep(g.cookie, payment_id=application.payment_id)
        check_form(application)
        self.points.keep(g.cookie, security_code=application.security_code)
        return redirect("/apply/confirm", 303)

    def confirm(self) -> ResponseReturnValue:
        self.points.may_apply(g.cookie)
        application = self._application()
        if application is None:
            return redirect("/apply", 303)
        return self.show("confirm", application=application)

    def confirmed(self) -> ResponseReturnValue:
        application = self._application()
        if application is None:
            return redirect("/apply", 303)
        challenge = self.points.ask_register(g.cookie, application)
        if challenge is not None:
            return self.to_card(challenge)
        self.points.register(g.cookie, application)
        return redirect("/done", 303)

    def register(self, returned: Returned) -> str:
        application = self._application()
        if application is None:
            return "/apply"
        self.points.register(g.cookie, application, returned)
        return "/done"

    def done(self) -> ResponseReturnValue:
        return self.show("done", record=self.points.own_page(g.cookie))

    def _application(self) -> Application | None:
        draft = self.points.me(g.cookie).draft
        if not {"service", "payment_id", "security_code"} <= set(draft):
            return None
        return Application(draft["service"], draft["payment_id"], draft["security_code"])
