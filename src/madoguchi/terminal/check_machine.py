"""What the checks of a terminal look at: its settings and its machine. Looks at the system's settings and accounts.

A look answers None when all is right, else the detail that is wrong (a value, a file, a name; never a person's data).
Everything is read below one root directory, so that a test can give a look a machine of its own.
"""

import importlib.resources
import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from madoguchi.terminal.boxconfig import VISIT_USER
from madoguchi.terminal.config import TerminalConfig

CONFIG = Path("/etc/madoguchi/terminal.toml")
"""Where an installed terminal has its settings."""

DISPLAY_KEY = Path("/run/madoguchi-screen/Xauthority")
"""The key to the display that the desk's service makes."""

AGENT_USER = "madoguchi"
DESK_USER = "madoguchi-desk"
CARD_GROUP = "madoguchi-card"

GROUPS = {AGENT_USER: {DESK_USER, CARD_GROUP}, VISIT_USER: set[str](), DESK_USER: set[str]()}
"""Groups of each user beside its own: the agent reads the key to the display, and talks to the reader."""

_LEAST = 1
"""A core limit of one byte leaves no core, and keeps the kernel from handing one to a collector (core(5))."""

_OTHERS = 0o077
_WRITERS = 0o022


def _core_limit() -> int:
    return resource.getrlimit(resource.RLIMIT_CORE)[0]


def _package() -> Path:
    return Path(str(importlib.resources.files("madoguchi")))


@dataclass(frozen=True, slots=True)
class Machine:
    """One terminal as it is looked at: its settings, the file they come from, the directory that is its `/`.

    `uid` is who looks, `installer` who must own what the agent may not change, `core_limit` this process's own (bytes,
    negative: no limit), `program` where the program lies, `display_key` the file with the key to the display.
    """

    config: TerminalConfig
    config_file: Path = CONFIG
    root: Path = Path("/")
    uid: int = field(default_factory=os.geteuid)
    installer: int = 0
    core_limit: int = field(default_factory=_core_limit)
    program: Path = field(default_factory=_package)
    display_key: Path = field(default_factory=lambda: Path(os.environ.get("XAUTHORITY") or DISPLAY_KEY))

    def text(self, name: str) -> str:
        """Read a file below the root, stripped; empty when it cannot be read."""
        with suppress(OSError):
            return (self.root / name).read_bytes().decode(errors="replace").strip()
        return ""

    def commands(self) -> Iterator[tuple[int, list[str]]]:
        """Every process with its command line, as /proc has it."""
        for place in (self.root / "proc").glob("[0-9]*"):
            if line := self.text(f"proc/{place.name}/cmdline"):
                yield int(place.name), line.strip("\0").split("\0")


class Account(NamedTuple):
    """One line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    shell: str


def accounts(machine: Machine) -> dict[str, Account]:
    """Local users by name; a terminal's users are local."""
    lines = (line.split(":") for line in machine.text("etc/passwd").splitlines() if line.count(":") == 6)
    return {name: Account(name, int(uid), int(gid), shell) for name, _, uid, gid, _, _, shell in lines}


def core_pattern(machine: Machine) -> str | None:
    """A core handed to a collector, or written to a fixed place, leaves the box."""
    pattern = machine.text("proc/sys/kernel/core_pattern")
    return pattern or "?" if not pattern or pattern[0] == "|" or "/" in pattern else None


def core_limits(machine: Machine) -> str | None:
    """The running services leave no core; before they run, whoever looks."""
    ours = {pid: found for pid, command in machine.commands() if (found := _service(command))}
    limits = {name: _limit(machine, pid) for pid, name in ours.items()} or {"check": machine.core_limit}
    return ", ".join(sorted(name for name, limit in limits.items() if not 0 <= limit <= _LEAST)) or None


def swap(machine: Machine) -> str | None:
    """Nothing of a visit reaches a disk: no swap, only encrypted or compressed-memory swap, or none for the keeper.

    A keeper that may not swap (cgroup v2) covers its visits' memory and files, which are charged to it.
    """
    devices = [line.split()[0] for line in machine.text("proc/swaps").splitlines()[1:]]
    plain = [device for device in devices if not _harmless(machine, device)]
    barred = machine.text("sys/fs/cgroup/system.slice/madoguchi-keeper.service/memory.swap.max") == "0"
    return None if barred or not plain else ", ".join(plain)


