"""The picture of a box passed on to the desk page: training only, and only while the visit is open."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from terminal.deskclient import HOME, Desk
from terminal.doubles import MemoryScreen
from terminal.rig import Rig

# the relay


@pytest.fixture
def relay(memory: Path) -> Iterator[Desk]:
    rig = Rig(memory, training=True, relay=True).start()
    yield Desk(rig)
    rig.close()


def act(desk: Desk, body: object) -> TestResponse:
    headers = {"X-Desk-Token": desk.token(), "X-Desk-Lease": desk.lease()}
    return desk.client.post("/relay/input", json=body, base_url=HOME, headers=headers)


def test_the_relay_passes_picture_and_hands_on(relay: Desk) -> None:
    relay.rig.serve()
    picture = relay.client.get("/relay/frame.jpg", base_url=HOME)
    assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")
    for body in (
        {"kind": "click", "x": 10, "y": 20, "button": 1},
        {"kind": "scroll", "x": 10, "y": 20, "steps": -3},
        {"kind": "key", "key": "Enter"},
        {"kind": "text", "text": "カクウ"},
    ):
        assert act(relay, body).status_code == 204
    screen = relay.rig.boxes.alive[0].screen
    assert isinstance(screen, MemoryScreen)
    assert screen.got == [("click", 10, 20, 1), ("scroll", 10, 20, -3), ("key", "Enter"), ("text", "カクウ")]


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"kind": "paste"},
        {"kind": "click", "x": 1024, "y": 0, "button": 1},
        {"kind": "click", "x": -1, "y": 0, "button": 1},
        {"kind": "click", "x": 1.5, "y": 0, "button": 1},
        {"kind": "click", "x": 1, "y": 0, "button": 4},
        {"kind": "scroll", "x": 1, "y": 0, "steps": 1000},
        {"kind": "text", "text": ""},
        {"kind": "text", "text": "x" * 501},
        {"kind": "key", "key": 5},
    ],
)
def test_the_relay_passes_nothing_else_on(relay: Desk, body: object) -> None:
    relay.rig.serve()
    assert act(relay, body).status_code == 400
    screen = relay.rig.boxes.alive[0].screen
    assert isinstance(screen, MemoryScreen)
    assert screen.got == []


def test_the_relay_is_dark_behind_the_curtain_and_without_a_visit(relay: Desk) -> None:
    assert relay.client.get("/relay/frame.jpg", base_url=HOME).status_code == 403
    relay.rig.serve()
    relay.rig.take()
    assert relay.client.get("/relay/frame.jpg", base_url=HOME).status_code == 403
    assert act(relay, {"kind": "key", "key": "Enter"}).status_code == 403


def test_a_screen_that_fails_tells_nobody_what_was_typed(relay: Desk, caplog: pytest.LogCaptureFixture) -> None:
    relay.rig.serve()
    screen = relay.rig.boxes.alive[0].screen
    assert isinstance(screen, MemoryScreen)

    def fail(text: str) -> None:
        raise ConnectionResetError(text)

    screen.text = fail  # type: ignore[method-assign]
    answer = act(relay, {"kind": "text", "text": "暗証番号1234"})
    assert answer.status_code == 503
    assert "1234" not in answer.text + caplog.text
    assert "ConnectionResetError at test_desk_relay.py" in caplog.text


@pytest.mark.parametrize("settings", [{"training": False}, {"training": True, "display": ":0"}])
def test_the_relay_is_refused_outside_training_and_on_a_real_display(memory: Path, settings: dict[str, Any]) -> None:
    rig = Rig(memory, relay=True, **settings).start()
    desk = Desk(rig)
    rig.serve()
    assert desk.client.get("/relay/frame.jpg", base_url=HOME).status_code == 403
    assert act(desk, {"kind": "key", "key": "Enter"}).status_code == 403
    assert 'id="relay"' not in desk.page()
    rig.close()
