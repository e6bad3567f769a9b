import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from terminal.browsing import chromium
from terminal.deskclient import Desk
from terminal.rig import MEMORY, Rig


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: each step of the agent waits for the disk elsewhere."""
    with tempfile.TemporaryDirectory(prefix="terminal-", dir=MEMORY) as name:
        yield Path(name)


@pytest.fixture
def rig(memory: Path) -> Iterator[Rig]:
    made = Rig(memory)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser for the desk page."""
    with chromium() as made:
        yield made


@pytest.fixture
def desk(rig: Rig) -> Desk:
    """The desk page of the rig."""
    return Desk(rig)
