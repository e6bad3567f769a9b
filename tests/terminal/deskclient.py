"""A browser without a screen, for the desk page's tests."""

import json
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from madoguchi.protocol import TerminalState
from madoguchi.terminal.desk import create_desk
from terminal.rig import Rig

HOME = "http://127.0.0.1:8787"
DRAWING = {"strokes": [[[10, 10, 0], [200, 60, 90]], [[30, 40, 150]]], "width": 800, "height": 260}
SIGNED = {"outcome": "completed", "kind": "signature", "strokes": json.dumps(DRAWING)}


class Desk:
    """A browser without a screen."""

    def __init__(self, rig: Rig) -> None:
        self.client: FlaskClient = create_desk(rig.agent).test_client()
        self.rig = rig

    def page(self) -> str:
        answer = self.client.get("/", base_url=HOME)
        assert answer.status_code == 200
        return answer.text

    def token(self) -> str:
        found = re.search(r'data-token="([^"]+)"', self.page())
        assert found
        return found[1]

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        form = {"token": self.token(), **(data or {})}
        return self.client.post(path, data=form, base_url=HOME, **options)

    def confirm(self, data: dict[str, Any], **options: Any) -> TestResponse:
        return self.post("/confirm", {"lease": self.rig.office.lease, **data}, **options)


def to_confirming(desk: Desk) -> str:
    ident = desk.rig.serve()
    desk.rig.agent.finish()
    assert desk.rig.now() is TerminalState.CONFIRMING
    return ident
