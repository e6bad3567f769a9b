"""Laying the letters of words on kana, compiled: chances of words read as pieces of an account-holder name.

A word is read as `KNOWN` of the dictionary (where it knows the word) and the rest by letter groups and kana pieces. The
places where a piece stands are the bits of one number, so a group's pieces are tried everywhere at once.
"""

import numpy as np
from numba import njit

from madoguchi.names import fold
from madoguchi.names.compiled import compiled
from madoguchi.names.latin.book import slot_of
from madoguchi.names.latin.fold import MAX_LETTERS, MAX_WORDS
from madoguchi.names.latin.learn import KANA_BITS, LETTER_BITS, MAX_GROUP, PIECE_BITS
from madoguchi.names.latin.read import MAX_WORD
from madoguchi.names.lookup import CHANCE, find, hash_on

COLUMNS = fold.MAX_KANA + 4
KNOWN = 0.95
TINY = 1e-300
_ODD = 0.03
_ODD_NONE, _ODD_ONE, _ODD_TWO = 0.4, 0.4 / 70.0, 0.2 / 4900.0
_RARE = 1e-5
_LEFT_OUT = 0.1
_BEAM = 1e-8
_BIT_AT = np.array([(0x03F79D71B4CB0A89 << place) >> 58 & 63 for place in range(64)])
_BIT_OF = np.zeros(64, dtype=np.int64)
_BIT_OF[_BIT_AT] = np.arange(64)
_DE_BRUIJN, _TO_SIX = np.uint64(0x03F79D71B4CB0A89), np.uint64(58)
_EDGES = 6000
_CODE, _SECOND, _THIRD = (1 << KANA_BITS) - 1, KANA_BITS, 2 * KANA_BITS


@compiled
def _lowest(bits):
    """Place of the lowest bit set."""
    return _BIT_OF[(np.uint64(bits & -bits) * _DE_BRUIJN) >> _TO_SIX]


@compiled
def lay_places(plain, long, m, places):
    """places[k, c]: bits of the places k kana before which code c stands; all places for code 0, which is no kana."""
    places[:, 1:] = 0
    places[:, 0] = (np.int64(1) << (m + 1)) - 1
    for place in range(m):
        bit = np.int64(1) << place
        places[0, long[place]] |= bit
        places[0, plain[place]] |= bit
        places[1, long[place]] |= bit >> 1
        places[2, long[place]] |= bit >> 2


@compiled
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


@compiled
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


@compiled
def prepare_all(letters, n, places, tables, name):
    """Prepare every word; whether all have a chance that numbers can hold."""
    words, edges, ahead, behind, _, _ = name
    edges[0][0] = 0
    for w in range(n):
        begin, end = words[w, 0], words[w, 1]
        _prepare(letters, begin, end, places, tables, edges, behind)
        _look_ahead(letters, begin, end, tables, ahead)
        if ahead[begin] < TINY:
            return False
    return True


@compiled
def _live(grid, row, m):
    """Bits of the places of a row worth going on from."""
    top, bits = 0.0, np.int64(0)
    for j in range(m + 1):
        top = max(top, grid[row, j])
    for j in range(m + 1):
        if grid[row, j] > top * _BEAM:
            bits |= np.int64(1) << j
    return bits


@compiled
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


@compiled
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


@compiled
def _booked_forward(key, before, after, plain, long, m, book):
    """Add to `after[j]` what the dictionary gives a word for the kana between every start in `before` and j."""
    top = 0.0
    for j in range(m):
        top = max(top, before[j])
    for j in range(m):
        if before[j] > top * _BEAM:
            value = hash_on(key, plain[j])
            for stop in range(j + 1, m + 1):
                after[stop] += KNOWN * before[j] * CHANCE[find(book, value)]
                if stop < m:
                    value = hash_on(value, long[stop])


@compiled
def _booked_backward(key, low, before, after, plain, long, m, book):
    """Add to `before[j]` what the dictionary gives a word for the kana from j to every stop in `after`."""
    top = 0.0
    for j in range(m + 1):
        top = max(top, after[j])
    for j in range(low, m):
        value = hash_on(key, plain[j])
        for stop in range(j + 1, m + 1):
            if after[stop] > top * _BEAM:
                before[j] += KNOWN * after[stop] * CHANCE[find(book, value)]
            if stop < m:
                value = hash_on(value, long[stop])


@compiled
def chain_forward(first, last, at, m, name, kana, tables, scratch, out):
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
        share = (1.0 - KNOWN if knows[w] else 1.0) / ahead[begin]
        for j in range(m + 1):
            out[w, j] = share * grid[end - begin, j]
        if knows[w]:
            _booked_forward(keys[w], grid[0], out[w], plain, long, m, tables[5])
        if last > first:
            for j in range(m + 1):
                out[w, j] = (1.0 - _LEFT_OUT) * out[w, j] + (_LEFT_OUT * out[w - 1, j] if w > first else 0.0)
        unread *= _LEFT_OUT


@compiled
def chain_backward(first, last, low, m, opened, name, kana, tables, scratch, out):
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
        share = (1.0 - KNOWN if knows[w] else 1.0) / ahead[begin]
        for j in range(m + 1):
            out[w, j] = share * grid[0, j]
        if knows[w]:
            _booked_backward(keys[w], low, out[w], grid[end - begin], plain, long, m, tables[5])
        if last > first:
            for j in range(m + 1):
                out[w, j] = (1.0 - _LEFT_OUT) * out[w, j] + (_LEFT_OUT * out[w + 1, j] if w < last else 0.0)
        unread *= _LEFT_OUT


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
    vectors = (MAX_WORDS, COLUMNS)
    scratch = (
        np.zeros((MAX_WORD + 4, COLUMNS)),
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
        np.zeros((3, COLUMNS)),
        np.zeros((4, COLUMNS)),
    )


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
        lay_places(codes[1], codes[1], m, places)
        edges[0][0] = 0
        _prepare(word, 0, end - begin, places, tables, edges, behind)
        scratch[0][0, : m + 3] = 0.0
        scratch[0][0, 0] = 1.0
        _forward(0, end - begin, m, edges, scratch[0])
        found[pair] = scratch[0][end - begin, m] / behind[end - begin]
