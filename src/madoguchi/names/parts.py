"""Finished parts of an output beside it, so that a killed run goes on where it stopped and ends with the same bytes.

`OUT.parts/` has a journal (one JSON object per line: first what the run is of, then one line per part, at last that the
whole was joined), the parts, and a lock. A part is written aside, synced, renamed, then named in the journal, which is
synced too: what the journal names exists. A part whose size or sum is wrong, and all after it, are made again.
"""

import errno
import fcntl
import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from madoguchi.names.file_errors import AlreadyRunning, DiskFull, OutputFailed

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PIECE = 1 << 20


@dataclass(frozen=True)
class Part:
    """A finished part: its bytes and their CRC-32, its rows, and where in the input the next one begins."""

    size: int
    crc: int
    rows: int
    then: dict[str, int]


@contextmanager
def writing() -> Iterator[None]:
    """Turn what the operating system says of writing into `DiskFull` and `OutputFailed`."""
    try:
        yield
    except OSError as error:
        raise (DiskFull if error.errno in _FULL else OutputFailed)(error.strerror or "") from error


def sync_folder(folder: Path) -> None:
    """Make renames in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Parts:
    """The parts of one output. Used by one process at a time; close it in the end."""

    def __init__(self, out: Path) -> None:
        self._folder = out.with_name(out.name + ".parts")
        self._out = out
        self.parts: list[Part] = []
        with writing():
            self._folder.mkdir(exist_ok=True)
            self._lock = (self._folder / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise AlreadyRunning(out.name) from error

    def close(self) -> None:
        """Let go of the lock; what is finished stays."""
        self._lock.close()

    def was_finished(self) -> bool:
        """Whether an earlier run put the output in its place and only did not tidy up."""
        joined = [line["joined"] for line in self._lines() if "joined" in line]
        there = self._out.is_file() and not self.joined.exists()
        return bool(joined) and there and self._out.stat().st_size == joined[0]

    def open(self, of: Mapping[str, Any]) -> bool:
        """Take over the parts of an earlier run `of` the same; whether there were any. Others are removed."""
        lines = self._lines()
        whole = json.loads(json.dumps(of))
        old = (
            [Part(**line["part"]) for line in lines if "part" in line] if lines and lines[0].get("of") == whole else []
        )
        self.parts = list(self._sound(old))
        with writing():
            self._clear(len(self.parts))
            kept = [{"of": whole}, *({"part": asdict(part)} for part in self.parts)]
            self._write(self._journal, b"".join(_line(line) for line in kept))
        return bool(self.parts)

    def add(self, data: bytes | memoryview, *, rows: int, then: dict[str, int]) -> None:
        """Keep one more part. Raises `DiskFull`, `OutputFailed`."""
        part = Part(len(data), zlib.crc32(data), rows, then)
        with writing():
            self._write(self.path(len(self.parts)), data)
            self._note({"part": asdict(part)})
        self.parts.append(part)

    def path(self, number: int) -> Path:
        """Where a part lies."""
        return self._folder / f"{number:08d}"

    @property
    def joined(self) -> Path:
        """Where the whole output is put together."""
        return self._folder / "joined"

    def publish(self) -> None:
        """Put the joined output, already written, under its name, and tidy up. Raises `OutputFailed`, `DiskFull`."""
        with writing():
            with self.joined.open("rb+") as file:
                os.fsync(file.fileno())
            self._note({"joined": self.joined.stat().st_size})
            self.joined.replace(self._out)
            sync_folder(self._out.parent)
            self.remove()

    def remove(self) -> None:
        """Remove parts, journal and lock."""
        shutil.rmtree(self._folder)

    @property
    def _journal(self) -> Path:
        return self._folder / "journal"

    def _lines(self) -> list[dict[str, Any]]:
        """The journal up to the first line that is not whole."""
        found: list[dict[str, Any]] = []
        try:
            for line in self._journal.read_bytes().split(b"\n")[:-1]:
                found.append(json.loads(line))
        except (FileNotFoundError, ValueError):
            return found
        return found

    def _sound(self, parts: list[Part]) -> Iterator[Part]:
        for number, part in enumerate(parts):
            path = self.path(number)
            if not path.is_file() or path.stat().st_size != part.size or _crc(path) != part.crc:
                return
            yield part

    def _clear(self, kept: int) -> None:
        wanted = {"lock", "journal", *(self.path(number).name for number in range(kept))}
        for path in self._folder.iterdir():
            if path.name not in wanted:
                path.unlink()

    def _write(self, path: Path, data: bytes | memoryview) -> None:
        aside = path.with_name("aside")
        with aside.open("wb") as file:
            file.write(data)
            _sync(file)
        aside.replace(path)
        sync_folder(self._folder)

    def _note(self, line: Mapping[str, Any]) -> None:
        with self._journal.open("ab") as file:
            file.write(_line(line))
            _sync(file)


def _line(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _crc(path: Path) -> int:
    total = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            total = zlib.crc32(piece, total)
    return total
