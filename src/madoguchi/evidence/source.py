"""Reads the files of a bundle, from a folder or a zip. Everything in there may have been made to do harm.

Files are looked up in a list of what is there and never named by the bundle's own words: nothing outside is opened.
Links and devices are not followed. Every read has a limit.
"""

import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from madoguchi.evidence.errors import BundleUnreadable

SMALL = 1 << 20
"""Bytes of the largest file that is read at once, and of the longest line."""

_MOST_FILES = 2_000_000
_CHUNK, _PIECE = 1 << 18, 1 << 16  # what stays in the processor's caches: larger ones take a third longer
_PLAIN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_BROKEN = (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError)


class FileBroken(Exception):
    """A file of the bundle is missing or cannot be read. `name`: which."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name
        self.why = why


class Source(Protocol):
    """A bundle's files."""

    @property
    def names(self) -> Mapping[str, object]:
        """The files that are there, by name."""

    @property
    def strange(self) -> tuple[str, ...]:
        """Links and devices, which are never opened."""

    def open(self, name: str) -> IO[bytes]:
        """The file's bytes. `name` is one of `names`."""

    def close(self) -> None:
        """Give back what is held."""


class Folder:
    """A bundle that lies unpacked."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.names: dict[str, object] = {}
        strange: list[str] = []
        waiting = [""]
        while waiting:
            self._list(waiting.pop(), waiting, strange)
        self.strange = tuple(strange)

    def _list(self, under: str, waiting: list[str], strange: list[str]) -> None:
        with os.scandir(self._root / under) as found:
            for entry in found:
                name = f"{under}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False):
                    self.names[name] = None
                else:
                    strange.append(name)
                if len(self.names) + len(waiting) + len(strange) > _MOST_FILES:
                    raise BundleUnreadable("more files than any bundle has")

    def open(self, name: str) -> IO[bytes]:
        """The file's bytes."""
        # pathlib would remember every name, buffers would copy every byte
        return open(os.open(f"{self._root}{os.sep}{name}", _PLAIN), "rb", buffering=0)

    def close(self) -> None:
        """Nothing is held."""


class Zip:
    """A bundle in one file."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        self.names: dict[str, zipfile.ZipInfo] = {}
        self.strange: tuple[str, ...] = ()
        for info in self._zip.infolist():
            if len(self.names) >= _MOST_FILES:
                raise BundleUnreadable("more files than any bundle has")
            if info.filename in self.names:
                raise BundleUnreadable("one name stands for two files")
            if not info.is_dir():
                self.names[info.filename] = info

    def open(self, name: str) -> IO[bytes]:
        """The file's bytes."""
        return self._zip.open(self.names[name])

    def close(self) -> None:
        """Close the zip."""
        self._zip.close()


@contextmanager
def open_bundle(path: Path) -> Iterator[Source]:
    """The bundle at `path`, a folder or a zip. Raises `BundleUnreadable`."""
    try:
        source: Source = Folder(path) if path.is_dir() else Zip(path)
    except _BROKEN as error:
        raise BundleUnreadable("no folder and no zip that can be read") from error
    try:
        yield source
    finally:
        source.close()


def read(source: Source, name: str, limit: int = SMALL) -> bytes:
    """The whole file. Raises `FileBroken` for one that is missing, broken, or longer than `limit`."""
    with _opened(source, name) as file:
        pieces, left = [], limit + 1
        while left and (piece := file.read(min(left, _PIECE))):
            pieces.append(piece)
            left -= len(piece)
    if not left:
        raise FileBroken(name, "too long")
    return b"".join(pieces)


def blocks(source: Source, name: str) -> Iterator[list[bytes]]:
    """The file's lines without their ends, a few hundred at a time. Raises `FileBroken`, also for an open end."""
    with _opened(source, name) as file:
        rest = b""
        while chunk := file.read(_CHUNK):
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            if len(rest) > SMALL:
                raise FileBroken(name, "a line is too long")
            if lines:
                yield lines
    if rest:
        raise FileBroken(name, "the last line is cut off")


@contextmanager
def _opened(source: Source, name: str) -> Iterator[IO[bytes]]:
    if name not in source.names:
        raise FileBroken(name, "missing")
    try:
        with source.open(name) as file:
            yield file
    except _BROKEN as error:
        raise FileBroken(name, "cannot be read") from error
