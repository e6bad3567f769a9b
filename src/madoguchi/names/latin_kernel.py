# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""The compiled kernel for registry names in Latin letters: the same four likelihoods as `kernel` gives.

A word is read as `_KNOWN` of the dictionary (where it knows the word) and the rest by laying letter groups on kana pieces.
Words follow one another; the name is cut between two words, its halves stand in either order, and a half of
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
KNOWS = 1
"""Last fact of a row in Latin letters: the dictionary has every word."""
EXCHANGED = 128
"""Added to the kana of the cut where the given name stands first in the account."""
GRAM_STEP = 20.0
"""A background value `v` is the probability exp(-v / GRAM_STEP)."""
BOOK_BITS = 40

_COLUMNS = fold.MAX_KANA + 4
_ODD = 0.03
_ODD_SIZES = (0.4, 0.4 / 70.0, 0.2 / 4900.0)
_RARE = 1e-5
_KNOWN = 0.95
_SWAPPED = 0.15
_LEFT_OUT = 0.1
_UNSPACED = 0.02
_CUTS = np.array([0.75, 0.17, 0.05, 0.02, 0.01])
_PRIORS = (0.97, 0.01, 0.01, 0.01)
_BEAM = 1e-9
_TINY = 1e-300
_MIX, _SEED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x452821E638D01377)
_SHIFT, _MARK_SHIFT, _EIGHT = np.uint64(29), np.uint64(BOOK_BITS), np.uint32(8)
_LOW = np.uint32(255)
_CHANCE = np.array([math.exp(-value / STEP) for value in range(ABSENT)] + [0.0])
_MASKS = np.array([(1 << KANA_BITS * size) - 1 for size in range(4)], dtype=np.uint32)
_PIECE, _BITS, _ALL = np.uint32(PIECE_BITS), np.uint32(KANA_BITS), np.uint32((1 << PIECE_BITS) - 1)


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
def _prepare(letters, begin, end, tables, slots, ahead, behind):
    """Slots of all groups of a word; ahead[i]: chance of its letters from i on; behind[i]: of those before i."""
    groups, bases = tables[0], tables[4]
    behind[begin], ahead[end] = 1.0, 1.0
    behind[begin + 1 : end + 1], ahead[begin:end] = 0.0, 0.0
    for i in range(begin, end):
        key = 0
        for size in range(1, min(MAX_GROUP, end - i) + 1):
            key |= np.int64(letters[i + size - 1]) << LETTER_BITS * (size - 1)
            slot = slot_of(groups, key)
            slots[i, size - 1] = slot
            base = np.float64(bases[slot]) if slot >= 0 else (_RARE if size == 1 else 0.0)
            behind[i + size] += behind[i] * base
    for i in range(end - 1, begin - 1, -1):
        for size in range(1, min(MAX_GROUP, end - i) + 1):
            slot = slots[i, size - 1]
            base = np.float64(bases[slot]) if slot >= 0 else (_RARE if size == 1 else 0.0)
            ahead[i] += ahead[i + size] * base


@njit(cache=True, nogil=True)
def _forward(begin, end, m, slots, sounds, others, tables, grid):
    """grid[i - begin, j]: chance of the letters before i with the kana before j; row 0 is given."""
    starts, pieces, weights, bases = tables[1], tables[2], tables[3], tables[4]
    grid[1 : end - begin + 1, : m + 1] = 0.0
    for i in range(begin, end):
        row = grid[i - begin]
        top = 0.0
        for j in range(m + 1):
            top = max(top, row[j])
        least = top * _BEAM
        slot = slots[i, 0]
        odd = _ODD * (np.float64(bases[slot]) if slot >= 0 else _RARE)
        sizes = min(MAX_GROUP, end - i)
        for j in range(m + 1):
            here = row[j]
            if here <= least:
                continue
            for kanas in range(min(2, m - j) + 1):
                grid[i - begin + 1, j + kanas] += here * odd * _ODD_SIZES[kanas]
            sound, other = sounds[j], others[j]
            for size in range(sizes):
                slot = slots[i, size]
                if slot < 0:
                    continue
                target = grid[i - begin + size + 1]
                for place in range(starts[slot], starts[slot + 1]):
                    piece = pieces[place]
                    kanas = np.int64(piece >> _PIECE)
                    body = piece & _ALL
                    if body == sound & _MASKS[kanas] or body == other & _MASKS[kanas]:
                        target[j + kanas] += here * weights[place]


