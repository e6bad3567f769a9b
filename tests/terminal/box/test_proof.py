"""The proof is attacked: whatever keeps a visit's data alive must keep the proof from being made."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from madoguchi.terminal.errors import WipeUnproven
from madoguchi.terminal.namespaces import (
    Namespaces,
    members,
    mounters,
    mounts,
    namespaces_of,
    openers,
    processes,
    started,
    ticks,
    users,
)
from madoguchi.terminal.ports import SPACE_NAMESPACE, WipeProof
from madoguchi.terminal.proof import Traces, prove
from madoguchi.terminal.space import SpaceHeld, stale_mounts
from terminal.box.conftest import MakeAgent
from terminal.box.site import Site
from terminal.box.support import AS_ROOT, Agent, Refused, as_person, interpreter, left_of, until

HOLDS = {
    "mount namespace": "f = open(place.split('/root')[0] + '/ns/mnt'); ready(); wait()",
    "shared memory": "f = open(place.split('/root')[0] + '/ns/ipc'); ready(); wait()",
    "open file": "f = open(place + '/held', 'w'); ready(); wait()",
    "read only": "open(place + '/held', 'w').close(); f = open(place + '/held'); ready(); wait()",
    "deleted file": "f = open(place + '/held', 'w'); os.unlink(place + '/held'); ready(); wait()",
    "directory": "os.chdir(place); ready(); wait()",
    "mapping": """
import mmap
f = os.open(place + '/held', os.O_RDWR | os.O_CREAT); os.ftruncate(f, 4096)
m = mmap.mmap(f, 4096); os.close(f); ready(); wait()""",
    "thread of a dead leader": """
import ctypes, threading
f = open(place + '/held', 'w')
def later():
    time.sleep(0.3); ready(); wait()
