from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    made.start()
    yield made
    made.close()
