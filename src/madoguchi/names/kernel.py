"""The compiled kernel: likelihoods of four hypotheses, summed over every way to cut surname from given name.

No GIL, nothing shared between pairs; the same pair gives the same bits whatever it stands beside. A half of a name that
the dictionary knows is read as the dictionary says, or, seldom, by aligning kana to single kanji; one it does not know
by aligning alone. A half that belongs to somebody else is read by the kana background of its role. Only those cuts count
that have the most halves with a reading from the dictionary: mostly it has both, and nothing has to be aligned.

Rows go through in small blocks: first all are folded and their places in the dictionary asked for, then all are judged,
so that the memory answers while other rows are folded.
"""

import math

import numpy as np
from numba import njit

from madoguchi.names import fold
from madoguchi.names.learn import ALONE, FIRST, LAST, MIDDLE, TRIGRAM_STEP
from madoguchi.names.lookup import ABSENT, STEP, find, hash_half, hash_piece, place_of, seed_of
from madoguchi.names.reading import OK, ONE_PART, read_kana, read_kanji
from madoguchi.names.weigh import COMMON, ODD_KANA, ODD_SIZES
from madoguchi.names.weigh import STEP as WEIGHT_STEP

SELF, FAMILY, OLDNAME, OTHER, UNDETERMINED = range(5)
"""Columns of probabilities, and verdicts."""
PRIORS = (0.977, 0.01, 0.003, 0.01)
"""Chances before anything is known of a pair: most accounts are the person's own."""
SURE = 0.95
"""Least chance of SELF for that verdict."""
FACTS = 5
"""Columns of facts: see `judge`."""
SURNAME, GIVEN = 0, 1
"""Roles of a half."""

_BLOCK = 32
_ROWS, _COLUMNS = fold.MAX_KANJI + 1, fold.MAX_KANA + 6
_ODD_MOST = 4
_ODD_BASE = np.array([[(1.0 - common) * ODD_SIZES[size] * ODD_KANA**size for size in range(5)] for common in COMMON])
_COMMON = np.array(COMMON)
_KNOWN = (0.97, 0.985)
_KNOWN_CUT = (12.0, 4.0)
_SILENT = 0.002
_CUTS = np.array([0.0, 0.25, 1.0, 0.25, 0.05, 0.01])
_OWN_KANA = 0.5
_NOT_SELF = 0.3
_TINY = 1e-250
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(6)], dtype=np.uint64)
_CHANCE = np.array([math.exp(-value / STEP) for value in range(ABSENT)] + [0.0])
_WEIGHT = np.array([math.exp(-value / WEIGHT_STEP) for value in range(255)] + [0.0])
_BYTE, _TOP, _FIRST = np.uint64(8), np.uint64(56), np.uint64(255)
_BODY = np.uint64((1 << 56) - 1)
_GRAM = np.exp(-np.arange(4096) / TRIGRAM_STEP)


@njit(cache=True, nogil=True, _nrt=False)
def _words(codes, m, words):
    """The next five codes at every place, first code lowest; nothing after the end."""
    word = np.uint64(0)
    for place in range(m - 1, -1, -1):
        word = ((word << _BYTE) & _MASKS[5]) | np.uint64(codes[place])
        words[place] = word


@njit(nogil=True, _nrt=False, inline="always")
def _odd(role, word, size, tables):
    """Chance of the next `size` kana as a reading that a kanji is not known to have."""
    pieces, longer = tables[4], tables[5]
    if size == 1:
        return _ODD_BASE[role, 1] + pieces[role, word & _FIRST, 0]
    if size == 2:
        return _ODD_BASE[role, 2] + pieces[role, word & _FIRST, (word >> _BYTE) & _FIRST]
    return _ODD_BASE[role, size] + _COMMON[role] * _CHANCE[find(longer, hash_piece(role, word & _MASKS[size]))]


@njit(nogil=True, _nrt=False, inline="always")
def _from(readings, begin, end, code):
    """The first reading in begin..end that begins with this kana code, or a later one; they are in that order."""
    while begin < end:
        middle = (begin + end) >> 1
        if readings[middle] & _FIRST < code:
            begin = middle + 1
        else:
            end = middle
    return begin


