"""The clock the agent is given, and timers that fire only when asked: the same code runs on simulated time."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two kinds of time: `now` for records, `monotonic` for durations (a corrected clock moves no deadline)."""

    def now(self) -> datetime:
        """Tell the time of day, aware."""
        ...

    def monotonic(self) -> float:
        """Count seconds from an arbitrary point; never goes back."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Tell the time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Count seconds since the machine started."""
        return time.monotonic()


class Timers:
    """Named deadlines on one clock. Not thread-safe: the agent's loop owns them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._deadlines: dict[str, float] = {}

    def arm(self, name: str, seconds: float) -> None:
        """Start or restart a timer."""
        self._deadlines[name] = self._clock.monotonic() + seconds

    def disarm(self, name: str) -> None:
        """Stop a timer; one that does not run is no error."""
        self._deadlines.pop(name, None)

    def deadline(self, name: str) -> float | None:
        """Tell when the timer fires, on the monotonic clock; None when it does not run."""
        return self._deadlines.get(name)

    def take_due(self) -> tuple[str, ...]:
        """Remove and return the timers that have fired, earliest first."""
        now = self._clock.monotonic()
        due = sorted((at, name) for name, at in self._deadlines.items() if at <= now)
        for _, name in due:
            self.disarm(name)
        return tuple(name for _, name in due)
