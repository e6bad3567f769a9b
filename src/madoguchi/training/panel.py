"""The shelf of practice cards: a page that plays the hand putting a card on the reader and taking it away."""

import secrets
from pathlib import Path

from flask import Flask, Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from madoguchi.card import CardError, MemoryReader
from madoguchi.nation.seed import TrainingCity

_ROOM = Path(__file__).resolve().parent
_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def create_panel_app(reader: MemoryReader, city: TrainingCity) -> Flask:
    """Pages of the shelf. Forms carry a token, so that no other page on this machine moves the cards."""
    return _Panel(reader, city).app


class _Panel:
    def __init__(self, reader: MemoryReader, city: TrainingCity) -> None:
        self._reader = reader
        self._city = city
        self._token = secrets.token_urlsafe(24)
        self.app = Flask("madoguchi.training", root_path=str(_ROOM))
        self.app.config.update(TRUSTED_HOSTS=["127.0.0.1", "localhost"], MAX_CONTENT_LENGTH=4096)
        self.app.add_url_rule("/", view_func=self.shelf)
        self.app.add_url_rule("/put", view_func=self.put, methods=["POST"])
        self.app.add_url_rule("/take", view_func=self.take, methods=["POST"])
        self.app.after_request(_harden)

    def shelf(self) -> ResponseReturnValue:
        """All practice cards, the one on the reader, and what a newcomer types."""
        return render_template(
            "shelf.html", citizens=self._city.citizens, on_reader=self._on_reader(), token=self._token, note=""
        )

    def put(self) -> ResponseReturnValue:
        """Put one card down, taking away what lies there."""
        self._check_token()
        card = self._city.cards.get(request.form.get("card", ""))
        if card is None:
            abort(404)
        try:
            self._reader.remove()
            self._reader.insert(card)
        except CardError as error:
            page = render_template(
                "shelf.html", citizens=self._city.citizens, on_reader=None, token=self._token, note=error.sentence
            )
            return page, 409
        return redirect("/", 303)

    def take(self) -> ResponseReturnValue:
        """Take the card away."""
        self._check_token()
        self._reader.remove()
        return redirect("/", 303)

    def _on_reader(self) -> str | None:
        lying = self._reader.card
        return next((label for label, card in self._city.cards.items() if card is lying), None)

    def _check_token(self) -> None:
        if not secrets.compare_digest(request.form.get("token", ""), self._token):
            abort(403)


def _harden(response: Response) -> Response:
    response.headers.update(
        {
            "Content-Security-Policy": _POLICY,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
    )
    return response
