"""One agent process, seen from outside: its life, its desk page, and what its boxes leave."""

import json
import os
import re
import select
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.namespaces import MARKER, environ_of, processes
from whole.apart import mounts_of
from whole.helpers import tail, until

_GONE_LIMIT = 3.0
_LOOK_AGAIN = {200, 303, 403, 409}
"""403: the page is from before a restart; 409: the visit has gone its way meanwhile."""
STROKES = {"strokes": [[[10, 10, 0], [120, 60, 40], [200, 30, 90]]], "width": 800, "height": 260}


class AgentDied(Exception):
    """The agent is gone; `place` is where it stood."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


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


class Remains:
    """Whatever stands of one terminal's boxes, looked for in other ways than the agent does.

    `mounts_of`: a process that sees what the agents mount.
    """

    def __init__(self, box: BoxConfig, *, mounts_of: int) -> None:
        self._box = box
        self._mounts_of = mounts_of

    def everything(self) -> list[str]:
        """Processes, mounts, files."""
        found = [line for line in mounts_of(self._mounts_of) if f"{self._box.runtime}/" in line]
        if self._box.runtime.is_dir():
            found += [f"file {place}" for place in self._box.runtime.iterdir()]
        return [_described(pid) for pid in self._marked()] + found

    def programs(self) -> list[str]:
        """Live programs.

        Not the shell of a box that was killed while bubblewrap made it: nothing has run in it, it waits for its maker
        until the next agent's sweep.
        """
        return [_described(pid) for pid in self._marked() if _name(pid) != "bwrap"]

    def await_programs_gone(self) -> float:
        """Wait until a killed agent's box runs nothing; how many seconds it took."""
        begun = time.monotonic()
        until(lambda: not self.programs(), lambda: f"the box's programs end: {self.programs()}", _GONE_LIMIT)
        return time.monotonic() - begun

    def _marked(self) -> list[int]:
        return [pid for pid in processes() if environ_of(pid).get(MARKER) == self._box.name]


class Desk:
    """The desk page as the citizen's browser uses it. `fine`: statuses after which one simply looks again."""

    def __init__(self, port: int) -> None:
        self.fine = _LOOK_AGAIN
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10)

    def status(self) -> dict[str, Any]:
        """What changes without a new page."""
        found: dict[str, Any] = self._client.get("/status.json").json()
        return found

    def finish(self) -> None:
        """Press 終了."""
        page = self._page()
        answer = self._send("/finish", {"lease": self._lease(page)}, page)
        assert answer.status_code in self.fine, answer.text

    def sign(self) -> None:
        """Say that it is completed and sign by hand."""
        page = self._page()
        if 'id="confirm"' in page:
            answer = self.confirm(page, outcome="completed", own_name="own", kind="signature")
            assert answer.status_code in self.fine, answer.text

    def confirm(self, page: str = "", **given: str) -> httpx.Response:
        """Send the confirmation's form; what is not given stands as somebody who signs leaves it."""
        page = page or self._page()
        assert 'id="confirm"' in page, "no form to confirm"
        return self._send("/confirm", {"lease": self._lease(page), "strokes": json.dumps(STROKES), **given}, page)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    @staticmethod
    def _lease(page: str) -> str:
        lease = re.search(r'data-lease="(\d+)"', page)
        assert lease is not None, "a desk page without a lease"
        return lease[1]

    def _page(self) -> str:
        return self._client.get("/").text

    def _send(self, path: str, given: dict[str, str], page: str) -> httpx.Response:
        token = re.search(r'data-token="([^"]+)"', page)
        assert token is not None, "a desk page without a token"
        return self._client.post(path, data=given, headers={"X-Desk-Token": token[1], "Accept": "application/json"})


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return "(gone)"


def _described(pid: int) -> str:
    with suppress(OSError):
        return f"process {pid} {Path(f'/proc/{pid}/cmdline').read_bytes()[:200]!r}"
    return f"process {pid} {_name(pid)}"
