"""What /proc says about processes, their namespaces and what they hold. Reads only; nothing is killed here.

A process that vanishes while it is read counts as gone. What the kernel does not let us read (another user's process,
seen by an ordinary user) is skipped: such a process cannot be in a box of ours unless it is ours.
"""

import os
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MARKER = "MADOGUCHI_BOX"
AGENT = "MADOGUCHI_AGENT"
_KINDS = ("pid", "ipc", "mnt")
_DEAD = frozenset("ZX")
_KERNEL_THREAD = 0x00200000


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


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount as a process sees it: device number, place, kind of file system, source as it was given."""

    device: int
    place: Path
    kind: str
    source: str


def processes() -> dict[int, Process]:
    """All live programs. A zombie is left out, unless a thread of it still runs (its leader alone has ended)."""
    found = (_process(int(name)) for name in os.listdir(PROC) if name.isdigit())
    return {process.pid: process for process in found if process is not None}


def namespaces_of(pid: int) -> Namespaces | None:
    """Read the namespaces of a process; None: gone or not readable."""
    base = _living(pid)
    numbers = [number for kind in _KINDS if (number := _number(base, kind)) is not None]
    return Namespaces(*numbers) if len(numbers) == len(_KINDS) else None


def user_of(pid: int) -> int | None:
    """Read who runs a process, None when it is gone; its place in /proc may belong to root for other reasons."""
    lines = _read(pid, "status").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(b"Uid:")), None)


def environ_of(pid: int) -> Mapping[str, str]:
    """Read the environment the process was started with; empty when gone, overwritten or not readable."""
    pairs = (entry.partition(b"=") for entry in _read(pid, "environ").split(b"\0"))
    return {os.fsdecode(name): os.fsdecode(value) for name, sign, value in pairs if sign}


def members(box: Namespaces, *, until: int | None = None) -> list[int]:
    """Live processes inside a box: one shared namespace is enough.

    `until` (clock ticks since boot) is when the box's PID 1 was seen dead: the kernel gives the numbers of dead
    namespaces to new ones, so a process that was started later is in another box.
    """
    old = (process.pid for process in processes().values() if until is None or process.started <= until)
    return [pid for pid in old if (own := namespaces_of(pid)) is not None and own.meets(box)]


def keepers(box: Namespaces) -> list[int]:
    """Live processes that keep a box's mounts or shared memory alive by an open descriptor of the namespace itself."""
    names = {f"mnt:[{box.mnt}]", f"ipc:[{box.ipc}]"}
    return [pid for pid in processes() if not names.isdisjoint(_links(pid).values())]


def ticks() -> int:
    """Read the clock that start times are given in: clock ticks since boot, rounded up."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK")) + 1


def started(pid: int) -> int | None:
    """Start time of a live process in clock ticks since boot, None when it is gone."""
    process = _process(pid)
    return None if process is None else process.started


def mounts(pid: int) -> list[Mount]:
    """All mounts where a process lives; none when it is gone or not readable."""
    return [_mount(line) for line in _read(pid, "mountinfo").decode(errors="replace").splitlines()]


def private_mounts(pid: int) -> dict[int, Path]:
    """What only the namespaces of `pid` have: memory file systems and message queues, by device number, and a place."""
    theirs = {mount.device: mount.place for mount in mounts(pid) if mount.kind in {"tmpfs", "mqueue"}}
    ours = {mount.device for mount in mounts(os.getpid())}
    return {device: place for device, place in theirs.items() if device not in ours}


def users(devices: frozenset[int]) -> list[int]:
    """Live processes that use something on a device they have not mounted: an open file, a directory, a mapping.

    The kernel gives a device number that has become free to the next mount, so a process that has the number mounted
    uses another file system: what is left of a box is mounted nowhere any more.
    """
    found = {pid: used for pid in processes() if (used := _used(pid, devices))} if devices else {}
    mounted = _mounted() if found else {}
    where = {pid: space for pid in found if (space := _namespace(pid, "mnt")) is not None}  # others have ended by now
    return [pid for pid, space in where.items() if found[pid] - mounted.get(space, set())]


def openers(device: int) -> list[int]:
    """Live processes that use something on a device that is still mounted, and so is this very device."""
    return [pid for pid in processes() if _used(pid, frozenset({device}))]


def mounters(source: str) -> list[int]:
    """Live processes that have a mount of this source, a word without spaces, where they live."""
    return [pid for pid in processes() if f" {source} ".encode() in _read(pid, "mountinfo")]


def _used(pid: int, devices: frozenset[int]) -> frozenset[int]:
    """Which of the devices a process uses."""
    return devices & _opened(pid) | _mapped(pid, devices)


def _mounted() -> dict[int | None, set[int]]:
    """Devices mounted in each mount namespace; all its processes are asked, for one that changed its root sees none."""
    found: dict[int | None, set[int]] = {}
    for pid in processes():
        found.setdefault(_namespace(pid, "mnt"), set()).update(mount.device for mount in mounts(pid))
    return found


def _process(pid: int) -> Process | None:
    base = PROC / str(pid)
    try:
        fields = _stat(base)
        if int(fields[6]) & _KERNEL_THREAD or (fields[0] in _DEAD and _living(pid) == base):
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


def _namespace(pid: int, kind: str) -> int | None:
    return _number(_living(pid), kind)


def _number(base: Path, kind: str) -> int | None:
    try:
        return int(os.readlink(base / "ns" / kind).partition("[")[2].rstrip("]"))
    except (OSError, ValueError):
        return None


def _read(pid: int, name: str) -> bytes:
    """Read a file of a process in /proc; empty when it is gone or not readable."""
    try:
        return (_living(pid) / name).read_bytes()
    except OSError:
        return b""


def _links(pid: int) -> dict[Path, str]:
    """What a process has open, and its directories: the links in /proc and what they say."""
    base = _living(pid)
    found: dict[Path, str] = {}
    with suppress(OSError):
        for link in (base / "cwd", base / "root", *(base / "fd" / name for name in os.listdir(base / "fd"))):
            with suppress(OSError):
                found[link] = os.readlink(link)
    return found


def _opened(pid: int) -> frozenset[int]:
    found = set()
    for link, target in _links(pid).items():
        if target.startswith("/"):
            with suppress(OSError):
                found.add(os.stat(link).st_dev)
    return frozenset(found)


def _mapped(pid: int, devices: frozenset[int]) -> frozenset[int]:
    lines = _read(pid, "maps")
    return frozenset(device for device in devices if b" %02x:%02x " % (os.major(device), os.minor(device)) in lines)


def _mount(line: str) -> Mount:
    """Parse a line of mountinfo, see proc(5): fixed fields, optional ones, a dash, type, source."""
    fixed, _, rest = line.partition(" - ")
    number, place = fixed.split()[2], fixed.split()[4]
    major, _, minor = number.partition(":")
    kind, source = rest.split()[:2]
    return Mount(os.makedev(int(major), int(minor)), Path(_unescape(place)), kind, _unescape(source))


def _unescape(text: str) -> str:
    """Undo the octal escapes of white space and backslashes."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
