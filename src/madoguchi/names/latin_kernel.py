# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""The compiled kernel for registry names in Latin letters: the same four likelihoods as `kernel` gives.

A word is read as `_KNOWN` of the dictionary (where it knows the word) and the rest by laying letter groups on kana
pieces. Words follow one another; the name is cut between two words, its halves stand in either order, and a half of
several words may leave some out. A half that belongs to somebody else is read by the kana background.
"""

import math

import numpy as np
from numba import njit

from madoguchi.names import fold
from madoguchi.names.latin_fold import MAX_LETTERS, MAX_WORDS
from madoguchi.names.latin_learn import KANA_BITS, LETTER_BITS, MAX_GROUP, PIECE_BITS
from madoguchi.names.latin_read import FULL, MAX_WORD, read_holder, read_latin
from madoguchi.names.lookup import ABSENT, STEP
from madoguchi.names.reading import OK, ONE_PART, TOO_LONG

SELF, FAMILY, OLDNAME, OTHER = range(4)
KNOWS, SHORT, GROUPS = 1, 2, 4
"""Last fact of a row in Latin letters, bits: the dictionary has every word; few kana. Each of the four has a fit."""
EXCHANGED = 128
"""Added to the kana of the cut where the given name stands first in the account."""
GRAM_STEP = 20.0
"""A background value `v` is the probability exp(-v / GRAM_STEP)."""
BOOK_BITS = 40

_COLUMNS = fold.MAX_KANA + 4
_ODD = 0.03
_ODD_NONE, _ODD_ONE, _ODD_TWO = 0.4, 0.4 / 70.0, 0.2 / 4900.0
_RARE = 1e-5
_KNOWN = 0.95
_SWAPPED = 0.15
_LEFT_OUT = 0.1
_FEW = 7
_GLUED, _LEAST_LETTERS = 0.1, 2
_UNSPACED = 0.02
_CUTS = np.array([0.75, 0.17, 0.05, 0.02, 0.01, 0.005, 0.005])
_PRIORS = (0.97, 0.01, 0.01, 0.01)
_BEAM = 1e-8
_ENOUGH = 5e-3
_TINY = 1e-300
_MIX, _SEED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x452821E638D01377)
_SHIFT, _MARK_SHIFT, _EIGHT = np.uint64(29), np.uint64(BOOK_BITS), np.uint32(8)
_LOW = np.uint32(255)
_CHANCE = np.array([math.exp(-value / STEP) for value in range(ABSENT)] + [0.0])
_BIT_AT = np.array([(0x03F79D71B4CB0A89 << place) >> 58 & 63 for place in range(64)])
_BIT_OF = np.zeros(64, dtype=np.int64)
_BIT_OF[_BIT_AT] = np.arange(64)
_DE_BRUIJN, _TO_SIX = np.uint64(0x03F79D71B4CB0A89), np.uint64(58)
_EDGES = 6000
_CODE, _SECOND, _THIRD = (1 << KANA_BITS) - 1, KANA_BITS, 2 * KANA_BITS


def _narrow() -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    """Kana codes a folded name can have, numbered from 1 on without gaps."""
    codes = sorted({fold.PLAIN[code] for code in range(fold.KANA_FIRST, fold.KANA_LAST + 1)})
    table = np.zeros(256, dtype=np.uint8)
    table[codes] = np.arange(1, len(codes) + 1)
    return table


NARROW = _narrow()
SOUNDS = int(NARROW.max()) + 1
"""Numbers of kana in the background, with 0 for the edge."""


@njit(cache=True, nogil=True)
def mixed(value, code):
    """A hash gone on by one code."""
    value = (value ^ np.uint64(code)) * _MIX
    return value ^ (value >> _SHIFT)


@njit(cache=True, nogil=True)
def word_hash(letters, begin, end):
    """Hash of a word's letters, signs included."""
    value = _SEED
    for place in range(begin, end):
        value = mixed(value, letters[place])
    return value


