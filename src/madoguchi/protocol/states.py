"""States of a visit and of a terminal, and what each machine remembers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class VisitState(StrEnum):
    """Where a visit stands; `label` is the Japanese word on screens."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    ENDING = "ending"
    CONFIRMING = "confirming"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """Japanese label."""
        return _VISIT_LABELS[self]


class TerminalState(StrEnum):
    """Where a terminal stands; `label` is the Japanese word on screens."""

    LOCKED = "locked"
    WAITING_CARD = "waiting_card"
    OPEN = "open"
    CURTAINED = "curtained"
    ENDING = "ending"
    CONFIRMING = "confirming"
    QUARANTINED = "quarantined"

    @property
    def label(self) -> str:
        """Japanese label."""
        return _TERMINAL_LABELS[self]


_VISIT_LABELS = {
    VisitState.WAITING: "待っています",
    VisitState.CALLED: "呼び出し中",
    VisitState.SERVING: "対応中",
    VisitState.ENDING: "消去中",
    VisitState.CONFIRMING: "ログアウト確認中",
    VisitState.CLOSED: "終了",
    VisitState.WITHDRAWN: "取りやめ",
}

_TERMINAL_LABELS = {
    TerminalState.LOCKED: "ロック中",
    TerminalState.WAITING_CARD: "カード待ち",
    TerminalState.OPEN: "使用中",
    TerminalState.CURTAINED: "カードなし(幕)",
    TerminalState.ENDING: "消去中",
    TerminalState.CONFIRMING: "ログアウト確認中",
    TerminalState.QUARANTINED: "使用停止",
}

OCCUPYING = frozenset({VisitState.CALLED, VisitState.SERVING, VisitState.ENDING, VisitState.CONFIRMING})
"""A visit in one of these holds its terminal: no other may be called there (I1, I4)."""

FINAL = frozenset({VisitState.CLOSED, VisitState.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Visit:
    """What the visit machine remembers. `None` means: not known yet."""

    state: VisitState
    terminal: str | None = None
    lease: int | None = None
    card_tag: str | None = None
    cause: str | None = None
    proof: Any = None
    confirmation: Any = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the terminal machine remembers.

    `exposed`: a box may have been opened under this lease, so the visit must pass the gate.
    `card_away`: while waiting for the server's answer, the card that was asked for has left the reader.
    """

    state: TerminalState
    visit: str | None = None
    lease: int | None = None
    card_tag: str | None = None
    exposed: bool = False
    card_away: bool = False
    cause: str | None = None
    proof: Any = None
