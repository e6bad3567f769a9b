"""Weighing what the names say with what is known of wrong registrations and of who shares the account. Pure numpy."""

import numpy as np
import numpy.typing as npt

from madoguchi.names.decide import PRIORS

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

ALONE, KIN, STRANGER, SAME_DAY = range(4)
"""Who else is on the account: nobody; people with the same surname or address only; somebody of another surname and
address; such a one who registered at the same counter on the same day."""

NATIONAL_FAMILY = 130_000 / 54_000_000
"""Share of registered accounts in a family member's name. Source: Digital Agency, June 2023 (about 130,000 of about 54
million)."""
NATIONAL_OTHER = 748 / 54_000_000
"""Share of registered accounts in a stranger's name. Same source (748; 940 in the end)."""
FORMER_NAME = 0.004
"""Share of own accounts that are still in a former name. This project's estimate: no national figure is known to it."""
CHANCES = (1.0 - NATIONAL_FAMILY - FORMER_NAME - NATIONAL_OTHER, NATIONAL_FAMILY, FORMER_NAME, NATIONAL_OTHER)
"""Chances of SELF, FAMILY, OLDNAME, OTHER before name and sharing are seen."""

_OWN = (0.99841, 0.0015, 0.00008, 0.00001)
SHARING = np.array([_OWN, (0.25, 0.72, 0.02, 0.01), _OWN, (0.30, 0.02, 0.18, 0.50)]).T
"""[who else is on the account, kind]: how often an account of that kind is shared so. Estimates of this project: an own
account is shared if it is the other side of a wrong one; a family member's mostly stands with the member too; a
stranger's, left at the counter by the next in line, mostly stands with that one, unless they have registered again."""

BETTER = np.array([(0.97, 0.15, 0.95, 0.10), (0.03, 0.85, 0.05, 0.90)])
"""[whether the holder's name fits another person on the account better, kind], where there is one. Estimates of this
project: the true holder is mostly on the account too; a child's namesake, or a slip of the pen, is rare."""

NEAR = (0.01, 0.20, 0.01, 0.90)
"""[kind]: how often a holder's name that is not the person's fits somebody who registered at the same counter within an
hour. Estimates of this project: by chance seldom, a family comes together, the next in line is where a stranger's
account comes from."""


def weigh(chances: Floats, sharing: Numbers, better: Numbers) -> Floats:
    """Chances (rows, 4) of the names room, by its own prior chances, made those of this register.

    For each row `sharing` has ALONE, KIN, STRANGER or SAME_DAY, `better` how many others the name fits better. Rows sum
    to 1.
    Each row's numbers depend on that row only, to the last bit: additions are written out, because numpy's sums depend
    on the shape.
    """
    factors = SHARING * (np.array(CHANCES) / np.array(PRIORS))
    seen = np.where((sharing == ALONE)[:, None], 1.0, BETTER[(better > 0).astype(np.int64)])
    return _shares(chances * factors[sharing] * seen)


def nearby(chances: Floats) -> Floats:
    """Chances (rows, 4) of rows whose holder's name fits somebody near at the counter."""
    return _shares(chances * np.array(NEAR))


def _shares(odds: Floats) -> Floats:
    total = odds[:, 0] + odds[:, 1] + odds[:, 2] + odds[:, 3]
    return np.asarray(odds / total[:, None], dtype=np.float64)


def wrong(chances: Floats) -> Floats:
    """Chance that the account is somebody else's: FAMILY or OTHER. A former name is the person's own account."""
    return np.asarray(chances[:, 1] + chances[:, 3], dtype=np.float64)


def who_else(shared_by: Numbers, strangers: Numbers, same_day: Numbers) -> Numbers:
    """ALONE to SAME_DAY from the counts of `checks/accounts_sharing.sql`."""
    levels = np.where(shared_by > 1, KIN, ALONE)
    levels = np.where(strangers > 0, STRANGER, levels)
    return np.where(same_day > 0, SAME_DAY, levels).astype(np.int64)
