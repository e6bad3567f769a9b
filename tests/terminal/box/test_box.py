"""A box is opened, used, destroyed; nothing of it is left, whatever lives in it and whoever dies."""

import random
import secrets
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from madoguchi.terminal.boxconfig import VISIT_USER
from madoguchi.terminal.namespaces import AGENT, MARKER, Namespaces, environ_of, members, processes
from terminal.box.conftest import MakeAgent
from terminal.box.site import Site
from terminal.box.support import AS_ROOT, Agent, Refused, as_person, left_of, planted, process_in_box, until

pytestmark = pytest.mark.slow


def test_a_box_opens_the_prepared_page_and_ends_with_a_proof(agent: Agent, site: Site) -> None:
    traces = agent.open(site)
    until(lambda: "/start" in site.paths())
    assert left_of(agent, traces)
    proof = agent.ask("destroy")
    times = [proof[name] for name in ("processes_gone_at", "namespaces_empty_at", "space_gone_at")]
    assert times == sorted(times)
    assert not agent.runtime.exists()
    assert all(datetime.fromisoformat(moment).tzinfo is not None for moment in times)
    assert proof["space"] == ("unmounted" if agent.root else "namespace")
    assert proof["training"] is False
    assert proof["logout"] == "not_tried"
    assert left_of(agent, traces) == []


def test_destroying_twice_gives_the_same_proof(agent: Agent, site: Site) -> None:
    agent.open(site)
    assert agent.ask("destroy") == agent.ask("destroy")


def test_the_next_visit_knows_nothing_of_the_one_before(agent: Agent, site: Site) -> None:
    for person in ("A", "B"):
        site.person = person
        site.seen.clear()
        agent.open(site)
        until(lambda: "/start" in site.paths())
        assert agent.ask("logout", url=site.origin + "/logout") == "visited"
        cookies = {seen.path: seen.cookie for seen in site.seen}
        assert cookies["/start"] == ""
        assert cookies["/logout"] == f"person={person}"
        assert agent.ask("destroy")["logout"] == "visited"


def test_no_file_outside_keeps_what_the_visit_had(agent: Agent, site: Site) -> None:
    begun = time.time()
    marker = site.person = f"marker-{secrets.token_hex(12)}"
    traces = agent.open(site)
    until(lambda: "/start" in site.paths())
    agent.ask("inside", script=f"localStorage.setItem('kept', '{marker}'); document.title = '{marker}'")
    if agent.root:
        spaces = list(agent.runtime.iterdir())
        until(lambda: planted(marker, *spaces, since=begun), 30)  # the eye can see it while it is there
    agent.ask("destroy")
    places = (Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path("/run"), agent.state)  # noqa: S108
    assert planted(marker, *places, since=begun) == []
    assert left_of(agent, traces) == []


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("trap '' TERM HUP INT; echo ready; while :; do sleep 100; done", id="ignores signals"),
        pytest.param("(setsid -f sleep 1000 >&- 2>&-) & echo ready; sleep 1000", id="detached"),
        pytest.param("exec unshare --user --pid --fork --mount bash -c 'echo ready; sleep 1000'", id="own namespaces"),
    ],
)
def test_whatever_lives_in_the_box_dies_with_it(agent: Agent, site: Site, script: str) -> None:
    traces = agent.open(site)
    before = set(processes())
    with process_in_box(agent, traces, script):
        helpers = set(processes()) - before
        assert helpers
        agent.ask("destroy")
        assert left_of(agent, traces) == []
        until(lambda: not helpers & set(processes()), 2)


def test_a_browser_that_dies_is_reported_once_and_still_proven_gone(agent: Agent, site: Site) -> None:
    traces = agent.open(site)
    assert agent.ask("state")["deaths"] == []
    with pytest.raises(Refused) as closed:
        agent.ask("command", method="Browser.crash", params={})
    assert closed.value.code == "CdpClosed"
    until(lambda: agent.ask("state")["deaths"])
    agent.ask("destroy")
    assert agent.ask("state")["deaths"] == ["the browser died"]
    assert left_of(agent, traces) == []


def test_destroying_is_no_death(agent: Agent, site: Site) -> None:
    agent.open(site)
    agent.ask("destroy")
    assert agent.ask("state")["deaths"] == []


def test_a_killed_agent_takes_its_box_along_and_the_sweep_finishes(agent: Agent, site: Site) -> None:
    traces = agent.open(site)
    agent.kill()
    until(lambda: not [pid for pid in processes() if environ_of(pid).get(MARKER) == agent.config.name], 2)
    proof = agent.again().ask("sweep")
    assert proof["leftovers"] >= 1
    assert proof["space"] == ("unmounted" if agent.root else "none")
    assert left_of(agent, traces) == []


def test_a_hung_agent_does_not_keep_a_box(agent: Agent, site: Site) -> None:
    traces = agent.open(site)
    agent.process.send_signal(signal.SIGSTOP)
    until(lambda: not [line for line in left_of(agent, traces) if line.startswith(("member", "holder"))], 6)
    agent.process.send_signal(signal.SIGCONT)
    until(lambda: agent.ask("state")["deaths"] == ["the browser died"])
    agent.ask("destroy")


