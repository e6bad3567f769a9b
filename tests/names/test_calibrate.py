"""The calibration, and what is decided by it."""

import numpy as np
import pytest

from madoguchi.names.calibrate import AT, START, as_knots, cut, honest, pairs_of
from madoguchi.names.decide import FAMILY, OLDNAME, OTHER, PRIORS, SELF, SURE, UNDETERMINED, decide
from madoguchi.names.engine import Texts, shipped_engine

ROWS = 40_000


def pairs(slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Likelihoods whose log-odds are `slope` times the honest ones but far away from the middle, and the kinds."""
    dice = np.random.default_rng(4)
    kinds = np.repeat(np.arange(4), ROWS)
    seen = dice.normal(np.array([6.0, -6.0, -6.0, -18.0])[kinds], 3.0)
    odds = slope * (seen * 12 / 9 + np.log(PRIORS[SELF] / (PRIORS[FAMILY] + PRIORS[OLDNAME])))
    likely = np.ones((kinds.size, 4))
    likely[:, SELF] = np.exp(odds) * sum(PRIORS[1:]) / PRIORS[SELF]
    return likely, kinds


@pytest.mark.parametrize("slope", [0.5, 1.0])
def test_chances_that_were_too_sure_or_not_sure_enough_become_honest(slope: float) -> None:
    fitted = honest(*pairs(slope))
    middle = np.abs(AT) <= 4
    assert fitted[middle] == pytest.approx(AT[middle] / slope, abs=0.7)


def test_as_many_strangers_as_fall_where_no_true_pair_can_are_taken_away() -> None:
    likely, kinds = pairs(1.0)
    clean = honest(likely, kinds)
    mistaken = kinds == SELF
    mistaken[ROWS // 100 :] = False
    strangers = likely[kinds == OTHER][: mistaken.sum()]
    likely[mistaken] = strangers
    near = (AT >= -4) & (AT <= 6)
    assert honest(likely, kinds)[near] == pytest.approx(clean[near], abs=0.8)


def test_knots_never_fall() -> None:
    assert (np.diff(as_knots(np.sin(AT))[1]) >= 0).all()


def chances(likely: list[float]) -> tuple[int, np.ndarray]:
    found = np.zeros(4)
    return decide(np.array(likely), START, found), found


def test_verdicts_by_chances() -> None:
    verdict, found = chances([1.0, 1e-6, 1e-6, 1e-6])
    assert verdict == SELF
    assert found[SELF] >= SURE
    assert chances([1e-9, 1.0, 1e-6, 1e-6])[0] == FAMILY
    assert chances([1e-9, 1e-3, 1e-6, 1.0])[0] == OTHER
    assert chances([0.01, 0.5, 0.0, 0.0])[0] == UNDETERMINED


@pytest.mark.parametrize("likely", [[0.0] * 4, [1.0] * 4, [1e300, 0, 0, 0], [0, 1e300, 1e300, 1e300], [1e-320] * 4])
def test_any_likelihoods_give_chances(likely: list[float]) -> None:
    verdict, found = chances(likely)
    assert ((found > 0) & (found < 1)).all()
    assert found.sum() == pytest.approx(1)
    assert verdict in range(5)


def text(texts: Texts, row: int) -> str:
    return texts.data[texts.at[row] : texts.at[row + 1]].tobytes().decode()


def test_people_whose_kana_were_cut_at_the_wrong_place_are_left_out() -> None:
    people = [("三島聡", "みし", "まさとし"), ("三島聡", "みしま", "さとし"), ("🙂", "あ", "い")]
    assert cut(shipped_engine(), people) == [("三島", "聡", "みしま", "さとし")]


def test_an_account_of_somebody_else_differs_in_what_it_should_differ_in() -> None:
    halves = [
        ("佐藤", "花子", "さとう", "はなこ"),
        ("佐藤", "華子", "さとう", "はなこ"),
        ("鈴木", "花子", "すずき", "はなこ"),
        ("鈴木", "健", "すずき", "けん"),
    ]
    own = {surname + given: (first, second) for surname, given, first, second in halves}
    kanji, kana, kinds = pairs_of(halves)
    assert set(kinds.tolist()) == {SELF, FAMILY, OLDNAME, OTHER}
    for row, kind in enumerate(kinds.tolist()):
        first, second = own[text(kanji, row).replace("\u3000", "")]
        account = text(kana, row).replace(" ", "")
        assert account.startswith(first) == (kind in {SELF, FAMILY})
        assert account.endswith(second) == (kind in {SELF, OLDNAME})
