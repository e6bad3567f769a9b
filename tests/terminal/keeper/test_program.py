"""The program itself: what it trusts, what it refuses to start with, and what it does not even load."""

import json
import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from madoguchi.terminal.boxconfig import VISIT_USER
from madoguchi.terminal.keeper import notify
from terminal.box.support import SOURCE, as_person, interpreter, until
from terminal.keeper.support import AGENT_USER, PROGRAM, KeeperProcess, a_folder, a_state

LISTS = """
import json, sys
import madoguchi.terminal.keeper
print(json.dumps(sorted(sys.modules)))
"""
NEVER = {"ssl", "asyncio", "http", "urllib.request", "tkinter", "sqlite3", "pickle", "multiprocessing", "xml", "email"}


def run(*arguments: str, person: str = "") -> subprocess.CompletedProcess[str]:
    who = person or pwd.getpwuid(os.geteuid()).pw_name
    return subprocess.run(
        [interpreter(who), *arguments],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=30,
        check=False,
        **as_person(who),
    )


def test_the_root_process_loads_nothing_it_does_not_need() -> None:
    loaded = set(json.loads(run("-c", LISTS).stdout))
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"madoguchi", "__main__"}
    assert {name for name in foreign if not name.startswith(("_", "sitecustomize"))} == set()
    assert loaded & NEVER == set()
    rooms = {".".join(name.split(".")[:2]) for name in loaded if name.startswith("madoguchi.")}
    assert rooms == {"madoguchi.terminal", "madoguchi.protocol"}


@pytest.mark.slow
def test_a_running_keeper_has_no_network_and_nothing_open_but_its_line() -> None:
    with a_state() as state, a_folder() as folder, KeeperProcess(folder, state) as keeper:
        process = Path("/proc") / str(keeper.process.pid)
        wanted = ["/dev/null", str(keeper.log), str(keeper.log), "socket", f"{keeper.place}.lock", "pipe", "pipe"]
        until(lambda: opened(process) == sorted(wanted))
        assert "_ssl" not in (process / "maps").read_text()
        assert len(list((process / "task").iterdir())) == 1  # a box dies with the thread that started it


def opened(process: Path) -> list[str]:
    """What a process has open just now, kinds for what has no name."""
    try:
        return sorted(os.readlink(link).partition(":")[0] for link in (process / "fd").iterdir())
    except OSError:
        return []


@pytest.fixture
def config() -> Iterator[Callable[..., Path]]:
    with a_state() as state, a_folder() as folder:

        def write(**given: object) -> Path:
            settings = {"server_url": "http://a.test", "state_dir": str(state), "agent_user": AGENT_USER, **given}
            place = folder / "terminal.toml"
            place.write_text("[terminal]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in settings.items()))
            place.chmod(0o644)
            return place

        yield write


def refused(config: Path, *, person: str = "", line: str = "") -> str:
    """What the program says when it does not start."""
    done = run("-m", PROGRAM, "--config", str(config), "--socket", line or str(config.parent / "s"), person=person)
    assert done.returncode == 2
    return done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"agent_user": "root"}, id="an agent that is root"),
        pytest.param({"agent_user": VISIT_USER}, id="an agent that is the browsers' user"),
        pytest.param({"agent_user": "madoguchi-nobody-has-this-name"}, id="no such user"),
        pytest.param({"state_dir": "relative"}, id="a relative state directory"),
        pytest.param({"unknown": 1}, id="an unknown setting"),
    ],
)
def test_settings_that_would_not_be_safe(config: Callable[..., Path], settings: dict[str, object]) -> None:
    assert "ConfigInvalid" in refused(config(**settings))


@pytest.mark.slow
def test_settings_that_others_can_write_are_not_believed(config: Callable[..., Path]) -> None:
    place = config()
    place.chmod(0o664)
    assert "not root's alone" in refused(place)
    place.chmod(0o644)
    os.chown(place, pwd.getpwnam(AGENT_USER).pw_uid, -1)
    assert "not root's alone" in refused(place)
    assert "ConfigInvalid" in refused(place.with_name("none"))


@pytest.mark.slow
def test_only_root_keeps(config: Callable[..., Path]) -> None:
    assert "ConfigInvalid" in refused(config(), person="nobody", line="/tmp/none")  # noqa: S108


@pytest.mark.slow
def test_a_second_keeper_does_not_start() -> None:
    with a_state() as state, a_folder() as folder, KeeperProcess(folder, state) as keeper:
        assert "KeeperAlreadyRunning" in refused(keeper.config, line=str(keeper.place))
        assert keeper.process.poll() is None
        assert keeper.place.is_socket()


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool) -> None:
    name = f"@madoguchi-{os.getpid()}" if abstract else str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0"))
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify("READY=1")
        listener.settimeout(1)
        assert listener.recv(99) == b"READY=1"
    notify("READY=1")  # nobody listens any more
