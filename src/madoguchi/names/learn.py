"""What the tables hold is learnt here: readings of kanji by EM, kana trigrams. Same input, same output."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from madoguchi.names.fold import KANA_CODES

MAX_READING = 5
"""Kana one kanji may stand for."""
ALONE, FIRST, MIDDLE, LAST = range(4)
"""Where a kanji stands in its half of a name; many are read otherwise at the end than at the beginning."""
TRIGRAM_STEP = 16.0
"""A stored trigram `v` is the probability exp(-v / TRIGRAM_STEP)."""
_ROUNDS = 12
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """One folded name half: kanji symbols, long kana codes, and how much it counts."""

    kanji: tuple[int, ...]
    kana: tuple[int, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class Readings:
    """What EM found: `keys` (kanji << 40 | codes, first lowest), expected `uses` by place, each pair's likelihood."""

    keys: Ints
    uses: Floats
    likelihoods: Floats


@njit(cache=True)
def _edges(kanji, kanji_at, kana, kana_at, keys, places, begins):  # type: ignore[no-untyped-def]
    """Every piece of kana each kanji may stand for, if the rest can still be read; counts only while keys are empty."""
    count = 0
    for pair in range(kanji_at.size - 1):
        begins[pair] = count
        n, m = kanji_at[pair + 1] - kanji_at[pair], kana_at[pair + 1] - kana_at[pair]
        for i in range(n):
            for j in range(i, m - (n - i) + 1 if i else 1):
                key = kanji[kanji_at[pair] + i] << 40
                for size in range(1, min(MAX_READING, m - j - (n - i - 1)) + 1):
                    key |= kana[kana_at[pair] + j + size - 1] << 8 * (size - 1)
                    if i < n - 1 or j + size == m:
                        if keys.size:
                            keys[count], places[count] = key, i << 16 | j << 8 | size
                        count += 1
    begins[kanji_at.size - 1] = count
    return count


@njit(cache=True)
def place_in_half(i, n):  # type: ignore[no-untyped-def]
    """Where kanji `i` of `n` stands."""
    if n == 1:
        return ALONE
    if i == 0:
        return FIRST
    return LAST if i == n - 1 else MIDDLE


@njit(cache=True)
def _expect(begins, places, numbers, sizes, weights, chances, likelihoods):  # type: ignore[no-untyped-def]
    """Expected number of uses of each reading by place; likelihood of each pair."""
    counts = np.zeros((chances.size, 4))
    for pair in range(sizes.shape[0]):
        n, m = sizes[pair]
        forward, backward = np.zeros((n + 1, m + 1)), np.zeros((n + 1, m + 1))
        forward[0, 0] = backward[n, m] = 1.0
        for edge in range(begins[pair], begins[pair + 1]):
            i, j, size = places[edge] >> 16, places[edge] >> 8 & 255, places[edge] & 255
            forward[i + 1, j + size] += forward[i, j] * chances[numbers[edge]]
        for edge in range(begins[pair + 1] - 1, begins[pair] - 1, -1):
            i, j, size = places[edge] >> 16, places[edge] >> 8 & 255, places[edge] & 255
            backward[i, j] += backward[i + 1, j + size] * chances[numbers[edge]]
        likelihoods[pair] = forward[n, m]
        if forward[n, m] > 0.0:
            for edge in range(begins[pair], begins[pair + 1]):
                i, j, size = places[edge] >> 16, places[edge] >> 8 & 255, places[edge] & 255
                used = forward[i, j] * chances[numbers[edge]] * backward[i + 1, j + size] / forward[n, m]
                counts[numbers[edge], place_in_half(i, n)] += weights[pair] * used
    return counts


def flat(rows: Iterable[tuple[int, ...]]) -> tuple[Ints, Ints]:
    """Rows laid one after the other, and where each begins and the last ends."""
    kept = list(rows)
    ends = np.cumsum([0, *(len(row) for row in kept)], dtype=np.int64)
    return np.array([code for row in kept for code in row], dtype=np.int64), ends


def learn_readings(pairs: Sequence[Pair]) -> Readings:
    """How often each (kanji, kana piece) is used in these pairs, learnt by EM from their halves alone."""
    (kanji, kanji_at), (kana, kana_at) = flat(pair.kanji for pair in pairs), flat(pair.kana for pair in pairs)
    begins, none = np.zeros(len(pairs) + 1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    count = _edges(kanji, kanji_at, kana, kana_at, none, none, begins)
    edges, places = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    _edges(kanji, kanji_at, kana, kana_at, edges, places, begins)
    keys, numbers = np.unique(edges, return_inverse=True)
    owners = np.unique(keys >> 40, return_inverse=True)[1]
    chances, likelihoods = 1.0 / np.bincount(owners)[owners], np.zeros(len(pairs))
    sizes = np.stack([np.diff(kanji_at), np.diff(kana_at)], axis=1)
    weights = np.array([pair.weight for pair in pairs])
    for _ in range(_ROUNDS):
        uses = _expect(begins, places, numbers, sizes, weights, chances, likelihoods)
        chances = uses.sum(1) / np.maximum(np.bincount(owners, weights=uses.sum(1)), 1e-300)[owners]
    return Readings(keys, uses, likelihoods)


def trigrams(names: Iterable[tuple[int, ...]]) -> npt.NDArray[np.uint8]:
    """-16 ln P(kana | two before), 0 before the first and after the last; smoothed by fewer before."""
    counts = np.zeros((KANA_CODES, KANA_CODES, KANA_CODES))
    for name in names:
        row = (0, 0, *name, 0)
        for place in range(2, len(row)):
            counts[row[place - 2], row[place - 1], row[place]] += 1
    one = counts.sum((0, 1)) + 0.5
    two = counts.sum(0) + 20.0 * one / one.sum()
    two /= two.sum(1, keepdims=True)
    three = counts + 8.0 * two[None]
    costs: Floats = -TRIGRAM_STEP * np.log(three / three.sum(2, keepdims=True))
    return np.minimum(np.rint(costs), 255).astype(np.uint8)
