"""Kana to kana, compiled: account-holder names against the official furigana, row by row."""

# mypy: allow-untyped-defs

import numpy as np
import numpy.typing as npt
from numba import njit

from madoguchi.names import fold
from madoguchi.names.decide import FAMILY, OLDNAME, OTHER, SELF, UNDETERMINED
from madoguchi.names.engine import Engine, Texts
from madoguchi.names.reading import EMPTY_KANA, OK, lengthen, read_kana

SURE = 0.999
"""Chance given to what the official furigana says."""
NOT_GIVEN, SILENT = 5, 6
"""Answers of `compare` beside the verdicts: there is no furigana; it cannot say (no kana, or halves not told apart)."""
_NEAR = 1
_SIZE = fold.MAX_KANA


@njit(cache=True, nogil=True)
def _same(one, first, last, other, begin):
    size = 0
    while size < last - first and one[first + size] == other[begin + size]:
        size += 1
    return size == last - first


@njit(cache=True, nogil=True)
def _apart(one, first, last, other, begin, end):
    """Edits (insert, delete, change) from one range of codes to the other."""
    if last - first == end - begin and _same(one, first, last, other, begin):
        return 0
    row = np.arange(end - begin + 1)
    for place in range(first, last):
        before, row[0] = row[0], place - first + 1
        for column in range(1, end - begin + 1):
            same = one[place] == other[begin + column - 1]
            best = min(row[column] + 1, row[column - 1] + 1, before + (0 if same else 1))
            before, row[column] = row[column], best
    return row[end - begin]


@njit(cache=True, nogil=True)
def _halves(one, n, i, other, m, j):
    """The verdict where both names say where the given name begins."""
    surname, given = _apart(one, 0, i, other, 0, j), _apart(one, i, n, other, j, m)
    if surname + given <= _NEAR:
        return UNDETERMINED if surname + given else SELF
    if surname == 0:
        return FAMILY
    return OLDNAME if given == 0 else OTHER


@njit(cache=True, nogil=True)
def _said(official, account):
    """What two folded names say; each is what `_folded` answers."""
    status, n, i, _, one, one_joined = official
    other_status, m, j, _, other, other_joined = account
    if status == EMPTY_KANA:
        return NOT_GIVEN
    if status != OK or other_status != OK:
        return SILENT
    gap = _apart(one_joined, 0, n, other_joined, 0, m)
    if gap == 0:
        return SELF
    if i < 0 or j < 0:
        return UNDETERMINED if gap <= _NEAR else SILENT
    return _halves(one, n, i, other, m, j)


@njit(cache=True, nogil=True)
def _folded(data, at, end, pages, symbols, plain, long, joined):
    """Status, length, split, plain codes, long codes, and the long codes there were without the split."""
    status, n, split = read_kana(data, at, end, pages, symbols, plain, long)
    lengthen(plain, joined, n, -1)
    return status, n, split, plain, long, joined


@njit(cache=True, nogil=True)
def _compare(data, at, kana, kana_at, letters, codes, said):
    pages, symbols = letters
    for row in range(at.size - 1):
        said[row] = NOT_GIVEN
        if at[row + 1] > at[row]:
            official = _folded(data, at[row], at[row + 1], pages, symbols, codes[0], codes[1], codes[2])
            begin, end = kana_at[row], kana_at[row + 1]
            said[row] = _said(official, _folded(kana, begin, end, pages, symbols, codes[3], codes[4], codes[5]))


def compare(engine: Engine, official: Texts, kana: Texts) -> npt.NDArray[np.uint8]:
    """What each furigana says of the account beside it: a verdict of `kernel`, `NOT_GIVEN` or `SILENT`."""
    said, codes = np.zeros(len(official), dtype=np.uint8), np.zeros((6, _SIZE), dtype=np.uint8)
    _compare(official.data, official.at, kana.data, kana.at, engine.letters, codes, said)
    return said