def test_an_agent_whose_loop_hangs_does_not_keep_a_box(agent: Agent, site: Site) -> None:
    traces = agent.open(site)
    agent.ask("hang", hung=True)
    until(lambda: agent.ask("state")["deaths"] == ["the browser died"], 6)
    until(lambda: not [line for line in left_of(agent, traces) if not line.startswith(("mount", "file"))])
    agent.ask("hang", hung=False)
    agent.ask("destroy")


def test_killed_at_any_moment_of_a_start_the_sweep_leaves_nothing(agent: Agent, site: Site) -> None:
    chance = random.Random(20220817)  # noqa: S311 # moments, not secrets
    for _ in range(12):
        agent.tell("open", **agent.visit(site))
        time.sleep(chance.uniform(0.005, 0.4))
        agent.kill()
        agent.again().ask("sweep")
        assert left_of(agent) == []
        time.sleep(0.05)
        assert left_of(agent) == []


def test_a_sweep_with_nothing_to_sweep_says_so(agent: Agent) -> None:
    proof = agent.ask("sweep")
    assert (proof["leftovers"], proof["space"]) == (0, "none")


def test_a_sweep_spares_the_boxes_of_another_agent(make_agent: MakeAgent, site: Site) -> None:
    mine = make_agent()
    traces = mine.open(site)
    other = Agent(mine.state / "other", person=mine.person)
    with other:
        assert other.ask("sweep")["leftovers"] == 0
    assert mine.ask("state")["deaths"] == []
    assert mine.ask("destroy")["processes_gone_at"]
    assert left_of(mine, traces) == []


@pytest.mark.parametrize("mark", ["", "0123456789abcdef"])
def test_a_sweep_spares_whoever_is_not_ours(agent: Agent, mark: str) -> None:
    environment = {MARKER: mark} if mark else {}
    command = ["sleep", "1000"]
    with subprocess.Popen(command, env=environment, cwd="/", **as_person(agent.person)) as bystander:
        assert agent.ask("sweep")["leftovers"] == 0
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.parametrize("person", AS_ROOT)
def test_a_sweep_ends_whatever_runs_as_the_browsers_user(agent: Agent) -> None:
    with subprocess.Popen(["sleep", "1000"], env={}, cwd="/", **as_person(VISIT_USER)) as unmarked:
        agent.ask("sweep")
        assert unmarked.wait(1) == -signal.SIGKILL
    gone = {MARKER: "0123456789abcdef", AGENT: "1:1"}
    with subprocess.Popen(["sleep", "1000"], env=gone, cwd="/", **as_person(VISIT_USER)) as orphan:
        agent.ask("sweep")
        assert orphan.wait(1) == -signal.SIGKILL


def test_a_sweep_finds_ours_without_a_box_and_behind_a_child(agent: Agent) -> None:
    script = "env -i sleep 1000 & sleep 1000"
    environment = {MARKER: agent.config.name, "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        ["bash", "-c", script], env=environment, cwd="/", start_new_session=True, **as_person(agent.person)
    ) as leftover:
        until(lambda: len(_descendants(leftover.pid)) == 3)
        family = _descendants(leftover.pid)
        assert agent.ask("sweep")["leftovers"] >= 3
        assert not family & set(processes())


def test_a_sweep_ends_an_open_box_of_its_own_agent(agent: Agent, site: Site) -> None:
    traces = agent.open(site)
    assert agent.ask("sweep")["leftovers"] >= 2
    assert left_of(agent, traces) == []


def test_chromiums_own_sandbox_works_inside_and_no_core_leaves(agent: Agent, site: Site) -> None:
    traces = agent.open(site)
    assert not [pid for pid in _box_processes(traces) if b"--no-sandbox" in _command_line(pid)]
    (renderer, *_) = until(lambda: [pid for pid in _box_processes(traces) if b"--type=renderer" in _command_line(pid)])
    status = _status(renderer)
    assert status["Seccomp"].strip() == "2"
    assert len(status["NSpid"].split()) > len(_status(traces["init"])["NSpid"].split())
    limits = Path(f"/proc/{renderer}/limits").read_text().splitlines()
    assert next(line.split()[4:6] for line in limits if line.startswith("Max core")) == ["1", "1"]


def test_a_browser_never_runs_as_root(agent: Agent, site: Site) -> None:
    inside = _box_processes(agent.open(site))
    table = processes()
    users = [table[pid].uid for pid in inside if pid in table]
    assert users
    assert 0 not in users


def _descendants(pid: int) -> set[int]:
    table = processes()
    found = {pid}
    while more := {child.pid for child in table.values() if child.parent in found} - found:
        found |= more
    return found


def _box_processes(traces: Any) -> list[int]:
    return members(Namespaces(*traces["namespaces"]))


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _status(pid: int) -> dict[str, str]:
    return dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
