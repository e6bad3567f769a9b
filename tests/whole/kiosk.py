"""A whole counter as it is installed: card service, keeper (root), agent (its own user), display, office, sites."""

import os
import pwd
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from madoguchi.terminal.boxconfig import BoxConfig
from terminal.box.support import as_person, interpreter
from terminal.box.xserver import XServer
from whole.agents import Desk, Remains
from whole.hands import DOWN, ENTER, SPACE, TAB, Hands, Stops
from whole.helpers import SOURCE, Helper, environment, tail, until
from whole.office import Office, free_port, short_folder
from whole.town import READER

AGENT_USER = "madoguchi"
_LIMIT = 30.0
_PACKAGES = next(place for place in sys.path if place.endswith("site-packages"))


class Program:
    """One of our programs, started again and again."""

    def __init__(self, name: str, folder: Path, start: Callable[[Any], "subprocess.Popen[bytes]"]) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        self._start = start
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self.process = self._start(log)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(_LIMIT)

    def log(self) -> str:
        """What it said last."""
        return tail(self._log)


class Kiosk:
    """One installed terminal and everything around it. Made by `kiosk`."""

    def __init__(self, folder: Path, office: Office, town: Helper, display: XServer, sites: Mapping[str, Any]) -> None:
        self.folder, self.office, self.town, self.display, self.sites = folder, office, town, display, sites
        self.hands = Hands(display)
        self.terminal: str = office.ask("terminal")
        self.port = free_port()
        self.desk = Desk(self.port)
        self.state = folder / "state"
        self.box = BoxConfig(state=self.state)
        self._config = folder / "terminal.toml"
        self._read = 0
        self._prepare()
        self.keeper = Program("keeper", folder, self._start_keeper)
        self.agent = Program("agent", folder, self._start_agent)
        self._enrol()

    def start(self) -> None:
        """Start keeper and agent, and wait until the terminal is locked."""
        self.keeper.start()
        self.agent.start()
        self.await_view("locked")

    def close(self) -> None:
        """End everything."""
        self.agent.kill()
        self.keeper.kill()
        self.desk.close()

    # what a person does

    def view(self) -> str:
        """What the desk page shows; empty while nobody answers."""
        with suppress(httpx.TransportError):
            return str(self.desk.status()["key"]).split(".")[0]
        return ""

    def await_view(self, *views: str) -> str:
        """Wait until the desk page shows one of these."""
        return until(lambda: self.view() if self.view() in views else "", lambda: f"{views}: {self.picture()}", _LIMIT)

    def call(self) -> str:
        """Issue a ticket and call it to this terminal; the visit."""
        visit = self.office.issue()
        self.office.ask("call", visit=visit, terminal=self.terminal)
        return visit

    def insert(self, citizen: str) -> None:
        """Put a card on the reader."""
        self.town.ask("insert", citizen=citizen)

    def remove(self) -> None:
        """Take the card away."""
        self.town.ask("remove")

    def await_page(self, path: str) -> None:
        """Wait until the box has been given this page, and has had time to draw it."""
        until(
            lambda: self.town.ask("pages") > self._read and self._path() == path,
            lambda: f"{path}: {self._path()}",
            _LIMIT,
        )
        self._read = self.town.ask("pages")
        time.sleep(0.5)

    def go_to(self, name: str) -> None:
        """Move the focus, from the beginning of the page, to what has this id, name, address or value."""
        self.hands.click(4, 60)  # the margin: no element is there
        self.hands.press(TAB, Stops(self.town.ask("page")[1]).before(name))

    def push(self, name: str) -> None:
        """Push a button or follow a link, by keyboard."""
        self.go_to(name)
        self.hands.press(ENTER)

    def fill(self, name: str, text: str) -> None:
        """Type into a field."""
        self.go_to(name)
        self.hands.write(text)

    def choose(self, name: str, place: int) -> None:
        """Choose the so manieth of a group, counted from 0."""
        self.go_to(name)
        self.hands.press(DOWN, place) if place else self.hands.press(SPACE)

    def choices(self, name: str) -> list[str]:
        """The values of a group of choices, in their order."""
        return re.findall(rf'type="radio" name="{name}" value="([^"]*)"', self.town.ask("page")[1])

    # what is left

    def remains(self) -> Remains:
        """Whatever stands of this terminal's boxes."""
        return Remains(self.box, mounts_of=os.getpid())

    def picture(self) -> str:
        """Everything about this moment, for a failure's message."""
        with suppress(httpx.TransportError):
            return f"{self.desk.status()}\n{self.keeper.log()}\n{self.agent.log()}"
        return f"{self.keeper.log()}\n{self.agent.log()}"

    # inside

    def _path(self) -> str:
        found: str = self.town.ask("page")[0]
        return found

    def _prepare(self) -> None:
        agent = pwd.getpwnam(AGENT_USER)
        self.folder.chmod(0o711)
        self.state.mkdir(mode=0o700)
        os.chown(self.state, agent.pw_uid, agent.pw_gid)
        self._key = self.folder / "xauthority"
        self._key.write_bytes(self.display.key.read_bytes())
        os.chown(self._key, agent.pw_uid, agent.pw_gid)
        self._key.chmod(0o400)
        values = {
            "server_url": self.office.url,
            "state_dir": str(self.state),
            "keeper": str(self.folder / "keeper.sock"),
            "reader": "pcsc",
            "reader_name": READER,
            "card_client": self.sites["card_client"],
            "display": self.display.display,
        }
        lines = [f'{name} = "{value}"' for name, value in values.items()]
        lines += ["poll_seconds = 0.1", "grace_seconds = 8.0", f"desk_port = {self.port}"]
        self._config.write_text("\n".join(["[terminal]", *lines, ""]))
        self._config.chmod(0o644)

    def _environment(self) -> dict[str, str]:
        own = environment(XAUTHORITY=str(self._key), **self.sites["environment"])
        return {**own, "PYTHONPATH": f"{SOURCE}:{_PACKAGES}", "HOME": str(self.folder)}

    def _start_keeper(self, log: Any) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "madoguchi.terminal.keeper", "--config", str(self._config)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment())

    def _start_agent(self, log: Any) -> "subprocess.Popen[bytes]":
        command = [interpreter(AGENT_USER), "-m", "madoguchi", "terminal", "run", str(self._config)]
        given = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "env": self._environment(), "cwd": "/"}
        return subprocess.Popen(command, **given, **as_person(AGENT_USER))

    def _enrol(self) -> None:
        code = self.office.ask("code", terminal=self.terminal)
        command = [interpreter(AGENT_USER), "-m", "madoguchi", "terminal", "enrol", str(self._config), code]
        done = subprocess.run(
            command,
            env=self._environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **as_person(AGENT_USER),
        )
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def kiosk(*, behaviour: str = "2022", database_url: str = "") -> Iterator[Kiosk]:
    """A counter of the test's own."""
    with (
        short_folder() as folder,
        Helper("whole.town", str(folder / "t"), behaviour, log=folder / "town.log", env=environment()) as town,
    ):
        sites = town.ask("addresses", limit=60)
        (folder / "office").mkdir()
        office = Office(folder / "office", database_url=database_url, site=sites["points"])
        try:
            with XServer(cookie=os.urandom(16)) as display:
                made = Kiosk(folder, office, town, display, sites)
                try:
                    yield made
                finally:
                    made.close()
        finally:
            office.close()
