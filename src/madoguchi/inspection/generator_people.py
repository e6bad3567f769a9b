"""Made-up households: who lives with whom, names, births, where and when each registers. Arrays, one entry a person."""

from dataclasses import dataclass

import numpy as np

from madoguchi.inspection.generator_names import Numbers, draw, draw_given, surnames

HEAD, SPOUSE, CHILD, ELDER = range(4)
"""Role in the household."""
PLACES = 12
"""Counters of a block's city."""
FIRST_DAY = np.datetime64("2022-04-01", "D")
"""No registration is earlier."""
_DAYS, _A_DAY = 540, 20
_NONE = -1
_HOUSEHOLDS = (
    (0.36, (HEAD,)),
    (0.24, (HEAD, SPOUSE)),
    (0.11, (HEAD, SPOUSE, CHILD)),
    (0.13, (HEAD, SPOUSE, CHILD, CHILD)),
    (0.04, (HEAD, SPOUSE, CHILD, CHILD, CHILD)),
    (0.05, (HEAD, CHILD)),
    (0.02, (HEAD, CHILD, CHILD)),
    (0.05, (HEAD, SPOUSE, CHILD, CHILD, ELDER)),
)
_OTHER_SURNAME = np.array([0.0, 0.02, 0.02, 0.3])
_APART = np.array([0.0, 0.01, 0.04, 0.0])
_TOGETHER = 0.6


@dataclass(frozen=True)
class People:
    """One block.

    `home` numbers households, `head` is the row of a person's household's head, `address` numbers addresses; `surname`,
    `given` are places in the pools; `born` days since 1970; `place` 0.., `at` seconds since `FIRST_DAY`.
    """

    home: Numbers
    head: Numbers
    role: Numbers
    sex: Numbers
    born: Numbers
    surname: Numbers
    given: Numbers
    address: Numbers
    place: Numbers
    at: Numbers

    def __len__(self) -> int:
        return len(self.home)


def make_people(dice: np.random.Generator, count: int) -> People:
    """`count` people in households; the last one may be cut short."""
    home, role = _households(dice, count)
    head = np.searchsorted(home, home, side="left").astype(np.int64)
    sex = _sexes(dice, role, head)
    born = _births(dice, role, head, home)
    place, at = _visits(dice, head, count)
    surname = _surnames(dice, home, role)
    given = draw_given(dice, sex, 1970 + (born / 365.2425).astype(np.int64))
    address = home + (dice.random(count) < _APART[role]) * (home[-1] + 1)
    return People(home, head, role, sex, born, surname, given, address, place, at)


def _households(dice: np.random.Generator, count: int) -> tuple[Numbers, Numbers]:
    longest = max(len(roles) for _, roles in _HOUSEHOLDS)
    roles = np.array([[*roles, *[_NONE] * (longest - len(roles))] for _, roles in _HOUSEHOLDS], dtype=np.int64)
    kinds = draw(np.cumsum([chance for chance, _ in _HOUSEHOLDS]), dice, count)
    laid = roles[kinds]
    real = laid != _NONE
    home = np.repeat(np.arange(count, dtype=np.int64), real.sum(axis=1))
    return home[:count], laid[real][:count]


def _sexes(dice: np.random.Generator, role: Numbers, head: Numbers) -> Numbers:
    """0 f, 1 m; head and spouse differ."""
    sex = (dice.random(len(role)) < 0.5).astype(np.int64)
    return np.where(role == SPOUSE, 1 - sex[head], sex)


def _births(dice: np.random.Generator, role: Numbers, head: Numbers, home: Numbers) -> Numbers:
    """Days since 1970. Heads with children are of an age to have them at home."""
    has_child = np.bincount(home, weights=role == CHILD)[home] > 0
    spread = dice.random(len(role))
    age = np.where(has_child, 24 + 32 * spread, 20 + 70 * spread)[head]
    age = age + np.where(role == SPOUSE, 10 * spread - 5, 0) + np.where(role == ELDER, 24 + 10 * spread, 0)
    age = np.where(role == CHILD, np.clip(age - 22 - 14 * spread, 0.1, 24), np.clip(age, 18, 92))
    today = int((FIRST_DAY - np.datetime64("1970-01-01", "D")).astype(np.int64))
    return (today - age * 365.2425).astype(np.int64)


def _surnames(dice: np.random.Generator, home: Numbers, role: Numbers) -> Numbers:
    """The household's, or for a few another."""
    _, cumulative = surnames()
    shared = draw(cumulative, dice, int(home[-1]) + 1)[home]
    own = draw(cumulative, dice, len(home))
    return np.where(dice.random(len(home)) < _OTHER_SURNAME[role], own, shared)


def _visits(dice: np.random.Generator, head: Numbers, count: int) -> tuple[Numbers, Numbers]:
    """Counter and second. Most households come together, one after the other; small blocks have few days."""
    days = max(1, min(_DAYS, count // (PLACES * _A_DAY)))
    alone = dice.random(count) >= _TOGETHER
    place, day = dice.integers(0, PLACES, count), dice.integers(0, days, count)
    second = dice.integers(9 * 3600, 17 * 3600, count)
    leader = np.where(alone, np.arange(count), head)
    turn = np.arange(count) - leader
    return place[leader], day[leader] * 86400 + second[leader] + turn * 240
