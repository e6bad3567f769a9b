"""The compiled kernel: likelihoods of four hypotheses, summed over every way to cut surname from given name.

No GIL, nothing shared between pairs; the same pair gives the same bits whatever it stands beside. A half of a name is
read as `_KNOWN` of the dictionary (where it knows the kanji) and the rest by aligning kana to single kanji; a half that
belongs to somebody else is read by the kana background of its role.
"""

import math

import numpy as np
from numba import njit

from madoguchi.names import fold
from madoguchi.names.latin_align import latin_room
from madoguchi.names.latin_kernel import judge_latin, latin_fit
from madoguchi.names.lookup import ABSENT, STEP, find, hash_half, seed_of
from madoguchi.names.reading import LATIN, OK, ONE_PART, read_kana, read_kanji

SELF, FAMILY, OLDNAME, OTHER, UNDETERMINED = range(5)
"""Columns of probabilities, and verdicts."""
POWER, SHIFTS, DOUBT, PRIORS, SURE = 0, 1, 5, 6, 10
"""Places in a fit: power of the likelihoods, shifts (4), share of doubt, prior chances (4), least chance to decide."""

_ROWS, _COLUMNS = fold.MAX_KANJI + 1, fold.MAX_KANA + 6
_ODD = 0.004
_ODD_KANA = 1.0 / 45.0
_ODD_LENGTH = np.array([0.0, 0.45, 0.4, 0.12, 0.03])
_KNOWN = 0.97
_KNOWN_SURNAME, _KNOWN_GIVEN = 12.0, 4.0
_CUTS = np.array([0.0, 0.25, 1.0, 0.25, 0.05, 0.01])
_OWN_KANA = 0.5
_NOT_SELF = 0.3
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(6)], dtype=np.uint64)
_CHANCE = np.array([math.exp(-value / STEP) for value in range(ABSENT)] + [0.0])
_BYTE, _TOP, _FIVE = np.uint64(8), np.uint64(56), np.uint64(4 * 8)
_BODY = np.uint64((1 << 56) - 1)
_TINY = 1e-280
_LOG = -1.0 / 1024.0


@njit(cache=True, nogil=True)
def _words(long, m, words):
    """The next five codes at every place, first code lowest; nothing after the end."""
    word = np.uint64(0)
    for place in range(m - 1, -1, -1):
        word = ((word << _BYTE) & _MASKS[5]) | np.uint64(long[place])
        words[place] = word


@njit(cache=True, nogil=True)
def _odd(size):
    return _ODD * _ODD_LENGTH[size] * _ODD_KANA**size


@njit(cache=True, nogil=True)
def _forward(kanji, rows, m, words, tables, grid):
    """grid[i, j]: chance that the first i kanji, in a surname, are read as the first j kana."""
    starts, readings, weights = tables
    grid[: rows + 1, : m + 1] = 0.0
    grid[0, 0] = 1.0
    for i in range(rows):
        begin, end = starts[kanji[i]], starts[kanji[i] + 1]
        for j in range(i, m):
            here = grid[i, j]
            if here == 0.0:
                continue
            word = words[j]
            for place in range(begin, end):
                size = np.int64(readings[place] >> _TOP)
                if readings[place] & _BODY == word & _MASKS[size] and j + size <= m:
                    grid[i + 1, j + size] += here * weights[place, 0]
            for size in range(1, min(4, m - j) + 1):
                grid[i + 1, j + size] += here * _odd(size)


@njit(cache=True, nogil=True)
def _rest(kanji, i, j, m, word, tables, grid):
    """Chance that kanji i and all after it, in a given name, are read as the kana from j on."""
    starts, readings, weights = tables
    total = 0.0
    for place in range(starts[kanji[i]], starts[kanji[i] + 1]):
        size = np.int64(readings[place] >> _TOP)
        if readings[place] & _BODY == word & _MASKS[size] and j + size <= m:
            total += weights[place, 1] * grid[i + 1, j + size]
    for size in range(1, min(4, m - j) + 1):
        total += _odd(size) * grid[i + 1, j + size]
    return total


