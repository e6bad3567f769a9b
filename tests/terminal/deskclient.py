"""A browser without a screen, for the desk page's tests."""

import json
import re
from typing import Any

from flask.testing import FlaskClient
from markupsafe import escape
from werkzeug.test import TestResponse

from madoguchi.protocol import TerminalState
from madoguchi.terminal.desk import create_desk
from terminal.rig import Rig

HOME = "http://127.0.0.1:8787"
DRAWING = {"strokes": [[[10, 10, 0], [200, 60, 90]], [[30, 40, 150]]], "width": 800, "height": 260}
DRAWN = str(escape(json.dumps(DRAWING)))
"""The same as it stands in a page."""
SIGNED = {"outcome": "completed", "own_name": "own", "kind": "signature", "strokes": json.dumps(DRAWING)}
_READINGS = re.compile(r"<rt[^>]*>[^<]*</rt>|</?ruby>")


class Desk:
    """A browser without a screen."""

    def __init__(self, rig: Rig) -> None:
        self.client: FlaskClient = create_desk(rig.agent).test_client()
        self.rig = rig

    def page(self) -> str:
        """The page without its readings."""
        return plain(self.raw())

    def raw(self) -> str:
        answer = self.client.get("/", base_url=HOME)
        assert answer.status_code == 200
        return answer.text

    def lease(self) -> str:
        found = re.search(r'data-lease="(\d+)"', self.page())
        assert found
        return found[1]

    def token(self) -> str:
        found = re.search(r'data-token="([^"]+)"', self.page())
        assert found
        return found[1]

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        form = {"token": self.token(), "lease": self.lease(), **(data or {})}
        return self.client.post(path, data=form, base_url=HOME, **options)

    def confirm(self, data: dict[str, Any], **options: Any) -> TestResponse:
        return self.post("/confirm", {"lease": self.rig.office.lease, **data}, **options)


def plain(page: str) -> str:
    """A page's text as it reads without the readings over its kanji."""
    return _READINGS.sub("", page)


def to_confirming(desk: Desk) -> str:
    ident = desk.rig.serve()
    desk.rig.agent.finish()
    assert desk.rig.now() is TerminalState.CONFIRMING
    return ident