@njit(cache=True, nogil=True)
def find(book, key):
    """Value stored under a hash, 255 if there is none."""
    mask = np.uint64(book.size - 1)
    mark = np.uint32(key >> _MARK_SHIFT) | np.uint32(1)
    place = key & mask
    for _ in range(book.size):
        entry = book[place]
        if entry == 0:
            return np.int64(ABSENT)
        if entry >> _EIGHT == mark:
            return np.int64(entry & _LOW)
        place = (place + np.uint64(1)) & mask
    return np.int64(ABSENT)


@njit(cache=True, nogil=True)
def insert(book, key, value):
    """Store a value under a hash; the likelier (smaller) of two stays. The table must have room."""
    mask = np.uint64(book.size - 1)
    mark = np.uint32(key >> _MARK_SHIFT) | np.uint32(1)
    place = key & mask
    while book[place] != 0 and book[place] >> _EIGHT != mark:
        place = (place + np.uint64(1)) & mask
    kept = np.int64(value) if book[place] == 0 else min(np.int64(book[place] & _LOW), np.int64(value))
    book[place] = mark << _EIGHT | np.uint32(kept)


@njit(cache=True, nogil=True)
def fill_book(book, letters, letters_at, kana, kana_at, values):
    """Store words, and their readings with a value each."""
    for pair in range(values.size):
        key = word_hash(letters, letters_at[pair], letters_at[pair + 1])
        insert(book, key, 0)
        for place in range(kana_at[pair], kana_at[pair + 1]):
            key = mixed(key, kana[place])
        insert(book, key, values[pair])


@njit(cache=True, nogil=True)
def slot_of(groups, key):
    """Where a group of letters stands, or -1; -2 - place where it could be put."""
    mask = groups.size - 1
    place = (key * 0x9E3779B1 >> 12) & mask
    for _ in range(groups.size):
        if groups[place] == key:
            return place
        if groups[place] == 0:
            return -2 - place
        place = (place + 1) & mask
    return -1


@njit(cache=True, nogil=True)
def _lowest(bits):
    """Place of the lowest bit set."""
    return _BIT_OF[(np.uint64(bits & -bits) * _DE_BRUIJN) >> _TO_SIX]


@njit(cache=True, nogil=True)
def _places(plain, long, m, places):
    """places[k, c]: bits of the places k kana before which code c stands; all places for code 0, which is no kana."""
    places[:, 1:] = 0
    places[:, 0] = (np.int64(1) << (m + 1)) - 1
    for place in range(m):
        bit = np.int64(1) << place
        places[0, long[place]] |= bit
        places[0, plain[place]] |= bit
        places[1, long[place]] |= bit >> 1
        places[2, long[place]] |= bit >> 2


@njit(cache=True, nogil=True)
def _prepare(letters, begin, end, places, tables, edges, behind):
    """Edges of a word: what its groups can stand for in these kana. behind[i]: chance of its letters before i."""
    groups, starts, pieces, weights, bases = tables[0], tables[1], tables[2], tables[3], tables[4]
    at, jumps, bits, shares, odds = edges
    behind[begin] = 1.0
    behind[begin + 1 : end + 1] = 0.0
    count = at[begin]
    for i in range(begin, end):
        at[i], odds[i], key = count, _ODD * _RARE, np.int64(0)
        for size in range(1, min(MAX_GROUP, end - i) + 1):
            key |= np.int64(letters[i + size - 1]) << LETTER_BITS * (size - 1)
            slot = slot_of(groups, key)
            if slot < 0:
                behind[i + size] += behind[i] * (_RARE if size == 1 else 0.0)
                continue
            behind[i + size] += behind[i] * bases[slot]
            if size == 1:
                odds[i] = _ODD * max(np.float64(bases[slot]), _RARE)
            for place in range(starts[slot], min(starts[slot + 1], starts[slot] + _EDGES - count)):
                piece = np.int64(pieces[place])
                found = (
                    places[0, piece & _CODE] & places[1, piece >> _SECOND & _CODE] & places[2, piece >> _THIRD & _CODE]
                )
                jumps[count], bits[count], shares[count] = size << 4 | piece >> PIECE_BITS, found, weights[place]
                count += found != 0
    at[end] = count


