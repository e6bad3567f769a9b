"""Faults of a simulated system, each one method call away."""

from collections.abc import Callable

from madoguchi.nation.errors import NationError, SiteDown


class Faults:
    """What is broken at present. `sleep` takes seconds; tests hand in a recorder."""

    def __init__(self, *, sleep: Callable[[float], None], down: Callable[[], NationError] = SiteDown) -> None:
        self._sleep = sleep
        self._error = down
        self.clear()

    def clear(self) -> None:
        """Everything works again."""
        self.down = False
        self.slow_seconds = 0.0
        self.logout_fails = False

    def meet(self) -> None:
        """Called at the door of every operation, outside the lock. Raises what `down` makes (default `SiteDown`)."""
        if self.slow_seconds:
            self._sleep(self.slow_seconds)
        if self.down:
            raise self._error()
