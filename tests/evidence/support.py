"""What the tests of the check share: how it is called, the rows of a bundle's files, a bundle with a stamp."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from evidence.logbook import Logbook

Run = Callable[..., tuple[int, str]]
"""Checks a bundle with options: exit code and everything it prints."""


def rows(folder: Path, name: str = "events.jsonl") -> list[bytes]:
    """A file's lines, without their ends."""
    return (folder / name).read_bytes().splitlines()


def put(folder: Path, lines: list[bytes], name: str = "events.jsonl") -> None:
    """Write the lines back."""
    (folder / name).write_bytes(b"".join(line + b"\n" for line in lines))


def stamped(book: Logbook, under: Path) -> Path:
    """The whole log with an older checkpoint and something like a time stamp."""
    note = book.checkpoint()
    stamp = (len(book.entries), b"token of " + hashlib.sha256(note.encode()).digest())
    return book.write(under, anchors=[book.checkpoint(len(book.entries) // 3)], stamps=[stamp], checkpoint=note)
