"""Pages and back channel that both sites have: start, login, log-out, return from the card client.

Pages: `page-start` (buttons `login`, and `continue` when a session of a person lives; `#who`), `page-logged-out`
(link `start`). `POST /login` leads to the card client; from there the browser comes back to `/card/return/ID`.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Flask, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from madoguchi.nation.challenges import Challenge, Returned
from madoguchi.nation.errors import AnswerMalformed, ChallengeUnknown
from madoguchi.nation.site import LOGIN, Site
from madoguchi.nation.web.shell import Shell, host_of, make_app
from madoguchi.nation.wire import answer_from_json, challenge_to_json

Finish = Callable[[Returned], str]
"""Does what the challenge was for; returns the path of the next page."""


class SitePages:
    """One site's app under construction. `finishes`: what to do on return from the card client, by act."""

    def __init__(self, site: Site, *, origin: str, card_client_url: str, back: Mapping[str, str]) -> None:
        site.origin = origin
        self.site = site
        self.card_client_url = card_client_url.rstrip("/")
        self.finishes: dict[str, Finish] = {LOGIN: self._login}
        self.app = make_app(
            Shell(
                name=site.name,
                title=site.title,
                cookie=f"madoguchi_{site.name}",
                host=host_of(origin),
                own_cookie=False,
                form_targets=(card_client_url,),
                back=back,
            )
        )
        self._add_pages(self.app)

    def show(self, template: str, **values: Any) -> str:
        """A page of the site."""
        return render_template(f"{self.site.name}/{template}.html", **values)

    def to_card(self, challenge: Challenge) -> ResponseReturnValue:
        """Send the browser to the card client."""
        query = urlencode({"site": self.site.name, "challenge": challenge.id})
        return redirect(f"{self.card_client_url}/use?{query}", 303)

    def _add_pages(self, app: Flask) -> None:
        app.add_url_rule("/", view_func=self.start)
        app.add_url_rule("/login", view_func=self.login, methods=["POST"])
        app.add_url_rule("/logout", view_func=self.logout)
        app.add_url_rule("/card/return/<challenge>", view_func=self.card_return)
        app.add_url_rule("/card/challenge/<challenge>", view_func=self.card_challenge)
        app.add_url_rule("/card/answer/<challenge>", view_func=self.card_answer, methods=["POST"])

    def start(self) -> ResponseReturnValue:
        """`/`: the prepared shortcut; a live session goes on."""
        session = self.site.open(g.cookie)
        g.cookie = session.cookie
        return self.show("start", who=self.site.person_name(session))

    def login(self) -> ResponseReturnValue:
        """`POST /login`."""
        return self.to_card(self.site.ask_login(g.cookie))

    def logout(self) -> ResponseReturnValue:
        """`/logout`, by GET, so that the terminal can visit it at the end of a visit."""
        self.site.logout(g.cookie)
        g.cookie = None
        return render_template("logged_out.html")

    def card_return(self, challenge: str) -> ResponseReturnValue:
        """`/card/return/ID`: the browser is back from the card client."""
        finish = self.finishes.get(self.site.act_of(g.cookie, challenge))
        if finish is None:
            raise ChallengeUnknown
        return redirect(finish(Returned(challenge, request.args.get("ticket", ""))), 303)

    def card_challenge(self, challenge: str) -> ResponseReturnValue:
        """Back channel: what the card client asks for."""
        return jsonify(challenge_to_json(self.site.fetch(challenge)))

    def card_answer(self, challenge: str) -> ResponseReturnValue:
        """Back channel: the card's answer; the ticket for the client's browser."""
        data = request.get_json(silent=True)
        if data is None:
            raise AnswerMalformed
        return jsonify({"ticket": self.site.answer(challenge, answer_from_json(data))})

    def _login(self, returned: Returned) -> str:
        g.cookie = self.site.login(g.cookie, returned).cookie
        return "/me"
