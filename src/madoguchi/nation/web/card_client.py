"""The sites' card client on the terminal: it alone meets the PIN and the card. No site ever sees a PIN.

`/use?site=NAME&challenge=ID` shows `page-card` (`#summary`, `#tries` with the tries left; field `pin` unless no PIN is
needed; buttons `use` and `cancel`). After the use, the browser goes back to the site. Refusals of card and PIN show on
the same page in `#note`, with their code in `#note-code`; a locked PIN leaves only `cancel`.

Rules:
1. Only sites on the allow-list, and only what the site itself answers on its back channel.
2. What is shown is what is signed: the digest is computed again from the lines shown.
3. A wrong PIN is answered by a redirect, so that reloading the page never uses up a try.
"""

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from flask import Flask, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from madoguchi.card import CardError, PinLocked, Reader
from madoguchi.nation.card_use import tries_left, use_card
from madoguchi.nation.challenges import CardUse, Challenge
from madoguchi.nation.errors import SiteRefused, SiteUnknown, SiteUnreachable
from madoguchi.nation.web.shell import Shell, make_app, typed
from madoguchi.nation.wire import answer_to_json, challenge_from_json

TIMEOUT = 10.0
"""Seconds to wait for a site."""


def create_card_client_app(
    reader: Reader, *, sites: Mapping[str, str], http: httpx.Client | None = None, host: str = "127.0.0.1"
) -> Flask:
    """Make the card client.

    `sites`: origins by name, the allow-list. `http`: how to reach them (tests hand in one without sockets). `host`: the
    Host name under which the terminal's browser calls it.
    """
    return _CardPages(reader, sites, http or httpx.Client(timeout=TIMEOUT), host).app


class _CardPages:
    def __init__(self, reader: Reader, sites: Mapping[str, str], http: httpx.Client, host: str) -> None:
        self.reader = reader
        self.sites = {name: origin.rstrip("/") for name, origin in sites.items()}
        self.http = http
        self._notes: dict[tuple[str, str], CardError] = {}
        self._lock = threading.Lock()
        shell = Shell(
            name="card",
            title="カード読み取り(架空)",
            cookie="madoguchi_card",
            host=host,
            own_cookie=True,
            form_targets=tuple(self.sites.values()),
        )
        self.app = make_app(shell)
        self.app.add_url_rule("/", view_func=self.idle)
        self.app.add_url_rule("/use", view_func=self.show, methods=["GET"])
        self.app.add_url_rule("/use", view_func=self.use, methods=["POST"])

    def idle(self) -> ResponseReturnValue:
        """`/`: nothing to do here without a site."""
        return render_template("card/idle.html")

    def show(self) -> ResponseReturnValue:
        """`GET /use`: what the card will be used for, and the PIN field."""
        site, identity = request.args.get("site", ""), request.args.get("challenge", "")
        challenge = self._fetch(site, identity)
        note = self._take_note(identity)
        tries = tries_left(self.reader, challenge.use)
        locked = tries == 0 or isinstance(note, PinLocked)
        return render_template(
            "card/use.html", challenge=challenge, site=site, note=note, tries=tries, locked=locked, uses=CardUse
        )

    def use(self) -> ResponseReturnValue:
        """`POST /use`: use the card, answer the site, send the browser back."""
        site, identity = typed("site"), typed("challenge")
        challenge = self._fetch(site, identity)
        if typed("do") == "cancel":
            return redirect(self._return_url(site, identity), 303)
        try:
            answer = use_card(self.reader, challenge, typed("pin"))
        except CardError as error:
            self._leave_note(identity, error)
            return redirect("/use?" + urlencode({"site": site, "challenge": identity}), 303)
        told = self._call(site, "POST", f"/card/answer/{quote(identity, safe='')}", answer_to_json(answer))
        query = urlencode({"ticket": str(told.get("ticket", ""))})
        return redirect(f"{self._return_url(site, identity)}?{query}", 303)

    def _fetch(self, site: str, identity: str) -> Challenge:
        data = self._call(site, "GET", f"/card/challenge/{quote(identity, safe='')}")
        return challenge_from_json(data, origin=self._origin(site))

    def _call(self, site: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        try:
            response = self.http.request(method, self._origin(site) + path, json=body)
            data = _object(response.json())
        except (httpx.HTTPError, ValueError) as error:
            raise SiteUnreachable from error
        if response.is_error:
            raise SiteRefused(str(data.get("reason")), str(data.get("sentence")))
        return data

    def _origin(self, site: str) -> str:
        try:
            return self.sites[site]
        except KeyError as error:
            raise SiteUnknown(site) from error

    def _return_url(self, site: str, identity: str) -> str:
        return f"{self._origin(site)}/card/return/{quote(identity, safe='')}"

    def _leave_note(self, identity: str, error: CardError) -> None:
        with self._lock:
            self._notes[g.cookie, identity] = error

    def _take_note(self, identity: str) -> CardError | None:
        with self._lock:
            return self._notes.pop((g.cookie, identity), None)


def _object(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ValueError("the site answered something that is no JSON object")
    return data
