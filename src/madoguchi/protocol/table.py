"""The one transition table: (from, event, to, who may, evidence required, Japanese label).

`VISIT_TABLE` is the server's, `TERMINAL_TABLE` the agent's; both are run by `machine.step`, drawn in
`docs/protocol.md`, walked by the Hypothesis state machine and compared with `model/terminal.pml`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from madoguchi.protocol.events import Effect, EffectKind, EventKind
from madoguchi.protocol.roles import Permission, PERMISSIONS, Role
from madoguchi.protocol.states import Terminal, TerminalState, Visit, VisitState

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


def _effect(kind: EffectKind) -> Effect:
    return Effect(kind)


def _report(event: EventKind) -> Effect:
    return Effect(EffectKind.REPORT, event)


_V = VisitState
_T = TerminalState
_E = EventKind
_TERMINAL = frozenset({Role.TERMINAL})
_SERVER = frozenset({Role.SERVER})
_COUNTER = PERMISSIONS[Permission.CALL_TICKET]
_OFFICER = PERMISSIONS[Permission.CLEAR_QUARANTINE]
_CONFIRMERS = PERMISSIONS[Permission.CONFIRM_FOR_CITIZEN] | {Role.CITIZEN, Role.TERMINAL}

VISIT_TABLE: tuple[Transition, ...] = (
    Transition(None, _E.ISSUE, _V.WAITING, _COUNTER, ("preflight",), label="受付"),
    Transition(
        _V.WAITING,
        _E.CALL,
        _V.CALLED,
        _COUNTER,
        ("terminal", "lease"),
        (_effect(EffectKind.GRANT_LEASE), _effect(EffectKind.TELL_TERMINAL)),
        "呼び出し",
    ),
    Transition(
        _V.CALLED,
        _E.RETURN_TO_QUEUE,
        _V.WAITING,
        _COUNTER,
        ("reason",),
        (_effect(EffectKind.TELL_TERMINAL),),
        "列に戻す",
        clears=True,
    ),
    Transition(_V.WAITING, _E.WITHDRAW, _V.WITHDRAWN, _COUNTER, ("reason",), label="取りやめ"),
    Transition(
        _V.CALLED,
        _E.WITHDRAW,
        _V.WITHDRAWN,
        _COUNTER,
        ("reason",),
        (_effect(EffectKind.TELL_TERMINAL),),
        "取りやめ",
    ),
    Transition(_V.CALLED, _E.BIND_CARD, _V.SERVING, _TERMINAL, ("card_tag",), label="カード確認"),
    Transition(_V.SERVING, _E.CURTAIN, _V.SERVING, _TERMINAL, label="カードが離れた"),
    Transition(_V.SERVING, _E.UNCURTAIN, _V.SERVING, _TERMINAL, ("card_tag",), label="カードが戻った"),
    Transition(
        _V.SERVING,
        _E.ASK_END,
        _V.SERVING,
        PERMISSIONS[Permission.ASK_END],
        ("reason",),
        (_effect(EffectKind.TELL_TERMINAL),),
        "終了の指示",
    ),
    Transition(_V.SERVING, _E.END, _V.ENDING, _TERMINAL, ("cause",), label="終了・消去開始"),
    Transition(_V.CALLED, _E.END, _V.ENDING, _TERMINAL, ("cause",), label="確認前に終了・消去開始"),
    Transition(_V.ENDING, _E.WIPE_PROVEN, _V.CONFIRMING, _TERMINAL, ("proof",), label="消去の証明"),
    Transition(_V.CONFIRMING, _E.WIPE_PROVEN, _V.CONFIRMING, _TERMINAL, ("proof",), label="消去の再証明"),
    Transition(_V.ENDING, _E.WIPE_FAILED, _V.ENDING, _TERMINAL, ("failure",), label="消去を証明できない"),
    Transition(
        _V.ENDING,
        _E.CLEAR,
        _V.ENDING,
        _OFFICER,
        ("reason",),
        (_effect(EffectKind.TELL_TERMINAL),),
        "使用停止の解除(再消去)",
    ),
    Transition(
        _V.ENDING,
        _E.ATTEST_WIPE,
        _V.CONFIRMING,
        PERMISSIONS[Permission.ATTEST_WIPE],
        ("proof", "reason"),
        (_effect(EffectKind.RETIRE_TERMINAL),),
        "端末の撤去を確認",
    ),
    Transition(
        _V.CONFIRMING,
        _E.CONFIRM,
        _V.CONFIRMING,
        _CONFIRMERS,
        ("confirmation", "outcome"),
        (_effect(EffectKind.CLOSE_VISIT),),
        "ログアウト確認",
        Guard("not_confirmed", lambda visit, body: visit.confirmation is None),
    ),
    Transition(
        _V.CONFIRMING,
        _E.CLOSE,
        _V.CLOSED,
        _SERVER,
        (),
        (_effect(EffectKind.TELL_TERMINAL),),
        "終了",
        Guard("wiped_and_confirmed", lambda visit, body: bool(visit.proof and visit.confirmation and visit.outcome)),
    ),
)

_exposed = Guard("exposed", lambda terminal, body: terminal.exposed)
_unexposed = Guard("not_exposed", lambda terminal, body: not terminal.exposed)
_same_card = Guard("same_card", lambda terminal, body: body["card_tag"] == terminal.card_tag)
_other_card = Guard("other_card", lambda terminal, body: body["card_tag"] != terminal.card_tag)

_destroy = _effect(EffectKind.DESTROY_BOX)
_end = (_effect(EffectKind.STOP_GRACE), _report(_E.END), _destroy)

TERMINAL_TABLE: tuple[Transition, ...] = (
    Transition(_T.LOCKED, _E.ASSIGN, _T.WAITING_CARD, _SERVER, ("visit", "lease"), label="呼び出し"),
    Transition(_T.WAITING_CARD, _E.UNASSIGN, _T.LOCKED, _SERVER, label="呼び出しの取り消し", clears=True),
    Transition(
        _T.WAITING_CARD,
        _E.CARD_SEEN,
        _T.WAITING_CARD,
        _TERMINAL,
        ("card_tag",),
        (_effect(EffectKind.BIND),),
        "カードが置かれた",
        sets=(("exposed", True),),
    ),
    Transition(_T.WAITING_CARD, _E.CARD_GONE, _T.WAITING_CARD, _TERMINAL, label="カードが離れた"),
    Transition(
        _T.WAITING_CARD,
        _E.BIND_REFUSED,
        _T.WAITING_CARD,
        _SERVER,
        ("reason",),
        (),
        "カード確認を断られた",
        sets=(("exposed", False), ("card_tag", None)),
    ),
    Transition(
        _T.WAITING_CARD,
        _E.BOUND,
        _T.OPEN,
        _SERVER,
        (),
        (_effect(EffectKind.OPEN_BOX),),
        "画面を開く",
        _exposed,
    ),
    Transition(
        _T.OPEN,
        _E.CARD_GONE,
        _T.CURTAINED,
        _TERMINAL,
        (),
        (_effect(EffectKind.DROP_CURTAIN), _effect(EffectKind.START_GRACE), _report(_E.CURTAIN)),
        "カードが離れた",
    ),
    Transition(
        _T.CURTAINED,
        _E.CARD_SEEN,
        _T.OPEN,
        _TERMINAL,
        ("card_tag",),
        (_effect(EffectKind.STOP_GRACE), _report(_E.UNCURTAIN), _effect(EffectKind.LIFT_CURTAIN)),
        "同じカードが戻った",
        _same_card,
    ),
    Transition(
        _T.CURTAINED,
        _E.CARD_SEEN,
        _T.ENDING,
        _TERMINAL,
        (),
        _end,
        "別のカードが置かれた",
        _other_card,
        sets=(("cause", "other_card"),),
    ),
    Transition(_T.CURTAINED, _E.CARD_GONE, _T.CURTAINED, _TERMINAL, label="カードが離れたまま"),
    Transition(
        _T.OPEN,
        _E.CARD_SEEN,
        _T.ENDING,
        _TERMINAL,
        (),
        _end,
        "離れた合図なしにカードが置かれた",
        sets=(("cause", "doubt"),),
    ),
    *(
        Transition(source, _E.END, _T.ENDING, _TERMINAL | _SERVER | {Role.CITIZEN}, ("cause",), _end, "終了・消去開始")
        for source in (_T.OPEN, _T.CURTAINED)
    ),
    *(
        Transition(
            source,
            _E.ORPHAN,
            _T.ENDING,
            _SERVER,
            ("visit", "lease"),
            _end,
            "端末の知らない対応が残っている",
            sets=(("exposed", True), ("cause", "agent_restarted")),
        )
        for source in (_T.LOCKED, _T.WAITING_CARD)
    ),
    Transition(
        _T.ENDING,
        _E.WIPE_PROVEN,
        _T.CONFIRMING,
        _TERMINAL,
        ("proof",),
        (_report(_E.WIPE_PROVEN),),
        "消去の証明",
        _exposed,
    ),
    Transition(
        _T.ENDING,
        _E.WIPE_PROVEN,
        _T.LOCKED,
        _TERMINAL,
        ("proof",),
        (_report(_E.SWEEP_PROVEN),),
        "残りのないことの証明",
        _unexposed,
        clears=True,
    ),
    Transition(
        _T.ENDING,
        _E.WIPE_FAILED,
        _T.QUARANTINED,
        _TERMINAL,
        ("failure",),
        (_report(_E.WIPE_FAILED),),
        "消去を証明できない",
    ),
    Transition(_T.QUARANTINED, _E.CLEAR, _T.ENDING, _SERVER, (), (_destroy,), "使用停止の解除(再消去)"),
    Transition(
        _T.CONFIRMING,
        _E.CONFIRM,
        _T.LOCKED,
        frozenset({Role.CITIZEN, Role.SUPPORTER}),
        ("confirmation", "outcome"),
        (_report(_E.CONFIRM),),
        "ログアウト確認",
        clears=True,
    ),
    Transition(_T.CONFIRMING, _E.SERVER_CLOSED, _T.LOCKED, _SERVER, label="係員の画面で終了", clears=True),
    *(
        Transition(
            source,
            _E.RESTART,
            _T.ENDING,
            _TERMINAL,
            (),
            _end,
            "再起動・消去",
            _exposed,
            sets=(("cause", "agent_restarted"),),
        )
        for source in (_T.WAITING_CARD, _T.OPEN, _T.CURTAINED)
    ),
    *(
        Transition(source, _E.RESTART, _T.ENDING, _TERMINAL, (), (_destroy,), "再起動・消去", guard)
        for source, guard in (
            (_T.LOCKED, None),
            (_T.WAITING_CARD, _unexposed),
            (_T.ENDING, None),
            (_T.CONFIRMING, None),
        )
    ),
    Transition(_T.QUARANTINED, _E.RESTART, _T.QUARANTINED, _TERMINAL, label="再起動(使用停止のまま)"),
    Transition(_T.ENDING, _E.END, _T.ENDING, _TERMINAL | _SERVER | {Role.CITIZEN}, ("cause",), label="消去中の合図", sets=()),
    *(
        Transition(source, event, source, _TERMINAL, label="カードの動き(記録のみ)")
        for source in (_T.LOCKED, _T.ENDING, _T.CONFIRMING, _T.QUARANTINED)
        for event in (_E.CARD_SEEN, _E.CARD_GONE)
    ),
)


def rows_for(snapshot: Visit | Terminal | None, event: EventKind) -> tuple[Transition, ...]:
    """Rows that start in the snapshot's state with this event, guards not yet asked."""
    table = TERMINAL_TABLE if isinstance(snapshot, Terminal) else VISIT_TABLE
    state = snapshot.state if snapshot is not None else None
    return tuple(row for row in table if row.source == state and row.event == event)
