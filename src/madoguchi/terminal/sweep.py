"""Destroying what an earlier agent left behind, whatever killed it: run before a terminal reports itself locked.

Ours is decided by marks that survive the agent, never by a command line:

1. a process started with our marker in its environment, and all its descendants (Chromium overwrites the environment
   of its helpers, so the mark is looked up along the parents), run by ourselves or as the browser's user: any other
   user could mark a process beside which others live;
2. everything in a private PID, IPC or mount namespace of one of those;
3. as root, every process of the browser's own user, unless its box belongs to another agent that is alive.

A box that was killed while it started can leave a namespace's PID 1 behind that shows up late: the sweep ends only
after two scans in a row have found nothing.
"""

import os
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.errors import BoxUnavailable, WipeUnproven
from madoguchi.terminal.namespaces import (
    AGENT,
    MARKER,
    Namespaces,
    Process,
    environ_of,
    namespaces_of,
    processes,
    started,
    user_of,
)
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, SPACE_NONE, SPACE_UNMOUNTED, WipeProof
from madoguchi.terminal.proof import now
from madoguchi.terminal.space import SpaceHeld, stale_mounts, unended, unmount
from madoguchi.terminal.spawn import visitor

_PAUSE = 0.05
_QUIET_SCANS = 2


def sweep(config: BoxConfig, *, training: bool = False) -> WipeProof:
    """Destroy every leftover of the agent with this state directory, and prove it. Raises `WipeUnproven`."""
    deadline = time.monotonic() + config.sweep_limit
    killed = kill_leftovers(config, deadline=deadline)
    gone = now()
    spaces, unmounted = _sweep_spaces(config.runtime, deadline)
    return WipeProof(
        training=training,
        logout=LOGOUT_NOT_TRIED,
        processes_gone_at=gone,
        namespaces_empty_at=gone,
        space_gone_at=now(),
        space=SPACE_UNMOUNTED if unmounted else SPACE_NONE,
        leftovers=killed + spaces,
    )


def leftovers(config: BoxConfig) -> tuple[set[Process], set[Process]]:
    """Live processes of ours by the rules above: sure ones, and those of the browser's user that carry no mark at all.

    A process that an agent is just starting carries no mark until it runs its own program, so that an unmarked one is
    believed only when it is still there at the next scan. Never this process or one of its ancestors.
    """
    table = processes()
    owners = {pid: _owner(pid, table) for pid in table}
    users = _our_users(config)
    marked = {pid for pid, (name, _) in owners.items() if name == config.name and user_of(pid) in users}
    abandoned = {pid for pid in _of_browser_user(config, table) if not _of_living_agent(owners[pid])}
    sure = marked | _neighbours(marked, table) | {pid for pid in abandoned if owners[pid][0]}
    spared = _lineage(table)
    return {table[pid] for pid in sure - spared}, {table[pid] for pid in abandoned - sure - spared}


def kill_leftovers(config: BoxConfig, *, deadline: float) -> int:
    """Kill until two scans in a row are empty; how many there were. Raises `WipeUnproven`."""
    killed: set[Process] = set()
    suspected: set[Process] = set()
    quiet = 0
    while quiet < _QUIET_SCANS:
        sure, unmarked = leftovers(config)
        found = sure | (unmarked & suspected)
        suspected = unmarked
        quiet = 0 if sure or unmarked else quiet + 1
        if not quiet and time.monotonic() > deadline:
            raise WipeUnproven(f"leftover processes: {sorted(process.pid for process in sure | unmarked)}")
        for process in found:
            _kill(process)
        killed.update(found)
        time.sleep(_PAUSE)
    return len(killed)


def kill_own(config: BoxConfig) -> int:
    """Kill what an agent of ours left that a keeper does not look for: bars. Raises `WipeUnproven`."""
    return kill_leftovers(config, deadline=time.monotonic() + config.sweep_limit)


def _sweep_spaces(runtime: Path, deadline: float) -> tuple[int, bool]:
    """Unmount and remove everything below `runtime`; how many spaces there were, and whether one was ever mounted."""
    mounts = stale_mounts(runtime)
    spaces = {*mounts, *(place for place in (runtime.iterdir() if runtime.is_dir() else ()) if place.is_dir())}
    known = bool(mounts) or len(spaces) < len(list(runtime.iterdir() if runtime.is_dir() else ()))
    for place in mounts:
        _unmount(place, deadline)
    while left := unended(runtime):
        if time.monotonic() > deadline:
            raise WipeUnproven(f"leftover space: {'; '.join(left)}")
        time.sleep(_PAUSE)
    shutil.rmtree(runtime, ignore_errors=True)
    if runtime.exists():
        raise WipeUnproven("leftover files cannot be removed")
    return len(spaces), known


def _unmount(place: Path, deadline: float) -> None:
    while True:
        try:
            return unmount(place)
        except SpaceHeld as held:
            if time.monotonic() > deadline:
                raise WipeUnproven(f"leftover space: {held}") from held
        time.sleep(_PAUSE)


def _owner(pid: int, table: Mapping[int, Process]) -> tuple[str, str]:
    """The marker (name of the agent's boxes, agent process) of a process or of its nearest marked ancestor."""
    while pid in table:
        environment = environ_of(pid)
        if MARKER in environment:
            return environment[MARKER], environment.get(AGENT, "")
        pid = table[pid].parent
    return "", ""


def _neighbours(marked: set[int], table: Mapping[int, Process]) -> set[int]:
    """Processes that share a namespace with a marked one, other than the namespaces we live in ourselves."""
    own = namespaces_of(os.getpid())
    if own is None:
        return set()
    spaces = {pid: space for pid in table if (space := namespaces_of(pid)) is not None}
    private = {part for pid in marked & spaces.keys() for part in _parts(spaces[pid])} - _parts(own)
    return {pid for pid, space in spaces.items() if not _parts(space).isdisjoint(private)}


def _parts(space: Namespaces) -> set[tuple[str, int]]:
    return {("pid", space.pid), ("ipc", space.ipc), ("mnt", space.mnt)}


def _of_browser_user(config: BoxConfig, table: Mapping[int, Process]) -> set[int]:
    """As root, the processes of the user that only browsers run as."""
    others = _our_users(config) - {os.geteuid()}
    return {pid for pid, process in table.items() if process.uid in others}


def _our_users(config: BoxConfig) -> set[int]:
    """Ourselves, and as root the user that only browsers run as."""
    try:
        return {os.geteuid(), visitor(config).uid}
    except BoxUnavailable:
        return {os.geteuid()}


def _of_living_agent(owner: tuple[str, str]) -> bool:
    pid, _, begun = owner[1].partition(":")
    return pid.isdigit() and begun.isdigit() and started(int(pid)) == int(begun)


def _lineage(table: Mapping[int, Process]) -> set[int]:
    pid, found = os.getpid(), {1}
    while pid in table and pid not in found:
        found.add(pid)
        pid = table[pid].parent
    return found


def _kill(process: Process) -> None:
    """Kill this very process, not another that got its number meanwhile."""
    with suppress(ProcessLookupError):
        pidfd = os.pidfd_open(process.pid)
        try:
            if started(process.pid) == process.started:
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        finally:
            os.close(pidfd)
