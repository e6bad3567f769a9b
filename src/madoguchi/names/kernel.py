"""The compiled kernel: likelihoods of four hypotheses, summed over every way to cut surname from given name.

No GIL, nothing shared between pairs; the same pair gives the same bits whatever it stands beside. A half of a name that
the dictionary knows is read as the dictionary says, or, seldom, by aligning kana to single kanji; one it does not know
by aligning alone; aligned kana of a given name count for more where they are anybody's name too (parents mostly choose
a name by its sound). A half that belongs to somebody else is read by the kana background of its role. Only those cuts
count that have the most halves with a reading from the dictionary: mostly it has both, and nothing has to be aligned.

Rows go through in small blocks: first all are folded and their places in the dictionary asked for, then all are judged,
so that the memory answers while other rows are folded.
"""

from typing import Any

import numpy as np

from madoguchi.names import fold
from madoguchi.names.align import COLUMNS, ROWS, aligned_given, lay_words, read_given, read_surnames
from madoguchi.names.compiled import compiled, inlined
from madoguchi.names.decide import FAMILY, OLDNAME, OTHER, PRIORS, SELF, UNDETERMINED, decide
from madoguchi.names.latin.align import latin_room
from madoguchi.names.latin.kernel import judge_latin
from madoguchi.names.learn import TRIGRAM_STEP
from madoguchi.names.lookup import ABSENT, CHANCE, find, hash_half, place_of, seed_of
from madoguchi.names.reading import LATIN, OK, ONE_PART, read_kana, read_kanji

FACTS = 5
"""Columns of facts: see `judge`."""
SURNAME, GIVEN = 0, 1
"""Roles of a half."""

_BLOCK = 32
_KNOWN = (0.97, 0.985)
_KNOWN_CUT = (12.0, 4.0)
_CUTS = np.array([0.0, 0.25, 1.0, 0.25, 0.05, 0.01])
_OWN_KANA = 0.5
_NAMELIKE, _MIDDLING = 0.2, 1e-4
"""Aligned kana count by this power of how common they are as a name, beside a middling one. Chosen: docs/names.md."""
_GRAM = np.exp(-np.arange(4096) / TRIGRAM_STEP)


@inlined
def _stranger(key, codes, first, begin, end, role, grams, slots):
    """Chance of kana as anybody's half in this role; `first` is the code it begins with, `key` its hash."""
    total, a, b = np.int64(grams[role, 0, 0, first[begin]]), 0, np.int64(first[begin])
    for place in range(begin + 1, end):
        total += grams[role, a, b, codes[place]]
        a, b = b, np.int64(codes[place])
    total += grams[role, a, b, 0]
    return _OWN_KANA * CHANCE[find(slots, key)] + (1.0 - _OWN_KANA) * _GRAM[min(total, _GRAM.size - 1)]


@inlined
def _given_hash(seed, plain, long, j, m):
    return hash_half(hash_half(seed, plain, j, j + 1), long, j + 1, m)


@inlined
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


@inlined
def _half(role, value, known, aligned):
    if value != ABSENT:
        return _KNOWN[role] * CHANCE[value]
    return (1.0 - _KNOWN[role]) * aligned if known else aligned


@compiled
def _align(kanji, n, rows, m, columns, words, values, tables, scratch):
    """Fill the grids of the halves of these cuts that have no known reading."""
    forward, ends, backward, _ = scratch
    if values[SURNAME] == ABSENT:
        read_surnames(kanji, rows, columns[1], words, tables, forward, ends)
    if values[GIVEN] == ABSENT:
        read_given(kanji, rows[0], n, columns[0], m, words, tables, backward)


@inlined
def _weight(i, knows):
    weight = _CUTS[min(i, 5)]
    for role in (SURNAME, GIVEN):
        weight *= _KNOWN_CUT[role] if knows[role] else 1.0
    return weight


