"""Wrong registrations among made-up visits: the next person at the terminal registers on the card of the one before."""

import numpy as np

from madoguchi.inspection.generator_names import Numbers
from madoguchi.inspection.generator_turns import (
    A_DAY,
    ABANDONED,
    ABSENT,
    COMPLETED,
    INTERRUPTED,
    NONE,
    OTHER,
    SEATS,
    SIGNED,
    UNKNOWN,
    Turns,
    come_back,
    refuse,
)

LEFT_OPEN, SIGNED_OPEN, UNRECORDED, CARD_GONE, QUARANTINE, TYPED, SILENT = range(7)
KINDS = {
    "left_open": 0.40,
    "signed_open": 0.10,
    "unrecorded": 0.20,
    "card_gone": 0.08,
    "quarantine": 0.05,
    "typed": 0.07,
    "silent": 0.10,
}
"""How a session stayed open for the next person, and the share of each way; estimates of this project.

`left_open`: went away without proof of a wipe or confirmed log-out. `signed_open`: signed, but the wipe is not proven.
`unrecorded`: did not complete, and nothing is on record. `card_gone`: took the card, the screen stayed. `quarantine`:
the wipe failed, and the next person sat down all the same. `typed`: the next person's form was typed into this session,
as the time of registration shows. `silent`: completed, as it seems, and nothing is on record.
"""
_SEES, _REFUSED, _OWNER_BACK, _OWNER_REFUSED, _NEXT_BACK = 0.15, 0.10, 0.35, 0.60, 0.25


def choose(dice: np.random.Generator, made: Turns, count: int) -> Numbers:
    """`count` turns (fewer if too few fit) that somebody follows at the same terminal that day; no two in a row."""
    last = np.arange(len(made)) // SEATS % A_DAY == A_DAY - 1
    fits = np.flatnonzero(~last[: max(0, len(made) - SEATS)])
    picked = np.sort(dice.choice(fits, min(len(fits), 2 * count + 10), replace=False))
    apart = picked[~np.isin(picked - SEATS, picked)]
    chosen = np.sort(dice.permutation(apart)[:count]).astype(np.int64)
    made.taken[chosen] = made.taken[chosen + SEATS] = True
    return chosen


def plant(dice: np.random.Generator, made: Turns, got: Numbers) -> Numbers:
    """Make the turns `got` stay open for whoever sat there next; answers the place in `KINDS` of each."""
    kinds = dice.choice(len(KINDS), len(got), p=tuple(KINDS.values())).astype(np.int64)
    lost = got + SEATS
    made.outcome[lost] = COMPLETED
    made.refusal[lost] = made.refusal[got] = UNKNOWN
    _records(dice, made, got, kinds)
    made.registered[got[made.outcome[got] != COMPLETED]] = UNKNOWN
    _times(dice, made, got[kinds == TYPED])
    _afterwards(dice, made, got, kinds)
    return kinds


def _records(dice: np.random.Generator, made: Turns, got: Numbers, kinds: Numbers) -> None:
    """What is on record of the session that stayed open."""
    early = np.where(dice.random(len(got)) < 0.3, ABANDONED, INTERRUPTED)
    made.outcome[got] = np.where(np.isin(kinds, (LEFT_OPEN, UNRECORDED)), early, COMPLETED)
    made.proof[got] = np.where(np.isin(kinds, (LEFT_OPEN, SIGNED_OPEN, QUARANTINE)), 0, UNKNOWN)
    gone = np.where(dice.random(len(got)) < 0.5, ABSENT, NONE)
    signed = np.where(np.isin(kinds, (SIGNED_OPEN, QUARANTINE)), SIGNED, UNKNOWN)
    made.confirmation[got] = np.where(kinds == LEFT_OPEN, gone, signed)
    made.own_name[got] = UNKNOWN
    made.away[got] = np.where(kinds == CARD_GONE, dice.integers(181, 1200, len(got)), 0)
    made.failed[got] = np.where(kinds == QUARANTINE, made.end[got] + 20, UNKNOWN)
    late = np.where(dice.random(len(got)) < 0.5, made.end[got + SEATS] + 600, UNKNOWN)
    made.released[got] = np.where(kinds == QUARANTINE, late, UNKNOWN)


def _times(dice: np.random.Generator, made: Turns, got: Numbers) -> None:
    """Registered while the one before sat there, between the turns, or within a minute of the other registration."""
    lost = got + SEATS
    own = made.start[got] + (made.end[got] - made.start[got]) * 3 // 5
    between = (made.end[got] + made.start[lost]) // 2
    told = np.stack([made.start[got] + 60, between, own + 40])
    way = dice.integers(0, len(told), len(got))
    made.registered[got] = own
    made.registered[lost] = told[way, np.arange(len(got))]


def _afterwards(dice: np.random.Generator, made: Turns, got: Numbers, kinds: Numbers) -> None:
    """Some see the other's name or are refused; some of both come back, and many whose card it was are refused."""
    lost = got + SEATS
    made.own_name[lost[dice.random(len(lost)) < _SEES]] = OTHER
    refuse(made, lost[(kinds != TYPED) & (dice.random(len(lost)) < _REFUSED)])
    _, again = come_back(dice, made, got[dice.random(len(got)) < _OWNER_BACK])
    refuse(made, again[dice.random(len(again)) < _OWNER_REFUSED])
    come_back(dice, made, lost[dice.random(len(lost)) < _NEXT_BACK])
