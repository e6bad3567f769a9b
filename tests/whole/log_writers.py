"""Eight terminals in one process, each writing and sending as fast as it can, with its real journal and outbox.

What they were told is written to files beside the journals, before anybody else learns of it: `made` (the journal's
commit has returned), `acknowledged` (the server's verdict has arrived) and `refused`. SIGTERM ends the writing; when
nothing waits any more, `finished` is written and the process ends.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from madoguchi.protocol import EventKind, Verdict
from madoguchi.terminal.enrol import Credentials, DeviceFile
from madoguchi.terminal.errors import ServerUnreachable
from madoguchi.terminal.journal import Draft, Journal, Outbound, Record
from madoguchi.terminal.link import Answer, HttpLink, PollAnswer
from madoguchi.terminal.outbox import Outbox, Stamper
from madoguchi.terminal.timers import SystemClock

_MOST_WAITING = 60
_PAUSE = 0.02


class Ledger:
    """A file of lines that a kill of this process does not take back."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, lines: Sequence[str]) -> None:
        """Append the lines in one write."""
        if lines:
            os.write(self._file, "".join(f"{line}\n" for line in lines).encode())


class Told:
    """The real link, and a note of every verdict before the outbox hears it."""

    def __init__(self, link: HttpLink, folder: Path) -> None:
        self._link = link
        self._acknowledged, self._refused = Ledger(folder / "acknowledged"), Ledger(folder / "refused")

    def send(self, outbounds: Sequence[Outbound]) -> list[Answer]:
        """As `Link.send`."""
        answers = self._link.send(outbounds)
        refused = [answer for answer in answers if answer.verdict is Verdict.REJECTED]
        self._refused.write([f"{answer.id} {answer.reason}" for answer in refused])
        self._acknowledged.write([answer.id for answer in answers if answer not in refused])
        return answers

    def poll(self, report: Mapping[str, Any]) -> PollAnswer:
        """As `Link.poll`."""
        return self._link.poll(report)

    def roll_token(self) -> None:
        """As `Link.roll_token`."""
        self._link.roll_token()


class Terminal:
    """One enrolled terminal; a thread writes, another sends."""

    def __init__(self, folder: Path, url: str, client: httpx.Client) -> None:
        credentials: Credentials = DeviceFile(folder / "device.json").load()
        path = folder / "journal.sqlite3"
        self._journal = Journal(path, terminal=credentials.terminal, seal_key=credentials.seal_key)
        self._stamper = Stamper(credentials, SystemClock(), training=False)
        link = Told(HttpLink(base_url=url, credentials=credentials, client=client), folder)
        self._outbox = Outbox(journal=self._journal, link=link)
        self._made = Ledger(folder / "made")

    def write(self, stop: threading.Event) -> None:
        """Make messages until `stop`; when many wait, give the sender time."""
        made: list[str] = []

        def stamp(seq: int, draft: Draft) -> Outbound:
            outbound = self._stamper(seq, draft)
            made.append(outbound.message.id)
            return outbound

        while not stop.is_set():
            made.clear()
            draft = Draft(EventKind.SWEEP_PROVEN, None, None, {"proof": {"space": "none"}})
            self._journal.commit(Record(), [draft], stamp)
            self._made.write(made)
            while self._journal.pending_count() > _MOST_WAITING and not stop.wait(_PAUSE):
                pass

    def send(self, stop: threading.Event) -> None:
        """Send until `stop` has come and nothing waits."""
        while not (stop.is_set() and self._journal.pending_count() == 0):
            try:
                if self._outbox.flush() == 0:
                    stop.wait(_PAUSE)
            except ServerUnreachable:
                threading.Event().wait(_PAUSE)


def run(folder: Path, url: str) -> None:
    """All terminals of the folder, until SIGTERM has come and everything is delivered."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with ExitStack() as stack:
        terminals = []
        for place in sorted(folder.glob("terminal-*")):
            client = stack.enter_context(httpx.Client(timeout=10, trust_env=False))
            terminals.append(Terminal(place, url, client))
        works: list[Callable[[threading.Event], None]] = [work for one in terminals for work in (one.write, one.send)]
        threads = [threading.Thread(target=_or_die, args=(work, stop)) for work in works]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join()
    (folder / "finished").touch()


def _or_die(work: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """A thread that fails ends the process: the test sees it and its words."""
    try:
        work(stop)
    except BaseException:  # noqa: BLE001 - whatever it was, the process must not go on with one thread less
        sys.excepthook(*sys.exc_info())
        os._exit(3)