threading.Thread(target=later).start()
ctypes.CDLL(None).syscall(60, 0)""",
}
"""Ways to keep something of the space, as a program that is given `place`."""

_PROGRAM = """
import os, sys, time
place = sys.argv[1]
def ready(): print('ready', flush=True)
def wait(): time.sleep(1000)
"""


@pytest.fixture
def agent(make_agent: MakeAgent) -> Agent:
    """An agent that does not wait long for a proof."""
    return make_agent(proof_limit=1.0, sweep_limit=1.0)


@contextmanager
def holding(how: str, place: str, person: str) -> Iterator[int]:
    """A process outside the box that holds something of its file space; its PID."""
    command = [interpreter(person), "-c", _PROGRAM + HOLDS[how], place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/", **as_person(person)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("how", sorted(HOLDS))
def test_what_leaves_the_box_keeps_the_proof_away(agent: Agent, site: Site, how: str) -> None:
    traces = agent.open(site)
    place = f"/proc/{traces['init']}/root/home/visit"
    with holding(how, place, agent.person) as holder:
        with pytest.raises(Refused) as unproven:
            agent.ask("destroy")
        assert unproven.value.code == "WipeUnproven"
        assert str(holder) in unproven.value.text
    assert agent.ask("destroy")["space_gone_at"]
    assert left_of(agent, traces) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["open file", "thread of a dead leader"])
def test_an_unproven_end_stays_unproven_until_nothing_holds_it(agent: Agent, site: Site, how: str) -> None:
    traces = agent.open(site)
    place = f"/proc/{traces['init']}/root/home/visit"
    with holding(how, place, agent.person):
        for attempt in ("destroy", "destroy", "sweep"):
            with pytest.raises(Refused) as unproven:
                agent.ask(attempt)
            assert unproven.value.code == "WipeUnproven"
    assert agent.ask("sweep")["space_gone_at"]
    assert left_of(agent, traces) == []


@pytest.mark.slow
@pytest.mark.parametrize("person", AS_ROOT)
def test_a_restarted_agent_finds_the_mount_that_is_still_held(agent: Agent, site: Site) -> None:
    traces = agent.open(site)
    with holding("open file", f"/proc/{traces['init']}/root/home/visit", "root"):
        with pytest.raises(Refused):
            agent.ask("destroy")
        with pytest.raises(Refused) as unswept:
            agent.again_after_kill().ask("sweep")
        assert unswept.value.code == "WipeUnproven"
    assert agent.ask("sweep")["space"] == "unmounted"
    assert left_of(agent, traces) == []


@pytest.mark.slow
@pytest.mark.parametrize("person", AS_ROOT)
def test_a_busy_mount_is_never_unmounted_lazily(agent: Agent, site: Site) -> None:
    agent.open(site)
    (space,) = agent.runtime.iterdir()
    nested = space / "home" / "nested"
    nested.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "test", str(nested)], check=True)
    with pytest.raises(Refused, match="busy") as unproven:
        agent.ask("destroy")
    assert unproven.value.code == "WipeUnproven"
    assert len(stale_mounts(agent.runtime)) == 2
    subprocess.run(["umount", str(nested)], check=True)
    assert agent.ask("destroy")["space"] == "unmounted"


class KeptSpace:
    """A space that will not go for the first `times` attempts."""

    kind = SPACE_NAMESPACE
    policies = Path()

    def __init__(self, times: int) -> None:
        self.times = times

    def arguments(self) -> list[str]:
        return []

    def keep(self, name: str, content: bytes) -> Path:
        raise NotImplementedError

    def holders(self) -> list[int]:
        return []

    def release(self) -> None:
        self.times -= 1
        if self.times >= 0:
            raise SpaceHeld("umount: busy")


@contextmanager
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for a box's PID 1."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"]) as process:
        try:
            yield process
        finally:
            process.kill()


def _elsewhere(process: "subprocess.Popen[bytes]") -> Traces:
    """Traces with namespaces that nobody is in: our own process must not count as a member."""
    return Traces(process.pid, os.pidfd_open(process.pid), Namespaces(1, 1, 1))


def _prove(traces: Traces, space: KeptSpace, *, kill: Any = lambda: None, limit: float = 0.2) -> WipeProof:
    return prove(traces=traces, space=space, logout="not_tried", kill=kill, limit=limit)


def test_a_living_process_is_named() -> None:
    with sleeper() as process:
        traces = _elsewhere(process)
        with pytest.raises(WipeUnproven, match=str(process.pid)):
            _prove(traces, KeptSpace(0))
        process.kill()
        assert _prove(traces, KeptSpace(0), limit=5).space == SPACE_NAMESPACE


def test_it_is_killed_again_until_it_is_gone() -> None:
    with sleeper() as process:
        kills: list[float] = []

        def third_time() -> None:
            kills.append(time.monotonic())
            if len(kills) == 3:
                process.kill()

        assert _prove(_elsewhere(process), KeptSpace(0), kill=third_time, limit=5).processes_gone_at
        assert len(kills) >= 3


def test_a_process_in_the_namespaces_keeps_the_proof_away() -> None:
    with sleeper() as process:
        traces = _elsewhere(process)
        process.kill()
        own = namespaces_of(os.getpid())
        assert own is not None
        traces.namespaces = Namespaces(own.pid, 1, 1)
        with pytest.raises(WipeUnproven, match=str(os.getpid())):
            _prove(traces, KeptSpace(0))
        traces.close()


def test_a_process_started_after_the_end_is_in_another_box() -> None:
    own = namespaces_of(os.getpid())
    assert own is not None
    before = ticks()
    time.sleep(0.05)
    with sleeper() as process:
        until(lambda: namespaces_of(process.pid) is not None)
        found = members(own, until=before)
        assert os.getpid() in found
        assert process.pid not in found
        assert process.pid in members(own)


def test_a_space_that_goes_late_is_waited_for() -> None:
    with sleeper() as process:
        process.kill()
        assert _prove(_elsewhere(process), KeptSpace(3), limit=5).space_gone_at


def test_a_space_that_stays_is_no_proof() -> None:
    with sleeper() as process:
        traces = _elsewhere(process)
        process.kill()
        with pytest.raises(WipeUnproven, match="busy"):
            _prove(traces, KeptSpace(10**6))
        traces.close()


def test_a_zombie_holds_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        until(lambda: process.pid not in processes())
        assert Path(f"/proc/{process.pid}").exists()
        assert started(process.pid) is None


def test_eyes_see_themselves() -> None:
    own = namespaces_of(os.getpid())
    assert own is not None
    assert os.getpid() in members(own)
    with open(__file__) as held:
        device = os.fstat(held.fileno()).st_dev
        assert os.getpid() in openers(device)
        assert os.getpid() not in users(frozenset({device}))  # mounted here, so it is nothing of a box's
    assert users(frozenset()) == []
    assert os.getpid() in mounters(next(mount.source for mount in mounts(os.getpid())))


def test_a_box_that_is_already_gone_is_not_taken_hold_of() -> None:
    with sleeper() as process, pytest.raises(ProcessLookupError):
        Traces.take(process.pid, Namespaces(1, 2, 3))
