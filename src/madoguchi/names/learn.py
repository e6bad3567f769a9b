"""What the tables hold is learnt here: readings of kanji by EM, kana trigrams. Same input, same output."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from madoguchi.names.fold import KANA_CODES

MAX_READING = 5
"""Kana one kanji may stand for."""
_ROUNDS = 12
_SHARED = 3.0
"""Names' worth of trust in the readings of the other role."""
_LEAST = 2e-4
_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """One folded name half: kanji symbols, long kana codes, and how much it counts."""

    kanji: tuple[int, ...]
    kana: tuple[int, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class Readings:
    """What EM found: `keys` (kanji << 40 | codes, first lowest), expected uses of each, and each pair's likelihood."""

    keys: _Ints
    uses: _Floats
    likelihoods: _Floats


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
def _expect(begins, places, numbers, sizes, weights, chances, likelihoods):  # type: ignore[no-untyped-def]
    """Expected number of uses of each reading; likelihood of each pair."""
    counts = np.zeros(chances.size)
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
                counts[numbers[edge]] += weights[pair] * used
    return counts


def _flat(rows: Iterable[tuple[int, ...]]) -> tuple[_Ints, _Ints]:
    kept = list(rows)
    ends = np.cumsum([0, *(len(row) for row in kept)], dtype=np.int64)
    return np.array([code for row in kept for code in row], dtype=np.int64), ends


def learn_readings(pairs: Sequence[Pair]) -> Readings:
    """How often each (kanji, kana piece) is used in these pairs, learnt by EM from their halves alone."""
    (kanji, kanji_at), (kana, kana_at) = _flat(pair.kanji for pair in pairs), _flat(pair.kana for pair in pairs)
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
        chances = uses / np.maximum(np.bincount(owners, weights=uses), 1e-300)[owners]
    return Readings(keys, uses, likelihoods)


def readings_of_roles(surname: Readings, given: Readings) -> tuple[_Ints, npt.NDArray[np.float64]]:
    """Keys, and probability of each reading of each kanji in surnames and in given names, each leaning on the other."""
    keys = np.union1d(surname.keys, given.keys)
    uses = np.zeros((len(keys), 2))
    for role, side in enumerate((surname, given)):
        uses[np.searchsorted(keys, side.keys), role] = side.uses
    owners = np.unique(keys >> 40, return_inverse=True)[1]
    sums = np.stack([np.bincount(owners, weights=column)[owners] for column in uses.T], axis=1)
    shared = _SHARED * uses.sum(1) / np.maximum(sums.sum(1), 1e-9)
    chances = (uses + shared[:, None]) / (sums + _SHARED)
    kept = chances.max(1) > _LEAST
    return keys[kept], chances[kept]


def trigrams(names: Iterable[tuple[int, ...]]) -> npt.NDArray[np.uint16]:
    """-1024 ln P(kana | two before), 0 before the first and after the last; smoothed by fewer before."""
    counts = np.zeros((KANA_CODES, KANA_CODES, KANA_CODES))
    for name in names:
        row = (0, 0, *name, 0)
        for place in range(2, len(row)):
            counts[row[place - 2], row[place - 1], row[place]] += 1
    one = counts.sum((0, 1)) + 0.5
    two = counts.sum(0) + 20.0 * one / one.sum()
    two /= two.sum(1, keepdims=True)
    three = counts + 8.0 * two[None]
    costs: npt.NDArray[np.float64] = -1024 * np.log(three / three.sum(2, keepdims=True))
    return np.minimum(np.rint(costs), 65535).astype(np.uint16)
