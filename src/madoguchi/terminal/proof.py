"""The proof that a box has ended. Nothing here believes a return code: each part is observed, or the proof fails.

1. The box's PID 1 is gone: its pidfd is readable. The kernel makes it readable only after every process of the PID
   namespace, however it forked or detached itself, has been killed and reaped.
2. No live process is left in the box's PID, IPC or mount namespace (zombies hold nothing and are ignored), and none
   keeps the namespace itself open.
3. The file space is gone: as root, a non-lazy umount of the visit's tmpfs succeeded; as an ordinary user it died with
   its mount namespace. In both cases no process holds a file, directory, mapping or mount of it: one that was handed
   out of the box through a socket would keep the data alive where neither 1 nor 2 nor an umount can see it.

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

from madoguchi.terminal.errors import WipeUnproven
from madoguchi.terminal.namespaces import Namespaces, keepers, members, namespaces_of, private_devices, ticks, users
from madoguchi.terminal.ports import WipeProof
from madoguchi.terminal.space import Space, SpaceHeld

_PAUSE = 0.02


@dataclass(slots=True)
class Traces:
    """How a box is found again: PID 1 by pidfd, namespaces by number, file space by device numbers."""

    init: int
    pidfd: int
    namespaces: Namespaces
    devices: frozenset[int] = frozenset()
    ended_at: int | None = None

    @classmethod
    def take(cls, init: int, namespaces: Namespaces) -> "Traces":
        """Take hold of a box that is just starting. Raises `ProcessLookupError` when it is already gone."""
        pidfd = os.pidfd_open(init)
        if namespaces_of(init) != namespaces:
            os.close(pidfd)
            raise ProcessLookupError(init)
        return cls(init, pidfd, namespaces)

    def note_devices(self) -> None:
        """Remember the box's own memory file systems; they can be read only while it lives."""
        self.devices |= private_devices(self.init)

    def ended(self) -> bool:
        """Part 1: the pidfd is readable. The moment is noted."""
        if self.ended_at is None and select.select((self.pidfd,), (), (), 0)[0]:
            self.ended_at = ticks()
        return self.ended_at is not None

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


def prove(*, traces: Traces, space: Space, logout: str, kill: Callable[[], None], limit: float) -> WipeProof:
    """Observe the end of a box, killing until it is seen. Raises `WipeUnproven` after `limit` seconds."""
    deadline = time.monotonic() + limit

    def seen(stands: Callable[[], str]) -> str:
        return _until_gone(stands, kill=kill, deadline=deadline)

    processes = seen(lambda: "" if traces.ended() else f"process {traces.init} of the box still lives")
    namespaces = seen(lambda: _namespaces_stand(traces))
    gone = seen(lambda: _space_stands(space, traces.devices))
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


def _until_gone(stands: Callable[[], str], *, kill: Callable[[], None], deadline: float) -> str:
    """Wait until `stands` has nothing to say; the time of that observation."""
    while what := stands():
        if time.monotonic() > deadline:
            raise WipeUnproven(what)
        kill()
        time.sleep(_PAUSE)
    return now()


def _namespaces_stand(traces: Traces) -> str:
    inside = members(traces.namespaces, until=traces.ended_at)
    return _listed("processes in the box's namespaces", inside) or _listed(
        "the box's namespaces are held by processes", keepers(traces.namespaces)
    )


def _space_stands(space: Space, devices: frozenset[int]) -> str:
    """Take the space away and look for whatever keeps any of it; empty when nothing does."""
    if pids := users(devices):
        return _listed("the file space is held by processes", pids)
    try:
        space.release()
    except SpaceHeld as held:
        return str(held)
    return ""


def _listed(what: str, pids: list[int]) -> str:
    return f"{what}: {', '.join(map(str, pids))}" if pids else ""
