"""Fixtures of the keeper tests: the real programs, each a process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from terminal.box.site import Site
from terminal.keeper.support import KeeperProcess, KeptAgent, a_folder, a_state, sweep_away

MakeAgent = Callable[..., KeptAgent]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def state() -> Iterator[Path]:
    with a_state() as place:
        yield place
        sweep_away(place)


@pytest.fixture
def keeper(state: Path) -> Iterator[KeeperProcess]:
    with a_folder() as folder, KeeperProcess(folder, state) as running:
        yield running


@pytest.fixture
def make_agent(state: Path, keeper: KeeperProcess) -> Iterator[MakeAgent]:
    with ExitStack() as stack:

        def make(**given: Any) -> KeptAgent:
            made = KeptAgent(given.pop("state", state), given.pop("keeper", keeper.place), **given)
            stack.callback(made.kill)
            return made

        yield make


@pytest.fixture
def agent(make_agent: MakeAgent) -> KeptAgent:
    return make_agent()
