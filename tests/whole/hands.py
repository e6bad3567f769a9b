"""A person's hands at a display: keys only, as somebody works who uses no pointer."""

from html.parser import HTMLParser

from terminal.box.xserver import XServer

TAB, ENTER, SPACE, DOWN, SHIFT = 23, 36, 65, 116, 50
_ROWS = {"1234567890-": 10, "qwertyuiop": 24, "asdfghjkl": 38, "zxcvbnm": 52}
_CODES = {letter: first + place for row, first in _ROWS.items() for place, letter in enumerate(row)}
_ALWAYS = frozenset({"button", "select", "textarea", "summary"})


class Stops(HTMLParser):
    """Where Tab stops on a page, in order: each by id, name, address or value. A group of choices is one stop."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[set[str]] = []
        self._groups: dict[str, int] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element begins."""
        given = {name: value or "" for name, value in attrs}
        if "disabled" in given or not self._stops(tag, given):
            return
        names = {given[name] for name in ("id", "name", "href", "value") if given.get(name)}
        if given.get("type") == "radio" and given["name"] in self._groups:
            self.found[self._groups[given["name"]]] |= names
            return
        if given.get("type") == "radio":
            self._groups[given["name"]] = len(self.found)
        self.found.append(names)

    def before(self, name: str) -> int:
        """How often Tab is pressed from the beginning of the page to get there."""
        return next(place for place, names in enumerate(self.found, 1) if name in names)

    @staticmethod
    def _stops(tag: str, given: dict[str, str]) -> bool:
        if given.get("tabindex", "").startswith("-"):
            return False
        named = tag == "a" and "href" in given
        field = tag == "input" and given.get("type") != "hidden"
        return tag in _ALWAYS or named or field or "tabindex" in given


class Hands:
    """Ten fingers."""

    def __init__(self, display: XServer) -> None:
        self._display = display

    def press(self, code: int, times: int = 1) -> None:
        """Press a key so often."""
        for _ in range(times):
            self._display.press(code)

    def write(self, text: str) -> None:
        """Type letters, digits and dashes."""
        for letter in text:
            if letter.isupper():
                self._display.hold(SHIFT, _CODES[letter.lower()])
            else:
                self._display.press(_CODES[letter])

    def click(self, x: int, y: int) -> None:
        """Touch a place."""
        self._display.click(x, y)