@njit(cache=True, nogil=True)
def _backward(begin, end, m, slots, sounds, others, tables, grid):
    """grid[i - begin, j]: chance of the letters from i on with the kana from j on; the last row is given."""
    starts, pieces, weights, bases = tables[1], tables[2], tables[3], tables[4]
    for i in range(end - 1, begin - 1, -1):
        row = grid[i - begin]
        slot = slots[i, 0]
        odd = _ODD * (np.float64(bases[slot]) if slot >= 0 else _RARE)
        sizes = min(MAX_GROUP, end - i)
        top = 0.0
        for size in range(sizes):
            for j in range(m + 1):
                top = max(top, grid[i - begin + size + 1, j])
        least = top * _BEAM
        for j in range(m + 1):
            total = row[j]
            for kanas in range(min(2, m - j) + 1):
                total += odd * _ODD_SIZES[kanas] * grid[i - begin + 1, j + kanas]
            sound, other = sounds[j], others[j]
            for size in range(sizes):
                slot = slots[i, size]
                if slot < 0:
                    continue
                target = grid[i - begin + size + 1]
                if target[j] + target[j + 1] + target[j + 2] + target[j + 3] <= least:
                    continue
                for place in range(starts[slot], starts[slot + 1]):
                    piece = pieces[place]
                    kanas = np.int64(piece >> _PIECE)
                    body = piece & _ALL
                    if body == sound & _MASKS[kanas] or body == other & _MASKS[kanas]:
                        total += weights[place] * target[j + kanas]
            row[j] = total


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
def _booked_backward(key, before, after, plain, long, m, book):
    """Add to `before[j]` what the dictionary gives a word for the kana from j to every stop in `after`."""
    top = 0.0
    for j in range(m + 1):
        top = max(top, after[j])
    for j in range(m):
        value = mixed(key, plain[j])
        for stop in range(j + 1, m + 1):
            if after[stop] > top * _BEAM:
                before[j] += _KNOWN * after[stop] * _CHANCE[find(book, value)]
            if stop < m:
                value = mixed(value, long[stop])


@njit(cache=True, nogil=True)
def _chain_forward(first, last, at, m, name, kana, tables, scratch, out):
    """out[w, j] for w from `first`: chance that words first..w are read as the kana from `at` to j."""
    words, slots, ahead, _, keys, knows = name
    plain, long, sounds, others = kana
    grid = scratch[0]
    unread = 1.0
    for w in range(first, last + 1):
        begin, end = words[w, 0], words[w, 1]
        for j in range(m + 1):
            grid[0, j] = out[w - 1, j] if w > first else 0.0
        grid[0, at] += unread
        _forward(begin, end, m, slots, sounds, others, tables, grid)
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
def _chain_backward(first, last, m, opened, name, kana, tables, scratch, out):
    """out[w, j] for w down to `first`: chance that words w..last are read as the kana from j to the end.

    If `opened`, the kana may have been cut off inside the last word.
    """
    words, slots, ahead, _, keys, knows = name
    plain, long, sounds, others = kana
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
        _backward(begin, end, m, slots, sounds, others, tables, grid)
        share = (1.0 - _KNOWN if knows[w] else 1.0) / ahead[begin]
        for j in range(m + 1):
            out[w, j] = share * grid[0, j]
        if knows[w]:
            _booked_backward(keys[w], out[w], grid[end - begin], plain, long, m, tables[5])
        if last > first:
            for j in range(m + 1):
                out[w, j] = (1.0 - _LEFT_OUT) * out[w, j] + (_LEFT_OUT * out[w + 1, j] if w < last else 0.0)
        unread *= _LEFT_OUT


