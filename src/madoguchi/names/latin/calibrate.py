"""The calibration of names in Latin letters, on made-up people; a tenth of their words the tables have not seen."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from madoguchi.names.calibrate import START, Floats, Numbers, as_knots, honest
from madoguchi.names.decide import FAMILY, OLDNAME, OTHER, SELF
from madoguchi.names.engine import Engine, Texts
from madoguchi.names.latin.kernel import GROUPS
from madoguchi.names.latin.sources import PERSON, LatinWord

_PEOPLE = 15_000
_EXCHANGED, _SPACED, _LEFT_OUT = 0.15, 0.7, 0.15
_SHARES = {"": 0.5, "zh": 0.2, "ko": 0.15, "vi": 0.15}
_SIZES = {"": (0.7, 0.3, 0.0), "vi": (0.1, 0.7, 0.2)}


@dataclass(frozen=True)
class _Pool:
    """Words of surnames and given names of one group of people, and chances of one, two and three given names."""

    surnames: Sequence[LatinWord]
    given: Sequence[LatinWord]
    sizes: tuple[float, float, float]

    def person(self, dice: random.Random) -> tuple[list[LatinWord], list[LatinWord]]:
        count = dice.choices((1, 2, 3), self.sizes)[0]
        return [dice.choice(self.surnames)], [dice.choice(self.given) for _ in range(count)]


def _pools(words: Sequence[LatinWord]) -> dict[str, _Pool]:
    """Pools by group: syllables that only teach are given names of two syllables."""
    listed: dict[str, list[LatinWord]] = {}
    joined: dict[str, list[LatinWord]] = {}
    for word in words:
        if word.listed and not word.group and word.pair.weight < PERSON:
            continue
        (listed if word.listed else joined).setdefault(word.group, []).append(word)
    return {
        group: _Pool(part, joined.get(group, part) if group else part, _SIZES.get(group, (1.0, 0.0, 0.0)))
        for group, part in listed.items()
    }


def made_up(words: Sequence[LatinWord], seed: int = 2) -> tuple[Texts, Texts, Numbers]:
    """Pairs of every kind, all of one group: Latin letters, kana, kind. Later given names are often left out."""
    dice = random.Random(seed)  # noqa: S311 - made-up people, no secrets
    latin, kana, kinds = [], [], []
    pools = _pools(words)
    groups = [group for group in _SHARES if group in pools]
    for _ in range(_PEOPLE):
        pool = pools[dice.choices(groups, [_SHARES[group] for group in groups])[0]]
        own, other = pool.person(dice), pool.person(dice)
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
    """Knots (see `calibrate`) for each group; what changes nothing for a group without pairs."""
    latin, kana, kinds = made_up(words)
    judged = engine.judge(latin, kana)
    usable = judged.facts[:, 0] == 0
    likely, kinds, groups = judged.likely[usable], kinds[usable], judged.facts[usable, 4]
    return np.stack([_knots(likely[groups == group], kinds[groups == group]) for group in range(GROUPS)])


def _knots(likely: Floats, kinds: Numbers) -> Floats:
    return as_knots(honest(likely, kinds)) if len(kinds) else START
