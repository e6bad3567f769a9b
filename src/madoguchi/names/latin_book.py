# mypy: disable-error-code="no-untyped-def,no-untyped-call"
"""Two small open-addressed tables of names in Latin letters: letter groups, and the dictionary of words; compiled."""

import numpy as np
from numba import njit

from madoguchi.names.lookup import ABSENT

_MIX, _SEED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x452821E638D01377)
_SHIFT, _MARK_SHIFT, _EIGHT = np.uint64(29), np.uint64(40), np.uint32(8)
_LOW = np.uint32(255)


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
