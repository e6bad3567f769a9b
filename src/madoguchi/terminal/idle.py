"""How long nobody has done anything in an open visit, and the warning before the end."""

from madoguchi.terminal import texts
from madoguchi.terminal.ports import Box
from madoguchi.terminal.timers import Clock


class IdleWatch:
    """Counts from the last action seen in the box, on the desk page, or from the opening; owned by the agent's loop.

    `limit` and `warning` are seconds: the end comes after `limit`, the warning stands for the last `warning` of them.
    """

    def __init__(self, *, clock: Clock, limit: float, warning: float) -> None:
        self._clock = clock
        self._limit = limit
        self._warning = warning
        self._touched = clock.monotonic()
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
        if box is not None and (deadline is None) is not (self.shown_deadline is None):
            box.notice(texts.IDLE_WARNING if deadline is not None else "")
        self.shown_deadline = deadline
