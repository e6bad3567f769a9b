"""The server's table: how a visit moves."""

from madoguchi.protocol.events import EffectKind, EventKind
from madoguchi.protocol.roles import PERMISSIONS, Permission, Role
from madoguchi.protocol.states import VisitState
from madoguchi.protocol.transition import BY_SERVER, BY_TERMINAL, SAME_CARD, Guard, Transition, effect

_V = VisitState
_E = EventKind
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
        (effect(EffectKind.GRANT_LEASE), effect(EffectKind.TELL_TERMINAL)),
        "呼び出し",
    ),
    Transition(
        _V.CALLED,
        _E.RETURN_TO_QUEUE,
        _V.WAITING,
        _COUNTER,
        ("reason",),
        (effect(EffectKind.TELL_TERMINAL),),
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
        (effect(EffectKind.TELL_TERMINAL),),
        "取りやめ",
    ),
    Transition(_V.CALLED, _E.BIND_CARD, _V.SERVING, BY_TERMINAL, ("card_tag",), label="カード確認"),
    Transition(_V.SERVING, _E.CURTAIN, _V.SERVING, BY_TERMINAL, label="カードが離れた"),
    Transition(
        _V.SERVING, _E.UNCURTAIN, _V.SERVING, BY_TERMINAL, ("card_tag",), label="カードが戻った", guard=SAME_CARD
    ),
    Transition(
        _V.SERVING,
        _E.ASK_END,
        _V.SERVING,
        PERMISSIONS[Permission.ASK_END],
        ("reason",),
        (effect(EffectKind.TELL_TERMINAL),),
        "終了の指示",
    ),
    Transition(_V.SERVING, _E.END, _V.ENDING, BY_TERMINAL, ("cause",), label="終了・消去開始"),
    Transition(_V.CALLED, _E.END, _V.ENDING, BY_TERMINAL, ("cause",), label="確認前に終了・消去開始"),
    Transition(_V.ENDING, _E.END, _V.ENDING, BY_TERMINAL, ("cause",), label="消去中の合図(最初の理由を残す)"),
    Transition(_V.ENDING, _E.WIPE_PROVEN, _V.CONFIRMING, BY_TERMINAL, ("proof",), label="消去の証明"),
    Transition(_V.CONFIRMING, _E.WIPE_PROVEN, _V.CONFIRMING, BY_TERMINAL, ("proof",), label="消去の再証明"),
    Transition(_V.ENDING, _E.WIPE_FAILED, _V.ENDING, BY_TERMINAL, ("failure",), label="消去を証明できない"),
    Transition(
        _V.CONFIRMING,
        _E.WIPE_FAILED,
        _V.ENDING,
        BY_TERMINAL,
        ("failure",),
        label="再消去を証明できない",
        sets=(("proof", None),),
    ),
    Transition(
        _V.ENDING,
        _E.CLEAR,
        _V.ENDING,
        _OFFICER,
        ("reason",),
        (effect(EffectKind.TELL_TERMINAL),),
        "使用停止の解除(再消去)",
    ),
    Transition(
        _V.ENDING,
        _E.ATTEST_WIPE,
        _V.CONFIRMING,
        PERMISSIONS[Permission.ATTEST_WIPE],
        ("proof", "reason"),
        (effect(EffectKind.RETIRE_TERMINAL),),
        "端末の撤去を確認",
    ),
    Transition(
        _V.SERVING,
        _E.ATTEST_WIPE,
        _V.CONFIRMING,
        PERMISSIONS[Permission.ATTEST_WIPE],
        ("proof", "reason"),
        (effect(EffectKind.RETIRE_TERMINAL),),
        "連絡のない端末の撤去を確認",
        sets=(("cause", "server_said"),),
    ),
    Transition(
        _V.CONFIRMING,
        _E.CONFIRM,
        _V.CONFIRMING,
        _CONFIRMERS,
        ("confirmation", "outcome"),
        (effect(EffectKind.CLOSE_VISIT),),
        "ログアウト確認",
        Guard("not_confirmed", lambda visit, _body: visit.confirmation is None),
    ),
    Transition(
        _V.CONFIRMING,
        _E.CLOSE,
        _V.CLOSED,
        BY_SERVER,
        (),
        (effect(EffectKind.TELL_TERMINAL),),
        "終了",
        Guard("wiped_and_confirmed", lambda visit, _body: bool(visit.proof and visit.confirmation and visit.outcome)),
    ),
)
