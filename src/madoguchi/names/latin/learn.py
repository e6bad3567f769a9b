"""Which kana Latin letters stand for: a joint model of letter groups and kana pieces, learnt by EM.

A word is `BEGIN`, its letters, `END`; one to four of these stand for none to three kana. The model gives every such
pair a chance, all chances sum to one; a word's reading has the chance of all ways to lay it, by that of the word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from madoguchi.names.learn import Floats, Ints, flat

MAX_GROUP = 4
"""Letters of a group."""
MAX_PIECE = 3
"""Kana of a piece."""
LETTER_BITS, KANA_BITS = 5, 7
PIECE_BITS = KANA_BITS * MAX_PIECE
_ROUNDS = 10
_DISCOUNT = 1.0
_LEAST = 0.05


@dataclass(frozen=True)
class LatinPair:
    """One folded word: its letters with signs around, its kana codes, and how much it counts."""

    letters: tuple[int, ...]
    kana: tuple[int, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class Groups:
    """`keys`: letter group << 21 | kana piece (first lowest, 5 and 7 bits each), rising; `chances` sum to 1."""

    keys: Ints
    chances: Floats


@njit(cache=True)
def _smallest(size):  # type: ignore[no-untyped-def]
    return 0 if size <= 2 else 1


@njit(cache=True)
def _largest(size):  # type: ignore[no-untyped-def]
    return 2 if size == 1 else 3


@njit(cache=True)
def _edges(letters, letters_at, kana, kana_at, keys, places, begins):  # type: ignore[no-untyped-def]
    """Every group with every piece it may stand for, if the rest can still be read; counts while keys are empty."""
    count = 0
    for pair in range(letters_at.size - 1):
        begins[pair] = count
        n, m = letters_at[pair + 1] - letters_at[pair], kana_at[pair + 1] - kana_at[pair]
        for i in range(n):
            for j in range(min(m, 2 * i) + 1):
                if m - j > 2 * (n - i):
                    continue
                group = np.int64(0)
                for size in range(1, min(MAX_GROUP, n - i) + 1):
                    group |= letters[letters_at[pair] + i + size - 1] << LETTER_BITS * (size - 1)
                    piece = np.int64(0)
                    for kanas in range(min(_largest(size), m - j) + 1):
                        if kanas:
                            piece |= kana[kana_at[pair] + j + kanas - 1] << KANA_BITS * (kanas - 1)
                        if kanas >= _smallest(size) and (i + size < n or j + kanas == m):
                            if keys.size:
                                keys[count] = group << PIECE_BITS | piece
                                places[count] = i << 20 | j << 8 | size << 4 | kanas
                            count += 1
    begins[letters_at.size - 1] = count
    return count


@njit(cache=True)
def _expect(begins, places, numbers, sizes, weights, chances):  # type: ignore[no-untyped-def]
    """Expected uses of each pair of group and piece."""
    uses = np.zeros(chances.size)
    for pair in range(sizes.shape[0]):
        n, m = sizes[pair]
        forward, backward = np.zeros((n + 1, m + 1)), np.zeros((n + 1, m + 1))
        forward[0, 0] = backward[n, m] = 1.0
        for edge in range(begins[pair], begins[pair + 1]):
            i, j = places[edge] >> 20, places[edge] >> 8 & 0xFFF
            size, kanas = places[edge] >> 4 & 15, places[edge] & 15
            forward[i + size, j + kanas] += forward[i, j] * chances[numbers[edge]]
        if forward[n, m] < 1e-250:
            continue
        for edge in range(begins[pair + 1] - 1, begins[pair] - 1, -1):
            i, j = places[edge] >> 20, places[edge] >> 8 & 0xFFF
            size, kanas = places[edge] >> 4 & 15, places[edge] & 15
            after = backward[i + size, j + kanas] * chances[numbers[edge]]
            backward[i, j] += after
            uses[numbers[edge]] += weights[pair] * forward[i, j] * after / forward[n, m]
    return uses


def learn_groups(pairs: Sequence[LatinPair], rounds: int = _ROUNDS, discount: float = _DISCOUNT) -> Groups:
    """Chances of groups and pieces that make these words likeliest, less a discount so that rare ones fade."""
    (letters, letters_at), (kana, kana_at) = flat([pair.letters for pair in pairs]), flat([p.kana for p in pairs])
    begins, none = np.zeros(len(pairs) + 1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    count = _edges(letters, letters_at, kana, kana_at, none, none.astype(np.int32), begins)
    edges, places = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int32)
    _edges(letters, letters_at, kana, kana_at, edges, places, begins)
    keys, numbers = np.unique(edges, return_inverse=True)
    del edges
    numbers = numbers.astype(np.int32)
    chances = np.full(len(keys), 1.0 / len(keys))
    sizes = np.stack([np.diff(letters_at), np.diff(kana_at)], axis=1)
    weights = np.array([pair.weight for pair in pairs])
    for step in range(rounds):
        uses = _expect(begins, places, numbers, sizes, weights, chances)
        uses = np.maximum(uses - discount * min(1.0, step / 3), 0.0)
        chances = uses / uses.sum()
    kept = uses > _LEAST
    return Groups(keys[kept], uses[kept] / uses[kept].sum())
