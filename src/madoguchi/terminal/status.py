"""What the agent shows: an immutable picture, made by the loop, read by the desk page from any thread."""

from dataclasses import dataclass, field
from enum import StrEnum

from madoguchi.protocol import Terminal, TerminalState
from madoguchi.terminal.journal import Record
from madoguchi.terminal.manner import Manner
from madoguchi.terminal.ports import WipeProof


class View(StrEnum):
    """Which page the desk shows: the terminal's states, and two that are not states."""

    STARTING = "starting"
    CANNOT_SERVE = "cannot_serve"
    LOCKED = "locked"
    WAITING_CARD = "waiting_card"
    OPEN = "open"
    CURTAINED = "curtained"
    ENDING = "ending"
    CONFIRMING = "confirming"
    QUARANTINED = "quarantined"


class Server(StrEnum):
    """How the server was at the last call."""

    UNKNOWN = "unknown"
    REACHED = "reached"
    UNREACHABLE = "unreachable"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Notice:
    """A reason to show: the error's code and its Japanese sentence."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPicture:
    """The visit as the desk shows it. `cause` is an `EndCause`; `proof` is there once the wipe is proven."""

    visit: str = ""
    lease: int = 0
    ticket: str = ""
    procedure: str = ""
    cause: str = ""
    proof: WipeProof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One picture. Deadlines are on the agent's monotonic clock.

    `missing`: what a real box lacks here, one line each. `card_lying`: a card lay on the reader before the call and
    has to be put down again. `skew_seconds`: terminal clock minus server clock. `pending`: how many messages wait for
    a verdict, and how many the server could not take in their form. `relay`: the box's picture may be passed on now.
    `manner`: how to speak to the person who is there.
    """

    view: View = View.STARTING
    terminal: Terminal = field(default_factory=lambda: Terminal(TerminalState.LOCKED))
    visit: VisitPicture = field(default_factory=VisitPicture)
    training: bool = False
    notices: tuple[Notice, ...] = ()
    missing: tuple[str, ...] = ()
    card_present: bool = False
    card_lying: bool = False
    grace_deadline: float | None = None
    idle_deadline: float | None = None
    server: Server = Server.UNKNOWN
    skew_seconds: float | None = None
    pending: tuple[int, int] = (0, 0)
    relay: bool = False
    manner: Manner = field(default_factory=Manner)


def about(record: Record) -> VisitPicture:
    """Take from the record what may be shown."""
    terminal, held = record.terminal, record.assignment
    return VisitPicture(
        visit=terminal.visit or "",
        lease=terminal.lease or 0,
        ticket=held.ticket if held else "",
        procedure=held.procedure.label if held else "",
        cause=terminal.cause or "",
        proof=WipeProof.from_json(terminal.proof) if terminal.proof else None,
    )


_UNUSED = frozenset({TerminalState.LOCKED, TerminalState.WAITING_CARD})


def view_of(state: TerminalState, *, started: bool, can_serve: bool) -> View:
    """Choose the page. What cannot serve says so instead of inviting anybody; a visit in progress goes on."""
    if not started:
        return View.STARTING
    if state in _UNUSED and not can_serve:
        return View.CANNOT_SERVE
    return View(state.value)
