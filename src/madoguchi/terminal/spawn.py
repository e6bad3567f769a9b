"""Starting the processes of a box with exactly the descriptors they need.

A box dies with the *thread* that started it (`--die-with-parent` follows it), so `launch` must be called from a thread
that lives as long as the agent.
"""

import fcntl
import json
import os
import pwd
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, TextIO

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.errors import BoxUnavailable
from madoguchi.terminal.namespaces import AGENT, MARKER, Namespaces, started

_BEAT_PAUSE = 0.5
_LOWEST = 64


@dataclass(frozen=True, slots=True)
class Person:
    """The system user that the browser runs as."""

    uid: int
    gid: int

    def popen(self) -> dict[str, Any]:
        """Arguments for `Popen`; none when it is the agent's own user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def visitor(config: BoxConfig) -> Person:
    """Who the browser runs as: never root. Raises `BoxUnavailable` when root has no ordinary user for it."""
    if os.geteuid() != 0:
        return Person(os.geteuid(), os.getegid())
    with suppress(KeyError):
        found = pwd.getpwnam(config.visit_user)
        if found.pw_uid != 0:
            return Person(found.pw_uid, found.pw_gid)
    raise BoxUnavailable(
        f"ブラウザ用の利用者 {config.visit_user} がありません。script/bootstrap を実行してください "
        f"(no system user {config.visit_user})。"
    )


def marks(config: BoxConfig) -> Mapping[str, str]:
    """Environment that names the owner of a box: whose it is, and which agent process made it."""
    return {MARKER: config.name, AGENT: f"{os.getpid()}:{started(os.getpid())}"}


class Inner(NamedTuple):
    """The box's ends: debugging pipe in and out, heartbeat, and the door that its listener is handed out through."""

    cdp_in: int
    cdp_out: int
    beat_in: int
    door: int

    def close(self) -> None:
        """Close them on this side once the child has them, so that its end is seen as end of file."""
        for descriptor in self:
            os.close(descriptor)


class Pipes:
    """The descriptors between the agent and a box. What is named here stays with the agent, `inner` goes to the box."""

    def __init__(self) -> None:
        cdp_in, self.to_browser = high_pair(os.pipe())
        self.from_browser, cdp_out = high_pair(os.pipe())
        beat_in, self.beat = high_pair(os.pipe())
        near, far = socket.socketpair()
        self.door, door = high_pair((near.detach(), far.detach()))
        self.inner = Inner(cdp_in, cdp_out, beat_in, door)
        os.set_blocking(self.beat, False)

    def close_outer(self) -> None:
        """Close the agent's ends."""
        for descriptor in (self.to_browser, self.from_browser, self.beat, self.door):
            os.close(descriptor)


def high_pair(low: tuple[int, int]) -> tuple[int, int]:
    """Move a pair to numbers that stay clear of 3 and 4, which Chromium reads its debugging pipe from."""
    first, second = (fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _LOWEST) for descriptor in low)
    for descriptor in low:
        os.close(descriptor)
    return first, second


def raised(descriptors: Iterable[int]) -> Inner:
    """Move descriptors that came from another process to numbers a box can be given."""
    found = []
    for descriptor in descriptors:
        found.append(fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _LOWEST))
        os.close(descriptor)
    return Inner(*found)


def launch(
    command: list[str], *, environment: Mapping[str, str], person: Person, inherited: Iterable[int]
) -> subprocess.Popen[bytes]:
    """Start a program in its own session with these descriptors. Raises `BoxUnavailable`."""
    try:
        return subprocess.Popen(  # noqa: S603 # the command line is ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=dict(environment),
            pass_fds=tuple(inherited),
            start_new_session=True,
            **person.popen(),
        )
    except OSError as error:
        raise BoxUnavailable(f"{command[0]} を起動できません: {error.strerror} (cannot be started)。") from error


def read_info(report: TextIO, *, limit: float = 10.0) -> tuple[int, Namespaces]:
    """PID 1 and namespaces of a box, as bubblewrap reports them.

    Raises `BoxUnavailable` when it ended instead, or said nothing for `limit` seconds.
    """
    try:
        given = json.loads(_whole(report, limit))
        numbers = (given[f"{kind}-namespace"] for kind in ("pid", "ipc", "mnt"))
        return int(given["child-pid"]), Namespaces(*numbers)
    except (ValueError, KeyError) as error:
        raise BoxUnavailable("bubblewrap が箱を作れません (bubblewrap could not make the namespaces)。") from error


def _whole(report: TextIO, limit: float) -> bytes:
    """Read to the end, or until nothing came for `limit` seconds: whoever reports may stand still."""
    found = b""
    while select.select((report,), (), (), limit)[0]:
        part = os.read(report.fileno(), 1 << 12)
        found += part
        if not part:
            break
    return found


class Heartbeat:
    """Tells the box twice a second that the agent is alive; when it stops, the box ends itself.

    `alive` is asked before every beat, in a thread of its own: a process that runs while its loop hangs is not alive.
    """

    def __init__(self, descriptor: int, alive: Callable[[], bool]) -> None:
        self._descriptor = descriptor
        self._alive = alive
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop beating. Idempotent."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                if self._alive():
                    self._beat()
                if self._stop.wait(_BEAT_PAUSE):
                    return

    def _beat(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._descriptor, b".")
