"""How good a ranked list is expected to be: precision at every rank, and how many looks find how much. Pure numpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from madoguchi.inspection.summary import Look

Floats = npt.NDArray[np.float64]
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Rest:
    """Rows that are in no list, about equally likely to be wrong: how many, and how many wrong are expected in them."""

    rows: int
    wrong: float


class Expected:
    """What is expected of a list ranked by chances that are true.

    `chances` fall from first to last; `rest` are rows nobody listed, likeliest first.
    """

    def __init__(self, chances: Floats, rest: Sequence[Rest] = ()) -> None:
        if len(chances) and (np.any(np.diff(chances) > 0) or chances[0] > 1 or chances[-1] < 0):
            raise ValueError("chances do not fall from 1 to 0")
        self._found = np.cumsum(chances)
        self._rest = tuple(rest)
        self.listed = len(chances)
        self.wrong = float(self._found[-1] if self.listed else 0.0) + sum(group.wrong for group in rest)

    def precision(self) -> Floats:
        """At every rank: share of wrong ones among those from the top to it."""
        return np.asarray(self._found / np.arange(1, self.listed + 1), dtype=np.float64)

    def found_share(self) -> Floats:
        """At every rank: share of all wrong ones, listed or not, that stand from the top to it."""
        return np.asarray(self._found / self.wrong if self.wrong else np.ones(self.listed), dtype=np.float64)

    def looks(self, share: float) -> int:
        """How many rows, from the top, hold this share of all wrong ones; beyond the list, rows of the rest."""
        wanted = share * self.wrong
        if not wanted:
            return 0
        place = int(np.searchsorted(self._found, wanted, side="left"))
        if place < self.listed:
            return place + 1
        looked, found = self.listed, float(self._found[-1] if self.listed else 0.0)
        for group in self._rest:
            if found + group.wrong >= wanted and group.wrong > 0:
                return looked + max(1, int(np.ceil((wanted - found) / group.wrong * group.rows)))
            looked, found = looked + group.rows, found + group.wrong
        return looked

    def curve(self) -> tuple[Look, ...]:
        """Looks at 1, 2, 5, 10, 20, 50, … and the end of the list."""
        ranks = [step * 10**power for power in range(12) for step in _STEPS if step * 10**power < self.listed]
        if self.listed:
            ranks.append(self.listed)
        shares, precision = self.found_share(), self.precision()
        return tuple(Look(rank, float(shares[rank - 1]), float(precision[rank - 1])) for rank in ranks)
