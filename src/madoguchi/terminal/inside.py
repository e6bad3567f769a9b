"""What runs inside a box, and how bubblewrap builds it.

A short shell script is the box's first program: it puts the debugging pipe where Chromium looks for it (descriptors
3 and 4), hands the listener of the only way out to the agent (see `egress`), starts the virtual screen if there is none
outside, or else the Japanese input method with a session bus of its own (what a person types would otherwise live on in
the input method's history; its clipboard stays off, which would note what is copied on the display while the box still
waits), starts Chromium, and ends everything when Chromium ends or when the agent's heartbeat stops
for two seconds (an agent that hangs no longer watches the card).
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from madoguchi.terminal.boxconfig import INSIDE, BoxConfig
from madoguchi.terminal.errors import BoxUnavailable
from madoguchi.terminal.space import Space
from madoguchi.terminal.spawn import Inner

HOME = "/home/visit"
_CACHE = Path("/var/cache/fontconfig")

_NO_CORE = ("prlimit", "--core=1:1", "--")
"""A limit of one byte, not of none: the kernel hands no core to a collector outside the box then (see core(5))."""

_KEY_LIMIT = 1 << 16

HEARTBEAT_LIMIT = 2
"""Seconds without a heartbeat after which the box ends itself."""

_LISTEN = f"""
import socket, sys
with socket.create_server({INSIDE!r}, backlog=128) as listener, socket.socket(fileno=int(sys.argv[1])) as door:
    socket.send_fds(door, [b"."], [listener.fileno()])
""".replace("'", '"')

_SCRIPT = r"""
set -u
exec 3<&"$CDP_IN" 4>&"$CDP_OUT" {CDP_IN}<&- {CDP_OUT}>&-
beat=$BEAT size=$VIRTUAL all=$KILL input=$INPUT door=$DOOR
unset CDP_IN CDP_OUT BEAT VIRTUAL KILL INPUT DOOR
if [ -n "$door" ]; then
  /usr/bin/python3 -I -S -c 'LISTEN' "$door" 3<&- 4>&- {beat}<&- || kill -KILL -- "$all"
  exec {door}<&-
fi
if [ -n "$size" ]; then
  mkdir -p -m 1777 /tmp/.X11-unix 2>/dev/null
  export XAUTHORITY="$HOME/.Xauthority"
  { printf '\377\377\0\0\0\0\0\22MIT-MAGIC-COOKIE-1\0\20'; head -c 16 /dev/urandom; } >"$XAUTHORITY"
  read -r number < <(exec 3<&- 4>&- {beat}<&-
    exec Xvfb -displayfd 1 -screen 0 "$size" -nolisten tcp -nolisten local -auth "$XAUTHORITY" 2>/dev/null)
  export DISPLAY=":$number"
fi
if [ -n "$input" ]; then
  export XDG_RUNTIME_DIR="$HOME/.runtime" XMODIFIERS=@im=fcitx GTK_IM_MODULE=fcitx
  mkdir -p -m 700 "$XDG_RUNTIME_DIR" "$HOME/.config/fcitx5"
  printf '%s\n' '[Groups/0]' Name=Default 'Default Layout=jp' DefaultIM=mozc \
    '[Groups/0/Items/0]' Name=keyboard-jp Layout= '[Groups/0/Items/1]' Name=mozc Layout= \
    '[GroupOrder]' 0=Default >"$HOME/.config/fcitx5/profile"
  set -- dbus-run-session -- /bin/bash -c 'fcitx5 -d --replace --disable=clipboard >/dev/null 2>&1 3<&- 4>&-
    exec "$@"' input "$@"
fi
( exec {beat}<&-; "$@"; kill -KILL -- "$all" ) </dev/null &
exec 3<&- 4>&-
while read -r -t LIMIT -n 1 -u "$beat"; do :; done
kill -KILL -- "$all"
""".replace("LIMIT", str(HEARTBEAT_LIMIT)).replace("LISTEN", _LISTEN)


def script_arguments(command: list[str]) -> list[str]:
    """Compose the first program of a box, with the browser's command line."""
    return [*_NO_CORE, "/bin/bash", "-c", _SCRIPT, "box", *command]