@njit(cache=True, nogil=True)
def _backward(kanji, top, n, left, m, words, tables, grid):
    """grid[i, j] = `_rest` for i from `top`, j from `left`."""
    grid[top : n + 1, left : m + 1] = 0.0
    grid[n, m] = 1.0
    for i in range(n - 1, top - 1, -1):
        for j in range(left, m - (n - i) + 1):
            grid[i, j] = _rest(kanji, i, j, m, words[j], tables, grid)


@njit(cache=True, nogil=True)
def _strange_surname(long, j, grams):
    """Logarithm of the chance of the first j kana as anybody's surname."""
    total, a, b = 0.0, 0, 0
    for place in range(j):
        total += grams[0, a, b, long[place]]
        a, b = b, np.int64(long[place])
    return (total + grams[0, a, b, 0]) * _LOG


@njit(cache=True, nogil=True)
def _strange_given(plain, long, j, m, grams):
    """Logarithm of the chance of the kana from j on as anybody's given name."""
    a, b = 0, np.int64(plain[j])
    total = 0.0 + grams[1, 0, 0, b]
    for place in range(j + 1, m):
        total += grams[1, a, b, long[place]]
        a, b = b, np.int64(long[place])
    return (total + grams[1, a, b, 0]) * _LOG


@njit(cache=True, nogil=True)
def _mixed(known, value, aligned):
    return _KNOWN * _CHANCE[value] + (1.0 - _KNOWN) * aligned if known else aligned


@njit(cache=True, nogil=True)
def _given_hash(seed, plain, long, j, m):
    return hash_half(hash_half(seed, plain, j, j + 1), long, j + 1, m)


@njit(cache=True, nogil=True)
def _strangers(plain, long, first, last, m, marks, values, grams, strange):
    """strange[role, j] for cuts first..last: chance of the half as anybody's."""
    for j in range(first, last + 1):
        value = find(marks, values, hash_half(seed_of(0, 1), long, 0, j))
        own = math.exp(_strange_surname(long, j, grams))
        strange[0, j] = _OWN_KANA * _CHANCE[value] + (1.0 - _OWN_KANA) * own
        value = find(marks, values, _given_hash(seed_of(1, 1), plain, long, j, m))
        own = math.exp(_strange_given(plain, long, j, m, grams))
        strange[1, j] = _OWN_KANA * _CHANCE[value] + (1.0 - _OWN_KANA) * own


@njit(cache=True, nogil=True)
def _cut_weight(i, known_surname, known_given):
    weight = _CUTS[min(i, 5)]
    return weight * (_KNOWN_SURNAME if known_surname else 1.0) * (_KNOWN_GIVEN if known_given else 1.0)


@njit(cache=True, nogil=True)
def _sum_cuts(kanji, n, rows, plain, long, m, columns, words, tables, scratch, out, best):
    """Add every cut (kanji rows, kana columns) to the likelihoods of the hypotheses; `best` gets the likeliest cut."""
    marks, values, grams, readings = tables
    forward, backward, strange = scratch
    _forward(kanji, rows[1], columns[1], words, readings, forward)
    _backward(kanji, rows[0], n, columns[0], m, words, readings, backward)
    _strangers(plain, long, columns[0], columns[1], m, marks, values, grams, strange)
    out[:] = 0.0
    weights, most = 0.0, -1.0
    for i in range(rows[0], rows[1] + 1):
        surname, given = hash_half(seed_of(0, 0), kanji, 0, i), hash_half(seed_of(1, 0), kanji, i, n)
        knows = (find(marks, values, surname) != ABSENT, find(marks, values, given) != ABSENT)
        weight = _cut_weight(i, knows[0], knows[1])
        weights += weight
        for j in range(columns[0], columns[1] + 1):
            value = find(marks, values, hash_half(surname, long, 0, j)) if knows[0] else ABSENT
            first = _mixed(knows[0], value, forward[i, j])
            tail = backward[i, j]
            if plain[j] != long[j]:
                word = (words[j] & ~_MASKS[1]) | np.uint64(plain[j])
                tail = _rest(kanji, i, j, m, word, readings, backward)
            value = find(marks, values, _given_hash(given, plain, long, j, m)) if knows[1] else ABSENT
            second = _mixed(knows[1], value, tail)
            out[SELF] += weight * first * second
            out[FAMILY] += weight * first * strange[1, j]
            out[OLDNAME] += weight * strange[0, j] * second
            out[OTHER] += weight * strange[0, j] * strange[1, j]
            here = weight * (first * second + first * strange[1, j] + strange[0, j] * second)
            if here > most:
                most, best[0], best[1], best[2] = here, i, j, knows[0] and knows[1]
    for kind in range(4):
        out[kind] = math.log(out[kind] / weights / (columns[1] - columns[0] + 1) + _TINY)


