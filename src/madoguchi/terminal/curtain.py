"""The agent's side of the bar and curtain on a real display: it drives `madoguchi.terminal.frame`, a Tk process."""

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.errors import TerminalError
from madoguchi.terminal.ports import Plate
from madoguchi.terminal.spawn import marks

_ANSWER_LIMIT = 2.0
_SOURCE = Path(__file__).resolve().parents[2]


class CurtainFailed(TerminalError):
    """The page could not be covered."""

    sentence = "画面を隠せません。手続を終わりにして、職員に知らせてください。"


class Frame:
    """Bar and curtain of one visit. `on_finish` runs when 終了 is pressed, `on_death(what)` when the bar dies.

    `hidden`: for a box that waits for its visit; nothing is on the display until `show` or the curtain.
    Without tkinter there is neither: every attempt to cover the page raises `CurtainFailed`, and the visit ends.
    """

    def __init__(
        self,
        config: BoxConfig,
        *,
        on_finish: Callable[[], None],
        on_death: Callable[[str], None],
        hidden: bool = False,
    ) -> None:
        self._config = config
        self._hidden = hidden
        self._on_finish, self._on_death = on_finish, on_death
        self._answers = threading.Condition()
        self._shown: bool | None = None
        self._idle: float | None = None
        self._size: tuple[int, int] | None = None
        self._ended = False
        self._closing = False
        self._process = self._start() if importlib.util.find_spec("_tkinter") is not None else None
        if self._process is not None:
            self._reader = threading.Thread(target=self._read, name="frame", daemon=True)
            self._reader.start()

    def size(self) -> tuple[int, int]:
        """Wait for the bar and tell the display's size; the configured one without a bar. Raises `CurtainFailed`."""
        if self._process is None:
            return self._config.size
        with self._answers:
            self._answers.wait_for(lambda: self._size or self._ended, self._config.start_limit)
            if self._size is None:
                raise CurtainFailed("the bar does not start")
            return self._size

    def show(self) -> None:
        """Bring out a bar that was started hidden, and wait until it stands. Idempotent. Raises `CurtainFailed`."""
        if self._process is None or not self._hidden:
            return
        with self._answers:
            self._say({"show": True})
            if not self._answers.wait_for(lambda: self._ended or not self._hidden, _ANSWER_LIMIT) or self._ended:
                raise CurtainFailed("the bar does not come out")

    def curtain(self, down: bool) -> None:  # the port's signature
        """Cover or show the page, and wait until the bar says that it is so. Raises `CurtainFailed`."""
        if self._process is None and not down:
            return
        with self._answers:
            self._shown = None
            self._say({"curtain": down})
            if not self._answers.wait_for(lambda: self._ended or self._shown is down, _ANSWER_LIMIT) or self._ended:
                raise CurtainFailed("the bar does not answer")

    def tell(self, plate: Plate) -> None:
        """Say whose visit this is, in which language, and how long its card may be away."""
        with suppress(CurtainFailed):
            self._say({"tell": asdict(plate)})

    def notice(self, text: str) -> None:
        """Show one line on the bar."""
        with suppress(CurtainFailed):
            self._say({"notice": text})

    def idle_for(self) -> float | None:
        """Seconds since the last key or pointer action on the display."""
        return self._idle

    def close(self) -> None:
        """End the bar. Idempotent."""
        self._closing = True
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._process = None

    def _start(self) -> subprocess.Popen[str]:
        shown = {"DISPLAY": self._config.display or "", **_authority(self._config), **marks(self._config)}
        path = os.pathsep.join((str(_SOURCE), os.environ.get("PYTHONPATH", "")))
        hidden = ["--hidden"] if self._hidden else []
        return subprocess.Popen(  # noqa: S603 # our own module
            [sys.executable, "-m", "madoguchi.terminal.frame", *hidden],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": path, **shown},
            encoding="utf-8",
        )

    def _say(self, message: Mapping[str, Any]) -> None:
        stdin: IO[str] | None = self._process.stdin if self._process is not None else None
        try:
            if stdin is None:
                raise CurtainFailed("no bar on this machine")
            stdin.write(json.dumps(message, ensure_ascii=False) + "\n")
            stdin.flush()
        except (OSError, ValueError) as error:
            raise CurtainFailed("the bar is gone") from error

    def _read(self) -> None:
        stdout = self._process.stdout if self._process is not None else None
        for line in stdout or ():
            self._take(json.loads(line))
        with self._answers:
            self._ended = True
            self._answers.notify_all()
        if not self._closing:
            self._on_death("the bar died")

    def _take(self, message: Mapping[str, Any]) -> None:
        if "finish" in message:
            self._on_finish()
        if "idle" in message:
            self._idle = message["idle"]
        with self._answers:
            self._hidden = self._hidden and "show" not in message
            self._shown = message.get("curtain", self._shown)
            self._size = tuple(message["size"]) if "size" in message else self._size
            self._answers.notify_all()


def _authority(config: BoxConfig) -> Mapping[str, str]:
    return {} if config.xauthority is None else {"XAUTHORITY": str(config.xauthority)}
