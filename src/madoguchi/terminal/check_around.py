"""Looks at what is around the agent: screen, input, desk browser, keeper, server (see `check_machine`)."""

import socket
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from madoguchi.terminal.check_machine import Machine
from madoguchi.terminal.config import box_config
from madoguchi.terminal.deskpolicies import PLACE, desk_text
from madoguchi.terminal.enrol import DeviceFile
from madoguchi.terminal.errors import DeviceFileUnsafe, NotEnrolled, TerminalError
from madoguchi.terminal.keeper import KeeperBusy
from madoguchi.terminal.keeper_line import FORM, LineClosed, answered, peer_uid, receive, send
from madoguchi.terminal.service import device_file

_PROGRAM_LIMIT = 10.0
_KEEPER_LIMIT = 15.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_UNITS = tuple(f"madoguchi-{name}.service" for name in ("keeper", "screen", "terminal", "desk"))

_WINDOW = "import tkinter; tkinter.Tk().destroy()"


def display_open(machine: Machine) -> str | None:
    """The agent can put its bar on the screen. Says nothing without a display or without tkinter."""
    config = machine.config
    if not config.display:
        return None
    environment = {"PATH": "/usr/bin:/bin", "DISPLAY": config.display, "XAUTHORITY": str(machine.display_key)}
    said = _said([sys.executable, "-c", _WINDOW], environment)
    return f"{config.display}: {said}" if said and "No module named" not in said else None


def japanese_font(machine: Machine) -> str | None:
    """Some font can show Japanese."""
    command = ["fc-list", "--format", "%{family}\n", ":lang=ja"]
    with suppress(OSError, subprocess.TimeoutExpired):
        environment = {"PATH": "/usr/bin:/bin", **_fonts(machine)}
        found = subprocess.run(command, capture_output=True, timeout=_PROGRAM_LIMIT, env=environment, check=False)  # noqa: S603 # fixed
        return None if found.stdout.strip() else "fc-list :lang=ja"
    return "fc-list"


def input_method(machine: Machine) -> str | None:
    """Kanji can be typed in a visit: fcitx5, Mozc, and the part that speaks to the browser."""
    wanted = {
        "fcitx5": "usr/bin/fcitx5",
        "fcitx5-mozc": "usr/share/fcitx5/addon/mozc.conf",
        "fcitx5-frontend-gtk3": "usr/lib/*/gtk-3.0/3.0.0/immodules/im-fcitx5.so",
        "dbus": "usr/bin/dbus-run-session",
    }
    lacking = [package for package, place in wanted.items() if not any(machine.root.glob(place))]
    return " ".join(lacking) or None


def desk_browser(machine: Machine) -> str | None:
    """The desk page's browser is held to the desk page."""
    good = machine.text(str(PLACE)) == desk_text(machine.config.desk_port).strip()
    return None if good else f"/{PLACE}"


def keeper_named(machine: Machine) -> str | None:
    """The agent, an ordinary user, has somebody to make its boxes."""
    return None if machine.config.keeper else "keeper"


def keeper_answers(machine: Machine) -> str | None:
    """The keeper is root's, keeps this terminal's boxes, lets nobody but the agent in, and lacks nothing itself.

    While the agent runs it serves the agent alone, and says so. Says nothing when none is configured.
    """
    place = Path(machine.config.keeper)
    if not machine.config.keeper:
        return None
    try:
        open_to_others = place.stat().st_mode & 0o007
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            line.settimeout(_KEEPER_LIMIT)
            line.connect(str(place))
            if (owner := peer_uid(line)) != machine.installer or open_to_others:
                return f"{place}: uid {owner}, mode …{open_to_others}"
            return _keeper_lacks(line, box_config(machine.config).name)
    except (OSError, LineClosed, TerminalError) as error:
        return f"{place}: {getattr(error, 'strerror', None) or str(error) or type(error).__name__}"


def _keeper_lacks(line: socket.socket, name: str) -> str | None:
    greeting = receive(line).message
    if greeting.get("refused") == KeeperBusy.__name__:
        return None
    if answered(greeting) != {"name": name, "form": FORM}:
        return "another terminal's keeper, or of another version"
    send(line, {"do": "missing"})
    return " / ".join(answered(receive(line).message)) or None


def services_running(machine: Machine) -> str | None:
    """All services run."""
    if not (machine.root / "run/systemd/system").is_dir():
        return "systemd"
    stopped = [unit for unit in _UNITS if _said(["systemctl", "is-active", "--quiet", unit], {"PATH": "/usr/bin:/bin"})]
    return ", ".join(stopped) or None


def server_secure(machine: Machine) -> str | None:
    """The link to the server is encrypted, unless the server is this machine."""
    parts = urlsplit(machine.config.server_url)
    return None if parts.scheme == "https" or parts.hostname in _LOOPBACK else machine.config.server_url


def server_reachable(machine: Machine) -> str | None:
    """Somebody answers at the server's address."""
    try:
        _ask(machine)
    except (httpx.HTTPError, ValueError) as error:
        return f"{machine.config.server_url}: {type(error).__name__}"
    return None


def clock_right(machine: Machine) -> str | None:
    """The clock is as the server's, within the tolerance; a server that does not tell its time is a doubt."""
    try:
        theirs = parsedate_to_datetime(_ask(machine).headers["date"])
    except (httpx.HTTPError, KeyError, ValueError) as error:
        return type(error).__name__
    seconds = (datetime.now(UTC) - theirs).total_seconds()
    return f"{seconds:+.0f} s" if abs(seconds) > machine.config.clock_tolerance + 1 else None


def enrolled(machine: Machine) -> str | None:
    """The terminal has credentials."""
    file = _device(machine)
    try:
        file.load()
    except NotEnrolled:
        return str(file.path)
    except DeviceFileUnsafe:
        return None
    return None


def device_safe(machine: Machine) -> str | None:
    """The key file, if there is one, is the agent's alone and whole."""
    file = _device(machine)
    try:
        file.load()
    except NotEnrolled:
        return None
    except DeviceFileUnsafe as error:
        return str(error)
    return None if file.path.stat().st_uid == machine.uid else str(file.path)


def _device(machine: Machine) -> DeviceFile:
    return device_file(machine.config)


def _ask(machine: Machine) -> httpx.Response:
    with httpx.Client(timeout=machine.config.link_timeout, trust_env=False) as client:
        return client.head(machine.config.server_url)


def _fonts(machine: Machine) -> dict[str, str]:
    """Let fontconfig look at another machine than this one."""
    return {"HOME": "/nonexistent"} if machine.root == Path("/") else {"FONTCONFIG_SYSROOT": str(machine.root)}


def _said(command: list[str], environment: dict[str, str]) -> str:
    """Run a short program; empty when it went well, else the last line of what it said."""
    try:
        done = subprocess.run(  # noqa: S603 # fixed commands of this module
            command, capture_output=True, timeout=_PROGRAM_LIMIT, env=environment, text=True, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
    return "" if done.returncode == 0 else lines[-1]