@njit(nogil=True, _nrt=False, inline="always")
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


@njit(nogil=True, _nrt=False, inline="always")
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


@njit(cache=True, nogil=True, _nrt=False)
def _read_surnames(kanji, rows, right, words, tables, grid, ends):
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


@njit(cache=True, nogil=True, _nrt=False)
def _read_given(kanji, top, n, left, m, words, tables, grid):
    """grid[i, j], i > top: chance that kanji i and all after it, within a given name, are read as the kana from j on."""
    grid[top + 1 : n + 1, left : m + 1] = 0.0
    grid[n, m] = 1.0
    for i in range(n - 1, top, -1):
        column = 4 + (LAST if i == n - 1 else MIDDLE)
        grid[i, m] = _SILENT * grid[i + 1, m]
        for j in range(left + 1, m):
            grid[i, j] = _SILENT * grid[i + 1, j] + _rest(kanji[i], column, words[j], j, m, tables, grid[i + 1])


@njit(nogil=True, _nrt=False, inline="always")
def _aligned_given(kanji, i, n, plain, long, j, m, words, tables, grid):
    """Chance that kanji i and all after it, as a given name, are read as the kana from j on; `grid` is filled below."""
    word = words[j]
    if plain[j] != long[j]:
        word = (word & ~_MASKS[1]) | np.uint64(plain[j])
    return _rest(kanji[i], 4 + (ALONE if i == n - 1 else FIRST), word, j, m, tables, grid[i + 1])


@njit(nogil=True, _nrt=False, inline="always")
def _stranger(codes, first, begin, end, role, grams, slots):
    """Chance of kana as anybody's half in this role; `first` is the code it begins with."""
    key = hash_half(hash_half(seed_of(role, 1), first, begin, begin + 1), codes, begin + 1, end)
    total, a, b = np.int64(grams[role, 0, 0, first[begin]]), 0, np.int64(first[begin])
    for place in range(begin + 1, end):
        total += grams[role, a, b, codes[place]]
        a, b = b, np.int64(codes[place])
    total += grams[role, a, b, 0]
    return _OWN_KANA * _CHANCE[find(slots, key)] + (1.0 - _OWN_KANA) * _GRAM[min(total, _GRAM.size - 1)]


@njit(nogil=True, _nrt=False, inline="always")
def _given_hash(seed, plain, long, j, m):
    return hash_half(hash_half(seed, plain, j, j + 1), long, j + 1, m)


@njit(cache=True, nogil=True, _nrt=False)
def _look_up(kanji, n, rows, plain, long, m, columns, slots, found):
    """found[role, i, 0]: whether the kanji half is known; found[role, i, j]: its reading's value.

    Answers how many halves of a cut, at most, have a known reading.
    """
    most = 0
    for i in range(rows[0], rows[1] + 1):
        surname, given = hash_half(seed_of(SURNAME, 0), kanji, 0, i), hash_half(seed_of(GIVEN, 0), kanji, i, n)
        knows_surname, knows_given = find(slots, surname) != ABSENT, find(slots, given) != ABSENT
        found[SURNAME, i, 0], found[GIVEN, i, 0] = knows_surname, knows_given
        for j in range(columns[0], columns[1] + 1):
            first = find(slots, hash_half(surname, long, 0, j)) if knows_surname else ABSENT
            second = find(slots, _given_hash(given, plain, long, j, m)) if knows_given else ABSENT
            found[SURNAME, i, j], found[GIVEN, i, j] = first, second
            most = max(most, (first != ABSENT) + (second != ABSENT))
    return most


@njit(nogil=True, _nrt=False, inline="always")
def _half(role, value, known, aligned):
    if value != ABSENT:
        return _KNOWN[role] * _CHANCE[value]
    return (1.0 - _KNOWN[role]) * aligned if known else aligned


@njit(cache=True, nogil=True, _nrt=False)
def _align(kanji, n, rows, long, m, columns, words, values, tables, scratch):
    """Fill the grids of the halves of these cuts that have no known reading."""
    forward, ends, backward, _ = scratch
    if values[SURNAME] == ABSENT:
        _read_surnames(kanji, rows, columns[1], words, tables, forward, ends)
    if values[GIVEN] == ABSENT:
        _read_given(kanji, rows[0], n, columns[0], m, words, tables, backward)


