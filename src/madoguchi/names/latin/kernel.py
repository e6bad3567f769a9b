"""The compiled kernel for registry names in Latin letters: the same four likelihoods as `kernel` gives.

A word is read as `_KNOWN` of the dictionary (where it knows the word) and the rest by laying letter groups on kana
pieces. Words follow one another; the name is cut between two words, its halves stand in either order, and a half of
several words may leave some out. A half that belongs to somebody else is read by the kana background.
"""

import math

import numpy as np

from madoguchi.names import fold
from madoguchi.names.compiled import compiled
from madoguchi.names.decide import FAMILY, OLDNAME, OTHER, PRIORS, SELF
from madoguchi.names.latin.align import (
    KNOWN,
    chain_backward,
    chain_forward,
    lay_places,
    prepare_all,
)
from madoguchi.names.latin.book import word_hash
from madoguchi.names.latin.read import FULL, read_holder, read_latin
from madoguchi.names.lookup import ABSENT, CHANCE, find, hash_on
from madoguchi.names.reading import OK, ONE_PART, TOO_LONG

KNOWS, SHORT, GROUPS = 1, 2, 4
"""Last fact of a row in Latin letters, bits: the dictionary has every word; few kana. Each of the four has a
calibration."""
EXCHANGED = 128
"""Added to the kana of the cut where the given name stands first in the account."""
GRAM_STEP = 20.0
"""A background value `v` is the probability exp(-v / GRAM_STEP)."""

_SWAPPED = 0.15
_FEW = 7
_GLUED, _LEAST_LETTERS = 0.1, 2
_UNSPACED = 0.02
_CUTS = np.array([0.75, 0.17, 0.05, 0.02, 0.01, 0.005, 0.005])
_CUT_SUMS = np.concatenate([[0.0], np.cumsum(_CUTS)])
_ENOUGH = 5e-3


def _narrow() -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    """Kana codes a folded name can have, numbered from 1 on without gaps."""
    codes = sorted({fold.PLAIN[code] for code in range(fold.KANA_FIRST, fold.KANA_LAST + 1)})
    table = np.zeros(256, dtype=np.uint8)
    table[codes] = np.arange(1, len(codes) + 1)
    return table


NARROW = _narrow()
SOUNDS = int(NARROW.max()) + 1
"""Numbers of kana in the background, with 0 for the edge."""


@compiled
def _strangers(plain, long, m, opened, grams, strange):
    """strange[0, j]: chance of the kana before j as anybody's half; strange[2, j]: of those from j on (1: costs)."""
    total, a, b = 0.0, np.int64(0), np.int64(0)
    strange[0, 0] = 0.0
    for j in range(m):
        c = np.int64(NARROW[long[j]])
        total += grams[a, b, c]
        a, b = b, c
        strange[0, j + 1] = math.exp((total + grams[a, b, 0]) / -GRAM_STEP)
    tail = 0.0 if opened else np.float64(grams[a, b, 0])
    for j in range(m - 1, -1, -1):
        first = np.int64(NARROW[plain[j]])
        cost, strange[1, j] = 0.0 + grams[0, 0, first], tail
        if j + 1 == m:
            cost += 0.0 if opened else np.float64(grams[0, first, 0])
        else:
            second = np.int64(NARROW[long[j + 1]])
            if j + 2 < m:
                strange[1, j] = strange[1, j + 1] + grams[first, second, np.int64(NARROW[long[j + 2]])]
            cost += grams[0, first, second] + strange[1, j]
        strange[2, j] = math.exp(cost / -GRAM_STEP)


@compiled
def _booked_tail(key, j, plain, long, m, book):
    """What the dictionary gives a word for the kana from j on."""
    value = hash_on(key, plain[j])
    for place in range(j + 1, m):
        value = hash_on(value, long[place])
    return KNOWN * CHANCE[find(book, value)]


