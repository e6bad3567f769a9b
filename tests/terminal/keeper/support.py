"""A real keeper as root, and agents of an ordinary user, each a program of its own that can be killed."""

import json
import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.namespaces import MARKER, environ_of, processes
from madoguchi.terminal.space import stale_mounts
from madoguchi.terminal.sweep import sweep
from terminal.box.support import SOURCE, Agent, as_person, interpreter, until

AGENT_USER = "madoguchi"
PROGRAM = "madoguchi.terminal.keeper"
UNIT = Path(__file__).resolve().parents[3] / "deploy/terminal/etc/systemd/system/madoguchi-keeper.service"
DRIVER = Path(__file__).with_name("driver.py")
TESTS = Path(__file__).resolve().parents[2]


class KeeperProcess:
    """The keeper's program. Leaving it kills it."""

    def __init__(self, folder: Path, state: Path, *, under: tuple[str, ...] = (), **settings: Any) -> None:
        self._under = under
        self.place = folder / "keeper.sock"
        self.config = folder / "terminal.toml"
        self.log = folder / "log"
        given = {
            "server_url": "http://office.test",
            "state_dir": str(state),
            "training": True,
            "agent_user": AGENT_USER,
            **settings,
        }
        self.config.write_text("[terminal]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in given.items()))
        self.config.chmod(0o644)
        self.process = self._start()

    def again(self) -> None:
        """Start it anew, as systemd would."""
        self.process = self._start()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    @contextmanager
    def hung(self) -> Iterator[None]:
        """It stands still until the block ends."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(20)

    def __enter__(self) -> "KeeperProcess":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        self.place.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "madoguchi.terminal.keeper",
                    "--config",
                    str(self.config),
                    "--socket",
                    str(self.place),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                umask=0o077,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"},
            )
        until(lambda: self.place.is_socket() or process.poll() is not None)
        return process


class KeptAgent(Agent):
    """An agent without any rights; its boxes are a keeper's."""

    def __init__(self, state: Path, keeper: Path | None, *, person: str = AGENT_USER, back: float = 10) -> None:
        self._keeper, self._back = keeper, back
        super().__init__(state, person=person)

    def answer(self) -> Any:
        """Read the answer to what was told."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    @property
    def root(self) -> bool:
        """Whether boxes have mounts: the keeper is root."""
        return True

    def _start(self) -> subprocess.Popen[str]:
        given = json.dumps(
            {"settings": self.settings, "keeper": str(self._keeper) if self._keeper else "", "back": self._back}
        )
        return subprocess.Popen(
            [interpreter(self.person), str(DRIVER), given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{SOURCE}:{TESTS}",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            **as_person(self.person),
        )


def rights_of_the_unit() -> tuple[str, ...]:
    """A command that runs another with the capabilities that the keeper's unit leaves it."""
    (line,) = (line for line in UNIT.read_text().splitlines() if line.startswith("CapabilityBoundingSet="))
    kept = line.partition("=")[2].lower().replace("cap_", "+").split()
    return ("setpriv", "--no-new-privs", f"--bounding-set=-all,{','.join(kept)}", "--")


@contextmanager
def a_state(person: str = AGENT_USER) -> Iterator[Path]:
    """A state directory of the agent's user."""
    found = pwd.getpwnam(person)
    with tempfile.TemporaryDirectory(prefix="madoguchi-test-") as name:
        os.chown(name, found.pw_uid, found.pw_gid)
        yield Path(name)
        Path(name).chmod(0o700)


@contextmanager
def a_folder(*, below: str | None = None) -> Iterator[Path]:
    """Where a keeper's socket stands: root's, open to look at."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-keeper-", dir=below) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def holding(agent: Agent) -> Iterator[int]:
    """A process outside that has a file of the visit's space open."""
    (space,) = stale_mounts(agent.runtime)
    script = "import sys, time; kept = open(sys.argv[1], 'w'); print(flush=True); time.sleep(1000)"
    command = [sys.executable, "-c", script, str(space / "home" / "kept")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


def sweep_away(state: Path) -> None:
    """Take away what a test left, by root itself."""
    sweep(BoxConfig(state=state))


def boxed(state: Path) -> list[int]:
    """Live processes of the agent's boxes."""
    name = BoxConfig(state=state).name
    return [pid for pid in processes() if environ_of(pid).get(MARKER) == name]


def init_of(state: Path) -> int:
    """PID 1 of the agent's only box."""
    (found,) = (pid for pid in boxed(state) if _inner_pid(pid) == ["1"])
    return found


def _inner_pid(pid: int) -> list[str]:
    """The number of a process inside its box, one deeper than here."""
    with suppress(OSError):
        lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
        return next(line.split()[2:] for line in lines if line.startswith("NSpid:"))
    return []
