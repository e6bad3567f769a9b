"""A fit of few numbers that makes likelihoods honest chances, on made-up people the tables have not all seen.

Names are drawn from the dictionary's halves; a tenth of them, and some readings of the others, are held out from the
tables the fit is made with. A fit has a power of the likelihoods, a shift for each hypothesis and a share of
doubt; names with an unknown half have shifts and doubt of their own.
"""

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from madoguchi.names.engine import Engine, Texts
from madoguchi.names.kernel import FAMILY, OLDNAME, OTHER, SELF

PRIORS = (0.97, 0.01, 0.01, 0.01)
"""Chances before anything is known of a pair: most accounts are the person's own."""
SURE = 0.95
"""Least chance of SELF for that verdict."""
START = np.array([(1.0, 0.0, 0.0, 0.0, 0.0, 1e-4, *PRIORS, SURE)] * 2)
"""A fit that changes nothing."""
_PEOPLE = 40_000
_STEPS = 400
_DOUBTS = (1e-5, 1e-4, 3e-4, 1e-3)
Pairs = Sequence[tuple[str, str]]
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


def made_up(surnames: Pairs, given: Pairs, seed: int = 1) -> tuple[Texts, Texts, Numbers]:
    """Pairs of every kind, as often with as without a space between the halves: kanji, kana, kind."""
    dice = random.Random(seed)  # noqa: S311 - made-up people, no secrets
    kanji, kana, kinds = [], [], []
    for _ in range(_PEOPLE):
        own, other = ((dice.choice(surnames), dice.choice(given)) for _ in range(2))
        read = {SELF: (own, own), FAMILY: (own, other), OLDNAME: (other, own), OTHER: (other, other)}
        for kind, (first, second) in read.items():
            kanji.append(dice.choice(("", "\u3000")).join((own[0][0], own[1][0])))
            kana.append(dice.choice(("", " ")).join((first[0][1], second[1][1])))
            kinds.append(kind)
    return Texts.of(kanji), Texts.of(kana), np.array(kinds, dtype=np.int64)


def fit(engine: Engine, surnames: Pairs, given: Pairs) -> Floats:
    """The fits that make the true kinds of made-up pairs likeliest: names with an unknown half, names without."""
    kanji, kana, kinds = made_up(surnames, given)
    judged = engine.judge(kanji, kana)
    usable = judged.facts[:, 0] == 0
    likely, kinds, known = judged.likely[usable], kinds[usable], judged.facts[usable, 4].astype(np.int64)
    power, shifts = _descend(likely, kinds, known)
    rows = []
    for group in (0, 1):
        chances = _chances(likely[known == group], power, shifts[group])
        doubt = max(_DOUBTS, key=lambda share: _score(chances, kinds[known == group], share))
        rows.append((round(power, 6), *(round(shift, 6) for shift in shifts[group].tolist()), doubt, *PRIORS, SURE))
    return np.array(rows)


def _chances(likely: Floats, power: float, shifts: Floats) -> Floats:
    logits = power * likely + shifts
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(odds / odds.sum(1, keepdims=True))


def _descend(likely: Floats, kinds: Numbers, known: Numbers) -> tuple[float, Floats]:
    """Power and shifts (group, kind) by Adam; the shifts of OTHER are held at 0."""
    numbers, mean, square = np.array([1.0, *[0.0] * 8]), np.zeros(9), np.zeros(9)
    truth, groups = np.eye(4)[kinds], np.eye(2)[known]
    for step in range(1, _STEPS + 1):
        gap = _chances(likely, numbers[0], numbers[1:].reshape(2, 4)[known]) - truth
        slope = np.concatenate([[(gap * likely).sum()], (groups.T @ gap).ravel()]) / len(kinds)
        slope[1 + OTHER :: 4] = 0.0
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        numbers -= 0.03 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-9)
    return float(numbers[0]), numbers[1:].reshape(2, 4)


def _score(chances: Floats, kinds: Numbers, doubt: float) -> float:
    doubted = (1 - doubt) * chances + doubt * np.array(PRIORS)
    return float(np.log(doubted[np.arange(len(kinds)), kinds]).mean())
