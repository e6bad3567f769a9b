"""What a row of the transition tables is, and the short hands that the two tables are written in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from madoguchi.protocol.events import Effect, EffectKind, EventKind
from madoguchi.protocol.roles import Role
from madoguchi.protocol.states import TerminalState, VisitState

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Guard:
    """A named condition on what the machine remembers and what the event carries."""

    name: str
    holds: Callable[[Any, Body], bool]


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. `source` None: the row creates the visit. `clears`: forget the visit on the way."""

    source: VisitState | TerminalState | None
    event: EventKind
    target: VisitState | TerminalState
    who: frozenset[Role]
    evidence: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    label: str = ""
    guard: Guard | None = None
    sets: tuple[tuple[str, Any], ...] = ()
    clears: bool = False


def effect(kind: EffectKind) -> Effect:
    """Name an effect of this kind."""
    return Effect(kind)


def report(event: EventKind) -> Effect:
    """Name the effect that tells the server of this event."""
    return Effect(EffectKind.REPORT, event)


BY_TERMINAL = frozenset({Role.TERMINAL})
BY_SERVER = frozenset({Role.SERVER})

SAME_CARD = Guard("same_card", lambda snapshot, body: body.get("card_tag") == snapshot.card_tag)
OTHER_CARD = Guard("other_card", lambda snapshot, body: body.get("card_tag") != snapshot.card_tag)
