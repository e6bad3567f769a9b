"""Made-up turns at made-up terminals: who sat where and when, and what an orderly office has on record of it.

Arrays, one entry a visit. The shares are estimates of this project; nobody has published how visits are recorded.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madoguchi.inspection.generator_names import Numbers

Bools = npt.NDArray[np.bool_]
SEATS, A_DAY = 8, 24
"""Terminals of a block's city (two sites of four), and turns at each in a day."""
UNKNOWN = -1
"""Not on record."""
COMPLETED, INTERRUPTED, ABANDONED = range(3)
OUTCOMES = ("completed", "interrupted", "abandoned")
SIGNED, PROXY, SPOKEN, ABSENT, NONE = range(5)
CONFIRMATIONS = ("signature", "proxy_signature", "spoken", "absent", "none")
OWN, UNSEEN, OTHER = range(3)
OWN_NAMES = ("own", "unseen", "other")
REFUSED, REGISTERED = range(2)
REFUSALS = ("refused_by_site", "already_registered")

_FIRST, _TURN, _LATE = 9 * 3600, 1200, 180
_SHORTEST, _LONGEST = 240, 900
_OUTCOME = (0.90, 0.08, 0.02)
_CONFIRMATION = (0.80, 0.05, 0.08, 0.05, 0.02)
_OWN_NAME = (0.7998, 0.2, 0.0002)
_UNRECORDED = 0.03
_UNPROVEN = 0.004
_FAILED, _SKIPPED = 0.003, 0.05
_AWAY = 0.003
_REFUSED, _REGISTERED, _REGISTERED_AGAIN = 0.01, 0.006, 0.3
_TAGGED = 0.95
_TIME_KNOWN, _CLOCK_WRONG = 0.3, 0.001
_BACK = np.array([0.01, 0.25, 0.30])
_BACK_DAYS = 10


@dataclass(frozen=True)
class Turns:
    """One block. Times are seconds since its first day's midnight; `UNKNOWN` where nothing is on record.

    `seat` 0.., `card` numbers cards, `taken` marks turns whose person is settled (planted, or back again).
    """

    seat: Numbers
    start: Numbers
    end: Numbers
    card: Numbers
    tagged: Bools
    procedure: Numbers
    outcome: Numbers
    proof: Numbers
    confirmation: Numbers
    own_name: Numbers
    refusal: Numbers
    away: Numbers
    registered: Numbers
    failed: Numbers
    released: Numbers
    taken: Bools

    def __len__(self) -> int:
        return len(self.seat)


def make_turns(dice: np.random.Generator, count: int) -> Turns:
    """`count` turns, day by day, each of somebody else, as an orderly office records them."""
    turn, seat = np.divmod(np.arange(count, dtype=np.int64), SEATS)
    day, slot = np.divmod(turn, A_DAY)
    start = day * 86400 + _FIRST + slot * _TURN + dice.integers(0, _LATE, count)
    end = start + dice.integers(_SHORTEST, _LONGEST, count)
    unrecorded = dice.random(count) < _UNRECORDED
    made = Turns(
        seat=seat,
        start=start,
        end=end,
        card=np.arange(count, dtype=np.int64),
        tagged=dice.random(count) < _TAGGED,
        procedure=dice.integers(0, 2, count),
        outcome=drawn(dice, _OUTCOME, count),
        proof=np.where(unrecorded, UNKNOWN, dice.random(count) >= _UNPROVEN).astype(np.int64),
        confirmation=np.where(unrecorded, UNKNOWN, drawn(dice, _CONFIRMATION, count)),
        own_name=np.where(unrecorded, UNKNOWN, drawn(dice, _OWN_NAME, count)),
        refusal=_refusals(dice, count),
        away=np.where(dice.random(count) < _AWAY, dice.integers(181, 1200, count), dice.integers(0, 40, count)),
        registered=_registered(dice, start, end),
        failed=nothing(count),
        released=nothing(count),
        taken=np.zeros(count, dtype=np.bool_),
    )
    _quarantines(dice, made)
    return made


def settle(dice: np.random.Generator, made: Turns) -> None:
    """Some come back within days, mostly who did not complete. Who is refused has registered nothing in that turn."""
    sources = np.flatnonzero(~made.taken & (dice.random(len(made)) < _BACK[made.outcome]))
    before, after = come_back(dice, made, sources)
    again = (made.outcome[before] == COMPLETED) & (dice.random(len(before)) < _REGISTERED_AGAIN)
    refuse(made, after[again])
    refuse(made, np.flatnonzero(made.refusal == REGISTERED))
    made.registered[(made.outcome != COMPLETED) | (made.refusal != UNKNOWN)] = UNKNOWN


def come_back(dice: np.random.Generator, made: Turns, sources: Numbers) -> tuple[Numbers, Numbers]:
    """Who sat in `sources` sits once more within ten days, if the turn drawn is free: those turns, before and after."""
    day = made.start[sources] // 86400 + dice.integers(1, _BACK_DAYS + 1, len(sources))
    turn = day * A_DAY + dice.integers(0, A_DAY, len(sources))
    targets = turn * SEATS + dice.integers(0, SEATS, len(sources))
    first = np.zeros(len(sources), dtype=np.bool_)
    first[np.unique(targets, return_index=True)[1]] = True
    there = first & (targets < len(made)) & ~np.isin(targets, sources)
    there[there] &= ~made.taken[targets[there]]
    before, after = sources[there], targets[there]
    made.card[after] = made.card[before]
    made.procedure[after] = made.procedure[before]
    made.tagged[after] = made.tagged[before]
    made.taken[before] = made.taken[after] = True
    return before, after


def refuse(made: Turns, rows: Numbers) -> None:
    """The national site says to these: already registered."""
    made.refusal[rows] = REGISTERED
    made.outcome[rows] = INTERRUPTED
    made.registered[rows] = UNKNOWN


def drawn(dice: np.random.Generator, shares: tuple[float, ...], count: int) -> Numbers:
    """Places in `shares`, drawn by them."""
    return dice.choice(len(shares), count, p=shares).astype(np.int64)


def nothing(count: int) -> Numbers:
    """A column in which nothing is on record."""
    return np.full(count, UNKNOWN, dtype=np.int64)


def _refusals(dice: np.random.Generator, count: int) -> Numbers:
    """Most of those who are refused had registered at home, or are refused for something else."""
    chance = dice.random(count)
    other = np.where(chance < _REGISTERED + _REFUSED, REFUSED, UNKNOWN)
    return np.where(chance < _REGISTERED, REGISTERED, other).astype(np.int64)


def _registered(dice: np.random.Generator, start: Numbers, end: Numbers) -> Numbers:
    """Within one's own turn, where it is known at all; a few clocks are wrong."""
    count = len(start)
    wrong = dice.choice([-1, 1], count) * dice.integers(600, 1200, count)
    told = start + (end - start) * 3 // 5 + np.where(dice.random(count) < _CLOCK_WRONG, wrong, 0)
    return np.where(dice.random(count) < _TIME_KNOWN, told, UNKNOWN)


def _quarantines(dice: np.random.Generator, made: Turns) -> None:
    """Wipes that failed: mostly wiped again and released before the next turn."""
    failed = dice.random(len(made)) < _FAILED
    skipped = failed & (dice.random(len(made)) < _SKIPPED)
    made.failed[failed] = made.end[failed] + 20
    made.released[failed] = made.end[failed] + 90
    made.released[skipped] = UNKNOWN
    made.proof[failed] = 1
    made.proof[skipped] = 0
