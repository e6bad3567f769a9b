from pathlib import Path

import numpy as np
import pytest

from madoguchi.names import tables
from madoguchi.names.errors import TablesDamaged, TablesMissing


def test_the_shipped_file_is_small_enough_and_says_its_licence() -> None:
    assert tables.SHIPPED.stat().st_size < 15_000_000
    told = tables.about()
    assert "CC BY-SA" in str(told["licence"])
    assert told["holdout"] is False
    assert (tables.SHIPPED.parent / "LICENSE.md").is_file()


def test_writing_what_was_read_gives_the_same_bytes(tmp_path: Path) -> None:
    tables.write(tmp_path / "again", tables.read(), tables.about())
    assert (tmp_path / "again").read_bytes() == tables.SHIPPED.read_bytes()


def test_one_changed_byte_is_found(tmp_path: Path) -> None:
    data = bytearray(tables.SHIPPED.read_bytes())
    for place in (0, 20, 40, len(data) // 2, len(data) - 1):
        data[place] ^= 1
        (tmp_path / "damaged").write_bytes(data)
        data[place] ^= 1
        with pytest.raises(TablesDamaged):
            tables.read(tmp_path / "damaged")


@pytest.mark.parametrize("size", [0, 5, 30, 1000, 1_000_000])
def test_a_cut_file_is_found(tmp_path: Path, size: int) -> None:
    (tmp_path / "cut").write_bytes(tables.SHIPPED.read_bytes()[:size])
    with pytest.raises(TablesDamaged):
        tables.read(tmp_path / "cut")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TablesMissing):
        tables.read(tmp_path / "none")


def test_no_table_points_outside_another() -> None:
    shipped = tables.shipped()
    assert int(shipped.pages.max()) < len(shipped.symbols)
    assert int(shipped.symbols.max()) + 2 == len(shipped.starts)
    assert shipped.starts[0] == 0
    assert int(shipped.starts[-1]) == len(shipped.readings) == len(shipped.weights)
    assert (np.diff(shipped.starts) >= 0).all()
    assert set(np.unique(shipped.readings >> 56)) <= {1, 2, 3, 4, 5}
    assert shipped.weights.shape[1] == 8
    assert shipped.odd.shape == (len(shipped.starts) - 1, 2)
    assert int(shipped.starts.size) == len(shipped.odd) + 1
    for hashed in (shipped.slots, shipped.longer, shipped.latin_book):
        assert 0.1 < (hashed > 0).mean() < 0.9
    for fit in (shipped.fit, *shipped.latin_fit):
        assert np.isfinite(fit).all()
        assert (np.diff(fit[0]) > 0).all()
        assert (np.diff(fit[1]) >= 0).all()
