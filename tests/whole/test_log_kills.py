"""Server and terminals killed with SIGKILL while eight terminals write: issue 4, "What must be shown" 4.

`MADOGUCHI_KILLS` and `MADOGUCHI_SEED` make it longer and repeatable; the seed stands in every failure.
"""

import os
import random
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from madoguchi.terminal.enrol import DeviceFile, enrol
from madoguchi.terminal.namespaces import processes
from postgres import Cluster
from whole.conftest import new_database
from whole.helpers import Helper, environment, tail, until
from whole.office import free_port, short_folder
from whole.tally import Tally

pytestmark = pytest.mark.slow

TERMINALS = 8
KILLS = int(os.environ.get("MADOGUCHI_KILLS", "8"))
SEED = int(os.environ.get("MADOGUCHI_SEED", secrets.randbelow(10**6)))
LONGEST_LIFE = 0.6
"""Seconds that server and terminals work at most before the next of them is killed."""
VICTIMS = ("server", "terminals", "server and terminals")


def _group(pid: int) -> int | None:
    with suppress(ProcessLookupError):
        return os.getpgid(pid)
    return None


class Program:
    """A process in a group of its own, killed and started again."""

    def __init__(self, start: Callable[[], int], log: Path) -> None:
        self._start, self.log = start, log
        self.number = 0

    def start(self) -> None:
        self.number = self._start()

    def alive(self) -> bool:
        return any(_group(pid) == self.number for pid in processes())

    def kill(self) -> None:
        """SIGKILL to the process and its children; it must have been alive."""
        assert self.alive(), f"ended by itself:\n{tail(self.log)}"
        self.gone()

    def gone(self) -> None:
        """Whatever became of it, it ends now."""
        if self.number:
            with suppress(ProcessLookupError):
                os.killpg(self.number, signal.SIGKILL)
            until(lambda: not self.alive(), "it is gone")
            self.number = 0


class Town:
    """The office with its integrator, and eight terminals in a process of their own."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder, port = folder, free_port()
        self.url = f"http://127.0.0.1:{port}"
        more = {"MADOGUCHI_DATABASE_URL": database_url} if database_url else {}
        env = environment(MADOGUCHI_STATE=str(folder), DJANGO_SETTINGS_MODULE="madoguchi.server.settings", **more)
        self.auditor = Helper("whole.log_auditor", log=folder / "auditor.log", env=env)
        self.zygote = zygote = Helper("whole.log_zygote", log=folder / "zygote.log", env=env)
        logs = {name: folder / f"{name}.log" for name in ("server", "terminals")}
        self.server = Program(lambda: int(zygote.ask("server", port=port, log=str(logs["server"]))), logs["server"])
        self.terminals = Program(
            lambda: int(zygote.ask("terminals", folder=str(folder), url=self.url, log=str(logs["terminals"]))),
            logs["terminals"],
        )

    def open(self) -> None:
        """Database, city, server, eight enrolled terminals at work."""
        codes = self.auditor.ask("prepare", terminals=TERMINALS, limit=90)
        self.server.start()
        until(self.answers, f"the office answers: {tail(self.server.log)}", 60)
        with httpx.Client(timeout=10, trust_env=False) as client:
            for number, code in enumerate(codes):
                place = self.folder / f"terminal-{number}"
                place.mkdir()
                enrol(server_url=self.url, code=code, device=DeviceFile(place / "device.json"), client=client)
        self.terminals.start()
        self.await_progress(0)

    def close(self) -> None:
        """End everything."""
        self.terminals.gone()
        self.server.gone()
        with self.zygote, self.auditor:
            pass

    def finish(self) -> None:
        """Let the terminals deliver what waits."""
        os.kill(self.terminals.number, signal.SIGTERM)
        until(lambda: not self.terminals.alive(), lambda: f"everything is delivered: {self.words()}", 120)
        assert (self.folder / "finished").exists(), self.words()

    def answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/login/", timeout=5).status_code == 200
        return False

    def acknowledged(self) -> int:
        """Bytes of acknowledgements so far."""
        return sum(file.stat().st_size for file in self.folder.glob("terminal-*/acknowledged"))

    def await_progress(self, since: int) -> None:
        """Somebody was told something after `since`."""
        until(lambda: self.acknowledged() > since, lambda: f"messages arrive: {self.words()}", 60)

    def words(self) -> str:
        return f"{tail(self.server.log)}\n{tail(self.terminals.log)}"

    def kill(self, victims: str) -> None:
        """Kill and start again, and wait until messages arrive as before."""
        chosen = [
            program for name, program in (("server", self.server), ("terminals", self.terminals)) if name in victims
        ]
        for program in chosen:
            program.kill()
        for program in chosen:
            program.start()
        self.await_progress(self.acknowledged())


@contextmanager
def town(database_url: str) -> Iterator[Town]:
    with short_folder() as folder:
        made = Town(folder, database_url)
        try:
            made.open()
            yield made
        finally:
            made.close()


def test_no_kill_loses_or_doubles_what_was_acknowledged(whole_cluster: Cluster | None, tally: Tally) -> None:
    chance = random.Random(SEED)  # noqa: S311 - moments, not secrets
    with town(new_database(whole_cluster)) as made:
        for number in range(KILLS):
            time.sleep(chance.uniform(0, LONGEST_LIFE))
            victims = VICTIMS[number % 2] if chance.random() < 0.8 else VICTIMS[2]
            made.kill(victims)
            tally.killed(victims)
        made.finish()
        made.server.kill()
        result = made.auditor.ask("result", folder=str(made.folder), limit=600)
    print(f"seed {SEED}, {KILLS} kills: {result}")  # noqa: T201 - the figures of a long run
    assert result["faults"] == [], f"seed {SEED}: {result['faults'][:20]}"
    assert result["messages"] > KILLS * TERMINALS, result
    assert result["entries"] > result["messages"]
    assert result["checkpoints"] > KILLS, f"the integrator ran between the kills: {result}"
