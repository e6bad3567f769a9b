"""A newcomer at the training counter: pages only, in a real browser; the visit's own browser only by its picture."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from madoguchi.training.ports import Ports

PATIENCE = 30.0
_TALL = 150
_HALF_A_BUTTON = 30

_LOOK = """([top, brand]) => {
  const picture = document.getElementById('frame');
  if (!picture || !picture.naturalWidth) return null;
  const canvas = document.createElement('canvas');
  const [width, height] = [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  pen.drawImage(picture, 0, 0);
  const data = pen.getImageData(0, 0, width, height).data;
  const at = (x, y) => Array.from(data.slice(4 * (y * width + x), 4 * (y * width + x) + 3));
  const like = (colour) => colour.every((value, n) => Math.abs(value - brand[n]) < 24);
  let hash = 0;
  for (let n = 0; n < data.length; n += 4 * 97) hash = (hash * 31 + (data[n] >> 4)) | 0;
  let button = null;
  for (let y = top; y < height && !button; y += 2) {
    let run = 0;
    for (let x = 0; x < width; x++) {
      run = like(at(x, y)) ? run + 1 : 0;
      if (run > 120) { button = [x - 60, y]; break; }
    }
  }
  return {hash, header: at(4, 90), button};
}"""
"""What can be told of the picture: whether it changed, whose header it is, where the first big button stands."""

BRANDS = {"points": [0x0B, 0x4F, 0x8A], "card": [0x4A, 0x2F, 0x7A]}


class Relay:
    """The picture of the visit's browser on the desk page: seen, clicked and typed into."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._seen: int | None = None

    def await_site(self, name: str) -> None:
        """Wait until the picture shows a page of this site, and stands still."""
        self._until(lambda look: _near(look["header"], BRANDS[name]), f"a page of {name}", name)
        self.await_page()

    def await_page(self) -> None:
        """Wait until the picture is another one than at the last time, and stands still."""
        last: int | None = None

        def still(look: dict[str, Any]) -> bool:
            nonlocal last
            before, last = last, int(look["hash"])
            return before == last != self._seen

        self._seen = self._until(still, "another page that stands still", "points")["hash"]

    def click_button(self, site: str) -> None:
        """Click the first big button in the site's colour, where it is seen."""
        place = self._until(lambda look: look["button"], "a big button", site)["button"]
        self.click(place[0], place[1] + _HALF_A_BUTTON)

    def click(self, x: int, y: int) -> None:
        """Click a place of the picture, in the coordinates of the visit's screen."""
        picture = self._page.locator("#frame")
        shown, whole = picture.bounding_box(), self._page.locator("#relay").get_attribute("data-width")
        assert shown is not None
        assert whole is not None
        scale = shown["width"] / int(whole)
        picture.click(position={"x": x * scale, "y": y * scale})

    def keys(self, *names: str) -> None:
        """Press keys one after the other, as fast as a fast typist; several characters are typed."""
        self._still_open()
        self._page.locator("#relay").focus()
        for name in names:
            if name in {"Tab", "Enter", "ArrowDown", "Shift+Tab", "Backspace"}:
                self._page.keyboard.press(name)
            else:
                self._page.keyboard.type(name)

    def send(self, text: str) -> None:
        """Send a text through the field below the picture."""
        self._page.fill("#relay-words", text)
        self._page.click("#relay-text button")

    def _still_open(self) -> None:
        """The visit that is walked through has not ended by itself."""
        view = self._page.locator("body").get_attribute("data-view")
        assert view == "open", f"the visit has ended:\n{self._page.locator('main').inner_text()}"

    def _until(self, what: Callable[[dict[str, Any]], Any], why: str, brand: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            look: dict[str, Any] | None = self._page.evaluate(_LOOK, [_TALL, BRANDS[brand]])
            if look is not None and what(look):
                return look
            self._still_open()
            self._page.wait_for_timeout(150)
        raise AssertionError(f"not within {PATIENCE} s: {why}")


class Newcomer:
    """Somebody with a browser and the printed addresses. `pictures`: where to keep what the pages look like."""

    def __init__(self, context: BrowserContext, ports: Ports, pictures: Path | None) -> None:
        self._context, self._ports, self._pictures = context, ports, pictures
        self.office, self.shelf, self.desk = (context.new_page() for _ in range(3))
        self.relay = Relay(self.desk)
        self.complaints: list[str] = []
        for page in (self.office, self.shelf, self.desk):
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.on("console", self._console)

    def log_in(self, username: str, password: str) -> None:
        """The office's login page."""
        self.office.goto(self._ports.url(self._ports.server))
        self.office.fill("#id_username", username)
        self.office.fill("#id_password", password)
        self.office.click("main button[type=submit]")
        expect(self.office.locator("form[action='/logout/'] button")).to_be_visible()

    def reception(self, procedure: str) -> str:
        """Issue a ticket to somebody with whom everything is in order; its number."""
        self.office.goto(f"{self._ports.url(self._ports.server)}/sites/honcho/reception/")
        self.picture("reception", self.office)
        self.office.click(f"a.tile[href*={procedure}]")
        answers = {"certificate_renewed": "no", "pin_known": "yes", "own_name": "yes", "guardian": "no"}
        for name, answer in answers.items():
            if self.office.locator(f"[name={name}]").count():
                self.office.check(f"[name={name}][value={answer}]")
        for box in self.office.locator("[name=bring]").all():
            box.check()
        self.office.click("main form button.main")
        return self.office.locator(".slip-number").inner_text()

    def call(self, number: str) -> None:
        """Call the number to 端末1 on the board."""
        self.board()
        self.office.locator(".row", has_text=number).locator("input[name=ticket]").check()
        self.office.locator(".seat", has_text="端末1").locator("input[name=terminal]").check()
        self.picture("board", self.office)
        self.office.click("button.main:has-text('呼ぶ')")
        expect(self.seat()).to_contain_text(number)

    def board(self) -> None:
        """The board of the first site."""
        self.office.goto(f"{self._ports.url(self._ports.server)}/sites/honcho/")

    def seat(self) -> Any:
        """端末1 on the board."""
        return self.office.locator(".seat", has_text="端末1")

    def put(self, person: str) -> None:
        """Put a practice card on the reader."""
        self.shelf.goto(self._ports.url(self._ports.panel))
        self.shelf.click(f"button[name=card][value={person}]")
        expect(self.shelf.locator("#on-reader")).to_contain_text(person)
        self.picture("shelf", self.shelf)

    def take(self) -> None:
        """Take the card away."""
        self.shelf.goto(self._ports.url(self._ports.panel))
        self.shelf.click("#take")
        expect(self.shelf.locator("#take")).to_have_count(0)

    def await_desk(self, view: str) -> None:
        """Wait until the desk page shows this view, without being loaded anew."""
        expect(self.desk.locator("body")).to_have_attribute("data-view", view)

    def open_visit(self, procedure: str, person: str) -> str:
        """From the reception to the open visit; the ticket's number. A visit that stands there is ended first."""
        self.desk.goto(self._ports.url(self._ports.desk))
        self.end_standing_visit()
        number = self.reception(procedure)
        self.await_desk("locked")
        self.call(number)
        self.await_desk("waiting_card")
        self.picture("desk-waiting", self.desk)
        self.put(person)
        self.await_desk("open")
        return number

    def end_standing_visit(self) -> None:
        """Do what the desk page asks for until it waits for the next person."""
        view = self.desk.locator("body").get_attribute("data-view")
        if view == "open":
            self.desk.click("#finish")
        if view != "locked":
            self.await_desk("confirming")
            self.sign()
        self.await_desk("locked")

    def sign(self) -> None:
        """Say that it is completed and write a name with the mouse."""
        self.desk.check("[name=outcome][value=completed]")
        self.desk.check("#own-own")
        self.desk.check("#kind-signature")
        pad = self.desk.locator("#pad")
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box is not None
        self._write(box["x"] + 60, box["y"] + 50)
        expect(self.desk.locator("#sign-state")).to_have_text(
            self.desk.locator("#sign-state").get_attribute("data-done") or "?"
        )
        self.picture("desk-signed", self.desk)
        self.desk.click("#send")

    def picture(self, name: str, page: Page) -> None:
        """Keep what a page looks like the first time, when pictures are wanted."""
        path = self._pictures / f"{name}.png" if self._pictures is not None else None
        if path is not None and not path.exists():
            page.screenshot(path=path, caret="initial")

    def picture_of_visit(self, name: str) -> None:
        """The same of the visit's own screen, as the desk page shows it."""
        self.desk.locator("#relay").evaluate("area => area.scrollIntoView({block: 'center'})")
        self.picture(name, self.desk)

    def _write(self, x: float, y: float) -> None:
        mouse = self.desk.mouse
        for stroke in ([(0, 0), (70, 0)], [(35, -25), (30, 60)], [(110, -10), (95, 50), (150, 55), (150, 0)]):
            mouse.move(x + stroke[0][0], y + stroke[0][1])
            mouse.down()
            for dx, dy in stroke[1:]:
                mouse.move(x + dx, y + dy, steps=6)
            mouse.up()

    def _console(self, message: Any) -> None:
        """Keep what the browser complains of; a picture asked for as the visit ended is refused, and that is right."""
        late = message.location["url"].partition("?")[0].endswith("/relay/frame.jpg")
        if message.type in {"error", "warning"} and not late:
            self.complaints.append(f"{message.location}: {message.text}")


def _near(colour: list[int], brand: list[int]) -> bool:
    return all(abs(one - other) < 24 for one, other in zip(colour, brand, strict=True))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A real browser."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def newcomer(browser: Browser, ports: Ports, pictures: Path | None = None) -> Iterator[Newcomer]:
    """One newcomer with a browser window of 1280 × 1000; pictures are taken a little smaller."""
    size: ViewportSize = {"width": 1280, "height": 1000}
    context = browser.new_context(locale="ja-JP", viewport=size, device_scale_factor=0.7 if pictures else 1)
    context.set_default_timeout(PATIENCE * 1000)
    expect.set_options(timeout=PATIENCE * 1000)
    try:
        yield Newcomer(context, ports, pictures)
    finally:
        context.close()