@njit(cache=True, nogil=True)
def _look_ahead(letters, begin, end, tables, ahead):
    """ahead[i]: chance of the word's letters from i on."""
    groups, bases = tables[0], tables[4]
    ahead[end] = 1.0
    for i in range(end - 1, begin - 1, -1):
        key, ahead[i] = np.int64(0), 0.0
        for size in range(1, min(MAX_GROUP, end - i) + 1):
            key |= np.int64(letters[i + size - 1]) << LETTER_BITS * (size - 1)
            slot = slot_of(groups, key)
            ahead[i] += ahead[i + size] * (bases[slot] if slot >= 0 else _RARE if size == 1 else 0.0)


@njit(cache=True, nogil=True)
def _prepare_all(letters, n, places, tables, name):
    """Prepare every word; whether all have a chance that numbers can hold."""
    words, edges, ahead, behind, _, _ = name
    edges[0][0] = 0
    for w in range(n):
        begin, end = words[w, 0], words[w, 1]
        _prepare(letters, begin, end, places, tables, edges, behind)
        _look_ahead(letters, begin, end, tables, ahead)
        if ahead[begin] < _TINY:
            return False
    return True


@njit(cache=True, nogil=True)
def _live(grid, row, m):
    """Bits of the places of a row worth going on from."""
    top, bits = 0.0, np.int64(0)
    for j in range(m + 1):
        top = max(top, grid[row, j])
    for j in range(m + 1):
        if grid[row, j] > top * _BEAM:
            bits |= np.int64(1) << j
    return bits


@njit(cache=True, nogil=True)
def _forward(begin, end, m, edges, grid):
    """grid[i - begin, j]: chance of the letters before i with the kana before j; row 0 is given."""
    at, jumps, bits, shares, odds = edges
    grid[1 : end - begin + 1, : m + 4] = 0.0
    for i in range(begin, end):
        row = i - begin
        live = _live(grid, row, m)
        left = live
        while left:
            j = _lowest(left)
            left &= left - 1
            here = grid[row, j] * odds[i]
            grid[row + 1, j] += here * _ODD_NONE
            grid[row + 1, j + 1] += here * _ODD_ONE
            grid[row + 1, j + 2] += here * _ODD_TWO
        for edge in range(at[i], at[i + 1]):
            left = bits[edge] & live
            while left:
                j = _lowest(left)
                left &= left - 1
                grid[row + (jumps[edge] >> 4), j + (jumps[edge] & 15)] += grid[row, j] * shares[edge]


@njit(cache=True, nogil=True)
def _backward(begin, end, low, m, edges, lives, grid):
    """grid[i - begin, j], j from `low` on: chance of letters from i on with kana from j on; the last row is given.

    Other rows are given too: what is worth something before it is added to.
    """
    at, jumps, bits, shares, odds = edges
    wanted = -(np.int64(1) << low)
    lives[end - begin] = _live(grid, end - begin, m) & wanted
    for i in range(end - 1, begin - 1, -1):
        row = i - begin
        left = lives[row + 1]
        while left:
            j = _lowest(left)
            left &= left - 1
            there = grid[row + 1, j] * odds[i]
            grid[row, j] += there * _ODD_NONE
            if j >= 1:
                grid[row, j - 1] += there * _ODD_ONE
            if j >= 2:
                grid[row, j - 2] += there * _ODD_TWO
        for edge in range(at[i], at[i + 1]):
            size, kanas = jumps[edge] >> 4, jumps[edge] & 15
            left = bits[edge] & (lives[row + size] >> kanas)
            while left:
                j = _lowest(left)
                left &= left - 1
                grid[row, j] += grid[row + size, j + kanas] * shares[edge]
        lives[row] = _live(grid, row, m) & wanted


@njit(cache=True, nogil=True)
def _booked_forward(key, before, after, plain, long, m, book):
    """Add to `after[j]` what the dictionary gives a word for the kana between every start in `before` and j."""
    top = 0.0
    for j in range(m):
        top = max(top, before[j])
    for j in range(m):
        if before[j] > top * _BEAM:
            value = mixed(key, plain[j])
            for stop in range(j + 1, m + 1):
                after[stop] += _KNOWN * before[j] * _CHANCE[find(book, value)]
                if stop < m:
                    value = mixed(value, long[stop])


