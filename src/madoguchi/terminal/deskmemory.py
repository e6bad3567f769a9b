"""What the desk page keeps for the person who is there, in memory alone: half-filled forms, and a call for the staff.

A drawing never touches the disk of the page's browser: a reloaded page gets it back from here.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from madoguchi.terminal.manner import Manner
from madoguchi.terminal.status import Status, View

_KEPT: Final = {
    "outcome": 20,
    "reason": 40,
    "own_name": 20,
    "kind": 40,
    "strokes": 1_000_000,
    "witness": 40,
    "staff_1": 40,
    "staff_2": 40,
    "absence": 40,
}
"""Fields of a half-filled form, and how long they may be."""


@dataclass(frozen=True, slots=True)
class Call:
    """Staff are to come: the person with this ticket saw another's name. `lease`: of the visit that was confirmed."""

    lease: int
    ticket: str
    manner: Manner


class DeskMemory:
    """One half-filled form and one call at most; both go with their visit. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lease = 0
        self._form: dict[str, str] = {}
        self._call: Call | None = None

    def keep(self, lease: int, form: Mapping[str, str]) -> None:
        """Keep what is filled in so far."""
        kept = {name: form[name] for name, longest in _KEPT.items() if name in form and len(form[name]) <= longest}
        with self._lock:
            self._lease, self._form = lease, kept

    def given(self, lease: int) -> Mapping[str, str]:
        """What this visit's form held last."""
        with self._lock:
            return dict(self._form) if self._lease == lease else {}

    def call(self, call: Call) -> None:
        """Ask for the staff, until the next visit."""
        with self._lock:
            self._call = call

    def called(self) -> Call | None:
        """The call that stands."""
        with self._lock:
            return self._call

    def forget_others(self, now: Status) -> None:
        """Forget every form but that of the visit being confirmed, and the call once somebody else is there."""
        with self._lock:
            if now.view is not View.CONFIRMING or self._lease != now.visit.lease:
                self._lease, self._form = 0, {}
            if self._call is not None and now.visit.lease not in (0, self._call.lease):
                self._call = None