@njit(nogil=True, _nrt=False, inline="always")
def _weight(i, knows):
    weight = _CUTS[min(i, 5)]
    for role in (SURNAME, GIVEN):
        weight *= _KNOWN_CUT[role] if knows[role] else 1.0
    return weight


@njit(cache=True, nogil=True, _nrt=False)
def _sum_cuts(kanji, n, rows, plain, long, m, columns, words, tables, scratch, out, best):
    """Add cuts (kanji rows, kana columns) to the likelihoods of the hypotheses; `best` gets the likeliest cut."""
    slots, grams, found = tables[6], tables[7], scratch[3]
    level = _look_up(kanji, n, rows, plain, long, m, columns, slots, found)
    if level == 0:
        _align(kanji, n, rows, long, m, columns, words, (ABSENT, ABSENT), tables, scratch)
    out[:] = 0.0
    weights, most = 0.0, -1.0
    for i in range(rows[0], rows[1] + 1):
        knows = found[SURNAME, i, 0] != 0, found[GIVEN, i, 0] != 0
        weight = _weight(i, knows)
        weights += weight
        for j in range(columns[0], columns[1] + 1):
            values = found[SURNAME, i, j], found[GIVEN, i, j]
            if (values[SURNAME] != ABSENT) + (values[GIVEN] != ABSENT) < level:
                continue
            if level == 1:
                _align(kanji, n, (i, i), long, m, (j, j), words, values, tables, scratch)
            aligned = 0.0
            if values[GIVEN] == ABSENT:
                aligned = _aligned_given(kanji, i, n, plain, long, j, m, words, tables, scratch[2])
            first = weight * _half(SURNAME, values[SURNAME], knows[SURNAME], scratch[1][i, j])
            second = _half(GIVEN, values[GIVEN], knows[GIVEN], aligned)
            strange = weight * _stranger(long, long, 0, j, SURNAME, grams, slots)
            strange_given = _stranger(long, plain, j, m, GIVEN, grams, slots)
            out[SELF] += first * second
            out[FAMILY] += first * strange_given
            out[OLDNAME] += strange * second
            out[OTHER] += strange * strange_given
            here = first * (second + strange_given) + strange * second
            if here > most:
                most, best[0], best[1], best[2] = here, i, j, 2 if level == 2 else knows[SURNAME] and knows[GIVEN]
    for kind in range(4):
        out[kind] /= weights * (columns[1] - columns[0] + 1)


@njit(cache=True, nogil=True, _nrt=False)
def _between(odds, knots):
    """Honest log-odds by straight lines between the knots (row 0: the kernel's, row 1: honest), flat outside."""
    if odds <= knots[0, 0]:
        return knots[1, 0]
    for place in range(1, knots.shape[1]):
        if odds <= knots[0, place]:
            share = (odds - knots[0, place - 1]) / (knots[0, place] - knots[0, place - 1])
            return knots[1, place - 1] + share * (knots[1, place] - knots[1, place - 1])
    return knots[1, knots.shape[1] - 1]


@njit(cache=True, nogil=True, _nrt=False)
def _decide(likely, knots, chances):
    """Calibrated chances of the hypotheses, and the verdict."""
    rest = 0.0
    for kind in range(FAMILY, 4):
        chances[kind] = likely[kind] * PRIORS[kind]
        rest += chances[kind]
    rest = max(rest, _TINY)
    honest = _between(math.log(max(likely[SELF] * PRIORS[SELF], _TINY) / rest), knots)
    chances[SELF] = 1.0 / (1.0 + math.exp(-honest))
    verdict = FAMILY
    for kind in range(FAMILY, 4):
        chances[kind] *= (1.0 - chances[SELF]) / rest
        if chances[kind] > chances[verdict]:
            verdict = kind
    if chances[SELF] >= SURE:
        return SELF
    return UNDETERMINED if chances[SELF] > _NOT_SELF else verdict


