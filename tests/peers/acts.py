"""What a visitor does: types, copies, sends, downloads, prints, saves. By hand, on the display: nobody looks inside."""

import os
import shutil
import subprocess
import time
from contextlib import suppress

from peers.browsers import Home
from peers.search import Marks
from peers.site import TrialSite
from terminal.box.xserver import XServer

_ROWS = ((10, "1234567890"), (24, "qwertyuiop"), (38, "asdfghjkl"), (52, "zxcvbnm"))
KEYS = {letter: first + number for first, row in _ROWS for number, letter in enumerate(row)}
CONTROL, ENTER, ESCAPE, ZENKAKU = 37, 36, 9, 49
MIDDLE = (640, 430)

_ROMAJI = {
    **dict(zip("きけさしすせそ", ("ki", "ke", "sa", "si", "su", "se", "so"), strict=True)),
    **dict(zip("たてとなにぬねの", ("ta", "te", "to", "na", "ni", "nu", "ne", "no"), strict=True)),
    **dict(zip("はひふへほまみむめも", ("ha", "hi", "hu", "he", "ho", "ma", "mi", "mu", "me", "mo"), strict=True)),
    **dict(zip("やゆよらりるれろ", ("ya", "yu", "yo", "ra", "ri", "ru", "re", "ro"), strict=True)),
}
SYLLABLES = "".join(_ROMAJI)
_METHOD_STARTS, _DIALOG = 2.0, 1.0
_HOST_METHOD = """
mkdir -p "$HOME/.config/fcitx5"
printf '%s\\n' '[Groups/0]' Name=Default 'Default Layout=jp' DefaultIM=mozc \
  '[Groups/0/Items/0]' Name=keyboard-jp Layout= '[Groups/0/Items/1]' Name=mozc Layout= \
  '[GroupOrder]' 0=Default >"$HOME/.config/fcitx5/profile"
fcitx5 -d --replace >/dev/null 2>&1
echo "$DBUS_SESSION_BUS_ADDRESS" >"$HOME/bus.new" && mv "$HOME/bus.new" "$HOME/bus"
exec sleep infinity
"""


def japanese_keys(display: XServer) -> None:
    """Give the display a Japanese keyboard."""
    subprocess.run(["setxkbmap", "jp"], env={"DISPLAY": display.display, "PATH": os.environ["PATH"]}, check=True)


def input_method(home: Home, display: XServer) -> bool:
    """Start the input method of a kiosk without a box, for its whole day; False where there is none."""
    if shutil.which("fcitx5") is None or shutil.which("dbus-run-session") is None:
        return False
    home.start(["dbus-run-session", "--", "/bin/bash", "-c", _HOST_METHOD], DISPLAY=display.display)
    deadline = time.monotonic() + 10
    while not (home.place / "bus").exists():
        if time.monotonic() > deadline:
            raise TimeoutError("no session bus")
        time.sleep(0.05)
    bus = (home.place / "bus").read_text().strip()
    home.more = {"DBUS_SESSION_BUS_ADDRESS": bus, "GTK_IM_MODULE": "fcitx", "XMODIFIERS": "@im=fcitx"}
    return True


def plant(site: TrialSite, display: XServer, marks: Marks, *, method: bool) -> None:
    """Leave a planted text everywhere a visitor can; the site says what arrived. Raises `TimeoutError`."""
    site.wait("/planted")
    _until_sent(site, display, "/typed", f"{marks.prefix}f")
    if method:
        _type_kana(site, display, marks.kana)
    else:
        _until_sent(site, display, "/kana", "x")
    _press_link(site, display)
    for key in ("s", "p"):
        display.hold(CONTROL, KEYS[key])
        time.sleep(_DIALOG)
        display.press(ENTER)
        time.sleep(_DIALOG)
        display.press(ESCAPE)


def _until_sent(site: TrialSite, display: XServer, path: str, text: str) -> None:
    display.click(*MIDDLE)
    time.sleep(0.2)
    for letter in text:
        display.press(KEYS[letter])
    for key in ("a", "c"):
        display.hold(CONTROL, KEYS[key])
    time.sleep(0.2)
    display.press(ENTER)
    site.wait(path, 10)
    time.sleep(0.3)


def _type_kana(site: TrialSite, display: XServer, kana: str) -> None:
    time.sleep(_METHOD_STARTS)  # nothing outside shows when the method has found the field
    display.click(*MIDDLE)
    display.press(ZENKAKU)
    for letter in "".join(_ROMAJI[syllable] for syllable in kana):
        display.press(KEYS[letter])
        time.sleep(0.02)
    time.sleep(0.5)
    display.press(ENTER)  # takes what stands there
    time.sleep(0.3)
    for key in ("a", "c"):
        display.hold(CONTROL, KEYS[key])
    display.press(ENTER)
    site.wait("/kana", 10)
    time.sleep(0.3)
    display.press(ZENKAKU)


def _press_link(site: TrialSite, display: XServer) -> None:
    for _ in range(3):
        display.click(*MIDDLE)
        with suppress(TimeoutError):
            site.wait("/pressed", 2)
            break
    time.sleep(_DIALOG)
