"""The bar above the visit's browser, and the curtain that it grows into: `python -m madoguchi.terminal.frame`.

One window without frame, which no window manager moves or covers, raises itself again and again. Commands come as JSON
lines on standard input: `{"tell": {…}}` (a `ports.Plate`), `{"curtain": true}`, `{"notice": "…"}`; answers go as JSON
lines to standard output: `{"size": [width, height]}` of the display first, `{"curtain": true}` once the change is on
the screen, `{"finish": true}` when 終了 is pressed, `{"idle": seconds}` every second (null when the display cannot
tell).

With `--hidden` the window stays withdrawn until `{"show": true}`, answered by `{"show": true}`: the bar of a box that
waits for its visit must neither show nor touch anything of the visit before. A curtain is never kept back.

While the curtain is down it holds pointer and keyboard, so that nothing typed reaches the page; if it cannot get hold
of them it does not answer. Its count-down is for orientation: when the visit ends is the agent's to say. The program
ends when standard input does.
"""

import json
import math
import os
import select
import sys
import threading
import time
import tkinter as tk
from collections import deque
from collections.abc import Mapping
from tkinter import font
from typing import Any, Final

from madoguchi.terminal.barkey import KEY, BarKey
from madoguchi.terminal.browser import BAR_HEIGHT
from madoguchi.terminal.languages import JAPANESE, Catalogue, catalogue

_FAMILIES: Final = {
    "zh": ("Noto Sans CJK SC", "Noto Sans SC"),
    "ko": ("Noto Sans CJK KR", "Noto Sans KR"),
    "vi": ("Noto Sans", "DejaVu Sans"),
}
_EVERY_FAMILY: Final = ("BIZ UDPGothic", "Noto Sans CJK JP", "Noto Sans JP", "TkDefaultFont")
_NIGHT, _PAPER, _PRESS, _WARN = "#12263a", "#ffffff", "#8c1c13", "#ffe14d"
_RAISE_MS, _IDLE_MS = 100, 1000
_LAST_MOMENT = 1.0
_KEY_PRESSED = b'{"key": true}\n'
_BAR_SIZE, _BUTTON_SIZE, _MARGIN = 22, 20, 80
_COVER_SIZES: Final = {"covered": 52, "how": 34, "left": 40, "staff": 26, "second": 24}
"""Pixels: to be read from 70 cm."""


