"""The whole system of one counter with real parts: office over HTTP, shared reader, agent processes, a citizen."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from madoguchi.card import MemoryReader, ReaderServer, Shelf
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.enrol import DeviceFile, enrol
from whole.agents import AgentProcess, Desk, Remains
from whole.cards import CARDS, cards
from whole.helpers import Helper, Refused, until
from whole.office import FINAL, Office, free_port, short_folder

CALLABLE_LATER = frozenset({"TerminalBusy", "TerminalNotReady", "TerminalSilent"})
"""The gate's answers that time or the next agent's proof will change."""
_START_LIMIT = 15.0
_WALK_LIMIT = 30.0
_STUCK = 2.0
_QUIET = 0.25


class Counter:
    """One terminal: its enrolment, its reader with the cards, its agent (one process after the other), its desk."""

    def __init__(self, office: Office, zygote: Helper, folder: Path, *, chromium: bool = False) -> None:
        self.office, self._zygote, self._folder = office, zygote, folder
        self._chromium = chromium
        self.terminal: str = office.ask("terminal")
        self.port = free_port()
        self.desk = Desk(self.port)
        self.box = BoxConfig(state=folder / "state")
        self.remains = Remains(self.box, mounts_of=zygote.process.pid)
        self.agent: AgentProcess | None = None
        self.journal = self.box.state / "journal.sqlite"
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
        self._zygote.ask("sweep", state=str(self.box.state))

    # the agent

    def start(self, at: int | None = None, *, clock_off: float = 0.0) -> AgentProcess:
        """Start an agent; it kills itself at the place with this number. `clock_off`: seconds its clock is ahead."""
        self.stop()
        self._starts += 1
        places, log = self._folder / f"places-{self._starts}", self._folder / "agent.log"
        places.touch()
        order = {"config": self.config, "log": str(log), "places": str(places), "at": at, "clock_off": clock_off}
        order["chromium"] = self._chromium
        pid = self._zygote.ask("start", order=order)
        self.agent = AgentProcess(pid, places, log)
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
            "spare": False,  # a waiting box would stand among the remains
            "desk_port": self.port,
        }

    # what a person does

    def await_swept(self) -> str:
        """Wait until the agent has swept and shows where it stands; the view. Raises `AgentDied`."""

        def swept() -> str:
            view, _ = self._look()
            return view if view not in {"", "starting", "ending"} else ""

        view = until(swept, lambda: f"the agent has swept\n{self.running.log()}", _START_LIMIT)
        assert view != "quarantined", f"quarantined: {self.picture()}"
        return view

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
            shown, parts = self._look()
            if shown != view:
                self._react(visit, CARDS[0], shown, parts)
            return shown == view

        until(reached, lambda: f"the desk shows {view}: {self.picture()}", _WALK_LIMIT)

    def advance(self, visit: str, card: str = CARDS[0]) -> bool:
        """Do the next thing that the screens ask for; whether the visit has ended and the terminal is free."""
        return self._react(visit, card, *self._look())

    def _react(self, visit: str, card: str, view: str, parts: list[str]) -> bool:
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

        def delivered() -> bool:
            with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as db:
                waiting = db.execute("SELECT count(*) FROM outbox").fetchone()[0]
                numbered = db.execute("SELECT value FROM counters WHERE name = 'seq'").fetchone()[0]
            return bool(waiting == 0 and numbered == self.office.ask("messages", terminal=self.terminal))

        until(delivered, lambda: f"every message is delivered: {self.picture()}", _WALK_LIMIT)
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
            return not bool(self.desk.status()["card_present"])
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


@contextmanager
def after(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Do something so many seconds after the beginning, whatever goes on meanwhile; it is done when this is left."""
    gone = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(lambda: (gone.wait(seconds), act()))
        try:
            yield
        finally:
            future.result(90)


@contextmanager
def counter(office: Office, zygote: Helper, *, chromium: bool = False) -> Iterator[Counter]:
    """A terminal of the test's own."""
    with short_folder() as folder:
        made = Counter(office, zygote, folder, chromium=chromium)
        try:
            yield made
        finally:
            made.close()
