"""The keeper as it stands at a counter: root makes the boxes, the agent is an ordinary user."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from madoguchi.terminal.boxconfig import VISIT_USER
from madoguchi.terminal.namespaces import processes
from madoguchi.terminal.space import stale_mounts
from terminal.box.site import Site
from terminal.box.support import ENTER, Refused, as_person, interpreter, left_of, marked, until
from terminal.keeper.conftest import MakeAgent
from terminal.keeper.support import (
    AGENT_USER,
    KeeperProcess,
    KeptAgent,
    a_folder,
    a_state,
    boxed,
    holding,
    init_of,
    rights_of_the_unit,
    sweep_away,
)

pytestmark = pytest.mark.slow

CONNECT = """
import socket, sys
line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
try:
    line.connect(sys.argv[1])
    print(line.recv(9999).decode())
except OSError as error:
    print(type(error).__name__)
"""


def test_a_whole_visit(agent: KeptAgent, site: Site, state: Path) -> None:
    assert agent.ask("lacking") == []
    assert agent.ask("sweep")["space"] == "none"
    agent.open(site)
    until(lambda: "/start" in site.paths())
    (mount,) = stale_mounts(agent.runtime)
    table = processes()
    assert {table[pid].uid for pid in boxed(state) if pid in table} == {as_person(VISIT_USER)["user"]}
    assert agent.ask("logout", url=site.origin + "/logout") == "visited"
    proof = agent.ask("destroy")
    assert (proof["space"], proof["logout"], proof["training"]) == ("unmounted", "visited", False)
    times = [proof[name] for name in ("processes_gone_at", "namespaces_empty_at", "space_gone_at")]
    assert times == sorted(times)
    assert left_of(agent) == []
    assert not mount.exists()
    assert agent.ask("destroy") == proof


def test_the_rights_of_the_unit_are_enough(make_agent: MakeAgent, site: Site, state: Path) -> None:
    with a_folder() as folder, KeeperProcess(folder, state, under=rights_of_the_unit()) as keeper:
        agent = make_agent(keeper=keeper.place)
        assert agent.ask("lacking") == []
        agent.open(site)
        until(lambda: "/start" in site.paths())
        assert agent.ask("destroy")["space"] == "unmounted"
        agent.open(site)
        keeper.kill()
        keeper.again()
        assert agent.ask("destroy")["space"] == "unmounted"
        agent.ask("hold_start")
        with holding(agent):
            assert agent.attempt("hold_prove") == "WipeUnproven"
        assert agent.ask("hold_prove")["space"] == "unmounted"
        assert left_of(agent) == []


def test_the_next_visit_knows_nothing_of_the_one_before(agent: KeptAgent, site: Site) -> None:
    for person in ("A", "B"):
        site.person = person
        site.seen.clear()
        agent.open(site)
        until(lambda: "/start" in site.paths())
        agent.ask("logout", url=site.origin + "/logout")
        cookies = {seen.path: seen.cookie for seen in site.seen}
        assert (cookies["/start"], cookies["/logout"]) == ("", f"person={person}")
        agent.ask("destroy")


def test_the_agents_user_cannot_look_into_the_visit_or_signal_it(agent: KeptAgent, site: Site, state: Path) -> None:
    agent.open(site)
    (space,) = stale_mounts(agent.runtime)
    init = init_of(state)
    closed = [str(space), *(f"{space}/{name}" for name in ("home", "tmp", "vartmp", "shm", "run", "home/browser"))]
    secret = [f"/proc/{init}/{name}" for name in ("root", "cwd", "environ", "mem", "maps", "fd")]
    assert agent.ask("reach", places=[*closed, *secret]) == []
    assert agent.ask("reach", places=["/etc/hostname"])  # the eye can see
    for pid in boxed(state):
        assert agent.attempt("signal", pid=pid) == "PermissionError"
    agent.ask("destroy")


def test_a_space_that_is_held_is_unproven_until_it_is_let_go(agent: KeptAgent) -> None:
    agent.ask("hold_start")
    with holding(agent) as holder:
        for _ in range(2):
            with pytest.raises(Refused, match=str(holder)) as unproven:
                agent.ask("hold_prove")
            assert unproven.value.code == "WipeUnproven"
        assert stale_mounts(agent.runtime)
    assert agent.ask("hold_prove")["space"] == "unmounted"
    assert left_of(agent) == []


def test_a_space_that_is_held_outlives_agents_but_is_not_forgotten(make_agent: MakeAgent) -> None:
    first = make_agent()
    first.ask("hold_start")
    with holding(first):
        first.kill()
        second = make_agent(back=20)
        assert second.attempt("sweep") == "WipeUnproven"
        assert second.attempt("hold_start") == "WipeUnproven"
    proof = second.ask("sweep")
    assert (proof["space"], proof["leftovers"] > 0) == ("unmounted", True)
    second.ask("hold_start")
    assert second.ask("hold_prove")["space"] == "unmounted"
    assert left_of(second) == []


def test_two_agents_with_a_keeper_each_do_not_touch_each_others_boxes(make_agent: MakeAgent, state: Path) -> None:
    first = make_agent()
    first.ask("hold_start")
    with a_state() as other, a_folder() as folder, KeeperProcess(folder, other) as keeper:
        second = make_agent(state=other, keeper=keeper.place)
        second.ask("hold_start")
        init = init_of(state)
        second.ask("sweep")
        second.ask("hold_prove")
        second.ask("hold_start")
        second.kill()
        keeper.kill()
        keeper.again()
        second.again().ask("sweep")
        assert init_of(state) == init
        sweep_away(other)
    assert init_of(state) == init
    assert first.ask("hold_prove")["space"] == "unmounted"


def test_a_second_agent_of_the_same_terminal_gets_no_box(make_agent: MakeAgent, state: Path) -> None:
    first = make_agent()
    first.ask("hold_start")
    second = make_agent(back=0.5)
    (line,) = second.ask("lacking")
    assert "KeeperBusy" in line
    assert second.attempt("hold_start") == "BoxUnavailable"
    assert second.attempt("sweep") == "WipeUnproven"
    assert init_of(state)
    assert first.ask("hold_prove")["space"] == "unmounted"


@pytest.mark.parametrize("person", [AGENT_USER, "nobody"])
def test_nobody_else_can_mark_processes_to_have_them_killed(agent: KeptAgent, person: str) -> None:
    """In namespaces of their own, as they would find others in that live in a container or a service's own mounts."""
    command = ["unshare", "--user", "--mount", "bash", "-c", "env -i sleep 1000 & echo; wait"]
    with subprocess.Popen(
        command, env=marked(agent), cwd="/", stdout=subprocess.PIPE, start_new_session=True, **as_person(person)
    ) as bystander:
        assert bystander.stdout is not None
        bystander.stdout.readline()
        agent.ask("sweep")
        assert bystander.poll() is None
        os.killpg(bystander.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("person", "answer"), [("nobody", "PermissionError"), (VISIT_USER, "PermissionError"), ("root", "PeerRefused")]
)
def test_another_user_is_refused(keeper: KeeperProcess, agent: KeptAgent, person: str, answer: str) -> None:
    command = [interpreter(person), "-c", CONNECT, str(keeper.place)]
    said = subprocess.run(command, capture_output=True, text=True, cwd="/", check=True, **as_person(person)).stdout
    assert answer in said
    assert ("uid 0" in keeper.log.read_text()) is (person == "root")
    assert agent.ask("lacking") == []


