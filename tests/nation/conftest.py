"""Towns by behaviour."""

import pytest

from madoguchi.nation.world import Behaviour
from nation.town import Town


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def town2023() -> Town:
    return Town(Behaviour.Y2023)


@pytest.fixture
def proof_town() -> Town:
    return Town(Behaviour.PROOF)


@pytest.fixture(params=list(Behaviour))
def any_town(request: pytest.FixtureRequest) -> Town:
    return Town(request.param)
