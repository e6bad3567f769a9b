"""An open-addressed table of hashed name halves: one or two memory reads answer whether a reading is known."""

import numpy as np
from numba import njit

ABSENT = 255
"""What `find` answers when there is nothing."""
STEP = 12.0
"""A stored value `v` is the probability exp(-v / STEP)."""

_MIX, _SEED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x243F6A8885A308D3)
_SHIFT, _HALF = np.uint64(29), np.uint64(32)


@njit(cache=True, nogil=True)
def hash_half(seed, codes, begin, end):
    """Hash of a row of codes, going on from `seed`."""
    value = np.uint64(seed)
    for place in range(begin, end):
        value = (value ^ np.uint64(codes[place])) * _MIX
        value ^= value >> _SHIFT
    return value


@njit(cache=True, nogil=True)
def seed_of(role, kind):
    """Where hashes of a role (0 surname, 1 given) and kind (0 kanji half, 1 kana half) begin."""
    return (_SEED ^ np.uint64(role * 2 + kind + 1)) * _MIX


@njit(cache=True, nogil=True)
def find(marks, values, key):
    """Value stored under a hash, 255 if there is none."""
    mask = np.uint64(marks.size - 1)
    mark = np.uint32(key >> _HALF) | np.uint32(1)
    place = key & mask
    for _ in range(marks.size):
        if marks[place] == 0:
            return ABSENT
        if marks[place] == mark:
            return np.int64(values[place])
        place = (place + np.uint64(1)) & mask
    return ABSENT


@njit(cache=True, nogil=True)
def insert(marks, values, key, value):
    """Store a value under a hash; the likelier (smaller) of two stays. The table must have room."""
    mask = np.uint64(marks.size - 1)
    mark = np.uint32(key >> _HALF) | np.uint32(1)
    place = key & mask
    while marks[place] != 0 and marks[place] != mark:
        place = (place + np.uint64(1)) & mask
    values[place] = value if marks[place] == 0 else min(values[place], value)
    marks[place] = mark