class Bar:
    """The one window: a bar of `BAR_HEIGHT` pixels, or the whole display while the curtain is down."""

    def __init__(self, root: tk.Tk, *, hidden: bool = False) -> None:
        self._root = root
        self._hidden = hidden
        self._heard: dict[int, bytes] = {}
        self._own, self._pressed = os.pipe()
        self._orders: deque[Mapping[str, Any]] = deque()
        self._busy = False
        self._down = False
        self._notice = ""
        self._plate: Mapping[str, Any] = {}
        self._covered_at = 0.0
        self._key: BarKey | None = None
        self._size = (root.winfo_screenwidth(), root.winfo_screenheight())
        root.overrideredirect(True)  # noqa: FBT003 # Tk's own signature
        root.configure(background=_NIGHT, cursor="arrow")
        self._families = set(font.families())
        self._build()
        self._word()
        if hidden:
            root.withdraw()
            root.update()
        else:
            self._appear()

    def run(self) -> None:
        """Show it until standard input ends."""
        _say({"size": self._size})
        self._keep_up()
        for source in (sys.stdin.fileno(), self._own):
            self._root.createfilehandler(source, tk.READABLE, self._take)
        self._tell_idle()
        self._root.mainloop()

    # what stands there

    def _build(self) -> None:
        self._bar = tk.Frame(self._root, background=_NIGHT)
        self._whose = tk.Label(self._bar, background=_NIGHT, foreground=_PAPER, anchor="w")
        self._what = tk.Label(self._bar, background=_NIGHT, foreground=_PAPER, anchor="w")
        self._finish = _button(self._bar, _PRESS, _PAPER, lambda: _say({"finish": True}))
        self._stay = _button(self._bar, _WARN, _NIGHT, self._still_there)
        for button in (self._finish, self._stay):
            button.bind("<Escape>", lambda _event: self._leave())
        self._finish.pack(side="right", padx=12, pady=4, fill="y")
        self._whose.pack(side="left", padx=(16, 8), fill="y")
        self._what.pack(side="left", padx=8, fill="both", expand=True)
        self._cover = tk.Frame(self._root, background=_NIGHT)
        lines = tk.Frame(self._cover, background=_NIGHT)
        self._lines = {name: tk.Label(lines, background=_NIGHT, foreground=_PAPER) for name in _COVER_SIZES}
        for name, line in self._lines.items():
            line.configure(justify="center", wraplength=self._size[0] - 2 * _MARGIN)
            line.pack(pady=10 if name != "second" else 36)
        lines.place(relx=0.5, rely=0.5, anchor="center")

    def _word(self) -> None:
        """Put the words of the visit's language everywhere."""
        said = catalogue(self._plate.get("language", "ja"))
        beside = catalogue("en" if said.language in JAPANESE else "ja")
        ticket, warning = self._plate.get("ticket", ""), self._notice
        whose = said.plain("bar.whose", ticket=ticket) if ticket else said.plain("bar.in_use")
        self._whose.configure(text=warning or whose, **self._font(said, _BAR_SIZE, bold=True))
        self._whose.configure(foreground=_WARN if warning else _PAPER)
        self._what.configure(text="" if warning else self._plate.get("procedure", ""), **self._font(said, _BUTTON_SIZE))
        self._finish.configure(text=f"{_both(said, beside, 'bar.finish')} ({KEY})")
        self._finish.configure(**self._font(said, _BUTTON_SIZE, bold=True))
        self._stay.configure(text=said.plain("act.stay"), **self._font(said, _BUTTON_SIZE, bold=True))
        self._place_stay()
        self._word_cover(said, beside)

    def _word_cover(self, said: Catalogue, beside: Catalogue) -> None:
        keys = ("bar.ending", "bar.wait", "") if self._plate.get("ending") else _COVER_KEYS
        second = "\n".join(beside.plain(key) for key in keys if key)
        texts = [said.plain(key) if key else "" for key in keys]
        for name, text in zip(("covered", "how", "staff", "second"), (*texts, second), strict=True):
            spoken = beside if name == "second" else said
            bold = name in {"covered", "how"}
            self._lines[name].configure(text=text, **self._font(spoken, _COVER_SIZES[name], bold=bold))
        self._lines["left"].configure(foreground=_WARN, **self._font(said, _COVER_SIZES["left"], bold=True))
        self._count()

    def _count(self) -> None:
        grace = self._plate.get("grace", 0)
        left = max(0, math.ceil(self._covered_at + grace - time.monotonic()))
        said = catalogue(self._plate.get("language", "ja"))
        shown = bool(grace) and self._down and not self._plate.get("ending")
        self._lines["left"].configure(text=said.plain("act.seconds_left", seconds=left) if shown else "")

    def _place_stay(self) -> None:
        if self._notice:
            self._stay.pack(side="right", padx=4, pady=4, fill="y", before=self._whose)
        else:
            self._stay.pack_forget()

    def _font(self, said: Catalogue, size: int, *, bold: bool = False) -> dict[str, Any]:
        wanted = (*_FAMILIES.get(said.language, ()), *_EVERY_FAMILY)
        family = next((family for family in wanted if family in self._families), _EVERY_FAMILY[-1])
        return {"font": (family, -size, "bold" if bold else "normal")}

    # bar or curtain

    def _appear(self) -> None:
        """Come out, and take away what the visit before has copied."""
        self._hidden = False
        _forget_clipboard(self._root)
        self._show()
        self._key = self._key or BarKey(lambda: os.write(self._pressed, _KEY_PRESSED))

    def _show(self) -> None:
        """Bar or curtain."""
        width, height = self._size
        self._root.geometry(f"{width}x{height if self._down else BAR_HEIGHT}+0+0")
        shown, hidden = (self._cover, self._bar) if self._down else (self._bar, self._cover)
        hidden.pack_forget()
        shown.pack(fill="both", expand=True)
        self._root.deiconify()
        self._root.lift()
        self._root.update()

    def _take(self, source: Any, _mask: int) -> None:
        """Obey in order, also what comes while an order is obeyed: showing things lets Tk call this anew."""
        data = os.read(source, 1 << 16)
        if not data:
            self._root.destroy()
            return
        *lines, self._heard[source] = (self._heard.get(source, b"") + data).split(b"\n")
        self._orders.extend(json.loads(line) for line in lines)
        while self._orders and not self._busy:
            self._busy = True
            self._obey(self._orders.popleft())
            self._busy = False

    def _obey(self, command: Mapping[str, Any]) -> None:
        if "tell" in command:
            self._plate = command["tell"]
            self._word()
        if "notice" in command:
            self._notice = command["notice"]
            self._word()
        if "key" in command and not self._down:
            self._take_keyboard()
        if "show" in command:
            self._appear()
            _say({"show": True})
        if "curtain" in command:
            self._cover_or_show(down=bool(command["curtain"]))

    def _cover_or_show(self, *, down: bool) -> None:
        if down and not self._down:
            self._covered_at = time.monotonic()
        self._down = down
        if self._hidden and not down:
            _say({"curtain": False})
            return
        self._hidden = False
        self._count()
        self._show()
        self._hold()

    def _hold(self) -> None:
        """Take pointer and keyboard away from the page, or give them back, then say so."""
        try:
            if self._down:
                self._root.grab_set_global()
            else:
                self._root.grab_release()
        except tk.TclError:  # the page has a menu open; it closes or the agent gives up waiting
            self._root.after(_RAISE_MS, self._hold)
            return
        _say({"curtain": self._down})

    # what goes on by itself

    def _still_there(self) -> None:
        """まだ使います: that something was pressed is what the display tells; the agent hears so at once."""
        self._notice = ""
        self._word()
        self._say_idle()
        self._leave()

    def _take_keyboard(self) -> None:
        self._root.lift()
        if self._key is not None:
            self._key.take(self._root.winfo_id())
        (self._stay if self._notice else self._finish).focus_force()

    def _leave(self) -> None:
        if self._key is not None:
            self._key.give_back()

    def _keep_up(self) -> None:
        if not self._hidden:
            self._root.lift()
        if self._down:
            self._count()
        self._root.after(_RAISE_MS, self._keep_up)

    def _tell_idle(self) -> None:
        self._say_idle()
        self._root.after(_IDLE_MS, self._tell_idle)

    def _say_idle(self) -> None:
        found = int(self._root.tk.call("tk", "inactive"))
        _say({"idle": None if found < 0 else found / 1000})