@njit(cache=True, nogil=True)
def _strangers(plain, long, m, opened, grams, strange):
    """strange[0, j]: chance of the kana before j as anybody's half; strange[2, j]: of those from j on (1: costs)."""
    total, a, b = 0.0, 0, 0
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
def _price(j, starts):
    """What a cut before place j costs where the holder name has spaces."""
    return 1.0 if starts == 0 or starts >> j & 1 else _UNSPACED


@njit(cache=True, nogil=True)
def _sum_orders(n, m, starts, opened, name, kana, tables, scratch, strange, out):
    """Add every cut of a name of several words, in both orders; the likeliest: words, kana before the cut, order."""
    _, heads, tails, heads_back, tails_front = scratch
    _chain_forward(0, n - 2, 0, m, name, kana, tables, scratch, heads)
    _chain_backward(1, n - 1, m, opened, name, kana, tables, scratch, tails)
    most, weights, best = -1.0, 0.0, (1, 1, 0)
    for c in range(1, n):
        weights += _CUTS[c - 1]
    for c in range(1, n):
        _chain_forward(c, n - 1, 0, m, name, kana, tables, scratch, tails_front)
        _chain_backward(0, c - 1, m, opened, name, kana, tables, scratch, heads_back)
        for j in range(1, m):
            price = _price(j, starts) * _CUTS[c - 1] / weights
            for order in range(2):
                surname, given = (heads_back[0, j], tails_front[n - 1, j]) if order else (heads[c - 1, j], tails[c, j])
                no_surname, no_given = (strange[2, j], strange[0, j]) if order else (strange[0, j], strange[2, j])
                weight = price * (_SWAPPED if order else 1.0 - _SWAPPED)
                both, first = weight * surname * given, weight * surname * no_given
                second, none = weight * no_surname * given, weight * no_surname * no_given
                out[SELF] += both
                out[FAMILY] += first
                out[OLDNAME] += second
                out[OTHER] += none
                here = _PRIORS[0] * both + _PRIORS[1] * (first + second + none)
                if here > most:
                    most, best = here, (c, j, order)
    return best


@njit(cache=True, nogil=True)
def _sum_letters(m, opened, name, kana, tables, scratch, strange, out):
    """A name of one word: read as a whole, or cut between any two letters, since a space may be missing."""
    words, _, ahead, behind, _, _ = name
    grid, heads, tails, _, _ = scratch
    begin, end = words[0, 0], words[0, 1]
    share = 1.0 / (end - begin)
    _chain_forward(0, 0, 0, m, name, kana, tables, scratch, heads)
    for i in range(begin + 2, end - 1):
        for j in range(1, m):
            out[FAMILY] += share * grid[i - begin, j] / behind[i] * strange[2, j]
    _chain_backward(0, 0, m, opened, name, kana, tables, scratch, tails)
    for i in range(begin + 2, end - 1):
        for j in range(1, m):
            out[OLDNAME] += share * grid[i - begin, j] / ahead[i] * strange[0, j]
    out[SELF], out[OTHER] = tails[0, 0], strange[2, 0]


@njit(cache=True, nogil=True)
def latin_room():
    """Working memory of `judge_latin`."""
    name = (
        np.zeros((MAX_WORDS, 3), dtype=np.int64),
        np.zeros((MAX_LETTERS + 1, MAX_GROUP), dtype=np.int64),
        np.zeros(MAX_LETTERS + 1),
        np.zeros(MAX_LETTERS + 1),
        np.zeros(MAX_WORDS, dtype=np.uint64),
        np.zeros(MAX_WORDS, dtype=np.bool_),
    )
    kana = (
        np.zeros(fold.MAX_KANA, dtype=np.uint8),
        np.zeros(fold.MAX_KANA, dtype=np.uint8),
        np.zeros(_COLUMNS, dtype=np.uint32),
        np.zeros(_COLUMNS, dtype=np.uint32),
    )
    vectors = (MAX_WORDS, _COLUMNS)
    scratch = (
        np.zeros((MAX_WORD + 4, _COLUMNS)),
        np.zeros(vectors),
        np.zeros(vectors),
        np.zeros(vectors),
        np.zeros(vectors),
    )
    return np.zeros(MAX_LETTERS + 1, dtype=np.uint8), name, kana, scratch, np.zeros((3, _COLUMNS))


