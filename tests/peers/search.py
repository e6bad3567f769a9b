"""Looks for planted texts wherever this machine can be looked at: files, memory, what the display keeps.

A planted text begins with a random prefix, so that one search finds all; the letter after it names its place (`PLACES`
in `pages`). Looked for as UTF-8, as UTF-16 (how browsers keep text) and as base64 at each of its three alignments. Not
found by this: what is compressed or encrypted. It is a test, not a proof.
"""

import base64
import os
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from peers.pages import PLACES
from peers.windows import properties
from terminal.box.xserver import XServer

_LETTERS, _SYLLABLES = "bdghjkmnprstwz23456789", "きけさしすせそたてとなにぬねのはひふへほまみむめもやゆよらりるれろ"
_PREFIX, _KANA = 12, 10
_PIECE, _OVERLAP = 1 << 24, 1 << 8
_NOT_FILES = frozenset(
    ("proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "securityfs", "debugfs", "tracefs", "bpf", "pstore")
)
_ENTRY = 8
_PRESENT, _SWAPPED = 0x80, 0x40
"""Bits of the highest byte of an entry of pagemap: in memory, in swap."""


class Found(NamedTuple):
    """Where which of the planted texts was found, in which form."""

    where: str
    what: str
    form: str


@dataclass(frozen=True)
class Marks:
    """What is planted: `prefix` begins every text, `kana` is typed through the input method. Random, made up."""

    prefix: str = field(default_factory=lambda: "".join(secrets.choice(_LETTERS) for _ in range(_PREFIX)))
    kana: str = field(default_factory=lambda: "".join(secrets.choice(_SYLLABLES) for _ in range(_KANA)))

    def forms(self) -> list[tuple[str, str, bytes]]:
        """All that is looked for: which text, which form, the bytes."""
        return [
            *(("", form, found) for form, found in _forms(self.prefix)),
            *(("input method", form, found) for form, found in _forms(self.kana)),
        ]

    def within(self, data: bytes) -> set[tuple[str, str]]:
        """What a piece of data holds: planted text and form."""
        found = set()
        for what, form, looked_for in self.forms():
            place = data.find(looked_for)
            while place >= 0:
                found.add((what or _place_after(data, place + len(looked_for), form), form))
                place = data.find(looked_for, place + len(looked_for))
        return found


def files(marks: Marks, since: float, *, below: Path | None = None) -> list[Found]:
    """Search every file that changed since a moment (seconds of the epoch), on every file system but the kernel's.

    Its name counts too. `below`: only there.
    """
    everywhere = {place for place, kind in _mounts() if kind not in _NOT_FILES}
    roots = sorted(everywhere) if below is None else [str(below)]
    command = ["find", *roots, "-xdev", "-type", "f", "-newerct", f"@{since:.3f}", "-print0"]
    listed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    found = set()
    for name in filter(None, listed.split(b"\0")):
        place = os.fsdecode(name)
        found |= {Found(f"file {place}", what, form) for what, form in marks.within(name)}
        with suppress(OSError), open(name, "rb") as file:
            found |= {Found(f"file {place}", what, form) for what, form in _of_stream(marks, file)}
    return sorted(found)


def memory(marks: Marks, *, spared: Iterable[int]) -> list[Found]:
    """Search all that lies in the memory of live processes, and files that only a descriptor still holds."""
    found = set()
    for pid in sorted({int(name) for name in os.listdir("/proc") if name.isdigit()} - set(spared)):
        with suppress(OSError):
            found |= {Found(f"memory of {_name(pid)}", what, form) for what, form in of_process(marks, pid)}
            found |= {Found(f"held by {_name(pid)}", what, form) for what, form in _held(marks, pid)}
    return sorted(found)


def of_process(marks: Marks, pid: int) -> set[tuple[str, str]]:
    """Search the memory of one process: pages that are there, except unchanged ones of files."""
    found: set[tuple[str, str]] = set()
    base = Path(f"/proc/{pid}")
    with (
        suppress(OSError),
        (base / "mem").open("rb", buffering=0) as content,
        (base / "pagemap").open("rb", buffering=0) as pages,
    ):
        for start, end in _ranges(pid):
            for first, last in _present(pages, start, end):
                found |= _of_range(marks, content, first, last)
    return found


def display(marks: Marks, screen: XServer) -> list[Found]:
    """Ask a display for all that it offers: selections and the properties of every window."""
    found = set()
    for selection in ("PRIMARY", "SECONDARY", "CLIPBOARD"):
        said = subprocess.run(
            [sys.executable, "-c", _ASK, selection],
            env={"DISPLAY": screen.display, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            timeout=20,
            check=True,
        ).stdout
        found |= {Found(f"selection {selection}", what, form) for what, form in marks.within(said)}
    for window, name, value in properties(screen):
        found |= {Found(f"property {name} of window {window:#x}", what, form) for what, form in marks.within(value)}
    return sorted(found)


_ASK = """
import sys, tkinter
root = tkinter.Tk()
root.withdraw()
for kind in ("UTF8_STRING", "STRING"):
    try:
        sys.stdout.write(root.selection_get(selection=sys.argv[1], type=kind))
    except tkinter.TclError:
        pass
"""


def _forms(text: str) -> list[tuple[str, bytes]]:
    plain = text.encode()
    coded = [_coded(plain, shift) for shift in range(3)]
    return [("UTF-8", plain), ("UTF-16", text.encode("utf-16-le")), *(("base64", part) for part in coded)]


def _coded(plain: bytes, shift: int) -> bytes:
    """What base64 makes of a text that begins `shift` bytes after a group of three: the part that never varies."""
    whole = base64.b64encode(bytes(shift) + plain)
    begin = (shift * 8 + 5) // 6
    return whole[begin : (shift + len(plain)) * 8 // 6]


def _place_after(data: bytes, place: int, form: str) -> str:
    if form == "base64":
        return "some text"
    letters = data[place : place + 2].replace(b"\0", b"").decode("ascii", errors="replace")[:1]
    return PLACES.get(letters, "some text")


def _of_stream(marks: Marks, file: BinaryIO) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    rest = b""
    while piece := file.read(_PIECE):
        found |= marks.within(rest + piece)
        rest = piece[-_OVERLAP:]
    return found


def _held(marks: Marks, pid: int) -> set[tuple[str, str]]:
    """Files without a name that a process holds: deleted ones, and memory shared by descriptor."""
    found: set[tuple[str, str]] = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        link = f"/proc/{pid}/fd/{name}"
        with suppress(OSError):
            if os.readlink(link).endswith(" (deleted)") and stat.S_ISREG(os.stat(link).st_mode):
                with open(link, "rb") as file:
                    found |= _of_stream(marks, file)
    return found


def _ranges(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
        area, rights, _, _, number, *name = line.split(maxsplit=5)
        kept = "w" in rights or number == "0" or "(deleted)" in "".join(name)
        if rights.startswith("r") and kept and not "".join(name).startswith("[v"):
            start, _, end = area.partition("-")
            yield int(start, 16), int(end, 16)


def _present(pages: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Runs of pages that are in memory or in swap, at most a piece long."""
    size = os.sysconf("SC_PAGE_SIZE")
    most = _PIECE // size
    for begin in range(start // size, end // size, most):
        pages.seek(begin * _ENTRY)
        flags = (pages.read(min(most, end // size - begin) * _ENTRY) or b"")[_ENTRY - 1 :: _ENTRY]
        run = None
        for number, flag in enumerate(flags):
            there = bool(flag & (_PRESENT | _SWAPPED))
            if there and run is None:
                run = number
            if not there and run is not None:
                yield (begin + run) * size, (begin + number) * size
                run = None
        if run is not None:
            yield (begin + run) * size, (begin + len(flags)) * size


def _of_range(marks: Marks, content: BinaryIO, first: int, last: int) -> set[tuple[str, str]]:
    try:
        content.seek(max(0, first))
        return marks.within(content.read(last - first) or b"")
    except (OSError, ValueError):  # gone meanwhile, or not to be read
        return set()


def _name(pid: int) -> str:
    """A process's name, with what it is for if it is one of a browser's or a Python program."""
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    told = [word for word in words if word.startswith(("--type=", "madoguchi."))][:1]
    told += [Path(word).name for word in words[1:2] if word.endswith(".py")]
    return " ".join([name, *told])


def _mounts() -> list[tuple[str, str]]:
    lines = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    found = [(fields[1].encode().decode("unicode_escape"), fields[2]) for fields in lines]
    return [(place, kind) for place, kind in found if Path(place).is_dir()]
