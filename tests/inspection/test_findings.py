import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.inspection.findings import Expected, Rest
from madoguchi.inspection.weigh import (
    ALONE,
    BETTER,
    CHANCES,
    KIN,
    NATIONAL_FAMILY,
    NATIONAL_OTHER,
    SAME_DAY,
    SHARING,
    STRANGER,
    weigh,
    who_else,
    wrong,
)
from madoguchi.names.decide import PRIORS


def test_precision_and_share_are_running_sums() -> None:
    expected = Expected(np.array([1.0, 0.5, 0.5, 0.0]))
    assert expected.wrong == 2.0
    assert expected.precision().tolist() == [1.0, 0.75, 2 / 3, 0.5]
    assert expected.found_share().tolist() == [0.5, 0.75, 1.0, 1.0]
    assert [expected.looks(share) for share in (0.5, 0.51, 0.75, 0.99)] == [1, 2, 2, 3]


def test_what_is_not_listed_counts() -> None:
    expected = Expected(np.array([1.0]), [Rest(1_000, 0.5), Rest(10_000, 0.5)])
    assert expected.wrong == 2.0
    assert expected.found_share().tolist() == [0.5]
    assert expected.looks(0.5) == 1
    assert expected.looks(0.75) == 1 + 1_000
    assert expected.looks(1.0) == 1 + 1_000 + 10_000


def test_nothing_wrong_is_found_at_once() -> None:
    assert Expected(np.array([])).looks(0.99) == 0
    assert Expected(np.array([])).curve() == ()
    assert Expected(np.array([0.0])).looks(0.99) == 0


def test_the_curve_ends_with_the_list() -> None:
    looks = Expected(np.linspace(1, 0.001, 70)).curve()
    assert [look.looked for look in looks] == [1, 2, 5, 10, 20, 50, 70]
    assert looks[-1].found_share == pytest.approx(1.0)


@pytest.mark.parametrize("chances", [[0.1, 0.2], [1.1, 0.2], [0.1, -0.1]])
def test_a_list_in_no_order_is_refused(chances: list[float]) -> None:
    with pytest.raises(ValueError, match="fall"):
        Expected(np.array(chances))


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=60), st.floats(0.01, 1))
def test_looks_hold_their_share_and_one_less_does_not(chances: list[float], share: float) -> None:
    falling = np.sort(np.array(chances))[::-1]
    looks = Expected(falling).looks(share)
    total = np.cumsum(falling)
    assert total[looks - 1] >= share * total[-1]
    assert looks == 1 or total[looks - 2] < share * total[-1]


def test_the_national_figures() -> None:
    assert f"{NATIONAL_FAMILY:.2%}" == "0.24%"
    assert f"{NATIONAL_OTHER:.4%}" == "0.0014%"
    assert sum(CHANCES) == pytest.approx(1.0)
    assert SHARING.sum(axis=0).tolist() == pytest.approx([1.0] * 4)


def test_a_name_that_says_nothing_leaves_the_national_chances() -> None:
    levels, better = np.array([0, 1, 1, 2, 2, 3, 3]), np.array([0, 0, 1, 0, 1, 0, 1])
    told = weigh(np.tile(np.array(PRIORS), (7, 1)), levels, better)
    assert told.sum(axis=1).tolist() == pytest.approx([1.0] * 7)
    seen = SHARING[levels] * np.where((levels == ALONE)[:, None], 1.0, BETTER[better])
    assert seen.sum(axis=0).tolist() == pytest.approx([1.0] * 4)
    mixed = (told * (seen @ np.array(CHANCES))[:, None]).sum(axis=0)
    assert mixed.tolist() == pytest.approx(list(CHANCES))


def test_sharing_makes_a_wrong_one_likelier() -> None:
    alike = np.tile(np.array([0.5, 0.3, 0.1, 0.1]), (4, 1))
    told = weigh(alike, np.array([ALONE, KIN, STRANGER, SAME_DAY]), np.zeros(4, dtype=np.int64))
    assert np.all(np.diff(told[:, 3])[1:] > 0)
    assert np.all(wrong(told)[1:] > wrong(told)[0])
    assert told[KIN, 1] == told[:, 1].max()
    better = weigh(alike, np.array([ALONE, KIN, STRANGER, SAME_DAY]), np.ones(4, dtype=np.int64))
    assert np.all(wrong(better)[1:] > wrong(told)[1:])
    assert better[ALONE].tolist() == told[ALONE].tolist()


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    dice = np.random.default_rng(1)
    chances = dice.dirichlet([1, 1, 1, 1], 1_001)
    levels = dice.integers(0, 4, 1_001)
    better = dice.integers(0, 2, 1_001)
    whole = weigh(chances, levels, better)
    cuts = [slice(at, at + 1) for at in range(1_001)]
    alone = np.concatenate([weigh(chances[cut], levels[cut], better[cut]) for cut in cuts])
    assert whole.tobytes() == alone.tobytes()


def test_who_else() -> None:
    counts = np.array([[1, 0, 0], [2, 0, 0], [3, 1, 0], [3, 1, 1]])
    assert who_else(*counts.T).tolist() == [ALONE, KIN, STRANGER, SAME_DAY]
