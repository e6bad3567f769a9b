"""Fixtures of the log's tests: a closed visit in it, an officer's browser, keys of a committed office."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from madoguchi.server.visits.models import Visit
from server.databases import Fresh
from server.ledger.keys_of_its_own import own_keys
from server.ledger.pages_support import closed_visit
from server.seat import Enter, People, Seat


@pytest.fixture
def visit(seat: Seat, staff: People) -> Visit:
    """Closed and in the log, with a checkpoint."""
    return closed_visit(seat, staff("honcho-1"))


@pytest.fixture
def officer(enter: Enter) -> Client:
    """The browser of an officer of all sites."""
    return enter("officer")


@pytest.fixture
def folder(fresh: Fresh, tmp_path: Path) -> Iterator[Path]:
    """The key folder of a committed office of the test's own."""
    assert fresh.url
    with own_keys(tmp_path / "state") as made:
        yield made
