"""The calibration of names in Latin letters, on made-up people of whom the tables have not seen a tenth of the words."""

import random
from collections.abc import Sequence

import numpy as np

from madoguchi.names.calibrate import PRIORS, START, SURE, Floats, Numbers
from madoguchi.names.engine import Engine, Texts
from madoguchi.names.kernel import FAMILY, OLDNAME, OTHER, SELF
from madoguchi.names.latin_kernel import KNOWS
from madoguchi.names.latin_sources import LatinWord

FITS = 2
"""Rows at the end of `fit`: names with a word the dictionary lacks, names without."""
_PEOPLE = 15_000
_STEPS = 400
_DOUBTS = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3)
_EXCHANGED, _SPACED, _SECOND, _LEFT_OUT = 0.15, 0.7, 0.3, 0.4


def _half(dice: random.Random, words: Sequence[LatinWord], *, given: bool) -> list[LatinWord]:
    return [dice.choice(words) for _ in range(2 if given and dice.random() < _SECOND else 1)]


def made_up(words: Sequence[LatinWord], seed: int = 2) -> tuple[Texts, Texts, Numbers]:
    """Pairs of every kind: Latin letters, kana, kind. Second given names are often left out of accounts."""
    dice = random.Random(seed)  # noqa: S311 - made-up people, no secrets
    latin, kana, kinds = [], [], []
    for _ in range(_PEOPLE):
        own, other = ((_half(dice, words, given=False), _half(dice, words, given=True)) for _ in range(2))
        read = {SELF: (own, own), FAMILY: (own, other), OLDNAME: (other, own), OTHER: (other, other)}
        for kind, (first, second) in read.items():
            latin.append(" ".join(word.latin for word in (*own[0], *own[1])))
            given = second[1][:1] if dice.random() < _LEFT_OUT else second[1]
            halves = ["".join(word.kana for word in half) for half in (first[0], given)]
            halves = halves[::-1] if dice.random() < _EXCHANGED else halves
            kana.append((" " if dice.random() < _SPACED else "").join(halves))
            kinds.append(kind)
    return Texts.of(latin), Texts.of(kana), np.array(kinds, dtype=np.int64)


def fit(engine: Engine, words: Sequence[LatinWord]) -> Floats:
    """The rows that make the true kinds of made-up pairs likeliest."""
    latin, kana, kinds = made_up([word for word in words if word.listed])
    judged = engine.judge(latin, kana)
    usable = judged.facts[:, 0] == 0
    likely, kinds, known = judged.likely[usable], kinds[usable], judged.facts[usable, 4] & KNOWS
    return np.array([_row(likely[known == group], kinds[known == group]) for group in range(FITS)])


def _chances(likely: Floats, numbers: Floats) -> Floats:
    logits = numbers[0] * likely + numbers[1:]
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(odds / odds.sum(1, keepdims=True))


def _row(likely: Floats, kinds: Numbers) -> list[float]:
    """Power, shifts (that of OTHER held at 0), doubt, prior chances, least chance to decide; by Adam."""
    numbers, mean, square = np.array([1.0, 0.0, 0.0, 0.0, 0.0]), np.zeros(5), np.zeros(5)
    truth = np.eye(4)[kinds]
    for step in range(1, _STEPS + 1):
        gap = _chances(likely, numbers) - truth
        slope = np.concatenate([[(gap * likely).sum()], gap.sum(0)]) / len(kinds)
        slope[1 + OTHER] = 0.0
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        numbers -= 0.03 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-9)
    chances = _chances(likely, numbers)[np.arange(len(kinds)), kinds]
    own = np.array(PRIORS)[kinds]
    doubt = max(_DOUBTS, key=lambda share: float(np.log((1 - share) * chances + share * own).mean()))
    return [*np.round(numbers, 6).tolist(), doubt, *PRIORS, SURE]
