"""A display of the test's own: its picture can be read and a person's hand played, without any tool."""

import os
import secrets
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

_HEADER = struct.Struct(">25I")
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_FAMILY_WILD = b"\xff\xff" + bytes(4)
_MOTION, _PRESS, _RELEASE = 6, 4, 5


class XServer:
    """Xvfb with a frame buffer in a file; `pixel` reads it, `click` and `press` act through the XTEST extension."""

    def __init__(self, size: tuple[int, int] = (1280, 800), *, cookie: bytes = b"") -> None:
        """With a cookie (16 bytes) only who knows it may connect: `key` is the file for XAUTHORITY."""
        self._cookie = cookie
        self._folder = tempfile.TemporaryDirectory(prefix="madoguchi-x-")
        read, write = os.pipe()
        screen = f"{size[0]}x{size[1]}x24"
        command = ["Xvfb", _free(), "-displayfd", str(write), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
        self.key = Path(self._folder.name) / "key"
        self.key.touch(mode=0o600)
        self.key.write_bytes(_FAMILY_WILD + _counted(_COOKIE) + _counted(cookie))
        locked = ["-auth", str(self.key)] if cookie else []
        self._process = subprocess.Popen(
            [*command, *locked, "-fbdir", self._folder.name], pass_fds=(write,), stderr=subprocess.DEVNULL
        )
        os.close(write)
        assert select.select((read,), (), (), 20)[0], "Xvfb does not start"
        with os.fdopen(read) as number:
            self.display = f":{number.readline().strip()}"
        self._hand = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._hand.connect(f"/tmp/.X11-unix/X{self.display[1:]}")  # noqa: S108 # X11's own place
        self._root, self._test = self._set_up()

    def __enter__(self) -> "XServer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hand.close()
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It answers nobody meanwhile."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def pixel(self, x: int, y: int) -> str:
        """Colour of one pixel as #rrggbb."""
        data = (Path(self._folder.name) / "Xvfb_screen0").read_bytes()
        header = _HEADER.unpack_from(data)
        start = header[0] + header[19] * 12 + y * header[12] + x * 4
        blue, green, red = data[start : start + 3]
        return f"#{red:02x}{green:02x}{blue:02x}"

    def area(self, left: int, top: int, right: int, bottom: int) -> list[str]:
        """Colours of every pixel of an area, line by line, from one look."""
        data = (Path(self._folder.name) / "Xvfb_screen0").read_bytes()
        header = _HEADER.unpack_from(data)
        start, line = header[0] + header[19] * 12, header[12]
        rows = (data[start + y * line + left * 4 : start + y * line + right * 4] for y in range(top, bottom))
        return [f"#{row[i + 2]:02x}{row[i + 1]:02x}{row[i]:02x}" for row in rows for i in range(0, len(row), 4)]

    def keep(self, place: Path) -> None:
        """Write the picture as PPM, to be looked at."""
        data = (Path(self._folder.name) / "Xvfb_screen0").read_bytes()
        header = _HEADER.unpack_from(data)
        width, height, line, start = header[4], header[5], header[12], header[0] + header[19] * 12
        rows = (data[start + y * line : start + y * line + width * 4] for y in range(height))
        body = b"".join(bytes(row[i + k] for i in range(0, len(row), 4) for k in (2, 1, 0)) for row in rows)
        place.write_bytes(f"P6 {width} {height} 255\n".encode() + body)

    def click(self, x: int, y: int) -> None:
        """Move there, press and release the first button."""
        self._fake(_MOTION, 0, x, y)
        self._fake(_PRESS, 1)
        self._fake(_RELEASE, 1)

    def drag(self, places: list[tuple[int, int]]) -> None:
        """Press the first button at the first place, and let go at the last."""
        self._fake(_MOTION, 0, *places[0])
        self._fake(_PRESS, 1)
        for place in places[1:]:
            self._fake(_MOTION, 0, *place)
        self._fake(_RELEASE, 1)

    def press(self, code: int) -> None:
        """Press and release a key by its code."""
        self._fake(_PRESS - 2, code)
        self._fake(_PRESS - 1, code)

    def hold(self, held: int, code: int) -> None:
        """Press and release a key while another is held."""
        self._fake(_PRESS - 2, held)
        self.press(code)
        self._fake(_PRESS - 1, held)

    def _fake(self, kind: int, detail: int, x: int = 0, y: int = 0) -> None:
        body = struct.pack("<BBHBBxxIIxxxxxxxxhhxxxxxxxx", self._test, 2, 9, kind, detail, 0, self._root, x, y)
        self._hand.sendall(body)
        time.sleep(0.03)  # a hand is not faster, and Tk tells a press from a slip by time

    def _set_up(self) -> tuple[int, int]:
        name = _COOKIE if self._cookie else b""
        sizes = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(self._cookie))
        self._hand.sendall(sizes + name.ljust((len(name) + 3) // 4 * 4, b"\0") + self._cookie)
        ok, _, _, length = struct.unpack("<BxHHH", self._exactly(8))
        assert ok == 1, "the display refuses us"
        answer = self._exactly(length * 4)
        vendor, formats = struct.unpack_from("<H", answer, 16)[0], answer[21]
        root = struct.unpack_from("<I", answer, 32 + (vendor + 3) // 4 * 4 + formats * 8)[0]
        name = b"XTEST"
        self._hand.sendall(struct.pack("<BxHHxx", 98, 2 + 2, len(name)) + name.ljust(8, b"\0"))
        present, opcode = struct.unpack_from("<BB", self._exactly(32), 8)
        assert present, "no XTEST"
        return root, opcode

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += self._hand.recv(count - len(data))
        return data


def _free() -> str:
    """A display's number far from the first ones, which belong to whoever sits at this machine."""
    numbers = (secrets.randbelow(4000) + 5000 for _ in range(100))
    return next(f":{number}" for number in numbers if not Path(f"/tmp/.X{number}-lock").exists())  # noqa: S108 # X11's own


def _counted(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text
