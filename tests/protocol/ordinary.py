"""What agent, citizen and staff do when nothing goes wrong, and how a walk is brought to its end."""

from collections.abc import Callable

from madoguchi.protocol import EndCause, Role, TerminalState, VisitState
from protocol.acts import Acts
from protocol.invariants import check, must


class Play(Acts):
    """The acts, and the order in which they ordinarily come."""

    def ordinary_step(self) -> None:
        """The next thing that agent, citizen or staff do anyway."""
        counter, state = self.counter, self.counter.journal.state
        if not counter.up:
            self.restart()
        elif self.noticed:
            self.notice()
        elif counter.wiping:
            self.wiped(1)
        elif self.answers:
            self.bind_answered()
        elif counter.asking:
            self.bind_arrives()
        elif counter.outbox:
            self.deliver(1)
        elif self.polls:
            self.hear_poll()
        elif state in AT_THE_TERMINAL:
            AT_THE_TERMINAL[state](self)
        else:
            self.ordinary_office()

    def ordinary_office(self) -> None:
        """Nobody sits at the terminal: keep the queue moving."""
        if self.standing(VisitState.CONFIRMING):
            self.confirm_by_staff()
        elif self.standing():
            self.ask_poll()
        elif self.waiting() and self.office.may_call():
            self.call()
        else:
            self.issue(len(self.office.visits))

    def ordinary_card(self) -> None:
        """Take away what lies on the reader, put the own card down, or ask what the office wants."""
        if self.reader and self.reader != self.seat:
            self.remove()
        elif self.seat and not self.reader:
            self.insert()
        else:
            self.ask_poll()

    def ordinary_use(self) -> None:
        """Log in, register (whoever sits there), press the end button."""
        box = self.counter.box
        if box and box.session is None and self.visible() and self.reader == self.seat:
            self.log_in()
        elif box and box.session and not box.written and self.seat and self.visible():
            self.write()
        else:
            self.end(Role.CITIZEN, EndCause.FINISH)

    def ordinary_clear(self) -> None:
        """An officer clears the terminal, and the terminal hears of it."""
        if self.office.cleared:
            self.ask_poll()
        else:
            self.clear()

    def finish(self) -> None:
        """From wherever the walk ended, ordinary work brings everything to its end (nothing is stuck)."""
        for message in self.late:
            self.arrive(message)
        self.late.clear()
        self.doomed = None
        for _ in range(60):
            if self.settled():
                return
            self.finishing_step()
            check(self)
        must(self.settled(), "stuck", f"{self.counter.journal} against {self.office.visits}")

    def settled(self) -> bool:
        idle = self.counter.up and self.counter.journal.state is TerminalState.LOCKED and not self.counter.wiping
        return idle and not self.office.standing() and not self.counter.outbox and self.counter.box is None

    def finishing_step(self) -> None:
        """Ordinary work, but nobody new is called, and who has not put a card down yet goes home."""
        idle = self.counter.up and not (self.counter.outbox or self.counter.wiping or self.noticed or self.answers)
        if idle and not self.counter.asking and self.standing(VisitState.CALLED):
            self.take_back(0)
        elif idle and self.counter.journal.state is TerminalState.WAITING_CARD and not self.polls:
            self.ask_poll()
        elif idle and self.counter.journal.state in (TerminalState.OPEN, TerminalState.CURTAINED):
            self.end(Role.TERMINAL, EndCause.IDLE)
        else:
            self.ordinary_step()


AT_THE_TERMINAL: dict[TerminalState, Callable[[Play], None]] = {
    TerminalState.WAITING_CARD: Play.ordinary_card,
    TerminalState.CURTAINED: Play.ordinary_card,
    TerminalState.OPEN: Play.ordinary_use,
    TerminalState.CONFIRMING: Play.confirm_at_terminal,
    TerminalState.QUARANTINED: Play.ordinary_clear,
}
