"""What /proc says about processes, their namespaces and what they hold. Reads only; nothing is killed here.

A process that vanishes while it is read counts as gone. What the kernel does not let us read (another user's process,
seen by an ordinary user) is skipped: such a process cannot be in a box of ours unless it is ours.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MARKER = "MADOGUCHI_BOX"
AGENT = "MADOGUCHI_AGENT"
_KINDS = ("pid", "ipc", "mnt")
_DEAD = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Inode numbers of the namespaces that make a box. Two alive at once never share a number."""

    pid: int
    ipc: int
    mnt: int

    def meets(self, other: "Namespaces") -> bool:
        """Tell whether any of the three is shared."""
        return self.pid == other.pid or self.ipc == other.ipc or self.mnt == other.mnt


@dataclass(frozen=True, slots=True)
class Process:
    """One live process: `started` is in clock ticks since boot, and with `pid` names it for good."""

    pid: int
    parent: int
    uid: int
    started: int


def processes() -> dict[int, Process]:
    """All live processes. A zombie is left out, unless a thread of it still runs (its leader alone has ended)."""
    found = (_process(int(name)) for name in os.listdir(PROC) if name.isdigit())
    return {process.pid: process for process in found if process is not None}


def namespaces_of(pid: int) -> Namespaces | None:
    """Read the namespaces of a process; None: gone or not readable."""
    base = _living(pid)
    numbers = [number for kind in _KINDS if (number := _namespace(base / "ns" / kind)) is not None]
    return Namespaces(*numbers) if len(numbers) == len(_KINDS) else None


def environ_of(pid: int) -> Mapping[str, str]:
    """Read the environment the process was started with; empty when gone, overwritten or not readable."""
    try:
        raw = (_living(pid) / "environ").read_bytes()
    except OSError:
        return {}
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0"))
    return {os.fsdecode(name): os.fsdecode(value) for name, sign, value in pairs if sign}


def members(box: Namespaces) -> list[int]:
    """Live processes inside a box: one shared namespace is enough."""
    return [pid for pid in processes() if (own := namespaces_of(pid)) is not None and own.meets(box)]


def started(pid: int) -> int | None:
    """Start time of a live process in clock ticks since boot, None when it is gone."""
    process = _process(pid)
    return None if process is None else process.started


def private_devices(pid: int) -> frozenset[int]:
    """Device numbers of the memory file systems that only the mount namespace of `pid` has: a box's own file space."""
    theirs = {device for device, kind in _mounts(pid) if kind == "tmpfs"}
    return frozenset(theirs - {device for device, _ in _mounts(os.getpid())})


def users(devices: frozenset[int]) -> list[int]:
    """Live processes that use something on one of the devices: an open file, a directory, a mapping."""
    return _finding(devices, _opened, _mapped)


def holders(devices: frozenset[int]) -> list[int]:
    """Live processes that keep one of the devices alive: by use, or by having it mounted where they live."""
    return _finding(devices, _opened, _mapped, _mounted)


def _finding(devices: frozenset[int], *sources: Callable[[int], Iterator[int]]) -> list[int]:
    if not devices:
        return []
    return [pid for pid in processes() if any(device in devices for look in sources for device in look(pid))]


def _process(pid: int) -> Process | None:
    base = PROC / str(pid)
    try:
        fields = _stat(base)
        if fields[0] in _DEAD and _living(pid) == base:
            return None
        return Process(pid, int(fields[1]), base.stat().st_uid, int(fields[19]))
    except OSError:
        return None


def _stat(base: Path) -> list[str]:
    """Fields of a stat file from the third on (the second, the name, may contain anything)."""
    return (base / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _living(pid: int) -> Path:
    """Where to read a process: a process whose leader has ended lives on in its threads, and shows itself there."""
    base = PROC / str(pid)
    with suppress(OSError):
        if _stat(base)[0] in _DEAD:
            threads = (base / "task" / name for name in os.listdir(base / "task"))
            return next((thread for thread in threads if _stat(thread)[0] not in _DEAD), base)
    return base


def _namespace(link: Path) -> int | None:
    try:
        return int(os.readlink(link).partition("[")[2].rstrip("]"))
    except (OSError, ValueError):
        return None


def _opened(pid: int) -> Iterator[int]:
    base = _living(pid)
    try:
        links = [base / "cwd", base / "root", *(base / "fd" / name for name in os.listdir(base / "fd"))]
    except OSError:
        return
    for link in links:
        try:
            if os.readlink(link).startswith("/"):
                yield os.stat(link).st_dev
        except OSError:
            continue


def _mapped(pid: int) -> Iterator[int]:
    try:
        lines = (_living(pid) / "maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        major, _, minor = line.split(maxsplit=4)[3].partition(":")
        yield os.makedev(int(major, 16), int(minor, 16))


def _mounted(pid: int) -> Iterator[int]:
    return (device for device, _ in _mounts(pid))


def _mounts(pid: int) -> list[tuple[int, str]]:
    try:
        lines = (_living(pid) / "mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [_mount(line) for line in lines]


def _mount(line: str) -> tuple[int, str]:
    major, _, minor = line.split(maxsplit=3)[2].partition(":")
    return os.makedev(int(major), int(minor)), line.partition(" - ")[2].split(maxsplit=1)[0]
