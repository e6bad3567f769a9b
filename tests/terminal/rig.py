"""One terminal with everything around it, driven step by step."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx

from madoguchi.card import MemoryReader
from madoguchi.protocol import Event, EventKind, Role, TerminalState
from madoguchi.terminal.agent import Agent
from madoguchi.terminal.config import TerminalConfig
from madoguchi.terminal.enrol import Credentials
from madoguchi.terminal.errors import JournalBroken
from madoguchi.terminal.journal import Journal
from madoguchi.terminal.link import HttpLink
from terminal.doubles import CARD_A, InMemoryBoxes, SimClock, TagCard, make_credentials, tag_reading
from terminal.office import Office

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a test's folder
ABSENT = {"confirmation": {"kind": "absent", "reason": "left_seat"}, "outcome": "abandoned", "reason": "left_seat"}


class Cable(httpx.BaseTransport):
    """The network: can be cut before the request leaves, or so that the answer is lost, or answer by itself.

    `meanwhile` happens once while the server works, `after_answer` once when the answer is on its way.
    """

    def __init__(self, office: Office) -> None:
        self._inner = httpx.WSGITransport(app=cast(Any, office.app))
        self.cut = False
        self.lose_next_answers = 0
        self.meanwhile: Callable[[], object] | None = None
        self.after_answer: Callable[[], object] | None = None
        self.instead: httpx.Response | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("cut")
        if self.instead is not None:
            answer, self.instead = self.instead, None
            return answer
        self.meanwhile = self._once(self.meanwhile)
        response = self._inner.handle_request(request)
        response.read()
        self.after_answer = self._once(self.after_answer)
        if self.lose_next_answers:
            self.lose_next_answers -= 1
            raise httpx.ReadTimeout("lost")
        return response

    @staticmethod
    def _once(action: Callable[[], object] | None) -> None:
        if action is not None:
            action()


class Rig:
    """`restart` is a new agent process on the same journal, machine and office."""

    def __init__(
        self,
        folder: Path,
        *,
        training: bool = False,
        relay: bool = False,
        credentials: Credentials | None = None,
        **config: Any,
    ) -> None:
        self.folder = folder
        self.clock = SimClock()
        self.credentials = credentials or make_credentials()
        self.office = Office(self.clock)
        self.office.trust(self.credentials)
        self.cable = Cable(self.office)
        self.client = httpx.Client(transport=self.cable)
        self.reader = MemoryReader("架空リーダー")
        self.boxes = InMemoryBoxes(training=training, relay=relay)
        self.config = TerminalConfig(server_url="http://office.test", state_dir=folder, training=training, **config)
        self.journal = self._open()
        self.agent = self._make()

    @property
    def path(self) -> Path:
        return self.folder / "journal.sqlite"

    def now(self) -> TerminalState:
        return self.agent.record().terminal.state

    def start(self) -> "Rig":
        self.agent.start()
        self.agent.settle()
        return self

    def restart(self) -> "Rig":
        self.journal.close()
        self.reopen()
        return self.start()

    def reopen(self) -> None:
        self.journal = self._open()
        self.agent = self._make()

    def poll(self, times: int = 1) -> None:
        for _ in range(times):
            self.agent.settle()
            self.agent.poll()
            self.agent.settle()

    def put(self, card: TagCard = CARD_A) -> None:
        self.reader.insert(card)
        self.agent.settle()

    def take(self) -> None:
        self.reader.remove()
        self.agent.settle()

    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.agent.settle()
        self.agent.tick()

    def serve(self, card: TagCard = CARD_A) -> str:
        """Call somebody and let them sit down: the box is open afterwards."""
        ident = self.office.call()
        self.poll()
        self.put(card)
        assert self.now() is TerminalState.OPEN
        return ident

    def confirm(self) -> None:
        lease = self.agent.record().terminal.lease
        self.agent.ask(Event(EventKind.CONFIRM, Role.SUPPORTER, lease, ABSENT))

    def break_journal_once(self) -> None:
        """The next commit fails, as on a full disk."""

        def fail(*_: object) -> None:
            self.mend_journal()
            raise JournalBroken("disk full")

        self.journal.commit = fail  # type: ignore[method-assign,assignment]

    def break_journal(self) -> None:
        """Nothing can be written any more."""

        def fail(*_: object, **__: object) -> None:
            raise JournalBroken("disk full")

        for name in ("commit", "note"):
            setattr(self.journal, name, fail)

    def mend_journal(self) -> None:
        for name in ("commit", "note"):
            vars(self.journal).pop(name, None)

    def close(self) -> None:
        self.client.close()
        self.journal.close()

    def _open(self) -> Journal:
        return Journal(self.path, terminal="t1", seal_key=self.credentials.seal_key)

    def _make(self) -> Agent:
        link = HttpLink(base_url=self.config.server_url, credentials=self.credentials, client=self.client)
        return Agent(
            config=self.config,
            credentials=self.credentials,
            reader=self.reader,
            boxes=self.boxes,
            link=link,
            journal=self.journal,
            clock=self.clock,
            read_tag=tag_reading(self.reader),
        )
