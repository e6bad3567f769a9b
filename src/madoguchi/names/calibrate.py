"""The fit that makes likelihoods honest chances.

Made on well-known persons of the dictionary, whom the tables have not seen as such: each with their own account and
with three wrong ones.
"""

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from madoguchi.names.decide import FAMILY, OLDNAME, OTHER, PRIORS, SELF
from madoguchi.names.engine import Engine, Texts
from madoguchi.names.reading import OK

AT = np.arange(-26.0, 27.0, 2.0)
"""Log-odds at which a fit has knots."""
START = np.stack([AT, AT])
"""A fit that changes nothing between its ends."""
_ROUNDS = 30
_STIFF = 20.0
_DRAWS = 8
_TAIL = 0.5
_NEVER = -8.0
"""Log-odds below which a true pair is as good as never met."""
_BOTH_READ = 2
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
People = Sequence[tuple[str, str, str]]
Halves = tuple[str, str, str, str]


def cut(engine: Engine, people: People) -> list[Halves]:
    """Kanji and kana of both halves of these people: surname, given name, and their kana.

    `people`: kanji, surname and given name in kana. Left out are those whose kanji cannot be cut, and those whose kana
    the dictionary would cut elsewhere: somebody wrote みし まさとし for みしま さとし.
    """
    kanji = Texts.of([name for name, _, _ in people])
    kana = ([surname + space + given for _, surname, given in people] for space in (" ", ""))
    apart, joined = (engine.judge(kanji, Texts.of(part)).facts.tolist() for part in kana)
    return [
        (name[: said[2]], name[said[2] :], surname, given)
        for (name, surname, given), said, found in zip(people, apart, joined, strict=True)
        if said[0] == OK and (found[4] < _BOTH_READ or found[3] == said[3])
    ]


def pairs_of(halves: Sequence[Halves], seed: int = 1) -> tuple[Texts, Texts, Numbers]:
    """Every person with their own account and with three that are not: kanji, kana, kind; two thirds with spaces.

    Each has a turn with several others. Accounts in which the half that should differ is the same are left out.
    """
    dice = random.Random(seed)  # noqa: S311 - names of a dictionary, no secrets
    turns = (
        (own, other) for _ in range(_DRAWS) for own, other in zip(halves, dice.sample(halves, len(halves)), strict=True)
    )
    kanji, kana, kinds = [], [], []
    for own, other in turns:
        for kind, (first, second) in _accounts(own, other).items():
            kanji.append(dice.choice(("", "\u3000", "\u3000")).join(own[:2]))
            kana.append(dice.choice(("", " ", " ")).join((first[2], second[3])))
            kinds.append(kind)
    return Texts.of(kanji), Texts.of(kana), np.array(kinds, dtype=np.int64)


def _accounts(own: Halves, other: Halves) -> dict[int, tuple[Halves, Halves]]:
    """Whose surname and whose given name each kind of account has."""
    found = {SELF: (own, own)}
    if own[3] != other[3]:
        found[FAMILY] = own, other
    if own[2] != other[2]:
        found[OLDNAME] = other, own
    if len(found) == 3:
        found[OTHER] = other, other
    return found


def fit(engine: Engine, halves: Sequence[Halves]) -> Floats:
    """Knots (row 0: the kernel's log-odds of SELF, row 1: honest ones) by how often these people's pairs are true.

    Wrong kinds count among themselves as often as they are met; how seldom all of them are is added at the end.
    """
    kanji, kana, kinds = pairs_of(halves)
    judged = engine.judge(kanji, kana)
    usable = judged.facts[:, 0] == OK
    return as_knots(honest(judged.likely[usable], kinds[usable]))


def honest(likely: Floats, kinds: Numbers) -> Floats:
    """Log-odds of SELF at the places `AT`, fitted to pairs of which there are equally many of each kind.

    Some pairs said to be true are none: persons whose kanji and kana the dictionary mixes up. There are as many as fall
    where only a stranger's account falls, and they lie as strangers' do: so many strangers are taken away again.
    """
    odds, true = odds_of(likely), kinds == SELF
    often = np.array([max(PRIORS[1:]), *PRIORS[1:]]) / max(PRIORS[1:])
    never, strange = odds < _NEVER, kinds == OTHER
    mistaken = (never & true).sum() / max((never & strange).sum(), 1)
    weights = np.where(strange[:, None], np.array([1.0, -mistaken]), np.where(true[:, None], [0.0, 1.0], [1.0, 0.0]))
    kept = ~never
    weights[:, 0] *= often[kinds]
    line = _fitted(odds[kept], weights[kept]) + np.log(PRIORS[SELF] / max(PRIORS[1:]))
    first = int(np.argmax(AT >= _NEVER))
    return np.asarray(np.where(AT < _NEVER, line[first] + _TAIL * (AT - AT[first]), line))


def as_knots(log_odds: Floats) -> Floats:
    """Knots through these log-odds, never falling."""
    return np.round(np.stack([AT, np.maximum.accumulate(log_odds)]), 6)


def odds_of(likely: Floats) -> Floats:
    """The kernel's log-odds of SELF, before they are made honest."""
    joint = np.maximum(likely * PRIORS, 1e-250)
    return np.asarray(np.log(joint[:, SELF]) - np.log(joint[:, SELF + 1 :].sum(axis=1)))


def _fitted(odds: Floats, weights: Floats) -> Floats:
    """Log-odds at the knots, by logistic regression on straight lines between them that do not like to bend.

    `weights`: how much each pair counts as a wrong and as a true one.
    """
    hats = np.maximum(0.0, 1.0 - np.abs(np.clip(odds, AT[0], AT[-1])[:, None] - AT) / (AT[1] - AT[0]))
    bends = np.diff(np.eye(len(AT)), 2, axis=0)
    stiff = _STIFF * bends.T @ bends + 1e-6 * np.eye(len(AT))
    found, counts = AT.copy(), weights.sum(axis=1)
    for _ in range(_ROUNDS):
        chance = 1.0 / (1.0 + np.exp(-hats @ found))
        slope = hats.T @ (counts * chance - weights[:, 1]) + stiff @ found
        curve = (hats * (counts * chance * (1.0 - chance))[:, None]).T @ hats + stiff
        found -= np.clip(np.linalg.solve(curve, slope), -2.0, 2.0)
    return found