@compiled
def _booked_two(m, starts, name, kana, book, booked):
    """What the dictionary alone gives a name of two words: booked[word, j] before a cut, booked[2 + word, j] after it.

    Returns bits of the orders in which it has both halves, and of those (above 2 bits) in which it has one.
    """
    _, _, _, _, keys, knows = name
    plain, long = kana
    booked[:4, : m + 1] = 0.0
    both, one = 0, 0
    for word in range(2):
        value = keys[word]
        for j in range(1, m):
            value = hash_on(value, plain[0] if j == 1 else long[j - 1])
            if starts and not starts >> j & 1:
                continue
            front = KNOWN * CHANCE[find(book, value)] if knows[word] else 0.0
            booked[word, j] = front
            back = 0.0
            if knows[1 - word] and (starts or front >= _ENOUGH):
                back = booked[3 - word, j] = _booked_tail(keys[1 - word], j, plain, long, m, book)
            both |= 1 << word if front * back >= _ENOUGH else 0
            one |= 1 << word if max(front, back) >= _ENOUGH else 0
    return both | one << 2


@compiled
def _bounds(m, starts):
    """First and last place of a cut."""
    low, high = 1, m - 1
    if starts:
        while not starts >> low & 1:
            low += 1
        while not starts >> high & 1:
            high -= 1
    return low, high


@compiled
def _enough(chances, low, high):
    """Whether a cut from low to high has a chance that the dictionary gives."""
    for j in range(low, high + 1):  # noqa: SIM110 - a generator cannot be compiled
        if chances[j] >= _ENOUGH:
            return True
    return False


@compiled
def _copy(chances, low, high, target):
    for j in range(low, high + 1):
        target[j] = chances[j]


@compiled
def _read_two(orders, starts, m, opened, name, kana, tables, scratch, booked):
    """Put into `booked` the chances of both words before and after every cut.

    A word that the dictionary has for such a cut is not aligned; nor, where spaces give the cuts, any word in an order
    (bits) in which the dictionary has none if it has one in the other.
    """
    low, high = _bounds(m, starts)
    orders = orders if starts and orders else 3
    for word in range(2):
        if orders >> word & 1:
            if not _enough(booked[word], low, high):
                chain_forward(word, word, 0, high, name, kana, tables, scratch, scratch[1])
                _copy(scratch[1][word], low, high, booked[word])
            if not _enough(booked[3 - word], low, high):
                chain_backward(1 - word, 1 - word, low, m, opened, name, kana, tables, scratch, scratch[2])
                _copy(scratch[2][1 - word], low, high, booked[3 - word])


@compiled
def _add_cuts(low, high, starts, parts, prices, out, most):
    """Add to `out` every cut of one order: `parts` are the rows of surname and given name in it and of their strangers.

    Returns the likeliest cut's weight, if above `most`, and its place, or 0.
    """
    surname, given, no_surname, no_given = parts
    best = 0
    for j in range(low, high + 1):
        weight = prices[0] * (1.0 if starts == 0 or starts >> j & 1 else prices[1])
        both, first = weight * surname[j] * given[j], weight * surname[j] * no_given[j]
        second, none = weight * no_surname[j] * given[j], weight * no_surname[j] * no_given[j]
        out[SELF] += both
        out[FAMILY] += first
        out[OLDNAME] += second
        out[OTHER] += none
        here = PRIORS[0] * both + PRIORS[1] * (first + second + none)
        if here > most:
            most, best = here, j
    return most, best


@compiled
def _sum_two(m, starts, booked, strange, out):
    """Add every cut of a name of two words, in both orders; the likeliest: words, kana before the cut, order."""
    low, high = _bounds(m, starts)
    most, at = _add_cuts(
        low, high, starts, (booked[0], booked[3], strange[0], strange[2]), (1.0 - _SWAPPED, 0.0), out, -1.0
    )
    _, turned = _add_cuts(low, high, starts, (booked[2], booked[1], strange[2], strange[0]), (_SWAPPED, 0.0), out, most)
    return (1, turned, 1) if turned else (1, at, 0)


