"""The places of an agent's life at which a test may kill it: before and after everything that leaves a trace.

Used inside the agent's process only. The n-th place that the agent comes by is written down; at the place it was told,
the process kills itself with SIGKILL, in the middle of whatever its other threads are doing.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

Label = Callable[..., str]
T = TypeVar("T")


class Places:
    """Counts the places passed; `at`: kill at this one, never when None."""

    def __init__(self, path: Path, at: int | None) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._at = at
        self._count = 0
        self._lock = threading.Lock()

    def passing(self, name: str) -> None:
        """Write the place down, or die here."""
        with self._lock:
            self._count += 1
            os.write(self._file, f"{name}\n".encode())
            if self._count == self._at:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()

    def around(self, owner: Any, name: str, label: Label) -> None:
        """Places before and after a call. `label` is given the call's arguments; an empty label is no place."""
        real = getattr(owner, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            what = label(*given, **named)
            if what:
                self.passing(f"before {what}")
            result = real(*given, **named)
            if what:
                self.passing(f"after {what}")
            return result

        setattr(owner, name, wrapped)


def always(what: str) -> Label:
    """The same label whatever the arguments are."""
    return lambda *_given, **_named: what


def install(places: Places) -> None:
    """Put places around everything the agent does to its journal, its box, the server and the desk's answers."""
    _journal(places)
    _box(places)
    _server(places)
    _desk(places)


def _journal(places: Places) -> None:
    from madoguchi.terminal.journal import Journal

    def step(_journal: Any, record: Any, drafts: Any, _stamp: Any) -> str:
        told = ",".join(draft.kind for draft in drafts)
        return f"journal step {record.terminal.state} [{told}]"

    places.around(Journal, "commit", step)
    places.around(Journal, "_insert", lambda _journal, _db, out: f"insert of {out.message.kind} (uncommitted)")
    places.around(Journal, "_mirror_number", always("mirror of the number"))
    places.around(Journal, "settle", lambda _journal, out, **_: f"settling of {out.message.kind}")


def _box(places: Places) -> None:
    from madoguchi.terminal import box, ground, sweep
    from madoguchi.terminal.effects import Effects
    from madoguchi.terminal.proof import Traces
    from madoguchi.terminal.space import MountedSpace, NamespaceSpace

    places.around(Effects, "carry_out", lambda _effects, kind, _record: f"effect {kind}")
    places.around(ground, "launch", always("launch of bubblewrap"))
    places.around(ground, "read_info", always("bubblewrap's report"))
    places.around(ground, "sweep", always("sweep"))
    places.around(sweep, "kill_leftovers", always("sweep's kills"))
    places.around(box.BwrapBox, "look_over", always("browser ready"))
    places.around(box.BwrapBox, "enter", always("start address"))
    places.around(box.BwrapBox, "destroy", always("destroy"))
    places.around(box.BwrapBox, "logout", always("log-out address"))
    places.around(box.BwrapBox, "curtain", lambda _box, down: f"curtain {'down' if down else 'up'}")
    places.around(Traces, "note_devices", always("devices noted"))
    for space in (MountedSpace, NamespaceSpace):
        places.around(space, "__init__", always("file space made"))
        places.around(space, "release", always("file space released"))


def _server(places: Places) -> None:
    from madoguchi.terminal.link import HttpLink

    def report(_link: Any, outbounds: Any) -> str:
        return f"HTTP {','.join(out.message.kind for out in outbounds)}"

    places.around(HttpLink, "send", report)
    real = HttpLink.poll
    known: set[str] = set()

    def poll(link: HttpLink, given: Mapping[str, Any]) -> Any:
        answer = real(link, given)
        if answer.assignment is not None and answer.assignment.visit not in known:
            known.add(answer.assignment.visit)
            places.passing("after poll that brings a visit")
        return answer

    setattr(HttpLink, "poll", poll)  # noqa: B010 # a method of the class, replaced in this process only


def _desk(places: Places) -> None:
    from madoguchi.terminal.agent import Agent

    places.around(Agent, "ask", lambda _agent, event, **_: f"desk's {event.kind}")
