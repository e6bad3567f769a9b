"""The fit that makes likelihoods honest chances.

Made on well-known persons of the dictionary, whom the tables have not seen as such: each with their own account and with
three wrong ones.
"""

import random
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from madoguchi.names.engine import Engine, Texts
from madoguchi.names.kernel import FAMILY, OLDNAME, OTHER, PRIORS, SELF
from madoguchi.names.reading import OK

AT = np.arange(-26.0, 27.0, 2.0)
"""Log-odds at which a fit has knots."""
START = np.stack([AT, AT])
"""A fit that changes nothing between its ends."""
_ROUNDS = 30
_STIFF = 0.3
_TAIL = 0.5
_NEVER = -8.0
"""Log-odds at which a true pair is as good as never met: e^-8, beside a dictionary in which one in some hundred is wrong."""
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]
People = Sequence[tuple[str, str, str]]


def pairs_of(engine: Engine, people: People, seed: int = 1) -> tuple[Texts, Texts, Numbers]:
    """Every person with their own account and with three that are not: kanji, kana, kind; two thirds with spaces.

    `people`: kanji, surname and given name in kana. Those whose kanji cannot be cut are left out.
    """
    dice = random.Random(seed)  # noqa: S311 - names of a dictionary, no secrets
    halves = list(_cut(engine, people))
    others = dice.sample(halves, len(halves))
    kanji, kana, kinds = [], [], []
    for own, other in zip(halves, others, strict=True):
        read = {SELF: (own, own), FAMILY: (own, other), OLDNAME: (other, own), OTHER: (other, other)}
        for kind, (first, second) in read.items():
            kanji.append(dice.choice(("", "\u3000", "\u3000")).join(own[:2]))
            kana.append(dice.choice(("", " ", " ")).join((first[2], second[3])))
            kinds.append(kind)
    return Texts.of(kanji), Texts.of(kana), np.array(kinds, dtype=np.int64)


def _cut(engine: Engine, people: People) -> Iterator[tuple[str, str, str, str]]:
    kanji, kana = Texts.of([one for one, _, _ in people]), Texts.of([f"{first} {second}" for _, first, second in people])
    facts = engine.judge(kanji, kana).facts
    for (name, surname, given), (status, _, cut, *_) in zip(people, facts.tolist(), strict=True):
        if status == OK:
            yield name[:cut], name[cut:], surname, given


def fit(engine: Engine, people: People) -> Floats:
    """Knots (row 0: the kernel's log-odds of SELF, row 1: honest ones) by how often these people's pairs are true.

    Wrong kinds count among themselves as often as they are met; how seldom all of them are is added at the end.
    """
    kanji, kana, kinds = pairs_of(engine, people)
    judged = engine.judge(kanji, kana)
    usable = judged.facts[:, 0] == OK
    often = np.array([max(PRIORS[1:]), *PRIORS[1:]]) / max(PRIORS[1:])
    honest = _honest(odds_of(judged.likely[usable]), kinds[usable] == SELF, often[kinds[usable]])
    shift = np.log(PRIORS[SELF] / max(PRIORS[1:]))
    return np.round(np.stack([AT, np.maximum.accumulate(_without_mistakes(honest + shift))]), 6)


def _without_mistakes(honest: Floats) -> Floats:
    """Less what true pairs there are where none can be: persons whose kanji and kana the dictionary mixes up."""
    floor = float(honest[AT <= _NEVER].max())
    left = np.exp(honest) - np.exp(floor)
    first = int(np.argmax(left > np.exp(floor)))
    line = np.log(left[first]) + _TAIL * (AT - AT[first])
    return np.where(np.arange(len(AT)) < first, line, np.log(np.maximum(left, 1e-9)))


def odds_of(likely: Floats) -> Floats:
    """The kernel's log-odds of SELF, before they are made honest."""
    joint = np.maximum(likely * PRIORS, 1e-250)
    return np.asarray(np.log(joint[:, SELF]) - np.log(joint[:, SELF + 1 :].sum(axis=1)))


def _honest(odds: Floats, true: Truths, often: Floats) -> Floats:
    """Log-odds at the knots, by logistic regression on straight lines between them that do not like to bend."""
    hats = np.maximum(0.0, 1.0 - np.abs(np.clip(odds, AT[0], AT[-1])[:, None] - AT) / (AT[1] - AT[0]))
    bends = np.diff(np.eye(len(AT)), 2, axis=0)
    stiff = _STIFF * bends.T @ bends + 1e-6 * np.eye(len(AT))
    found = AT.copy()
    for _ in range(_ROUNDS):
        chance = 1.0 / (1.0 + np.exp(-hats @ found))
        slope = hats.T @ (often * (chance - true)) + stiff @ found
        curve = (hats * (often * chance * (1.0 - chance))[:, None]).T @ hats + stiff
        found -= np.clip(np.linalg.solve(curve, slope), -2.0, 2.0)
    return found