@njit(cache=True, nogil=True)
def _booked_backward(key, low, before, after, plain, long, m, book):
    """Add to `before[j]` what the dictionary gives a word for the kana from j to every stop in `after`."""
    top = 0.0
    for j in range(m + 1):
        top = max(top, after[j])
    for j in range(low, m):
        value = mixed(key, plain[j])
        for stop in range(j + 1, m + 1):
            if after[stop] > top * _BEAM:
                before[j] += _KNOWN * after[stop] * _CHANCE[find(book, value)]
            if stop < m:
                value = mixed(value, long[stop])


@njit(cache=True, nogil=True)
def _chain_forward(first, last, at, m, name, kana, tables, scratch, out):
    """out[w, j] for w from `first`: chance that words first..w are read as the kana from `at` to j."""
    words, edges, ahead, _, keys, knows = name
    plain, long = kana
    grid = scratch[0]
    unread = 1.0
    for w in range(first, last + 1):
        begin, end = words[w, 0], words[w, 1]
        for j in range(m + 1):
            grid[0, j] = out[w - 1, j] if w > first else 0.0
        grid[0, at] += unread
        _forward(begin, end, m, edges, grid)
        share = (1.0 - _KNOWN if knows[w] else 1.0) / ahead[begin]
        for j in range(m + 1):
            out[w, j] = share * grid[end - begin, j]
        if knows[w]:
            _booked_forward(keys[w], grid[0], out[w], plain, long, m, tables[5])
        if last > first:
            for j in range(m + 1):
                out[w, j] = (1.0 - _LEFT_OUT) * out[w, j] + (_LEFT_OUT * out[w - 1, j] if w > first else 0.0)
        unread *= _LEFT_OUT


@njit(cache=True, nogil=True)
def _chain_backward(first, last, low, m, opened, name, kana, tables, scratch, out):
    """out[w, j] for w down to `first`: chance that words w..last are read as the kana from j to the end.

    If `opened`, the kana may have been cut off inside the last word.
    """
    words, edges, ahead, _, keys, knows = name
    plain, long = kana
    grid = scratch[0]
    unread = 1.0
    for w in range(last, first - 1, -1):
        begin, end = words[w, 0], words[w, 1]
        grid[: end - begin, : m + 1] = 0.0
        for j in range(m + 1):
            grid[end - begin, j] = out[w + 1, j] if w < last else 0.0
        grid[end - begin, m] += unread
        if opened and w == last:
            for i in range(begin + 1, end):
                grid[i - begin, m] = ahead[i]
        grid[: end - begin + 1, m + 1 : m + 4] = 0.0
        _backward(begin, end, low, m, edges, scratch[5], grid)
        share = (1.0 - _KNOWN if knows[w] else 1.0) / ahead[begin]
        for j in range(m + 1):
            out[w, j] = share * grid[0, j]
        if knows[w]:
            _booked_backward(keys[w], low, out[w], grid[end - begin], plain, long, m, tables[5])
        if last > first:
            for j in range(m + 1):
                out[w, j] = (1.0 - _LEFT_OUT) * out[w, j] + (_LEFT_OUT * out[w + 1, j] if w < last else 0.0)
        unread *= _LEFT_OUT


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _booked_tail(key, j, plain, long, m, book):
    """What the dictionary gives a word for the kana from j on."""
    value = mixed(key, plain[j])
    for place in range(j + 1, m):
        value = mixed(value, long[place])
    return _KNOWN * _CHANCE[find(book, value)]


@njit(cache=True, nogil=True)
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
            value = mixed(value, plain[0] if j == 1 else long[j - 1])
            if starts and not starts >> j & 1:
                continue
            front = _KNOWN * _CHANCE[find(book, value)] if knows[word] else 0.0
            booked[word, j] = front
            back = 0.0
            if knows[1 - word] and (starts or front >= _ENOUGH):
                back = booked[3 - word, j] = _booked_tail(keys[1 - word], j, plain, long, m, book)
            both |= 1 << word if front * back >= _ENOUGH else 0
            one |= 1 << word if max(front, back) >= _ENOUGH else 0
    return both | one << 2