@compiled
def _sum_orders(n, m, starts, opened, name, kana, tables, scratch, strange, out):
    """Add every cut of a name of several words, in both orders; the likeliest: words, kana before the cut, order."""
    _, heads, tails, heads_back, tails_front, _ = scratch
    chain_forward(0, n - 2, 0, m, name, kana, tables, scratch, heads)
    chain_backward(1, n - 1, 0, m, opened, name, kana, tables, scratch, tails)
    most, weights, best = -1.0, _CUT_SUMS[n - 1], (1, 1, 0)
    for c in range(1, n):
        chain_forward(c, n - 1, 0, m, name, kana, tables, scratch, tails_front)
        chain_backward(0, c - 1, 0, m, opened, name, kana, tables, scratch, heads_back)
        price, parts = _CUTS[c - 1] / weights, (heads[c - 1], tails[c], strange[0], strange[2])
        most, at = _add_cuts(1, m - 1, starts, parts, (price * (1.0 - _SWAPPED), _UNSPACED), out, most)
        best = (c, at, 0) if at else best
        parts = (heads_back[0], tails_front[n - 1], strange[2], strange[0])
        most, at = _add_cuts(1, m - 1, starts, parts, (price * _SWAPPED, _UNSPACED), out, most)
        best = (c, at, 1) if at else best
    return best


@compiled
def _sum_words(n, m, starts, opened, name, kana, tables, scratch, strange, booked, out):
    if n == 2:
        return _sum_two(m, starts, booked, strange, out)
    return _sum_orders(n, m, starts, opened, name, kana, tables, scratch, strange, out)


@compiled
def _sum_letters(m, opened, name, kana, tables, scratch, strange, out):
    """A name of one word: read as a whole, or cut between any two letters, since a space may be missing."""
    words, _, ahead, behind, _, _ = name
    grid, heads, tails, _, _, _ = scratch
    begin, end = words[0, 0], words[0, 1]
    share = _GLUED / (end - begin)
    chain_forward(0, 0, 0, m, name, kana, tables, scratch, heads)
    for i in range(begin + _LEAST_LETTERS + 1, end - _LEAST_LETTERS):
        for j in range(1, m):
            out[FAMILY] += share * grid[i - begin, j] / behind[i] * strange[2, j]
    chain_backward(0, 0, 0, m, opened, name, kana, tables, scratch, tails)
    for i in range(begin + _LEAST_LETTERS + 1, end - _LEAST_LETTERS):
        for j in range(1, m):
            out[OLDNAME] += share * grid[i - begin, j] / ahead[i] * strange[0, j]
    out[SELF], out[OTHER] = tails[0, 0], strange[2, 0]


@compiled
def judge_latin(registry, holder, pages_and_symbols, tables, room, out, facts):
    """Judge one pair whose registry name is in Latin letters; the status (see `reading`).

    `registry` and `holder` are a text each: bytes, where it begins and ends.
    `tables` are those of `latin_build`. Writes `out` (four likelihoods) and the last three of `facts`:
    characters before the given name (255 for a name of one word), kana before the cut (and `EXCHANGED`), the group.
    """
    pages, symbols = pages_and_symbols
    letters, name, kana, places, scratch, strange, booked = room
    words, _, _, _, keys, knows = name
    status, n = read_latin(registry[0], registry[1], registry[2], letters, words)
    if status != OK:
        return status
    status, m, starts, width = read_holder(holder[0], holder[1], holder[2], pages, symbols, kana[0], kana[1])
    if status != OK or m < 2:
        return status if status != OK else ONE_PART
    known, opened = True, width == FULL
    for w in range(n):
        keys[w] = word_hash(letters, words[w, 0], words[w, 1])
        knows[w] = find(tables[5], keys[w]) != ABSENT
        known = known and knows[w]
    _strangers(kana[0], kana[1], m, opened, tables[6], strange)
    orders = _booked_two(m, starts, name, kana, tables[5], booked) if n == 2 else 0
    if orders & 3 == 0:
        lay_places(kana[0], kana[1], m, places)
        if not prepare_all(letters, n, places, tables, name):
            return TOO_LONG
    facts[4] = (KNOWS if known else 0) | (SHORT if m <= _FEW else 0)
    out[:] = 0.0
    if n == 1:
        _sum_letters(m, opened, name, kana, tables, scratch, strange, out)
        facts[2], facts[3] = 255, m
    else:
        if n == 2 and orders & 3 == 0:
            _read_two(orders >> 2, starts, m, opened, name, kana, tables, scratch, booked)
        best = _sum_words(n, m, starts, opened, name, kana, tables, scratch, strange, booked, out)
        facts[2], facts[3] = min(words[best[0], 2], 255), best[1] + (EXCHANGED if best[2] else 0)
    return OK
