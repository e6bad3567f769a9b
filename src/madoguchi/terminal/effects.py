"""What a step does to the world: box, curtain, grace timer. Each effect can be repeated without harm."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from madoguchi.protocol import Assignment, EffectKind, EndCause, Event, EventKind, Procedure, Role, TerminalState
from madoguchi.terminal.config import TerminalConfig
from madoguchi.terminal.errors import BoxUnavailable, WipeUnproven
from madoguchi.terminal.journal import Record
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, LOGOUT_UNREACHABLE, Box, Boxes, Plate, WipeProof
from madoguchi.terminal.timers import Timers

GRACE = "grace"
_REST = "rest"
_REST_SECONDS = 30.0
_BETWEEN = frozenset({TerminalState.LOCKED, TerminalState.WAITING_CARD, TerminalState.CONFIRMING})
"""States in which a box may be made ready: no visit is open whose end would have to wait for that."""

_log = logging.getLogger(__name__)


class Effects:
    """Owns the box in use. Called from the agent's loop thread only; `post` may be called from any.

    `language` tells which one the person who is there has chosen.
    """

    def __init__(
        self,
        *,
        boxes: Boxes,
        timers: Timers,
        config: TerminalConfig,
        post: Callable[[Event], None],
        language: Callable[[], str],
    ) -> None:
        self._boxes = boxes
        self._language = language
        self._timers = timers
        self._config = config
        self._post = post
        self._procedure: Procedure | None = None
        self._held: Assignment | None = None
        self.box: Box | None = None

    def keep_ready(self, record: Record) -> tuple[Event, ...]:
        """Have a box waiting for the visit that is called, else for one like the last; what followed from that.

        One that cannot be made is tried again later: the visit makes its own, or says why not.
        """
        if record.assignment is not None:
            self._procedure = record.assignment.procedure
        resting = self._timers.deadline(_REST) is not None
        if not self._config.spare or self._procedure is None or resting or record.terminal.state not in _BETWEEN:
            return ()
        return self._prepared(self._procedure)

    def dismiss(self) -> None:
        """Let the waiting box go; at the next start it would be swept."""
        _quietly(lambda: self._boxes.prepare(None), "dismissal")

    def _prepared(self, procedure: Procedure) -> tuple[Event, ...]:
        try:
            self._boxes.prepare(procedure)
        except BoxUnavailable as error:
            _log.warning("no box ready: %s", error.code)
            self._timers.arm(_REST, _REST_SECONDS)
        except WipeUnproven as error:
            _log.warning("a waiting box is not proven gone: %s", error.failure)
            return (Event(EventKind.RESTART, Role.TERMINAL),)
        return ()

    def carry_out(self, kind: EffectKind, record: Record) -> tuple[Event, ...]:
        """Do one effect; return what happened because of it. Raises whatever the box raises."""
        match kind:
            case EffectKind.OPEN_BOX:
                self._open(record)
            case EffectKind.DROP_CURTAIN:
                self._curtain(down=True)
            case EffectKind.LIFT_CURTAIN:
                self._curtain(down=False)
            case EffectKind.START_GRACE:
                self._timers.arm(GRACE, self._config.grace_seconds)
            case EffectKind.STOP_GRACE:
                self._timers.disarm(GRACE)
            case EffectKind.DESTROY_BOX:
                return (self._destroy(record),)
            case _:
                raise ValueError(f"no effect of a terminal: {kind}")
        return ()

    def kill(self) -> None:
        """Cover and destroy the box without proof or record: the way out when the journal cannot be written.

        The restart that follows destroys again and proves.
        """
        box = self.box
        if box is not None:
            _quietly(lambda: box.curtain(True), "curtain")  # noqa: FBT003  # the seam's own form
            _quietly(lambda: _discard(box.destroy()), "destroy")

    def _open(self, record: Record) -> None:
        held = record.assignment
        if held is None or self.box is not None:
            raise RuntimeError("no assignment, or a box that should not be there")
        lease = held.lease
        # a box that dies after its visit names an old lease, and changes nothing
        died = Event(EventKind.END, Role.TERMINAL, lease, {"cause": EndCause.BROWSER_DIED.value})
        self.box = self._boxes.open(held, lambda _what: self._post(died))
        self._held = held
        self.tell()

    def tell(self, *, ending: bool = False) -> None:
        """Say on the bar whose visit this is, or that it is over; nothing without a box."""
        box, held = self.box, self._held
        if box is None or held is None:
            return
        plate = Plate(
            ticket=held.ticket,
            procedure=held.procedure.label,
            language=self._language(),
            grace=self._config.grace_seconds,
            ending=ending,
        )
        _quietly(lambda: box.tell(plate), "bar")

    def _curtain(self, *, down: bool) -> None:
        if self.box is None:
            raise RuntimeError("no box to cover")
        self.box.curtain(down)

    def _destroy(self, record: Record) -> Event:
        try:
            proof = self._destroy_box(record) if self.box is not None else self._boxes.sweep()
        except WipeUnproven as error:
            return _failed(error.failure)
        except Exception as error:  # noqa: BLE001  # whatever went wrong, the wipe is not proven
            return _failed(f"unexpected {type(error).__name__}")
        self.box = None
        return Event(EventKind.WIPE_PROVEN, Role.TERMINAL, None, {"proof": proof.to_json()})

    def _destroy_box(self, record: Record) -> WipeProof:
        box = self.box
        if box is None:
            raise RuntimeError("no box")
        self.tell(ending=True)
        _quietly(lambda: box.curtain(True), "curtain")  # noqa: FBT003  # the seam's own form
        logout = self._log_out(box, record)
        return replace(box.destroy(), logout=logout)

    def _log_out(self, box: Box, record: Record) -> str:
        url = record.assignment.procedure.logout_url if record.assignment else ""
        if not url:
            return LOGOUT_NOT_TRIED
        answers: list[str] = []
        # a daemon thread: an address that hangs must not hold up the end
        visit = threading.Thread(
            target=_quietly, args=(lambda: answers.append(box.logout(url)), "log-out"), daemon=True
        )
        visit.start()
        visit.join(self._config.logout_seconds)
        return answers[0] if answers else LOGOUT_UNREACHABLE


def _discard(_proof: WipeProof) -> None:
    """A proof that nobody can keep."""


def _failed(failure: str) -> Event:
    return Event(EventKind.WIPE_FAILED, Role.TERMINAL, None, {"failure": failure})


def _quietly(action: Callable[[], None], what: str) -> None:
    try:
        action()
    except Exception as error:  # noqa: BLE001  # best effort before the kill: the kill itself is what counts
        _log.warning("%s failed: %s", what, type(error).__name__)
