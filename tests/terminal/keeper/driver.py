"""The agent's part: the driver of the box tests, as an ordinary user, with boxes that a keeper makes.

Its own requests besides: `hold_start`, `hold_prove`, `hold_kill`: a box as the ground knows it, without a browser to
wait for; several at once.
"""

import json
import os
import random
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from madoguchi.protocol import Procedure
from madoguchi.terminal import keeperground
from madoguchi.terminal.box import BwrapBoxes
from madoguchi.terminal.errors import TerminalError
from madoguchi.terminal.ground import Hold, LocalGround, Order
from madoguchi.terminal.keeperground import KeeperGround
from madoguchi.terminal.spawn import Heartbeat, Pipes
from terminal.box.driver import Driver

PLACE = Procedure("test", "架空の手続", "http://127.0.0.1:9/start", "", ())


class KeptDriver(Driver):
    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(given["settings"], bare=False)
        self.place = given["keeper"]
        kept = KeeperGround(Path(self.place), name=self.config.name, back=given["back"]) if self.place else None
        self.ground = kept or LocalGround(self.config)
        self.boxes = BwrapBoxes(self.config, ground=self.ground, on_finish=self._finish, alive=lambda: not self.hung)
        self.holds: list[tuple[Hold, Pipes, Heartbeat]] = []

    def traces(self, box: Any = None) -> Any:  # noqa: ARG002 # as in the box tests
        """What a box is made of is the keeper's business."""
        return {}

    def lacking(self) -> Any:
        return list(self.boxes.missing())

    def hold_start(self) -> Any:
        pipes = Pipes()
        begun = time.monotonic()
        try:
            hold = self.ground.start(Order(PLACE, (1280, 800), pipes.inner))
        except BaseException:
            pipes.close_outer()
            raise
        self.holds.append((hold, pipes, Heartbeat(pipes.beat, lambda: True)))
        return time.monotonic() - begun

    def hold_settle(self) -> Any:
        self.holds[-1][0].settle()

    def hold_kill(self) -> Any:
        self.holds[-1][0].kill()

    def hold_prove(self) -> Any:
        begun = time.monotonic()
        hold, pipes, heart = self.holds[-1]
        hold.kill()
        proof = hold.prove(logout="not_tried")
        took = time.monotonic() - begun
        heart.stop()
        pipes.close_outer()
        del self.holds[-1]
        return {**proof.to_json(), "took": took}

    def limits(self, *, seconds: float) -> Any:
        """Wait no longer than this for any answer."""
        vars(keeperground)["_LIMITS"] = dict.fromkeys(keeperground._LIMITS, seconds)

    def noise(self, *, times: int) -> Any:
        """Say nonsense to the keeper, with descriptors, on lines of its own; how often that was possible."""
        done = 0
        for _ in range(times):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line, suppress(BrokenPipeError):
                line.connect(self.place)
                socket.send_fds(line, [os.urandom(random.randint(1, 500))], [0] * random.randint(1, 9))  # noqa: S311
                done += 1
        return done

    def reach(self, *, places: list[str]) -> Any:
        """Which of these files the agent's user can look at or into."""
        found = []
        for place in map(Path, places):
            try:
                found.append(str(list(place.iterdir()) if place.is_dir() else place.read_bytes()))
            except OSError:
                continue
        return found

    def signal(self, *, pid: int) -> Any:
        os.kill(pid, 0)


def main() -> None:
    driver = KeptDriver(json.loads(sys.argv[1]))
    for line in sys.stdin:
        request = json.loads(line)
        action: Callable[..., Any] = getattr(driver, request.pop("do"))
        try:
            answer = {"result": action(**request)}
        except (TerminalError, OSError) as error:
            answer = {"error": getattr(error, "code", type(error).__name__), "text": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