def script_environment(config: BoxConfig, inner: Inner, *, boxed: bool) -> Mapping[str, str]:
    """Tell the script what it needs: descriptor numbers, the virtual screen's size, and whom it may kill.

    In a box that is every process it can see; outside only its own process group.
    """
    return {
        "CDP_IN": str(inner.cdp_in),
        "CDP_OUT": str(inner.cdp_out),
        "BEAT": str(inner.beat_in),
        "DOOR": str(inner.door) if boxed else "",
        "VIRTUAL": f"{config.size[0]}x{config.size[1]}x24" if config.display is None else "",
        "KILL": "-1" if boxed else "0",
        "INPUT": config.input_method if boxed and config.display is not None else "",
    }


def bubblewrap_arguments(config: BoxConfig, *, space: Space, info: int) -> list[str]:
    """Compose the bubblewrap command line up to, not including, the program to run."""
    return [
        "bwrap",
        "--die-with-parent",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-net",
        "--new-session",
        "--info-fd",
        str(info),
        *("--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc"),
        *_links(),
        *("--proc", "/proc", "--dev", "/dev", "--mqueue", "/dev/mqueue"),
        *("--dir", "/var/tmp", "--dir", "/home"),  # noqa: S108 # paths inside the box
        *space.arguments(),
        *(("--ro-bind", str(_CACHE), str(_CACHE)) if _CACHE.is_dir() else ()),
        *("--tmpfs", "/etc/chromium", "--ro-bind", str(space.policies), "/etc/chromium/policies"),
        *_display_arguments(config, space),
        *("--chdir", HOME, "--"),
    ]


def browser_environment(config: BoxConfig, *, home: str) -> Mapping[str, str]:
    """Compose the whole environment of a box: nothing of the agent's own goes in."""
    display = {} if config.display is None else {"DISPLAY": config.display, "XAUTHORITY": f"{home}/.Xauthority"}
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "LANG": "ja_JP.UTF-8",
        "LANGUAGE": "ja",
        "TZ": "Asia/Tokyo",
        **display,
    }


def _links() -> list[str]:
    """/bin, /lib and so on as this system has them: links into /usr, or directories of their own."""
    found: list[str] = []
    for place in (Path("/bin"), Path("/sbin"), Path("/lib"), Path("/lib32"), Path("/lib64")):
        if place.is_symlink():
            found += ["--symlink", os.readlink(place), str(place)]
        elif place.is_dir():
            found += ["--ro-bind", str(place), str(place)]
    return found


def _display_arguments(config: BoxConfig, space: Space) -> list[str]:
    """The display's socket and a copy of the key to it, which the browser's user may not be able to read in place."""
    if config.display is None:
        return []
    socket = Path("/tmp/.X11-unix") / f"X{config.display.partition(':')[2].partition('.')[0]}"  # noqa: S108 # X11's own
    found = ["--ro-bind", str(socket), str(socket)] if socket.exists() else []
    if key := display_key(config):
        found += ["--ro-bind", str(space.keep("xauthority", key)), f"{HOME}/.Xauthority"]
    return found


def display_key(config: BoxConfig) -> bytes:
    """Read the key to the display; empty when the display asks for none.

    Whoever reads may be root and the file the screen's user's, who could put a link to any other there: what is not a
    key (Xauthority entries and nothing else) goes into no box. Raises `BoxUnavailable`.
    """
    if config.display is None or config.xauthority is None:
        return b""
    try:
        with os.fdopen(os.open(config.xauthority, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            found = file.read(_KEY_LIMIT) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise BoxUnavailable(f"画面の鍵を読めません: {error.strerror} (the display's key cannot be read)。") from error
    if not _is_key(found):
        raise BoxUnavailable("画面の鍵のファイルが正しくありません (the display's key file holds something else)。")
    return found


def _is_key(data: bytes) -> bool:
    """Tell whether these are whole entries, see Xau(3): a family, then four fields, each after its length."""
    while data:
        data = data[2:]
        for _ in range(4):
            length = 2 + int.from_bytes(data[:2], "big")
            if len(data) < length:
                return False
            data = data[length:]
    return True
