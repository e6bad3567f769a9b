"""The whole system of one counter with real parts: office over HTTP, shared reader, agent processes, a citizen."""

import json
import os
import re
import secrets
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from madoguchi.card import (
    CertificateAuthority,
    Holder,
    MemoryReader,
    Pins,
    ReaderServer,
    Sex,
    Shelf,
    VirtualCard,
    practice_keys,
)
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.enrol import DeviceFile, enrol
from madoguchi.terminal.namespaces import MARKER, environ_of, processes
from madoguchi.terminal.space import stale_mounts
from madoguchi.terminal.sweep import sweep
from whole.helpers import Helper, Refused, environment, tail, until

PASSWORD = "counter-practice-1"
CARDS = ("市民A", "市民B")
CALLABLE_LATER = frozenset({"TerminalBusy", "TerminalNotReady", "TerminalSilent"})
"""The gate's answers that time or the next agent's proof will change."""
STROKES = {"strokes": [[[10, 10, 0], [120, 60, 40], [200, 30, 90]]], "width": 800, "height": 260}
FINAL = frozenset({"closed", "withdrawn"})
_GONE_LIMIT = 3.0
_START_LIMIT = 15.0
_WALK_LIMIT = 30.0
_STUCK = 2.0
_QUIET = 0.25


class AgentDied(Exception):
    """The agent is gone; `place` is where it stood."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def short_folder() -> Iterator[Path]:
    """A temporary folder with a short path: a socket's address has 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="mado-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Office:
    """The server as the command line starts it, in a process group of its own, and the clerk beside it."""

    def __init__(self, folder: Path, *, database_url: str = "", site: str = "https://site.example") -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        more = {"MADOGUCHI_DATABASE_URL": database_url} if database_url else {}
        self._env = environment(MADOGUCHI_STATE=str(folder), **more)
        self._log = folder / "office.log"
        self.clerk = Helper("whole.clerk", log=folder / "clerk.log", env=self._env)
        logout, places = f"{site}/logout", [site]
        self.procedure: str = self.clerk.ask(
            "prepare", password=PASSWORD, start_url=f"{site}/", logout_url=logout, allowed=places, limit=90
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start the server, if it does not run, and wait until it answers."""
        if self._process is not None:
            return
        command = ["server", "run", "--state", str(self.folder), "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "madoguchi", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                start_new_session=True,
            )
        until(self._answers, f"the office answers: {self._log}", 60)

    def replace(self) -> None:
        """Kill the server and start it again."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """SIGKILL to the server and all its processes."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End server and clerk."""
        self.kill()
        with self.clerk:
            pass

    def ask(self, do: str, **values: Any) -> Any:
        """Ask the clerk. Raises `Refused`."""
        return self.clerk.ask(do, **values)

    def issue(self) -> str:
        """A ticket's visit."""
        issued: str = self.ask("issue", procedure=self.procedure)["visit"]
        return issued

    def state(self, visit: str) -> str:
        """Where a visit stands."""
        found: str = self.ask("visit", visit=visit)["state"]
        return found

    def faults(self, terminal: str) -> list[str]:
        """What is wrong with the terminal's records."""
        found: list[str] = self.ask("audit", terminal=terminal)["faults"]
        return found

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the office ended:\n{tail(self._log)}"
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/login/", timeout=5).status_code == 200
        return False


class AgentProcess:
    """One agent process, forked by the zygote; found again by its pidfd."""

    def __init__(self, pid: int, places: Path, log: Path) -> None:
        self.pid = pid
        self._places, self._log = places, log
        self._pidfd = os.pidfd_open(pid)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._pidfd >= 0 and not select.select([self._pidfd], [], [], 0)[0]

    @property
    def place(self) -> str:
        """The last place that it came by."""
        lines = self._places.read_text().splitlines()
        return lines[-1] if lines else "(before the first place)"

    @property
    def passed(self) -> int:
        """How many places it came by."""
        return len(self._places.read_text().splitlines()) if self._places.exists() else 0

    def check(self) -> None:
        """Raise `AgentDied` when it is gone."""
        if not self.alive:
            raise AgentDied(self.place)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            until(lambda: not self.alive, "the killed agent is gone")

    def close(self) -> None:
        """Kill it and let go."""
        self.kill()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def log(self) -> str:
        """What it said last."""
        return tail(self._log)


class Desk:
    """The desk page as the citizen's browser uses it."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10)

    def status(self) -> dict[str, Any]:
        """What changes without a new page."""
        found: dict[str, Any] = self._client.get("/status.json").json()
        return found

    def finish(self) -> None:
        """Press 終了."""
        self._send("/finish", {})

    def sign(self) -> None:
        """Say how it came out and sign by hand."""
        page = self._page()
        lease = re.search(r'name="lease" value="(\d+)"', page)
        if lease is not None:
            given = {"lease": lease[1], "outcome": "completed", "kind": "signature", "strokes": json.dumps(STROKES)}
            self._send("/confirm", given, page)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _page(self) -> str:
        return self._client.get("/").text

    def _send(self, path: str, given: dict[str, str], page: str = "") -> None:
        token = re.search(r'data-token="([^"]+)"', page or self._page())
        assert token is not None, "a desk page without a token"
        headers = {"X-Desk-Token": token[1], "Accept": "application/json"}
        answer = self._client.post(path, data=given, headers=headers)
        # 409: the visit has gone its way meanwhile; 403: the page is from before a restart. Looking again helps.
        assert answer.status_code in {200, 303, 403, 409}, answer.text


class Counter:
    """One terminal: its enrolment, its reader with the cards, its agent (one process after the other), its desk."""

    def __init__(self, office: Office, zygote: Helper, folder: Path, *, chromium: bool = False) -> None:
        self.office, self._zygote, self._folder = office, zygote, folder
        self._chromium = chromium
        self.terminal: str = office.ask("terminal")
        self.port = free_port()
        self.desk = Desk(self.port)
        self.box = BoxConfig(state=folder / "state")
        self.agent: AgentProcess | None = None
        self._starts = 0
        self._away: set[str] = set()
        self._waiting_since = 0.0
        self._serve_reader()
        self._enrol()

    def close(self) -> None:
        """End everything; nothing of the boxes stays, even after a failed test."""
        self.stop()
        self.desk.close()
        self._shared.close()
        self._serving.join()
        sweep(self.box)
        sweep(self.box)

    # the agent

    def start(self, at: int | None = None) -> AgentProcess:
        """Start an agent; it kills itself at the place with this number."""
        self.stop()
        self._starts += 1
        places, log = self._folder / f"places-{self._starts}", self._folder / "agent.log"
        places.touch()
        order = {"config": self.config, "log": str(log), "places": str(places), "at": at, "chromium": self._chromium}
        self.agent = AgentProcess(self._zygote.ask("start", **order), places, log)
        return self.agent

    def stop(self) -> None:
        """Kill the agent, if one runs."""
        if self.agent is not None:
            self.agent.close()
            self.agent = None

    @property
    def running(self) -> AgentProcess:
        """The agent."""
        assert self.agent is not None, "no agent was started"
        return self.agent

    @property
    def config(self) -> dict[str, Any]:
        """The terminal's configuration."""
        return {
            "server_url": self.office.url,
            "state_dir": str(self._folder / "state"),
            "reader": "socket",
            "reader_path": str(self._folder / "reader"),
            "poll_seconds": 0.05,
            "training": True,
            "desk_port": self.port,
        }

    # what a person does

    def await_swept(self) -> str:
        """Wait until the agent has swept and shows where it stands; the view. Raises `AgentDied`."""

        def swept() -> str:
            view, _ = self._look()
            return view if view not in {"", "starting", "ending"} else ""

        return until(swept, f"the agent has swept\n{self.running.log()}", _START_LIMIT)

    def walk(self, visit: str, *, card: str = CARDS[0]) -> None:
        """Bring a visit to its end as people do: call it, put the card down, lift it once, finish, sign, take the card.

        Raises `AgentDied`.
        """
        deadline = time.monotonic() + _WALK_LIMIT
        while not self.advance(visit, card):
            assert time.monotonic() < deadline, f"{visit} does not come to an end: {self.picture()}"
            time.sleep(0.01)

    def walk_until(self, visit: str, view: str) -> None:
        """Walk until the desk shows this view. Raises `AgentDied`."""

        def reached() -> bool:
            return self._look()[0] == view or (self.advance(visit) and False)

        until(reached, f"the desk shows {view}: {self.picture()}", _WALK_LIMIT)

    def advance(self, visit: str, card: str = CARDS[0]) -> bool:
        """Do the next thing that the screens ask for; whether the visit has ended and the terminal is free."""
        view, parts = self._look()
        if view == "locked":
            return self._at_locked(visit)
        if view == "waiting_card":
            self._at_waiting(card, lying=parts[3] == "True")
        elif view == "open":
            self._at_open(visit)
        elif view == "curtained":
            self._put(card)
        elif view == "confirming":
            self._try(self.desk.sign)
        assert view != "quarantined", f"quarantined: {self.picture()}"
        return False

    def view(self) -> str:
        """What the desk shows. Raises `AgentDied`."""
        return self._look()[0]

    def held(self) -> str | None:
        """The visit that holds the terminal at the office."""
        found: str | None = self.office.ask("seat", terminal=self.terminal)["held"]
        return found

    def try_call(self, visit: str) -> str:
        """Call a ticket to this terminal; the refusal's name, empty when it was called."""
        code, sentence = "", "called"
        try:
            self.office.ask("call", visit=visit, terminal=self.terminal)
        except Refused as refusal:
            code, sentence = refusal.code, refusal.sentence
        assert sentence, f"{code} says nothing"
        return code

    # eyes

    def left(self) -> list[str]:
        """Whatever stands of this terminal's boxes, looked for in other ways than the agent does."""
        found = [f"mount {place}" for place in stale_mounts(self.box.runtime)]
        if self.box.runtime.is_dir():
            found += [f"file {place}" for place in self.box.runtime.iterdir()]
        return self.left_running() + found

    def left_running(self) -> list[str]:
        """Live processes of this terminal's boxes."""
        name = self.box.name
        return [f"process {pid}" for pid in processes() if environ_of(pid).get(MARKER) == name]

    def await_gone(self) -> float:
        """Wait until the killed agent's box has no process left; how many seconds it took."""
        begun = time.monotonic()
        until(lambda: not self.left_running(), f"the box's processes end: {self.left_running()}", _GONE_LIMIT)
        return time.monotonic() - begun

    def notices(self) -> list[str]:
        """What the desk tells."""
        found: list[str] = self.desk.status()["notices"]
        return found

    def await_quiet(self) -> None:
        """Wait until the agent comes by no place any more. Raises `AgentDied`."""
        seen, since = -1, time.monotonic()

        def quiet() -> bool:
            nonlocal seen, since
            self.running.check()
            if self.running.passed != seen:
                seen, since = self.running.passed, time.monotonic()
            return time.monotonic() - since > _QUIET

        until(quiet, "the agent has nothing to do")

    def nothing_lost(self) -> None:
        """Every message that the agents ever numbered is in the records, once, and none waits or was refused."""
        journal = self._folder / "state" / "journal.sqlite"

        def delivered() -> bool:
            with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
                waiting = db.execute("SELECT count(*) FROM outbox").fetchone()[0]
                numbered = db.execute("SELECT value FROM counters WHERE name = 'seq'").fetchone()[0]
            return waiting == 0 and numbered == self.office.ask("messages", terminal=self.terminal)

        until(delivered, f"every message is delivered: {self.picture()}", _WALK_LIMIT)
        assert self.office.faults(self.terminal) == []
        assert self.office.ask("rejected", terminal=self.terminal) == []

    def picture(self) -> str:
        """Everything about this moment, for a failure's message."""
        with suppress(httpx.TransportError):
            desk = json.dumps(self.desk.status(), ensure_ascii=False)
            return f"{desk}\n{self.office.ask('seat', terminal=self.terminal)}\n{self.running.log()}"
        return self.running.log()

    # inside

    def _look(self) -> tuple[str, list[str]]:
        """The view, and the parts of the page's key; the empty view while nobody answers."""
        self.running.check()
        with suppress(httpx.TransportError):
            parts = str(self.desk.status()["key"]).split(".")
            return parts[0], parts
        self.running.check()
        return "", []

    def _at_locked(self, visit: str) -> bool:
        state = self.office.state(visit)
        if state == "waiting":
            refusal = self.try_call(visit)
            assert refusal in CALLABLE_LATER | {""}, refusal
        if state not in FINAL:
            return False
        self.shelf.remove()
        with suppress(httpx.TransportError):
            return not self.desk.status()["card_present"]
        return False

    def _at_waiting(self, card: str, *, lying: bool) -> None:
        if lying or time.monotonic() - self._waiting_since > _STUCK:
            self.shelf.remove()
            self._waiting_since = time.monotonic()
        elif self.shelf.on_reader() is None:
            self._put(card)
            self._waiting_since = time.monotonic()

    def _at_open(self, visit: str) -> None:
        """Lift the card once; when it has come back, finish."""
        if visit not in self._away:
            self._away.add(visit)
            self.shelf.remove()
        elif self.shelf.on_reader() is not None:
            self._try(self.desk.finish)

    def _put(self, card: str) -> None:
        if self.shelf.on_reader() is None:
            self.shelf.insert(card)

    @staticmethod
    def _try(act: Any) -> None:
        """Do something at the desk; an agent that dies meanwhile is seen at the next look."""
        with suppress(httpx.TransportError):
            act()

    def _serve_reader(self) -> None:
        self.reader = MemoryReader("試験リーダー")
        self._shared = ReaderServer(self.reader, cards(), self._folder / "reader")
        self._serving = threading.Thread(target=self._shared.serve_forever, daemon=True)
        self._serving.start()
        self.shelf = Shelf(self._folder / "reader")

    def _enrol(self) -> None:
        code = self.office.ask("code", terminal=self.terminal)
        device = DeviceFile(self._folder / "state" / "device.json")
        with httpx.Client(timeout=10, trust_env=False) as client:
            enrol(server_url=self.office.url, code=code, device=device, client=client)


def cards() -> dict[str, VirtualCard]:
    """Two made-up people's cards, a My Number Card without certificates, and a card of another kind."""
    issued = datetime.now(UTC) - timedelta(days=300)
    authority = CertificateAuthority.create(issued)
    pins = Pins("1001", "1111", "1001", "KAKU1234")
    made = {name: VirtualCard.make(_holder(name), pins, authority, issued, keys=practice_keys(name)) for name in CARDS}
    made["証明書なし"] = VirtualCard.without_certificates(_holder("証明書なし"), pins)
    made["別のカード"] = VirtualCard.foreign()
    return made


def _holder(name: str) -> Holder:
    return Holder(f"架空 {name}", "カクウ シミン", "架空県架空市1-1", date(1950, 1, 1), Sex.UNKNOWN)


@contextmanager
def after(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Do something so many seconds after the beginning, whatever goes on meanwhile; it is done when this is left."""
    gone = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(lambda: (gone.wait(seconds), act()))
        yield
        future.result(60)


@contextmanager
def office(*, database_url: str = "", site: str = "https://site.example") -> Iterator[Office]:
    """An office of the test's own."""
    with short_folder() as folder:
        made = Office(folder, database_url=database_url, site=site)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def counter(office: Office, zygote: Helper, *, chromium: bool = False) -> Iterator[Counter]:
    """A terminal of the test's own."""
    with short_folder() as folder:
        made = Counter(office, zygote, folder, chromium=chromium)
        try:
            yield made
        finally:
            made.close()


def database_name() -> str:
    """A name for a database of one office's own."""
    return f"whole_{secrets.token_hex(4)}"