_COVER_KEYS: Final = ("bar.covered", "bar.put_back", "bar.or_staff")


def main() -> None:
    """Run the bar on the display of the environment."""
    threading.Thread(target=_end_with_the_agent, name="end", daemon=True).start()
    root = tk.Tk()
    root.withdraw()
    Bar(root, hidden="--hidden" in sys.argv[1:]).run()


def _end_with_the_agent() -> None:
    """End at the latest a moment after standard input has ended, also while the display does not answer."""
    line = select.poll()
    line.register(sys.stdin.fileno(), 0)  # its end is always told
    line.poll()
    time.sleep(_LAST_MOMENT)
    os._exit(1)


def _forget_clipboard(root: tk.Tk) -> None:
    """Take what was copied in an earlier visit away from whoever offers it."""
    root.clipboard_clear()
    root.clipboard_append("")
    root.selection_own()


def _say(message: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _both(said: Catalogue, beside: Catalogue, key: str) -> str:
    return f"{said.plain(key)}  {beside.plain(key)}"


def _button(bar: tk.Frame, back: str, fore: str, command: Any) -> tk.Button:
    button = tk.Button(
        bar,
        command=command,
        background=back,
        foreground=fore,
        activebackground=fore,
        activeforeground=back,
        highlightthickness=3,
        highlightbackground=_NIGHT,
        highlightcolor=_WARN if back != _WARN else _PAPER,
        relief="flat",
        padx=18,
        takefocus=True,
    )
    button.bind("<Return>", lambda _event: button.invoke())
    return button


if __name__ == "__main__":
    main()