@njit(cache=True, nogil=True)
def _sounds(plain, long, m, sounds, others):
    """The next three kana at every place, first lowest; `others` begin with the plain code. Nothing after the end."""
    word = np.uint32(0)
    sounds[m] = others[m] = 0
    for place in range(m - 1, -1, -1):
        rest = (word << _BITS) & _ALL
        word = rest | np.uint32(long[place])
        sounds[place], others[place] = word, rest | np.uint32(plain[place])


@njit(cache=True, nogil=True)
def latin_fit(fit, flags):
    """The row of the calibration for a name in Latin letters."""
    return fit[fit.shape[0] - 2 + (flags & KNOWS)]


@njit(cache=True, nogil=True)
def judge_latin(registry, holder, pages, symbols, tables, room, out, facts):
    """Judge one pair whose registry name is in Latin letters; the status (see `reading`).

    `registry` and `holder` are a text each: bytes, where it begins and ends.
    `tables` are those of `latin_build`. Writes `out` (four logarithms of likelihoods) and the last three of `facts`:
    characters before the given name (255 for a name of one word), kana before the cut (and `EXCHANGED`), `KNOWS`.
    """
    letters, name, kana, scratch, strange = room
    words, slots, ahead, behind, keys, knows = name
    status, n = read_latin(registry[0], registry[1], registry[2], letters, words)
    if status != OK:
        return status
    status, m, starts, width = read_holder(holder[0], holder[1], holder[2], pages, symbols, kana[0], kana[1])
    if status != OK or m < 2:
        return status if status != OK else ONE_PART
    known = True
    for w in range(n):
        _prepare(letters, words[w, 0], words[w, 1], tables, slots, ahead, behind)
        if ahead[words[w, 0]] < _TINY:
            return TOO_LONG
        keys[w] = word_hash(letters, words[w, 0], words[w, 1])
        knows[w] = find(tables[5], keys[w]) != ABSENT
        known = known and knows[w]
    _sounds(kana[0], kana[1], m, kana[2], kana[3])
    opened = width == FULL
    _strangers(kana[0], kana[1], m, opened, tables[6], strange)
    out[:] = 0.0
    facts[4] = KNOWS if known else 0
    if n == 1:
        _sum_letters(m, opened, name, kana, tables, scratch, strange, out)
        facts[2], facts[3] = 255, m
    else:
        best = _sum_orders(n, m, starts, opened, name, kana, tables, scratch, strange, out)
        facts[2], facts[3] = min(words[best[0], 2], 255), best[1] + (EXCHANGED if best[2] else 0)
    for kind in range(4):
        out[kind] = math.log(out[kind] + _TINY)
    return OK


@njit(cache=True, nogil=True)
def read_chances(letters, letters_at, kana, kana_at, tables, found):
    """found[pair]: chance of a word's kana given its letters, by groups and pieces alone; of 0 where it is too long."""
    _, name, codes, scratch, _ = latin_room()
    _, slots, ahead, behind, _, _ = name
    _, long, sounds, others = codes
    for pair in range(letters_at.size - 1):
        begin, end, m = letters_at[pair], letters_at[pair + 1], kana_at[pair + 1] - kana_at[pair]
        if end - begin > MAX_WORD or m > fold.MAX_KANA:
            continue
        word = letters[begin:end]
        _prepare(word, 0, end - begin, tables, slots, ahead, behind)
        long[:m] = kana[kana_at[pair] : kana_at[pair + 1]]
        _sounds(long, long, m, sounds, others)
        scratch[0][0, : m + 1] = 0.0
        scratch[0][0, 0] = 1.0
        _forward(0, end - begin, m, slots, sounds, others, tables, scratch[0])
        found[pair] = scratch[0][end - begin, m] / ahead[0]