@njit(cache=True, nogil=True, _nrt=False)
def _ask_ahead(kanji, n, plain, long, m, i, j, slots):
    """Touch the slots that a name with one cut will need, so that they are near when it is judged."""
    surname, given = hash_half(seed_of(SURNAME, 0), kanji, 0, i), hash_half(seed_of(GIVEN, 0), kanji, i, n)
    touched = slots[place_of(slots, surname)] ^ slots[place_of(slots, given)]
    touched ^= slots[place_of(slots, hash_half(surname, long, 0, j))]
    touched ^= slots[place_of(slots, _given_hash(given, plain, long, j, m))]
    touched ^= slots[place_of(slots, hash_half(seed_of(SURNAME, 1), long, 0, j))]
    return touched ^ slots[place_of(slots, _given_hash(seed_of(GIVEN, 1), plain, long, j, m))]


@njit(cache=True, nogil=True, _nrt=False)
def _fold(kanji_bytes, begin, end, kana_bytes, kana_begin, kana_end, letters, kanji, plain, long, shape):
    """Fold one row; `shape` gets status, kanji, kana, and where each is cut (0: nowhere in particular)."""
    pages, symbols = letters
    status, n, i = read_kanji(kanji_bytes, begin, end, pages, symbols, kanji)
    m, j = 0, -1
    if status == OK:
        status, m, j = read_kana(kana_bytes, kana_begin, kana_end, pages, symbols, plain, long)
        if status == OK and (n < 2 or m < 2):
            status = ONE_PART
    shape[0], shape[1], shape[2], shape[3], shape[4] = status, n, m, max(i, 0), max(j, 0)


def room_for_rows():
    """The arrays that one run of `judge` works in."""
    return (
        np.zeros((_BLOCK, fold.MAX_KANJI), dtype=np.int64),
        np.zeros((_BLOCK, fold.MAX_KANA), dtype=np.uint8),
        np.zeros((_BLOCK, fold.MAX_KANA), dtype=np.uint8),
        np.zeros((_BLOCK, 5), dtype=np.int64),
        np.zeros(_COLUMNS, dtype=np.uint64),
        *np.zeros((3, _ROWS, _COLUMNS)),
        np.zeros((2, _ROWS, _COLUMNS), dtype=np.int64),
    )


@njit(cache=True, nogil=True, _nrt=False)
def judge(kanji_bytes, kanji_at, kana_bytes, kana_at, arrays, fit, room, likely, chances, facts):
    """Judge rows: texts lie at `at[row]:at[row + 1]` of their bytes (UTF-8).

    Writes `likely[row]` (likelihoods) and `chances[row]`, four of float64, and `facts[row]`, five of uint8:
    status, verdict, how many kanji and kana are the surname's, and what the dictionary has of
    the likeliest cut (0 less than both kanji halves, 1 both, 2 a reading of both). A row that cannot be judged has the prior chances. Answers a number that says nothing.
    """
    letters, tables = (arrays[0], arrays[1]), arrays[2:]
    slots = tables[6]
    kanji, plain, long, shape, words, forward, ends, backward, found = room
    scratch = (forward, ends, backward, found)
    touched = np.uint32(0)
    rows = kanji_at.size - 1
    for block in range(0, rows, _BLOCK):
        size = min(_BLOCK, rows - block)
        for b in range(size):
            row = block + b
            _fold(kanji_bytes, kanji_at[row], kanji_at[row + 1], kana_bytes, kana_at[row], kana_at[row + 1],
                  letters, kanji[b], plain[b], long[b], shape[b])  # fmt: skip
            status, n, m, i, j = shape[b]
            if status == OK and i > 0 and j > 0:
                touched ^= _ask_ahead(kanji[b], n, plain[b], long[b], m, i, j, slots)
        for b in range(size):
            row = block + b
            status, n, m, i, j = shape[b]
            facts[row] = 0
            facts[row, 0], facts[row, 1] = status, UNDETERMINED
            likely[row] = 0.0
            for kind in range(4):
                chances[row, kind] = PRIORS[kind]
            if status != OK:
                continue
            _words(long[b], m, words)
            _sum_cuts(kanji[b], n, (i, i) if i > 0 else (1, n - 1), plain[b], long[b], m,
                      (j, j) if j > 0 else (1, m - 1), words, tables, scratch, likely[row], facts[row, 2:])  # fmt: skip
            facts[row, 1] = _decide(likely[row], fit, chances[row])
    return touched
