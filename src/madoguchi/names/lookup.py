"""An open-addressed table of hashed name halves: one memory read answers nearly always.

A slot is a word: 24 bits of the hash, never all 0 in a used one, and 8 bits of value. Two hashes that share slot and
mark would be taken for one: about one look-up in ten million.
"""

import math

import numpy as np

from madoguchi.names.compiled import compiled

ABSENT = 255
"""What `find` answers when there is nothing."""
STEP = 12.0
"""A stored value `v` is the probability exp(-v / STEP)."""

CHANCE = np.array([math.exp(-value / STEP) for value in range(ABSENT)] + [0.0])
"""The probabilities of stored values and of `ABSENT`."""

_MIX, _SEED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x243F6A8885A308D3)
_SHIFT, _HALF = np.uint64(29), np.uint64(32)
_MARK, _VALUE, _ONE = np.uint32(0xFFFFFF00), np.uint32(0xFF), np.uint32(1 << 8)


@compiled
def hash_on(value, code):
    """A hash gone on by one code."""
    value = (value ^ np.uint64(code)) * _MIX
    return value ^ (value >> _SHIFT)


@compiled
def hash_half(seed, codes, begin, end):
    """Hash of a row of codes, going on from `seed`."""
    value = np.uint64(seed)
    for place in range(begin, end):
        value = hash_on(value, codes[place])
    return value


@compiled
def seed_of(role, kind):
    """Where hashes of a role (0 surname, 1 given) and kind (0 kanji half, 1 kana half) begin."""
    return (_SEED ^ np.uint64(role * 2 + kind + 1)) * _MIX


@compiled
def hash_piece(role, piece):
    """Hash of up to eight kana codes in one word."""
    value = (seed_of(role, 2) ^ np.uint64(piece)) * _MIX
    return (value ^ (value >> _SHIFT)) * _MIX


@compiled
def place_of(slots, key):
    """The slot at which a hash is looked for first."""
    return ((key >> _HALF) * np.uint64(slots.size)) >> _HALF


@compiled
def _mark_of(key):
    return (np.uint32(key) | _ONE) & _MARK


@compiled
def find(slots, key):
    """Value stored under a hash, `ABSENT` if there is none."""
    mark, place = _mark_of(key), place_of(slots, key)
    for _ in range(slots.size):
        slot = slots[place]
        if slot == 0:
            return ABSENT
        if slot & _MARK == mark:
            return np.int64(slot & _VALUE)
        place += np.uint64(1)
        if place == np.uint64(slots.size):
            place = np.uint64(0)
    return ABSENT


@compiled
def insert(slots, key, value):
    """Store a value under a hash; the likelier (smaller) of two stays. The table must have room."""
    mark, place = _mark_of(key), place_of(slots, key)
    while slots[place] != 0 and slots[place] & _MARK != mark:
        place += np.uint64(1)
        if place == np.uint64(slots.size):
            place = np.uint64(0)
    held = np.uint32(value) if slots[place] == 0 else min(slots[place] & _VALUE, np.uint32(value))
    slots[place] = mark | held
