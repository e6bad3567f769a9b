"""Whether this machine can make a real box; asked rarely, because asking may try one."""

from madoguchi.terminal.ports import Boxes
from madoguchi.terminal.timers import Clock

_BELIEVED = 30.0


class Readiness:
    """What is missing, remembered for half a minute.

    `training`: the switch that lets visits open in boxes that are not real ones.
    """

    def __init__(self, *, boxes: Boxes, training: bool, clock: Clock) -> None:
        self._boxes = boxes
        self._training = training
        self._clock = clock
        self._asked_at: float | None = None
        self.missing: tuple[str, ...] = ()

    def ask(self) -> None:
        """Look again, if the last look is old. Called while no box is open."""
        now = self._clock.monotonic()
        if self._asked_at is None or now - self._asked_at > _BELIEVED:
            self._asked_at = now
            self.missing = self._boxes.missing()

    def failed(self, missing: tuple[str, ...]) -> None:
        """A box could not be opened after all."""
        self._asked_at, self.missing = self._clock.monotonic(), missing

    @property
    def ready(self) -> bool:
        """Whether a visit may be opened here."""
        return not self.missing and (self._training or not self._boxes.training)