@inlined
def _sum_cuts(name, kana, words, tables, scratch, out, best):
    """Add cuts (kanji rows, kana columns) to the likelihoods of the hypotheses; `best` gets the likeliest cut."""
    (kanji, n, rows), (plain, long, m, columns) = name, kana
    slots, grams, found = tables[6], tables[7], scratch[3]
    level = _look_up(kanji, n, rows, plain, long, m, columns, slots, found)
    if level == 0:
        _align(kanji, n, rows, m, columns, words, (ABSENT, ABSENT), tables, scratch)
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
                _align(kanji, n, (i, i), m, (j, j), words, values, tables, scratch)
            keys = hash_half(seed_of(SURNAME, 1), long, 0, j), _given_hash(seed_of(GIVEN, 1), plain, long, j, m)
            strange = weight * _stranger(keys[SURNAME], long, long, 0, j, SURNAME, grams, slots)
            strange_given = _stranger(keys[GIVEN], long, plain, j, m, GIVEN, grams, slots)
            aligned = 0.0
            if values[GIVEN] == ABSENT:
                aligned = aligned_given(kanji, i, n, plain, long, j, m, words, tables, scratch[2])
                aligned *= (strange_given / _MIDDLING) ** _NAMELIKE
            first = weight * _half(SURNAME, values[SURNAME], knows[SURNAME], scratch[1][i, j])
            second = _half(GIVEN, values[GIVEN], knows[GIVEN], aligned)
            out[SELF] += first * second
            out[FAMILY] += first * strange_given
            out[OLDNAME] += strange * second
            out[OTHER] += strange * strange_given
            here = first * (second + strange_given) + strange * second
            if here > most:
                most, best[0], best[1], best[2] = here, i, j, 2 if level == 2 else knows[SURNAME] and knows[GIVEN]
    for kind in range(4):
        out[kind] /= weights * (columns[1] - columns[0] + 1)


@inlined
def _sum_known(cut, plain, long, m, keys, slots, grams, out, best):
    """The likelihoods of a name with one cut (kanji, kana) of whose halves the dictionary has the readings; whether so.

    `keys` are those of `_ask_ahead`.
    """
    j = cut[1]
    surname, given = find(slots, keys[0]), find(slots, keys[1])
    if surname == ABSENT or given == ABSENT:
        return False
    first, second = _KNOWN[SURNAME] * CHANCE[surname], _KNOWN[GIVEN] * CHANCE[given]
    strange = _stranger(keys[2], long, long, 0, j, SURNAME, grams, slots)
    strange_given = _stranger(keys[3], long, plain, j, m, GIVEN, grams, slots)
    out[SELF], out[FAMILY] = first * second, first * strange_given
    out[OLDNAME], out[OTHER] = strange * second, strange * strange_given
    best[0], best[1], best[2] = cut[0], j, 2
    return True


@inlined
def _sum(shape, kanji, plain, long, keys, words, tables, scratch, out, best):
    """The likelihoods of a folded name, and its likeliest cut."""
    _, n, m, i, j = shape
    if i > 0 and j > 0 and _sum_known((i, j), plain, long, m, keys, tables[6], tables[7], out, best):
        return
    lay_words(long, m, words)
    name, kana = (kanji, n, (i, i) if i > 0 else (1, n - 1)), (plain, long, m, (j, j) if j > 0 else (1, m - 1))
    _sum_cuts(name, kana, words, tables, scratch, out, best)


@compiled
def _ask_ahead(kanji, n, plain, long, m, i, j, slots, keys):
    """Hash both readings and both halves of the kana of a name with one cut, and touch their slots.

    They are near then when the name is judged.
    """
    keys[0] = hash_half(hash_half(seed_of(SURNAME, 0), kanji, 0, i), long, 0, j)
    keys[1] = _given_hash(hash_half(seed_of(GIVEN, 0), kanji, i, n), plain, long, j, m)
    keys[2] = hash_half(seed_of(SURNAME, 1), long, 0, j)
    keys[3] = _given_hash(seed_of(GIVEN, 1), plain, long, j, m)
    touched = np.uint32(0)
    for place in range(4):
        touched ^= slots[place_of(slots, keys[place])]
    return touched


