"""Reading kanji one by one as pieces of kana, compiled: known readings by their place, and what is no known reading."""

import math

import numpy as np

from madoguchi.names import fold
from madoguchi.names.compiled import compiled, inlined
from madoguchi.names.learn import ALONE, FIRST, LAST, MIDDLE
from madoguchi.names.lookup import CHANCE, find, hash_piece
from madoguchi.names.weigh import COMMON, ODD_KANA, ODD_SIZES, STEP

ROWS, COLUMNS = fold.MAX_KANJI + 1, fold.MAX_KANA + 6
"""Size of a grid: a cut before or after every kanji and kana, and room to look ahead."""
_ODD_MOST = 4
_ODD_BASE = np.array([[(1.0 - common) * ODD_SIZES[size] * ODD_KANA**size for size in range(5)] for common in COMMON])
_COMMON = np.array(COMMON)
_SILENT = 0.002
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(6)], dtype=np.uint64)
_WEIGHT = np.array([math.exp(-value / STEP) for value in range(255)] + [0.0])
_BYTE, _TOP, _FIRST = np.uint64(8), np.uint64(56), np.uint64(255)
_BODY = np.uint64((1 << 56) - 1)


@compiled
def lay_words(codes, m, words):
    """The next five codes at every place, first code lowest; nothing after the end."""
    word = np.uint64(0)
    for place in range(m - 1, -1, -1):
        word = ((word << _BYTE) & _MASKS[5]) | np.uint64(codes[place])
        words[place] = word


@inlined
def _odd(role, word, size, tables):
    """Chance of the next `size` kana as a reading that a kanji is not known to have."""
    pieces, longer = tables[4], tables[5]
    if size == 1:
        return _ODD_BASE[role, 1] + pieces[role, word & _FIRST, 0]
    if size == 2:
        return _ODD_BASE[role, 2] + pieces[role, word & _FIRST, (word >> _BYTE) & _FIRST]
    return _ODD_BASE[role, size] + _COMMON[role] * CHANCE[find(longer, hash_piece(role, word & _MASKS[size]))]


@inlined
def _from(readings, begin, end, code):
    """The first reading in begin..end that begins with this kana code, or a later one; they are in that order."""
    while begin < end:
        middle = (begin + end) >> 1
        if readings[middle] & _FIRST < code:
            begin = middle + 1
        else:
            end = middle
    return begin


@inlined
def _read_on(symbol, column, here, word, j, right, tables, target):
    """Add to target[j + size] what `here`, at j, becomes when a kanji is read as the next `size` kana."""
    starts, readings, weights, shares = tables[:4]
    share = np.float64(shares[symbol, column >> 2])
    known, end, code = here * (1.0 - share), starts[symbol + 1], word & _FIRST
    place = _from(readings, starts[symbol], end, code)
    while place < end and readings[place] & _FIRST == code:
        size = np.int64(readings[place] >> _TOP)
        if readings[place] & _BODY == word & _MASKS[size] and j + size <= right:
            target[j + size] += known * _WEIGHT[weights[place, column]]
        place += 1
    for size in range(1, min(_ODD_MOST, right - j) + 1):
        target[j + size] += here * share * _odd(column >> 2, word, size, tables)


@inlined
def _rest(symbol, column, word, j, right, tables, after):
    """Chance that a kanji is read as kana from j on and what follows it as the rest; after[j] is that of the rest."""
    starts, readings, weights, shares = tables[:4]
    known, unknown = 0.0, 0.0
    end, code = starts[symbol + 1], word & _FIRST
    place = _from(readings, starts[symbol], end, code)
    while place < end and readings[place] & _FIRST == code:
        size = np.int64(readings[place] >> _TOP)
        if readings[place] & _BODY == word & _MASKS[size] and j + size <= right:
            known += _WEIGHT[weights[place, column]] * after[j + size]
        place += 1
    for size in range(1, min(_ODD_MOST, right - j) + 1):
        if after[j + size] > 0.0:
            unknown += _odd(column >> 2, word, size, tables) * after[j + size]
    share = np.float64(shares[symbol, column >> 2])
    return (1.0 - share) * known + share * unknown


@compiled
def read_surnames(kanji, rows, right, words, tables, grid, ends):
    """ends[i, j] for i in `rows`: chance that the first i kanji, as a surname, are read as the first j kana."""
    grid[: rows[1], : right + 1] = 0.0
    ends[rows[0] : rows[1] + 1, : right + 1] = 0.0
    grid[0, 0] = 1.0
    for i in range(rows[1]):
        for j in range(i, right):
            here = grid[i, j]
            if here > 0.0 and i + 1 >= rows[0]:
                _read_on(kanji[i], ALONE if i == 0 else LAST, here, words[j], j, right, tables, ends[i + 1])
            if here > 0.0 and i + 1 < rows[1]:
                _read_on(kanji[i], FIRST if i == 0 else MIDDLE, here, words[j], j, right, tables, grid[i + 1])


@compiled
def read_given(kanji, top, n, left, m, words, tables, grid):
    """grid[i, j], i > top: chance that kanji i and all after it, in a given name, are read as the kana from j on."""
    grid[top + 1 : n + 1, left : m + 1] = 0.0
    grid[n, m] = 1.0
    for i in range(n - 1, top, -1):
        column = 4 + (LAST if i == n - 1 else MIDDLE)
        grid[i, m] = _SILENT * grid[i + 1, m]
        for j in range(left + 1, m):
            grid[i, j] = _SILENT * grid[i + 1, j] + _rest(kanji[i], column, words[j], j, m, tables, grid[i + 1])


@inlined
def aligned_given(kanji, i, n, plain, long, j, m, words, tables, grid):
    """Chance that kanji i and all after it, as a given name, are read as the kana from j on; `grid` is filled below."""
    word = words[j]
    if plain[j] != long[j]:
        word = (word & ~_MASKS[1]) | np.uint64(plain[j])
    return _rest(kanji[i], 4 + (ALONE if i == n - 1 else FIRST), word, j, m, tables, grid[i + 1])
