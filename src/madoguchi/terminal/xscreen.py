"""The picture of a box without a display: training only.

The browser shows itself on a virtual screen inside the box, which nobody sees. The agent takes pictures of the page in
front through the debugging pipe and passes pointer, wheel, keys and text on. Chromium draws menus of choices and
JavaScript's own windows outside the page, where no picture reaches them: menus are drawn inside the page instead, an
alert is closed, and a question is answered with No. Nothing seen or typed is stored or logged.
"""

import base64
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.cdp import Cdp, CdpClosed, CdpError
from madoguchi.terminal.errors import TerminalError

_BUTTONS = {1: "left", 2: "middle", 3: "right"}
_WHEEL_STEP = 100
_QUALITY = 70
_FRAME_LIMIT = 2.0
_SHIFT = 8

KEYS: Mapping[str, int] = MappingProxyType(
    {
        "Backspace": 8,
        "Tab": 9,
        "Enter": 13,
        "Escape": 27,
        " ": 32,
        "PageUp": 33,
        "PageDown": 34,
        "End": 35,
        "Home": 36,
        "ArrowLeft": 37,
        "ArrowUp": 38,
        "ArrowRight": 39,
        "ArrowDown": 40,
        "Delete": 46,
    }
)
"""Named keys that are passed on, with their virtual key codes."""

_TYPED = {"Enter": "\r", " ": " "}

_INSIDE_MENUS = """
(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('select, ::picker(select) { appearance: base-select; }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
})();
"""


class RelayRefused(TerminalError):
    """A picture of a visit leaves its box in training only."""

    sentence = "画面の中継は練習用の端末だけで使えます。画面のある端末で手続をしてください。"


class UnknownKey(TerminalError):
    """The key is not one of `KEYS`."""

    sentence = "このキーは送れません。画面の中のボタンを使ってください。"


class XScreen:
    """Port `Screen`. Raises `RelayRefused` when it is made outside training."""

    def __init__(self, cdp: Cdp, config: BoxConfig) -> None:
        if not config.training:
            raise RelayRefused("not a training terminal")
        self._cdp = cdp
        self.size = config.size
        self._lock = threading.Lock()
        self._pages: list[str] = []
        self._sessions: dict[str, str] = {}
        self._curtained = False
        self._leaving = False
        self._acted = time.monotonic()

    def start(self) -> None:
        """Follow the browser's pages from now on. Raises `CdpError`."""
        self._cdp.call("Target.setDiscoverTargets", {"discover": True})

    def curtain(self, down: bool) -> None:  # the port's signature
        """While down there is no picture and nothing is passed on."""
        self._curtained = down

    def leave(self) -> None:
        """Keep showing the present page: what opens from now on is the log-out."""
        self._leaving = True

    def idle_for(self) -> float:
        """Seconds since the last action that came through here."""
        return time.monotonic() - self._acted

    def event(self, message: Mapping[str, Any]) -> None:
        """Take one event of the browser; called in the reading thread."""
        given = message.get("params", {})
        if message["method"] == "Target.targetCreated":
            self._opened(given["targetInfo"])
        elif message["method"] == "Target.targetDestroyed":
            self._closed(given["targetId"])
        elif message["method"] == "Page.javascriptDialogOpening":
            answer = {"accept": given.get("type") in {"alert", "beforeunload"}}
            self._cdp.send("Page.handleJavaScriptDialog", answer, session=message.get("sessionId"))

    def frame(self) -> bytes | None:
        """Take the picture now, as JPEG."""
        if self._curtained:
            return None
        with suppress(CdpError):
            session = self._session()
            if session is None:
                return None
            given = {"format": "jpeg", "quality": _QUALITY}
            found = self._cdp.call("Page.captureScreenshot", given, session=session, timeout=_FRAME_LIMIT)
            return None if self._curtained else base64.b64decode(found["data"])
        return None

    def click(self, x: int, y: int, button: int = 1) -> None:
        """Press and release a pointer button."""
        place = {"x": x, "y": y, "button": _BUTTONS.get(button, "left"), "clickCount": 1}
        self._input(
            ("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y}),
            ("Input.dispatchMouseEvent", {"type": "mousePressed", **place}),
            ("Input.dispatchMouseEvent", {"type": "mouseReleased", **place}),
        )

    def scroll(self, x: int, y: int, steps: int) -> None:
        """Turn the wheel."""
        turn = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": steps * _WHEEL_STEP}
        self._input(("Input.dispatchMouseEvent", turn))

    def key(self, name: str) -> None:
        """Press a named key, `Shift+` before it if wanted. Raises `UnknownKey`."""
        held, plus, plain = name.rpartition("+")
        if plain not in KEYS or (plus and held != "Shift"):
            raise UnknownKey("not a key that is passed on")
        pressed: dict[str, Any] = {
            "key": plain,
            "code": "Space" if plain == " " else plain,
            "windowsVirtualKeyCode": KEYS[plain],
            "modifiers": _SHIFT if plus else 0,
        }
        typed = {"text": _TYPED[plain]} if plain in _TYPED else {}
        down = "keyDown" if typed else "rawKeyDown"
        self._input(
            ("Input.dispatchKeyEvent", {"type": down, **pressed, **typed}),
            ("Input.dispatchKeyEvent", {"type": "keyUp", **pressed}),
        )

    def text(self, text: str) -> None:
        """Type characters, as an input method hands them over."""
        self._input(("Input.insertText", {"text": text}))

    def inspect(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask the page in front (replays and tests of training boxes). Raises `CdpError`: no page, or no answer."""
        session = self._session()
        if session is None:
            raise CdpClosed("no page in front")
        return self._cdp.call(method, params, session=session)

    def _input(self, *commands: tuple[str, Mapping[str, Any]]) -> None:
        self._acted = time.monotonic()
        with suppress(CdpError):
            session = None if self._curtained else self._session()
            for method, given in commands if session is not None else ():
                self._cdp.send(method, given, session=session)

    def _opened(self, target: Mapping[str, Any]) -> None:
        if target["type"] == "page" and not self._leaving and not target["url"].startswith("chrome:"):
            with self._lock:
                self._pages.append(target["targetId"])

    def _closed(self, target: str) -> None:
        with self._lock:
            self._sessions.pop(target, None)
            if target in self._pages:
                self._pages.remove(target)

    def _session(self) -> str | None:
        """The session of the page in front: the one opened last. Attached when first asked for."""
        with self._lock:
            front = self._pages[-1] if self._pages else None
            known = self._sessions.get(front or "")
        if front is None or known is not None:
            return known
        return self._attach(front)

    def _attach(self, target: str) -> str:
        found: str = self._cdp.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        width, height = self.size
        view = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._cdp.call("Page.enable", session=found)
        self._cdp.call("Emulation.setDeviceMetricsOverride", view, session=found)
        given = {"source": _INSIDE_MENUS, "runImmediately": True}
        self._cdp.call("Page.addScriptToEvaluateOnNewDocument", given, session=found)
        with self._lock:
            return self._sessions.setdefault(target, found)