def test_inside_the_box_there_is_no_keeper(make_agent: MakeAgent, state: Path) -> None:
    with a_folder(below="/run") as folder, KeeperProcess(folder, state) as keeper:
        agent = make_agent(keeper=keeper.place)
        agent.ask("hold_start")
        look = f"ls -A /run /tmp; cat /proc/1/net/unix; ls /run/madoguchi {folder} 2>&1; ls /proc | grep -c '^[0-9]'"
        command = [interpreter(VISIT_USER), str(ENTER), str(init_of(state)), "/bin/bash", "-c", look]
        said = subprocess.run(
            command, capture_output=True, text=True, cwd="/", env=marked(agent), check=True, **as_person(VISIT_USER)
        ).stdout
        assert "/run/madoguchi': No such file" in said
        assert f"{folder}': No such file" in said
        assert "keeper.sock" not in said
        assert agent.ask("hold_prove")["space"] == "unmounted"


def test_the_agents_user_cannot_end_the_keeper_with_noise(keeper: KeeperProcess, make_agent: MakeAgent) -> None:
    agent = make_agent()
    assert agent.ask("noise", times=200) == 200
    assert keeper.process.poll() is None
    until(lambda: agent.ask("lacking") == [])  # once it has heard the last of them
    agent.ask("hold_start")
    assert agent.ask("hold_prove")["space"] == "unmounted"
