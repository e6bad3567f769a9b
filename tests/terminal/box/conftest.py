"""Fixtures of the box tests."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from terminal.box.scratch import GROUP, PASSWD, Scratch
from terminal.box.site import Site
from terminal.box.support import PERSONS, Agent
from terminal.box.xserver import XServer

MakeAgent = Callable[..., Agent]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture(params=PERSONS)
def person(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def state(person: str) -> Iterator[Path]:
    """A state directory that belongs to the agent's user, where that user can reach it."""
    place = Path(tempfile.mkdtemp(prefix="madoguchi-test-"))
    found = pwd.getpwnam(person)
    if os.geteuid() == 0:
        os.chown(place, found.pw_uid, found.pw_gid)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def make_agent(state: Path, person: str) -> Iterator[MakeAgent]:
    """Start agents that are swept away at the end."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Agent:
            return stack.enter_context(Agent(state, person=person, **settings))

        yield make


@pytest.fixture
def agent(make_agent: MakeAgent) -> Agent:
    """A training agent without a display."""
    return make_agent()


@pytest.fixture
def display() -> Iterator[XServer]:
    """An X server of the test's own."""
    with XServer() as server:
        yield server


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A machine with the users of a terminal."""
    made = Scratch(tmp_path)
    made.file("etc/passwd", PASSWD)
    made.file("etc/group", GROUP)
    return made
