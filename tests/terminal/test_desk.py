"""The desk page through its forms, and everybody who has no business there."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from madoguchi.evidence.sealed import check_commitment
from madoguchi.protocol import TerminalState, VisitState
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


@pytest.fixture
def desk(rig: Rig) -> Desk:
    return Desk(rig)


def to_confirming(desk: Desk) -> str:
    ident = desk.rig.serve()
    desk.rig.agent.finish()
    assert desk.rig.now() is TerminalState.CONFIRMING
    return ident


def test_a_locked_page_invites_nobody(desk: Desk) -> None:
    assert "番号が呼ばれるまで" in desk.page()
    assert "<form" not in desk.page()


def test_a_visit_by_the_pages(desk: Desk) -> None:
    rig = desk.rig
    ident = rig.office.call()
    rig.poll()
    assert "カードを置いてください" in desk.page()
    assert "A-001" in desk.page()
    rig.put()
    assert "終了" in desk.page()
    assert desk.post("/finish").status_code == 303
    page = desk.page()
    assert "終了ボタンが押されました" in page
    assert "国のサイトのログアウトの画面を開きました" in page
    assert desk.confirm(SIGNED).status_code == 303
    assert "番号が呼ばれるまで" in desk.page()
    rig.poll()
    assert rig.office.state(ident) is VisitState.CLOSED


def test_the_signature_is_committed_to_and_goes_beside_the_message(desk: Desk) -> None:
    to_confirming(desk)
    desk.confirm(SIGNED)
    desk.rig.poll()
    [message] = [m for m in desk.rig.office.messages if m.kind == "confirm"]
    [payload] = desk.rig.office.payloads.values()
    assert payload["payload"] == DRAWING
    check_commitment(message.body["confirmation"]["commitment"], payload["salt"], DRAWING)
    assert "strokes" not in json.dumps(dict(message.body))