@njit(cache=True, nogil=True)
def _bounds(m, starts):
    """First and last place of a cut."""
    low, high = 1, m - 1
    if starts:
        while not starts >> low & 1:
            low += 1
        while not starts >> high & 1:
            high -= 1
    return low, high


@njit(cache=True, nogil=True)
def _read_two(orders, starts, m, opened, name, kana, tables, scratch, booked):
    """Put into `booked` the chances of both words before and after every cut.

    A word that the dictionary has for such a cut is not aligned; nor, where spaces give the cuts, any word in an order
    (bits) in which the dictionary has none if it has one in the other.
    """
    low, high = _bounds(m, starts)
    orders = orders if starts and orders else 3
    for word in range(2):
        if orders >> word & 1:
            if not booked[word, low : high + 1].max() >= _ENOUGH:
                _chain_forward(word, word, 0, high, name, kana, tables, scratch, scratch[1])
                booked[word, low : high + 1] = scratch[1][word, low : high + 1]
            if not booked[3 - word, low : high + 1].max() >= _ENOUGH:
                _chain_backward(1 - word, 1 - word, low, m, opened, name, kana, tables, scratch, scratch[2])
                booked[3 - word, low : high + 1] = scratch[2][1 - word, low : high + 1]


@njit(cache=True, nogil=True)
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
        here = _PRIORS[0] * both + _PRIORS[1] * (first + second + none)
        if here > most:
            most, best = here, j
    return most, best


@njit(cache=True, nogil=True)
def _sum_two(m, starts, booked, strange, out):
    """Add every cut of a name of two words, in both orders; the likeliest: words, kana before the cut, order."""
    low, high = _bounds(m, starts)
    most, at = _add_cuts(
        low, high, starts, (booked[0], booked[3], strange[0], strange[2]), (1.0 - _SWAPPED, 0.0), out, -1.0
    )
    _, turned = _add_cuts(low, high, starts, (booked[2], booked[1], strange[2], strange[0]), (_SWAPPED, 0.0), out, most)
    return (1, turned, 1) if turned else (1, at, 0)


@njit(cache=True, nogil=True)
def _sum_orders(n, m, starts, opened, name, kana, tables, scratch, strange, out):
    """Add every cut of a name of several words, in both orders; the likeliest: words, kana before the cut, order."""
    _, heads, tails, heads_back, tails_front, _ = scratch
    _chain_forward(0, n - 2, 0, m, name, kana, tables, scratch, heads)
    _chain_backward(1, n - 1, 0, m, opened, name, kana, tables, scratch, tails)
    most, weights, best = -1.0, _CUTS[: n - 1].sum(), (1, 1, 0)
    for c in range(1, n):
        _chain_forward(c, n - 1, 0, m, name, kana, tables, scratch, tails_front)
        _chain_backward(0, c - 1, 0, m, opened, name, kana, tables, scratch, heads_back)
        price, parts = _CUTS[c - 1] / weights, (heads[c - 1], tails[c], strange[0], strange[2])
        most, at = _add_cuts(1, m - 1, starts, parts, (price * (1.0 - _SWAPPED), _UNSPACED), out, most)
        best = (c, at, 0) if at else best
        parts = (heads_back[0], tails_front[n - 1], strange[2], strange[0])
        most, at = _add_cuts(1, m - 1, starts, parts, (price * _SWAPPED, _UNSPACED), out, most)
        best = (c, at, 1) if at else best
    return best


@njit(cache=True, nogil=True)
def _sum_words(n, m, starts, opened, name, kana, tables, scratch, strange, booked, out):
    if n == 2:
        return _sum_two(m, starts, booked, strange, out)
    return _sum_orders(n, m, starts, opened, name, kana, tables, scratch, strange, out)