@njit(cache=True, nogil=True)
def _decide(likely, fit, chances):
    """Calibrated chances of the hypotheses, and the verdict."""
    top = -np.inf
    for kind in range(4):
        chances[kind] = fit[POWER] * likely[kind] + fit[SHIFTS + kind] + math.log(fit[PRIORS + kind])
        top = max(top, chances[kind])
    total = 0.0
    for kind in range(4):
        chances[kind] = math.exp(chances[kind] - top)
        total += chances[kind]
    for kind in range(4):
        chances[kind] = (1.0 - fit[DOUBT]) * chances[kind] / total + fit[DOUBT] * fit[PRIORS + kind]
    if chances[SELF] >= fit[SURE]:
        return SELF
    if chances[SELF] > _NOT_SELF:
        return UNDETERMINED
    verdict = FAMILY
    for kind in (OLDNAME, OTHER):
        if chances[kind] > chances[verdict]:
            verdict = kind
    return verdict


@njit(cache=True, nogil=True)
def judge(kanji_bytes, kanji_at, kana_bytes, kana_at, arrays, fit, likely, chances, facts):
    """Judge rows: texts lie at `at[row]:at[row + 1]` of their bytes (UTF-8).

    Writes `likely[row]` (natural logarithms) and `chances[row]`, four of float64, and `facts[row]`, five of uint8:
    status, verdict, how many kanji and kana are the surname's, whether the dictionary has both halves. A row that
    cannot be judged has the prior chances.
    """
    latin, room = arrays[-7:], latin_room()
    pages, symbols, starts, readings, weights, marks, values, grams = arrays[:-7]
    tables = (marks, values, grams, (starts, readings, weights))
    kanji = np.zeros(fold.MAX_KANJI, dtype=np.int64)
    plain, long = np.zeros(fold.MAX_KANA, dtype=np.uint8), np.zeros(fold.MAX_KANA, dtype=np.uint8)
    words = np.zeros(_COLUMNS, dtype=np.uint64)
    scratch = (np.zeros((_ROWS, _COLUMNS)), np.zeros((_ROWS, _COLUMNS)), np.zeros((2, _COLUMNS)))
    for row in range(kanji_at.size - 1):
        status, n, i = read_kanji(kanji_bytes, kanji_at[row], kanji_at[row + 1], pages, symbols, kanji)
        if status == OK:
            status, m, j = read_kana(kana_bytes, kana_at[row], kana_at[row + 1], pages, symbols, plain, long)
            if status == OK and (n < 2 or m < 2):
                status = ONE_PART
        facts[row] = 0
        facts[row, 0], facts[row, 1] = status, UNDETERMINED
        likely[row] = 0.0
        chances[row] = fit[0, PRIORS:SURE]
        if status == OK:
            rows = (i, i) if i > 0 else (1, n - 1)
            columns = (j, j) if j > 0 else (1, m - 1)
            _words(long, m, words)
            _sum_cuts(kanji, n, rows, plain, long, m, columns, words, tables, scratch, likely[row], facts[row, 2:])
            facts[row, 1] = _decide(likely[row], fit[facts[row, 4]], chances[row])
        elif status == LATIN and latin[0].size > 0:
            registry, holder = (
                (kanji_bytes, kanji_at[row], kanji_at[row + 1]),
                (kana_bytes, kana_at[row], kana_at[row + 1]),
            )
            facts[row, 0] = judge_latin(registry, holder, pages, symbols, latin, room, likely[row], facts[row])
            if facts[row, 0] == OK:
                facts[row, 1] = _decide(likely[row], latin_fit(fit, facts[row, 4]), chances[row])
