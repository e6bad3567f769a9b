"""The proof that a box has ended. Nothing here believes a return code: each part is observed, or the proof fails.

1. The box's PID 1 is gone: its pidfd is readable. The kernel makes it readable only after every process of the PID
   namespace, however it forked or detached itself, has been killed and reaped.
2. No live process is left in the box's PID, IPC or mount namespace (zombies hold nothing and are ignored).
3. The file space is gone: as root, a non-lazy umount of the visit's tmpfs succeeded; as an ordinary user it died with
   its mount namespace. In both cases no process holds a file, directory, mapping or mount of it: one that was handed
   out of the box through a socket would keep the data alive where neither 1 nor 2 nor an umount can see it.

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
from madoguchi.terminal.namespaces import Namespaces, holders, members, namespaces_of, private_devices, users
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
        """Part 1: the pidfd is readable."""
        return self.pidfd < 0 or bool(select.select((self.pidfd,), (), (), 0)[0])

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
    devices = traces.devices | space.devices()

    def seen(stands: Callable[[], str]) -> str:
        return _until_gone(stands, kill=kill, deadline=deadline)

    processes = seen(lambda: "" if traces.ended() else f"process {traces.init} of the box still lives")
    namespaces = seen(lambda: _listed("processes in the box's namespaces", members(traces.namespaces)))
    gone = seen(lambda: space_stands(space.release, devices))
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


def space_stands(release: Callable[[], None], devices: frozenset[int]) -> str:
    """Take a file space away and look for what still holds it; empty when nothing does.

    Open files are looked for first: as long as there are any the mount stays, as a record that outlives the agent.
    """
    if pids := users(devices):
        return _listed("the file space is held by processes", pids)
    try:
        release()
    except SpaceHeld as held:
        return str(held)
    return _listed("the file space is held by processes", holders(devices))


def _listed(what: str, pids: list[int]) -> str:
    return f"{what}: {', '.join(map(str, pids))}" if pids else ""