@compiled
def _fold(kanji_text, kana_text, letters, kanji, plain, long, shape):
    """Fold one row; `shape` gets status, kanji, kana, and where each is cut (0: nowhere in particular)."""
    pages, symbols = letters
    status, n, i = read_kanji(kanji_text[0], kanji_text[1], kanji_text[2], pages, symbols, kanji)
    m, j = 0, -1
    if status == OK:
        status, m, j = read_kana(kana_text[0], kana_text[1], kana_text[2], pages, symbols, plain, long)
        if status == OK and (n < 2 or m < 2):
            status = ONE_PART
    shape[0], shape[1], shape[2], shape[3], shape[4] = status, n, m, max(i, 0), max(j, 0)


def room_for_rows() -> tuple[Any, ...]:
    """The arrays that one run of `judge` works in."""
    folded = (
        np.zeros((_BLOCK, fold.MAX_KANJI), dtype=np.int64),
        np.zeros((_BLOCK, fold.MAX_KANA), dtype=np.uint8),
        np.zeros((_BLOCK, fold.MAX_KANA), dtype=np.uint8),
        np.zeros((_BLOCK, 5), dtype=np.int64),
        np.zeros((_BLOCK, 4), dtype=np.uint64),
    )
    scratch = (*np.zeros((3, ROWS, COLUMNS)), np.zeros((2, ROWS, COLUMNS), dtype=np.int64))
    return folded, np.zeros(COLUMNS, dtype=np.uint64), scratch, latin_room()


@compiled
def judge(kanji_bytes, kanji_at, kana_bytes, kana_at, arrays, fits, room, likely, chances, facts):
    """Judge rows: texts lie at `at[row]:at[row + 1]` of their bytes (UTF-8).

    Writes `likely[row]` (likelihoods) and `chances[row]`, four of float64, and `facts[row]`, five of uint8: status,
    verdict, how many kanji and kana are the surname's, and what the dictionary has of the likeliest cut (0 less than
    both kanji halves, 1 both, 2 a reading of both); the last three are those of `judge_latin` for names in Latin
    letters. A row that cannot be judged has the prior chances. Answers a number that says nothing.
    """
    letters, tables, latin = arrays
    (kanji, plain, long, shape, keys), words, scratch, latin_scratch = room
    slots, touched = tables[6], np.uint32(0)
    rows = kanji_at.size - 1
    for block in range(0, rows, _BLOCK):
        size = min(_BLOCK, rows - block)
        for b in range(size):
            row = block + b
            kanji_text = (kanji_bytes, kanji_at[row], kanji_at[row + 1])
            kana_text = (kana_bytes, kana_at[row], kana_at[row + 1])
            _fold(kanji_text, kana_text, letters, kanji[b], plain[b], long[b], shape[b])
            status, n, m, i, j = shape[b]
            if status == OK and i > 0 and j > 0:
                touched ^= _ask_ahead(kanji[b], n, plain[b], long[b], m, i, j, slots, keys[b])
        for b in range(size):
            row = block + b
            status, n, m, i, j = shape[b]
            facts[row], likely[row] = 0, 0.0
            for kind in range(4):
                chances[row, kind] = PRIORS[kind]
            if status == OK:
                _sum(
                    shape[b], kanji[b], plain[b], long[b], keys[b], words, tables, scratch, likely[row], facts[row, 2:]
                )
                facts[row, 1] = decide(likely[row], fits[0], chances[row])
            elif status == LATIN and latin[0].size > 0:
                kanji_text = (kanji_bytes, kanji_at[row], kanji_at[row + 1])
                kana_text = (kana_bytes, kana_at[row], kana_at[row + 1])
                status = judge_latin(kanji_text, kana_text, letters, latin, latin_scratch, likely[row], facts[row])
                if status == OK:
                    facts[row, 1] = decide(likely[row], fits[1][facts[row, 4]], chances[row])
            facts[row, 0] = status
            if status != OK:
                facts[row, 1] = UNDETERMINED
    return touched
