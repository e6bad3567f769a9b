"""The same steps in real pages in a real browser: found by id or name, clicked and typed as a person would."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from madoguchi.protocol import Assignment, Procedure
from madoguchi.replay.errors import PageUnlike
from madoguchi.replay.pages import Pages
from madoguchi.terminal.bare import BareBoxes
from madoguchi.terminal.box import BwrapBoxes
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.cdp import CdpError
from madoguchi.terminal.ports import Box, Boxes, WipeProof
from madoguchi.terminal.xscreen import XScreen

_LIMIT = 15.0
_PAUSE = 0.03
_LEFT = "window.madoguchiLeft"
_FIND = """(name => [...document.getElementsByName(name)].find(e => e.type !== 'hidden'))"""
_PLACE = """(e => { if (!e) return null; e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();
  return {x: Math.round(r.x + r.width / 2), y: Math.round(r.y + Math.min(r.height / 2, 20)),
          kind: e.tagName === 'SELECT' ? 'select' : e.type || ''}; })"""


class ChromiumPages:
    """The page in front of one browser."""

    def __init__(self, screen: XScreen, close: Callable[[], object]) -> None:
        self._screen = screen
        self._close = close
        self._wait("document.readyState === 'complete' && location.protocol.startsWith('http')")

    def go(self, url: str) -> None:
        """See `Pages.go`."""
        self._mark()
        answer = self._screen.inspect("Page.navigate", {"url": url})
        if answer.get("errorText"):
            raise PageUnlike(f"{url}: {answer['errorText']}")
        self._arrive()

    def has(self, element_id: str) -> bool:
        """See `Pages.has`."""
        return bool(self._ask(f"document.getElementById({json.dumps(element_id)}) !== null"))

    def text(self, element_id: str) -> str:
        """See `Pages.text`."""
        found = self._ask(f"(document.getElementById({json.dumps(element_id)}) || {{textContent: ''}}).textContent")
        return " ".join(str(found).split())

    def fill(self, name: str, value: str) -> None:
        """See `Pages.fill`: clicks the choice, or clicks into the field and types."""
        field = f"{_FIND}({json.dumps(name)})"
        place = self._place(field, name)
        if place["kind"] in ("radio", "checkbox"):
            choice = f"[...document.getElementsByName({json.dumps(name)})].find(e => e.value === {json.dumps(value)})"
            self._click(self._place(choice, f"{name}={value}"))
        elif place["kind"] == "select":
            self._ask(f"{field}.value = {json.dumps(value)}")
        else:
            self._type(field, place, value)
        self._wait(f"{_VALUE}({json.dumps(name)}) === {json.dumps(value)}")

    def press(self, element_id: str) -> None:
        """See `Pages.press`."""
        place = self._place(f"document.getElementById({json.dumps(element_id)})", element_id)
        self._mark()
        self._click(place)
        self._arrive()

    def close(self) -> None:
        """See `Pages.close`."""
        self._close()

    def _type(self, field: str, place: Mapping[str, Any], value: str) -> None:
        """Click and typing travel without an answer: each is waited for, so that no click undoes a selection."""
        self._ask(f"window.madoguchiUp = false; {field}.addEventListener('click', () => window.madoguchiUp = true)")
        self._click(place)
        self._wait("window.madoguchiUp")
        self._ask(f"{field}.select()")
        self._screen.text(value)

    def _place(self, element: str, name: str) -> Mapping[str, Any]:
        place = self._ask(f"{_PLACE}({element})")
        if not isinstance(place, dict):
            raise PageUnlike(f"nothing called {name} on this page")
        return place

    def _click(self, place: Mapping[str, Any]) -> None:
        self._screen.click(int(place["x"]), int(place["y"]))

    def _mark(self) -> None:
        self._ask(f"{_LEFT} = true")

    def _arrive(self) -> None:
        self._wait(f"document.readyState === 'complete' && !{_LEFT}")

    def _wait(self, condition: str) -> None:
        """Until the condition holds; a page that is just going away answers nothing, and is asked again."""
        deadline = time.monotonic() + _LIMIT
        while time.monotonic() < deadline:
            try:
                if self._ask(condition) is True:
                    return
            except (CdpError, PageUnlike):
                pass
            time.sleep(_PAUSE)
        raise PageUnlike(f"waited {_LIMIT:.0f} s for: {condition}")

    def _ask(self, expression: str) -> Any:
        answer = self._screen.inspect("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        if "exceptionDetails" in answer:
            raise PageUnlike(expression)
        return answer["result"].get("value")


_VALUE = """(name => { const all = [...document.getElementsByName(name)].filter(e => e.type !== 'hidden');
  const one = all.find(e => e.checked) || all.find(e => !['radio', 'checkbox'].includes(e.type));
  return one && one.value; })"""


class WatchedBoxes:
    """Boxes of one terminal that remember the box in use, so that hands can reach the page in it."""

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes
        self._box: Box | None = None
        self._page: ChromiumPages | None = None

    @property
    def training(self) -> bool:
        """See `Boxes.training`."""
        return self._boxes.training

    def missing(self) -> tuple[str, ...]:
        """See `Boxes.missing`."""
        return self._boxes.missing()

    def prepare(self, procedure: Procedure | None) -> None:
        """See `Boxes.prepare`."""
        self._boxes.prepare(procedure)

    def open(self, assignment: Assignment, on_death: Callable[[str], None]) -> Box:
        """See `Boxes.open`."""
        self._box, self._page = self._boxes.open(assignment, on_death), None
        return self._box

    def sweep(self) -> WipeProof:
        """See `Boxes.sweep`."""
        return self._boxes.sweep()

    def page(self) -> Pages | None:
        """The page in the box, if there is a box."""
        if self._page is None and self._box is not None:
            self._page = pages_of(self._box, lambda: None)
        return self._page


def pages_of(box: Box, close: Callable[[], object]) -> ChromiumPages:
    """Hands on the page of a training box without a display."""
    if not isinstance(box.screen, XScreen):
        raise PageUnlike("the box shows itself on a display")
    return ChromiumPages(box.screen, close)


def real_boxes(folder: Path, card_client: str) -> Callable[[], tuple[Boxes, Callable[[], Pages | None]]]:
    """Makes bubblewrap boxes for one terminal after another."""

    def make() -> tuple[Boxes, Callable[[], Pages | None]]:
        state = folder / f"boxes-{len(list(folder.glob('boxes-*')))}"
        state.mkdir()
        boxes = WatchedBoxes(BwrapBoxes(_config(state, card_client)))
        return boxes, boxes.page

    return make


class SharedBrowsers:
    """The browsers of a counter without boxes: one per call, and nobody closes them before the end."""

    def __init__(self, folder: Path, card_client: str, allowed: tuple[str, ...]) -> None:
        self._boxes = BareBoxes(_config(folder, card_client))
        self._allowed = allowed

    def open(self, url: str) -> Pages:
        """A window on a fresh browser."""
        procedure = Procedure("replay", "再現", url, url, self._allowed)
        box = self._boxes.open(Assignment("replay", "-", 1, "serving", procedure), lambda _what: None)
        return pages_of(box, box.destroy)


def _config(state: Path, card_client: str) -> BoxConfig:
    return BoxConfig(state=state, training=True, card_client=card_client, display=None)
