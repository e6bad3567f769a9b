"""How long nobody has done anything in an open visit, and the warning before the end."""

import math
from collections.abc import Callable

from madoguchi.terminal import texts
from madoguchi.terminal.config import TerminalConfig
from madoguchi.terminal.ports import Box
from madoguchi.terminal.timers import Clock


class IdleWatch:
    """Counts from the last action seen in the box, on the desk page, or from the opening; owned by the agent's loop.

    The end comes after the configured time; the warning stands for the last seconds of it and counts down, in the
    language that `language` tells.
    """

    def __init__(self, *, clock: Clock, config: TerminalConfig, language: Callable[[], str]) -> None:
        self._clock = clock
        self._limit = config.idle_seconds
        self._warning = config.idle_warning
        self._language = language
        self._touched = clock.monotonic()
        self._said = ""
        self.shown_deadline: float | None = None

    def touch(self, box: Box | None) -> None:
        """Start again: somebody did something."""
        self._touched = self._clock.monotonic()
        self._show(box, None)

    def is_over(self, box: Box | None) -> bool:
        """Whether the time is up; shows or takes away the warning on the box's bar."""
        now = self._clock.monotonic()
        seen = box.idle_for() if box is not None else None
        idle = now - self._touched if seen is None else min(now - self._touched, seen)
        left = self._limit - idle
        self._show(box, now + left if left <= self._warning else None)
        return left <= 0

    def _show(self, box: Box | None, deadline: float | None) -> None:
        said = "" if deadline is None else self._warning_at(deadline)
        if box is not None and said != self._said:
            box.notice(said)
        self.shown_deadline, self._said = deadline, said

    def _warning_at(self, deadline: float) -> str:
        left = max(0, math.ceil(deadline - self._clock.monotonic()))
        return texts.idle_warning(self._language(), left)