@njit(cache=True, nogil=True)
def _sum_letters(m, opened, name, kana, tables, scratch, strange, out):
    """A name of one word: read as a whole, or cut between any two letters, since a space may be missing."""
    words, _, ahead, behind, _, _ = name
    grid, heads, tails, _, _, _ = scratch
    begin, end = words[0, 0], words[0, 1]
    share = _GLUED / (end - begin)
    _chain_forward(0, 0, 0, m, name, kana, tables, scratch, heads)
    for i in range(begin + _LEAST_LETTERS + 1, end - _LEAST_LETTERS):
        for j in range(1, m):
            out[FAMILY] += share * grid[i - begin, j] / behind[i] * strange[2, j]
    _chain_backward(0, 0, 0, m, opened, name, kana, tables, scratch, tails)
    for i in range(begin + _LEAST_LETTERS + 1, end - _LEAST_LETTERS):
        for j in range(1, m):
            out[OLDNAME] += share * grid[i - begin, j] / ahead[i] * strange[0, j]
    out[SELF], out[OTHER] = tails[0, 0], strange[2, 0]


@njit(cache=True, nogil=True)
def latin_room():
    """Working memory of `judge_latin`."""
    name = (
        np.zeros((MAX_WORDS, 3), dtype=np.int64),
        (
            np.zeros(MAX_LETTERS + 1, dtype=np.int64),
            np.zeros(_EDGES, dtype=np.int64),
            np.zeros(_EDGES, dtype=np.int64),
            np.zeros(_EDGES),
            np.zeros(MAX_LETTERS + 1),
        ),
        np.zeros(MAX_LETTERS + 1),
        np.zeros(MAX_LETTERS + 1),
        np.zeros(MAX_WORDS, dtype=np.uint64),
        np.zeros(MAX_WORDS, dtype=np.bool_),
    )
    kana = (np.zeros(fold.MAX_KANA, dtype=np.uint8), np.zeros(fold.MAX_KANA, dtype=np.uint8))
    places = np.zeros((3, 1 << KANA_BITS), dtype=np.int64)
    vectors = (MAX_WORDS, _COLUMNS)
    scratch = (
        np.zeros((MAX_WORD + 4, _COLUMNS)),
        np.zeros(vectors),
        np.zeros(vectors),
        np.zeros(vectors),
        np.zeros(vectors),
        np.zeros(MAX_WORD + 4, dtype=np.int64),
    )
    return (
        np.zeros(MAX_LETTERS + 1, dtype=np.uint8),
        name,
        kana,
        places,
        scratch,
        np.zeros((3, _COLUMNS)),
        np.zeros((4, _COLUMNS)),
    )


@njit(cache=True, nogil=True)
def latin_fit(fit, flags):
    """The row of the calibration for a name in Latin letters."""
    return fit[fit.shape[0] - GROUPS + flags]


@njit(cache=True, nogil=True)
def judge_latin(registry, holder, pages, symbols, tables, room, out, facts):
    """Judge one pair whose registry name is in Latin letters; the status (see `reading`).

    `registry` and `holder` are a text each: bytes, where it begins and ends.
    `tables` are those of `latin_build`. Writes `out` (four logarithms of likelihoods) and the last three of `facts`:
    characters before the given name (255 for a name of one word), kana before the cut (and `EXCHANGED`), the group.
    """
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
        _places(kana[0], kana[1], m, places)
        if not _prepare_all(letters, n, places, tables, name):
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
    for kind in range(4):
        out[kind] = math.log(out[kind] + _TINY)
    return OK


@njit(cache=True, nogil=True)
def read_chances(letters, letters_at, kana, kana_at, tables, found):
    """found[pair]: chance of a word's kana given its letters, by groups and pieces alone; of 0 where it is too long."""
    _, name, codes, places, scratch, _, _ = latin_room()
    _, edges, _, behind, _, _ = name
    for pair in range(letters_at.size - 1):
        begin, end, m = letters_at[pair], letters_at[pair + 1], kana_at[pair + 1] - kana_at[pair]
        if end - begin > MAX_WORD or m > fold.MAX_KANA:
            continue
        word = letters[begin:end]
        codes[1][:m] = kana[kana_at[pair] : kana_at[pair + 1]]
        _places(codes[1], codes[1], m, places)
        edges[0][0] = 0
        _prepare(word, 0, end - begin, places, tables, edges, behind)
        scratch[0][0, : m + 3] = 0.0
        scratch[0][0, 0] = 1.0
        _forward(0, end - begin, m, edges, scratch[0])
        found[pair] = scratch[0][end - begin, m] / behind[end - begin]
