"""The proof that a box has ended. Nothing here believes a return code: each part is observed, or the proof fails.

1. The box's PID 1 is gone: its pidfd is readable. The kernel makes it readable only after every process of the PID
   namespace, however it forked or detached itself, has been killed and reaped.
2. No live process is left in the box's PID, IPC or mount namespace (zombies hold nothing and are ignored).
3. The file space is gone: as root, a non-lazy umount of the visit's tmpfs succeeded; as an ordinary user it died with
   its mount namespace. And the kernel has told the end (`ends`) of every file system that the visit could write to, of
   the box's root and of its message queues: no process, not even a descriptor on its way through a socket, keeps a
   file, directory, mapping or mount of it, or one of its namespaces.

The kernel reuses the numbers of dead namespaces and devices at once, and another box may be starting: what began after
the end was seen (`members`), and who has such a device mounted (`users`), is another's.

Until a part is seen the box is killed again and again; after `limit` seconds `WipeUnproven` names what still stands.
"""

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from madoguchi.terminal.ends import Ends
from madoguchi.terminal.errors import WipeUnproven
from madoguchi.terminal.namespaces import Namespaces, keepers, members, namespaces_of, private_mounts, ticks, users
from madoguchi.terminal.ports import WipeProof
from madoguchi.terminal.space import Space, SpaceHeld

_PAUSE = 0.005


@dataclass(slots=True)
class Traces:
    """How a box is found again: PID 1 by pidfd, namespaces by number, file space by device numbers."""

    init: int
    pidfd: int
    namespaces: Namespaces
    devices: frozenset[int] = frozenset()
    ended_at: int | None = None
    ends: Ends | None = None

    @classmethod
    def take(cls, init: int, namespaces: Namespaces) -> "Traces":
        """Take hold of a box that is just starting. Raises `ProcessLookupError` when it is already gone."""
        pidfd = os.pidfd_open(init)
        if namespaces_of(init) != namespaces:
            os.close(pidfd)
            raise ProcessLookupError(init)
        return cls(init, pidfd, namespaces)

    def note_devices(self) -> None:
        """Watch the box's own file systems; they can be found only while it lives. Once. Raises `OSError`."""
        if self.ends is None:
            self.ends, found = Ends(), private_mounts(self.init)
            for device, place in found.items():
                self.ends.watch(Path(f"/proc/{self.init}/root{place}"), device)
            self.devices = frozenset(found)

    def ended(self) -> bool:
        """Part 1: the pidfd is readable, or becomes so in a moment. The time is noted."""
        if self.ended_at is None and select.select((self.pidfd,), (), (), _PAUSE)[0]:
            self.ended_at = ticks()
        return self.ended_at is not None

    def standing(self) -> str:
        """Part 3: what is left of the box's own file systems; empty when nothing is."""
        return "the box's own file systems are still in use" if self.ends and self.ends.standing() else ""

    def holders(self) -> list[int]:
        """Processes that keep anything of the box. Slow: they are looked for in everybody's files and mappings."""
        return keepers(self.namespaces) + users(self.devices)

    def kill(self) -> None:
        """Kill PID 1: the kernel kills everything in its PID namespace."""
        if self.pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def close(self) -> None:
        """Give the pidfd back; only after `ended`."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1
        if self.ends is not None:
            self.ends.close()


def prove(*, traces: Traces, space: Space, logout: str, kill: Callable[[], None], limit: float) -> WipeProof:
    """Observe the end of a box, killing until it is seen. Raises `WipeUnproven` after `limit` seconds."""
    deadline = time.monotonic() + limit

    def seen(stands: Callable[[], str], who: Callable[[], list[int]]) -> str:
        return _until_gone(stands, who, kill=kill, deadline=deadline)

    processes = seen(lambda: "" if traces.ended() else f"process {traces.init} of the box still lives", list)
    namespaces = seen(lambda: _namespaces_stand(traces), list)
    gone = seen(lambda: _space_stands(space) or traces.standing(), lambda: space.holders() + traces.holders())
    traces.close()
    return WipeProof(
        training=False,
        logout=logout,
        processes_gone_at=processes,
        namespaces_empty_at=namespaces,
        space_gone_at=gone,
        space=space.kind,
    )


def now() -> str:
    """Note the time of an observation, RFC 3339 with offset, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _until_gone(
    stands: Callable[[], str], who: Callable[[], list[int]], *, kill: Callable[[], None], deadline: float
) -> str:
    """Wait until `stands` has nothing to say; the time of that observation. `who` is asked when it stays."""
    while what := stands():
        if time.monotonic() > deadline:
            raise WipeUnproven(_listed(what, sorted(set(who()))) or what)
        kill()
        time.sleep(_PAUSE)
    return now()


def _namespaces_stand(traces: Traces) -> str:
    """Look for members; a box that was never watched also for whoever keeps its namespaces open."""
    inside = members(traces.namespaces, until=traces.ended_at)
    return _listed("processes in the box's namespaces", inside) or (
        "" if traces.ends else _listed("the box's namespaces are held by processes", keepers(traces.namespaces))
    )


def _space_stands(space: Space) -> str:
    """Take the space away; empty when that is done."""
    try:
        space.release()
    except SpaceHeld as held:
        return str(held)
    return ""


def _listed(what: str, pids: list[int]) -> str:
    return f"{what}: {', '.join(map(str, pids))}" if pids else ""
