"""A fit of few numbers that makes likelihoods honest chances, on made-up people the tables have not all seen.

Names are drawn from the dictionary's halves, a tenth of them, and some readings of the
others, held out from the tables the fit is made with. A fit has a common power of the likelihoods, a shift for each hypothesis and a share of doubt.
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
"""Least chance for a verdict; below it the pair is UNDETERMINED."""
START = np.array([(1.0, 0.0, 0.0, 0.0, 0.0, 1e-4, *PRIORS, SURE)] * 2)
"""A fit that changes nothing."""
_PEOPLE = 40_000
_STEPS = 400
_DOUBTS = (1e-5, 1e-4, 3e-4, 1e-3)
Pairs = Sequence[tuple[str, str]]
Floats = npt.NDArray[np.float64]


def made_up(surnames: Pairs, given: Pairs, seed: int = 1) -> tuple[Texts, Texts, npt.NDArray[np.int64]]:
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
    groups = [(judged.facts[:, 0] == 0) & (judged.facts[:, 4] == known) for known in (0, 1)]
    return np.array([_fit_one(judged.likely[group], kinds[group]) for group in groups])


def _fit_one(likely: Floats, kinds: npt.NDArray[np.int64]) -> tuple[float, ...]:
    against = likely - likely[:, [OTHER]]
    numbers = _descend(against, kinds)
    doubt = max(_DOUBTS, key=lambda share: _score(against, kinds, numbers, share))
    return (*(round(number, 6) for number in numbers.tolist()), doubt, *PRIORS, SURE)


def _chances(likely: Floats, numbers: Floats) -> Floats:
    logits = numbers[0] * likely + numbers[1:]
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(odds / odds.sum(1, keepdims=True))


def _descend(likely: Floats, kinds: npt.NDArray[np.int64]) -> Floats:
    """Newton's way would be shorter; this one is plain: Adam on five numbers, the shift of OTHER held at 0."""
    numbers, mean, square = np.array([1.0, 0, 0, 0, 0]), np.zeros(5), np.zeros(5)
    truth = np.eye(4)[kinds]
    for step in range(1, _STEPS + 1):
        gap = _chances(likely, numbers) - truth
        slope = np.concatenate([[(gap * likely).sum(1).mean()], gap.mean(0)])
        slope[1 + OTHER] = 0.0
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        numbers -= 0.03 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-9)
    return numbers


def _score(likely: Floats, kinds: npt.NDArray[np.int64], numbers: Floats, doubt: float) -> float:
    chances = (1 - doubt) * _chances(likely, numbers) + doubt * np.array(PRIORS)
    return float(np.log(chances[np.arange(len(kinds)), kinds]).mean())
