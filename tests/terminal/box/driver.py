"""The agent's part in these tests: a program of its own that can be killed, run as root or as an ordinary user.

Reads one JSON object a line from standard input, `{"do": name, …}`, and answers with one line.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from madoguchi.protocol import Assignment, Procedure
from madoguchi.terminal import ground as ground_module
from madoguchi.terminal.bare import BareBox, BareBoxes
from madoguchi.terminal.box import BwrapBox, BwrapBoxes
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.check import check_rights
from madoguchi.terminal.errors import TerminalError


class Driver:
    def __init__(self, settings: Mapping[str, Any], *, bare: bool) -> None:
        size = tuple(settings.get("size", (1280, 800)))
        key = Path(settings["xauthority"]) if settings.get("xauthority") else None
        self.config = BoxConfig(**{**settings, "state": Path(settings["state"]), "size": size, "xauthority": key})
        self.finished = 0
        self.hung = False
        kind = BareBoxes if bare else BwrapBoxes
        self.boxes = kind(self.config, on_finish=self._finish, alive=lambda: not self.hung)
        self.box: BwrapBox | BareBox | None = None
        self.deaths: list[str] = []

    def _finish(self) -> None:
        self.finished += 1

    @property
    def one(self) -> Any:
        assert self.box is not None
        return self.box

    def open(self, *, start: str, logout: str, allowed: list[str]) -> Any:
        assignment = Assignment("visit", "A001", 1, "called", _procedure(start, logout, allowed))
        self.box = self.boxes.open(assignment, self.deaths.append)
        return self.traces() if isinstance(self.box, BwrapBox) else {}

    def prepare(self, *, start: str, logout: str, allowed: list[str]) -> Any:
        """Keep a spare for this procedure; where it is found again."""
        self.boxes.prepare(_procedure(start, logout, allowed))
        return self.spare()

    def dismiss(self) -> Any:
        """Keep no spare any longer."""
        self.boxes.prepare(None)

    @property
    def waiting(self) -> Any:
        assert isinstance(self.boxes, BwrapBoxes)
        return self.boxes._spare

    def spare(self) -> Any:
        """Where the spare is found again, None without one."""
        return None if self.waiting is None else self.traces(self.waiting)

    def spare_waits(self) -> Any:
        """Wait until the spare's browser asks for its first page."""
        self.waiting._live.wait_ready()

    def spare_command(self, *, method: str, params: Mapping[str, Any]) -> Any:
        return self.waiting._live._cdp.call(method, params)

    def traces(self, box: Any = None) -> Any:
        traces = (box or self.one).hold.traces
        spaces = [traces.namespaces.pid, traces.namespaces.ipc, traces.namespaces.mnt]
        return {"init": traces.init, "namespaces": spaces, "devices": sorted(traces.devices)}

    def destroy(self) -> Any:
        return self.one.destroy().to_json()

    def sweep(self) -> Any:
        return self.boxes.sweep().to_json()

    def logout(self, *, url: str) -> Any:
        return self.one.logout(url)

    def curtain(self, *, down: bool) -> Any:
        self.one.curtain(down)

    def hang(self, *, hung: bool) -> Any:
        self.hung = hung

    def notice(self, *, text: str) -> Any:
        self.one.notice(text)

    def state(self) -> Any:
        return {"deaths": self.deaths, "finished": self.finished, "idle": self.one.idle_for()}

    def missing(self) -> Any:
        return [asdict(missing) for missing in check_rights(self.config)]

    def frame(self, *, keep: str = "") -> Any:
        picture: bytes | None = self.one.screen.frame()
        if keep and picture:
            Path(keep).write_bytes(picture)
        return None if picture is None else len(picture)

    def act(self, *, name: str, values: list[Any]) -> Any:
        getattr(self.one.screen, name)(*values)

    def inside(self, *, script: str) -> Any:
        live = self.one._live
        given = {"expression": script, "awaitPromise": True, "returnByValue": True}
        session = live._relay._session()
        return live._cdp.call("Runtime.evaluate", given, session=session)["result"].get("value")

    def navigate(self, *, url: str) -> Any:
        live = self.one._live
        return live._cdp.call("Page.navigate", {"url": url}, session=live._relay._session()).get("errorText", "")

    def pages(self) -> Any:
        return [page["url"] for page in self.one._live._browser.pages()]

    def command(self, *, method: str, params: Mapping[str, Any]) -> Any:
        return self.one._live._cdp.call(method, params)

    def trust(self, *, authority: str) -> Any:
        """Let the browsers of boxes trust a site's own authority (base64 DER), by one more policy."""
        given = vars(ground_module)["policies_for"]
        vars(ground_module)["policies_for"] = lambda *args, **more: {
            **given(*args, **more),
            "CACertificates": [authority],
        }

    def without_policies(self) -> Any:
        """Lose the policies on their way into the box."""
        vars(ground_module)["write_policies"] = lambda *_: None


def _procedure(start: str, logout: str, allowed: list[str]) -> Procedure:
    return Procedure("test", "架空の手続", start, logout, tuple(allowed))


def main() -> None:
    given = json.loads(sys.argv[1])
    os.umask(given["umask"])
    driver = Driver(given["settings"], bare=given["bare"])
    for line in sys.stdin:
        request = json.loads(line)
        action: Callable[..., Any] = getattr(driver, request.pop("do"))
        try:
            answer = {"result": action(**request)}
        except TerminalError as error:
            answer = {"error": error.code, "text": str(error), "sentence": error.sentence}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
