"""The box as one more counter beside its peers: an agent of its own process, on a display."""

import os
import pwd
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from madoguchi.terminal.boxconfig import BoxConfig
from peers.site import TrialSite
from terminal.box.support import PERSONS, Agent, Refused


class Counter(Protocol):
    """Whoever serves two visitors one after the other, at the same address."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    def first(self) -> None:
        """The first visitor sits down."""
        ...

    def turn(self) -> None:
        """The card is out; the next visitor's page is asked for."""
        ...

    def crash(self) -> None:
        """Let the browser crash."""
        ...

    def close(self) -> None:
        """Leave nothing behind."""
        ...


class BoxCounter:
    """Our box. With `spare` the next visitor's box waits from before the card is out."""

    def __init__(
        self, site: TrialSite, display: str, *, spare: bool, method: str = "", person: str = PERSONS[0]
    ) -> None:
        self.name = "box with a spare" if spare else "box, cold"
        self._visit = {"start": site.start, "logout": site.origin + "/logout", "allowed": [site.origin]}
        self._spare = spare
        self._state = Path(tempfile.mkdtemp(prefix="madoguchi-trial-"))
        if os.geteuid() == 0:
            os.chown(self._state, pwd.getpwnam(person).pw_uid, -1)
        self.agent = Agent(self._state, person=person, training=False, display=display, input_method=method)
        if site.authority:
            self.agent.ask("trust", authority=site.authority)
        self.proof: dict[str, Any] = {}
        self.traces: Any = None
        self.times: dict[str, float] = {}

    def first(self) -> None:
        """Open a box, have the next one ready."""
        self.traces = self.agent.ask("open", **self._visit)
        if self._spare:
            self.agent.ask("prepare", **self._visit)
            self.agent.ask("spare_waits")

    def turn(self) -> None:
        """What the agent does: cover, destroy and prove, open."""
        began = time.perf_counter()
        self.times = {}
        with suppress(Refused):  # a browser that crashed, or a bar that did, is destroyed all the same
            self.agent.ask("curtain", down=True)
        self.times["curtain"] = time.perf_counter() - began
        self.destroy()
        self.times["proof"] = time.perf_counter() - began
        self.agent.ask("open", **self._visit)
        self.times["handed out"] = time.perf_counter() - began

    def destroy(self) -> None:
        """End the visit, with its proof."""
        self.proof = self.agent.ask("destroy")

    def crash(self) -> None:
        """Let the browser crash."""
        self.agent.attempt("command", method="Browser.crash", params={})

    def close(self) -> None:
        """Sweep."""
        self.agent.__exit__(None, None, None)
        shutil.rmtree(self._state, ignore_errors=True)


def config_of(display: str) -> BoxConfig:
    """Settings that the peers share with the box."""
    return BoxConfig(state=Path(tempfile.gettempdir()) / f"peers-{os.getpid()}", display=display, input_method="")
