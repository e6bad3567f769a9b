"""The clock of a replay: it stands still until a step moves it on."""

import threading
from datetime import datetime


class ReplayClock:
    """A time that only the replay moves. Thread-safe; never goes back."""

    def __init__(self, start: datetime) -> None:
        self._start = self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Current replay time, aware."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """Seconds since the start of the replay."""
        return (self.now() - self._start).total_seconds()

    def move_to(self, moment: datetime) -> None:
        """Go on to `moment`; an earlier one changes nothing."""
        with self._lock:
            self._now = max(self._now, moment)
