"""What the box tests share: agents that can be killed, and eyes for what is left of a box."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from madoguchi.terminal.boxconfig import VISIT_USER, BoxConfig
from madoguchi.terminal.namespaces import (
    AGENT,
    MARKER,
    Namespaces,
    environ_of,
    members,
    processes,
    started,
    ticks,
    users,
)
from madoguchi.terminal.space import stale_mounts
from terminal.box.site import Site

DRIVER = Path(__file__).with_name("driver.py")
ENTER = Path(__file__).with_name("enter.py")
SOURCE = Path(__file__).resolve().parents[3] / "src"
PERSONS = ("root", "nobody") if os.geteuid() == 0 else (pwd.getpwuid(os.geteuid()).pw_name,)
"""Whom the agent runs as: as root both ways, else only as whoever runs the tests."""


AS_ROOT = [person for person in PERSONS if person == "root"]


class Refused(Exception):  # what the agent answered
    """The agent's named error."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Agent:
    """A driver process. Leaving it kills it and sweeps whatever its boxes left."""

    def __init__(self, state: Path, *, person: str, bare: bool = False, umask: int = 0o022, **settings: Any) -> None:
        self.state, self.person = state, person
        self.settings = {"state": str(state), "training": True, "display": None, **settings}
        self._bare, self._umask = bare, umask
        self.process = self._start()
        self.answered = ticks()

    @property
    def root(self) -> bool:
        return pwd.getpwnam(self.person).pw_uid == 0

    @property
    def config(self) -> BoxConfig:
        return BoxConfig(state=self.state)

    @property
    def runtime(self) -> Path:
        return Path("/run/madoguchi") / self.config.name if self.root else self.state.resolve() / "boxes"

    def ask(self, do: str, **values: Any) -> Any:
        """Send one request and wait for the answer."""
        self.tell(do, **values)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the agent ended"
        self.answered = ticks()
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"], answer["text"])
        return answer["result"]

    def attempt(self, do: str, **values: Any) -> str:
        """Send one request; the code of the refusal, empty when there was none."""
        try:
            self.ask(do, **values)
        except Refused as refused:
            return refused.code
        return ""

    def tell(self, do: str, **values: Any) -> None:
        """Send one request."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **values}) + "\n")
        self.process.stdin.flush()

    def open(self, site: Site, path: str = "/start", *, allowed: tuple[str, ...] = ()) -> Any:
        """Open a box at the site's page."""
        return self.ask("open", **self.visit(site, path, allowed))

    @staticmethod
    def visit(site: Site, path: str = "/start", allowed: tuple[str, ...] = ()) -> dict[str, Any]:
        places = [site.origin, *allowed]
        return {"start": site.origin + path, "logout": site.origin + "/logout", "allowed": places}

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def again(self) -> "Agent":
        """Start the agent anew after a kill."""
        self.process = self._start()
        return self

    def again_after_kill(self) -> "Agent":
        """Kill the agent and start it anew."""
        self.kill()
        return self.again()

    def __enter__(self) -> "Agent":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()
        self.again()
        self.ask("sweep")
        self.kill()

    def _start(self) -> subprocess.Popen[str]:
        given = json.dumps({"settings": self.settings, "bare": self._bare, "umask": self._umask})
        return subprocess.Popen(
            [interpreter(self.person), str(DRIVER), given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"},
            **as_person(self.person),
        )


def interpreter(person: str) -> str:
    """A Python that this user can start: ours may lie in another user's home."""
    if pwd.getpwnam(person).pw_uid == os.geteuid():
        return sys.executable
    if all(path.stat().st_mode & 0o001 for path in Path(sys.executable).resolve().parents):
        return sys.executable
    found = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    assert found is not None, "no Python for another user"
    return found


def as_person(person: str) -> dict[str, Any]:
    """Arguments for `Popen` to run as a user."""
    found = pwd.getpwnam(person)
    if found.pw_uid == os.geteuid():
        return {}
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


def browser_person(agent: Agent) -> str:
    """Who the agent's browsers run as."""
    return VISIT_USER if agent.root else agent.person


def marked(agent: Agent) -> dict[str, str]:
    """Environment that tells the sweeps of other tests whose a process is."""
    pid = agent.process.pid
    return {"PATH": os.environ["PATH"], MARKER: agent.config.name, AGENT: f"{pid}:{started(pid)}"}


def until(what: Callable[[], Any], limit: float = 5.0) -> Any:
    """Wait until something is true; its value."""
    deadline = time.monotonic() + limit
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {limit} s"
        time.sleep(0.02)
    return found


def left_of(agent: Agent, traces: Any = None) -> list[str]:
    """Everything that still stands of an agent's boxes, looked for in other ways than the agent does."""
    name = agent.config.name
    found = [f"process {pid}" for pid in processes() if environ_of(pid).get(MARKER) == name]
    found += [f"mount {place}" for place in stale_mounts(agent.runtime)]
    if agent.runtime.is_dir():
        found += [f"file {place}" for place in agent.runtime.iterdir()]
    if traces is not None:
        inside = members(Namespaces(*traces["namespaces"]), until=agent.answered)
        found += [f"member {pid}" for pid in inside if nearest_mark(pid) in {"", name}]
        found += [f"holder {pid}" for pid in users(frozenset(traces["devices"]))]
    return found


def nearest_mark(pid: int) -> str:
    """The marker of a process or of its nearest marked ancestor: another test's box may have got an old number."""
    table = processes()
    while pid in table:
        if mark := environ_of(pid).get(MARKER):
            return mark
        pid = table[pid].parent
    return ""


def planted(marker: str, *places: Path, since: float) -> list[Path]:
    """Files written since a moment that contain a marker."""
    found = []
    for place in places:
        for folder, _, names in os.walk(place):
            for path in (Path(folder) / name for name in names):
                with suppress(OSError):
                    fresh = path.is_file() and not path.is_symlink() and path.stat().st_mtime >= since - 1
                    if fresh and marker.encode() in path.read_bytes():
                        found.append(path)
    return found


@contextmanager
def process_in_box(agent: Agent, traces: Any, script: str) -> Iterator[None]:
    """Run a shell script inside a box as the browser's user, the way a helper of the browser would run."""
    person = browser_person(agent)
    command = [interpreter(person), str(ENTER), str(traces["init"]), "/bin/bash", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/", env=marked(agent), **as_person(person)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            process.kill()
