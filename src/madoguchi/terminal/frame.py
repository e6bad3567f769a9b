"""The bar above the visit's browser, and the curtain that it grows into: `python -m madoguchi.terminal.frame`.

One window without frame, which no window manager moves or covers, raises itself again and again. Commands come as JSON
lines on standard input: `{"curtain": true}`, `{"notice": "…"}`; answers go as JSON lines to standard output:
`{"size": [width, height]}` of the display first, `{"curtain": true}` once the change is on the screen,
`{"finish": true}` when 終了 is pressed, `{"idle": seconds}` every second (null when the display cannot tell).

With `--hidden` the window stays withdrawn until `{"show": true}`, answered by `{"show": true}`: the bar of a box that
waits for its visit must neither show nor touch anything of the visit before. A curtain is never kept back.

While the curtain is down it holds pointer and keyboard, so that nothing typed reaches the page; if it cannot get hold
of them it does not answer. The program ends when standard input does.
"""

import json
import sys
import threading
import tkinter as tk
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from tkinter import font
from typing import Any, Final

from madoguchi.terminal.browser import BAR_HEIGHT

_FAMILIES: Final = ("BIZ UDGothic", "Noto Sans CJK JP", "Noto Sans JP", "TkDefaultFont")
_NIGHT, _PAPER, _PRESS = "#12263a", "#ffffff", "#8c1c13"
_RAISE_MS, _READ_MS, _IDLE_MS = 100, 15, 1000

TITLE = "手続中です"
TITLE_EN = "Procedure in progress"
FINISH = "終了する"
FINISH_EN = "Finish"
COVERED = "画面を隠しています"
COVERED_HOW = "カードをもう一度カードリーダーに置いてください。\n手続をやめるときは、係の人に声をかけてください。"
COVERED_EN = "The screen is covered. Put your card back on the reader, or ask the staff."


class Bar:
    """The one window: a bar of `BAR_HEIGHT` pixels, or the whole display while the curtain is down."""

    def __init__(self, root: tk.Tk, commands: "SimpleQueue[Mapping[str, Any] | None]", *, hidden: bool = False) -> None:
        self._root = root
        self._hidden = hidden
        self._commands = commands
        self._down = False
        self._size = (root.winfo_screenwidth(), root.winfo_screenheight())
        root.overrideredirect(True)  # noqa: FBT003 # Tk's own signature
        root.configure(background=_NIGHT, cursor="arrow")
        family = _family()
        self._bar = tk.Frame(root, background=_NIGHT)
        self._notice = tk.Label(self._bar, **_text(family, 16), text=f"{TITLE}  {TITLE_EN}", anchor="w")
        self._finish = _finish_button(self._bar, family)
        self._cover = _cover(root, family)
        self._finish.pack(side="right", padx=12, pady=6)
        self._notice.pack(side="left", padx=16, fill="both", expand=True)
        if hidden:
            root.withdraw()
            root.update()
        else:
            self._appear()

    def run(self) -> None:
        """Show it until standard input ends."""
        _say({"size": self._size})
        self._keep_up()
        self._take()
        self._tell_idle()
        self._root.mainloop()

    def _appear(self) -> None:
        """Come out, and take away what the visit before has copied."""
        self._hidden = False
        _forget_clipboard(self._root)
        self._show()

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

    def _take(self) -> None:
        try:
            while True:
                command = self._commands.get_nowait()
                if command is None:
                    self._root.destroy()
                    return
                self._obey(command)
        except Empty:
            self._root.after(_READ_MS, self._take)

    def _obey(self, command: Mapping[str, Any]) -> None:
        if "notice" in command:
            self._notice.configure(text=command["notice"] or f"{TITLE}  {TITLE_EN}")
        if "show" in command:
            self._appear()
            _say({"show": True})
        if "curtain" in command:
            self._cover_or_show(down=bool(command["curtain"]))

    def _cover_or_show(self, *, down: bool) -> None:
        self._down = down
        if self._hidden and not down:
            _say({"curtain": False})
            return
        self._hidden = False
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

    def _keep_up(self) -> None:
        if not self._hidden:
            self._root.lift()
        self._root.after(_RAISE_MS, self._keep_up)

    def _tell_idle(self) -> None:
        found = int(self._root.tk.call("tk", "inactive"))
        _say({"idle": None if found < 0 else found / 1000})
        self._root.after(_IDLE_MS, self._tell_idle)


def main() -> None:
    """Run the bar on the display of the environment."""
    commands: SimpleQueue[Mapping[str, Any] | None] = SimpleQueue()
    root = tk.Tk()
    root.withdraw()
    bar = Bar(root, commands, hidden="--hidden" in sys.argv[1:])
    threading.Thread(target=_listen, args=(commands,), daemon=True).start()
    bar.run()


def _listen(commands: "SimpleQueue[Mapping[str, Any] | None]") -> None:
    for line in sys.stdin:
        commands.put(json.loads(line))
    commands.put(None)


def _forget_clipboard(root: tk.Tk) -> None:
    """Take what was copied in an earlier visit away from whoever offers it."""
    root.clipboard_clear()
    root.clipboard_append("")
    root.selection_own()


def _say(message: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _family() -> str:
    known = set(font.families())
    return next((family for family in _FAMILIES if family in known), _FAMILIES[-1])


def _text(family: str, size: int) -> dict[str, Any]:
    return {"font": (family, size), "background": _NIGHT, "foreground": _PAPER}


def _finish_button(bar: tk.Frame, family: str) -> tk.Button:
    return tk.Button(
        bar,
        text=f"{FINISH}  {FINISH_EN}",
        command=lambda: _say({"finish": True}),
        font=(family, 16, "bold"),
        background=_PRESS,
        foreground=_PAPER,
        activebackground=_PAPER,
        activeforeground=_PRESS,
        highlightthickness=2,
        relief="flat",
        padx=18,
        takefocus=True,
    )


def _cover(root: tk.Tk, family: str) -> tk.Frame:
    cover = tk.Frame(root, background=_NIGHT)
    lines = tk.Frame(cover, background=_NIGHT)
    tk.Label(lines, **_text(family, 40), text=COVERED).pack(pady=24)
    tk.Label(lines, **_text(family, 22), text=COVERED_HOW, justify="center").pack(pady=24)
    tk.Label(lines, **_text(family, 16), text=COVERED_EN).pack(pady=24)
    lines.place(relx=0.5, rely=0.5, anchor="center")
    return cover


if __name__ == "__main__":
    main()