def ptrace_scope(machine: Machine) -> str | None:
    """Programs of one user do not read each other's memory."""
    scope = machine.text("proc/sys/kernel/yama/ptrace_scope")
    return None if scope in {"1", "2", "3"} else f"ptrace_scope={scope or '?'}"


def agent_user(machine: Machine) -> str | None:
    """The agent is an ordinary user."""
    return None if machine.uid != 0 else "root"


def visit_user(machine: Machine) -> str | None:
    """The visits' browsers have a user of their own that nobody can log in as, and that is not the agent's."""
    found = accounts(machine).get(VISIT_USER)
    good = found is not None and found.uid not in {0, machine.uid} and found.shell.endswith(("/nologin", "/false"))
    return None if good else VISIT_USER


def shared_groups(machine: Machine) -> str | None:
    """The three users share no groups but the ones needed."""
    people = accounts(machine)
    members = [line.split(":") for line in machine.text("etc/group").splitlines() if line.count(":") == 3]
    wrong = {f"{user}: {name}" for name, _, _, users in members for user in users.split(",") if _astray(user, name)}
    ours = [people[name].gid for name in GROUPS if name in people]
    wrong |= {f"{name}: {found.gid}" for name, found in people.items() if ours.count(found.gid) > (name in GROUPS)}
    return ", ".join(sorted(wrong)) or None


def state_closed(machine: Machine) -> str | None:
    """Journal and key are the agent's alone."""
    return _unless_private(machine.config.state_dir, machine.uid)


def settings_closed(machine: Machine) -> str | None:
    """The agent cannot change its own settings, nor can a visit."""
    places = (machine.config_file, machine.config_file.parent)
    return next((str(place) for place in places if not _owned(place, machine.installer)), None)


def program_closed(machine: Machine) -> str | None:
    """The agent cannot change its own program, nor can a visit."""
    found = [
        place for place in (machine.program, *machine.program.rglob("*.py")) if not _owned(place, machine.installer)
    ]
    return str(found[0]) if found else None


def auto_mount(machine: Machine) -> str | None:
    """Nothing opens what is plugged in."""
    programs = ("udiskie", "usbmount", "gvfsd", "pcmanfm", "thunar-volman", "udevil", "devmon")
    places = ("usr/bin", "usr/sbin", "usr/libexec", "usr/lib/gvfs", "usr/share/usbmount")
    found = [name for name in programs for place in places if (machine.root / place / name).exists()]
    return ", ".join(found) or None


def _service(command: list[str]) -> str:
    """The name of one of our services, by its command line; empty for another program."""
    if Path(command[0]).name == "pcscd":
        return "pcscd"
    if "madoguchi.terminal.keeper" in command:
        return "keeper"
    return "agent" if command[-3:-1] == ["terminal", "run"] else ""


def _limit(machine: Machine, pid: int) -> int:
    """Soft limit of a process's core in bytes, -1 for none. A process that has ended leaves no core any more."""
    lines = machine.text(f"proc/{pid}/limits").splitlines()
    given = next((line.split()[4] for line in lines if line.startswith("Max core file size")), "0")
    return int(given) if given.isdigit() else -1


def _harmless(machine: Machine, device: str) -> bool:
    name = Path(device).name
    mapped = machine.text(f"sys/block/{name}/dm/uuid").startswith("CRYPT-")
    return mapped or (name.startswith("zram") and machine.text(f"sys/block/{name}/backing_dev") in {"", "none"})


def _astray(user: str, group: str) -> bool:
    return (user in GROUPS and group != user and group not in GROUPS[user]) or (
        group == VISIT_USER and user not in {"", VISIT_USER}
    )


def _unless_private(place: Path, owner: int) -> str | None:
    with suppress(OSError):
        status = place.stat()
        return (
            None if status.st_uid == owner and not status.st_mode & _OTHERS else f"{place} {status.st_mode & 0o777:o}"
        )
    return str(place)


def _owned(place: Path, owner: int) -> bool:
    with suppress(OSError):
        status = place.stat()
        return status.st_uid == owner and not status.st_mode & _WRITERS
    return False
