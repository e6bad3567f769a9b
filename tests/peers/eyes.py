"""A hand and an eye at a display that are as fast as the programs they measure."""

import mmap
import struct
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from terminal.box.xserver import XServer

_HEADER = struct.Struct(">25I")
_MOTION, _PRESS, _RELEASE = 6, 4, 5
_PAUSE = 0.002
_AGAIN = 0.015


class Eyes:
    """Looks at a display's frame buffer and clicks, without the pauses that a person makes."""

    def __init__(self, display: XServer) -> None:
        self._display = display
        with (Path(display._folder.name) / "Xvfb_screen0").open("rb") as file:
            self._picture = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        header = _HEADER.unpack_from(self._picture)
        self._start, self._line = header[0] + header[19] * 12, header[12]

    def __enter__(self) -> "Eyes":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._picture.close()

    def pixel(self, x: int, y: int) -> str:
        """Colour of one pixel as #rrggbb."""
        place = self._start + y * self._line + x * 4
        blue, green, red = self._picture[place : place + 3]
        return f"#{red:02x}{green:02x}{blue:02x}"

    def tap(self, x: int, y: int) -> None:
        """Click there."""
        for kind, detail in ((_MOTION, 0), (_PRESS, 1), (_RELEASE, 1)):
            body = struct.pack("<BBHBBxxIIxxxxxxxxhhxxxxxxxx", *self._fake(kind, detail), x, y)
            self._display._hand.sendall(body)

    def see(self, what: Callable[[], bool], limit: float = 20.0) -> float:
        """Wait until something shows; when (seconds of `perf_counter`). Raises `TimeoutError`."""
        deadline = time.perf_counter() + limit
        while not what():
            if time.perf_counter() > deadline:
                raise TimeoutError("it does not show")
            time.sleep(_PAUSE)
        return time.perf_counter()

    def tap_until(self, x: int, y: int, what: Callable[[], bool], limit: float = 20.0) -> None:
        """Click again and again until something came of it. Raises `TimeoutError`."""
        deadline, due = time.perf_counter() + limit, 0.0
        while not what():
            now = time.perf_counter()
            if now > deadline:
                raise TimeoutError("nobody answers the click")
            if now >= due:
                self.tap(x, y)
                due = now + _AGAIN
            time.sleep(_PAUSE)

    def _fake(self, kind: int, detail: int) -> tuple[int, ...]:
        return self._display._test, 2, 9, kind, detail, 0, self._display._root
