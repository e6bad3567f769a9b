"""The agent's table: how a terminal moves."""

from madoguchi.protocol.events import EffectKind, EventKind
from madoguchi.protocol.roles import Role
from madoguchi.protocol.states import TerminalState
from madoguchi.protocol.transition import (
    BY_SERVER,
    BY_TERMINAL,
    OTHER_CARD,
    SAME_CARD,
    Guard,
    Transition,
    effect,
    report,
)

_T = TerminalState
_E = EventKind

_exposed = Guard("exposed", lambda terminal, _body: terminal.exposed)
_unexposed = Guard("not_exposed", lambda terminal, _body: not terminal.exposed)
_asked_same = Guard("asked_same_card", lambda t, body: t.exposed and body.get("card_tag") == t.card_tag)
_asked_other = Guard("asked_other_card", lambda t, body: t.exposed and body.get("card_tag") != t.card_tag)
_card_here = Guard("card_here", lambda terminal, _body: terminal.exposed and not terminal.card_away)
_card_away = Guard("card_away", lambda terminal, _body: terminal.exposed and terminal.card_away)
_same_visit = Guard("same_visit", lambda t, body: (body["visit"], body["lease"]) == (t.visit, t.lease))

_open = effect(EffectKind.OPEN_BOX)
_curtain = (effect(EffectKind.DROP_CURTAIN), effect(EffectKind.START_GRACE), report(_E.CURTAIN))
_destroy = effect(EffectKind.DESTROY_BOX)
_end = (effect(EffectKind.STOP_GRACE), report(_E.END), _destroy)

TERMINAL_TABLE: tuple[Transition, ...] = (
    Transition(_T.LOCKED, _E.ASSIGN, _T.WAITING_CARD, BY_SERVER, ("visit", "lease"), label="呼び出し"),
    Transition(_T.WAITING_CARD, _E.UNASSIGN, _T.LOCKED, BY_SERVER, label="呼び出しの取り消し", clears=True),
    Transition(
        _T.WAITING_CARD,
        _E.CARD_SEEN,
        _T.WAITING_CARD,
        BY_TERMINAL,
        ("card_tag",),
        (effect(EffectKind.BIND),),
        "カードが置かれた",
        _unexposed,
        sets=(("exposed", True), ("card_away", False)),
    ),
    Transition(
        _T.WAITING_CARD,
        _E.CARD_SEEN,
        _T.WAITING_CARD,
        BY_TERMINAL,
        ("card_tag",),
        (),
        "返事を待つ間に同じカードが戻った",
        _asked_same,
        sets=(("card_away", False),),
    ),
    Transition(
        _T.WAITING_CARD,
        _E.CARD_SEEN,
        _T.ENDING,
        BY_TERMINAL,
        (),
        _end,
        "返事を待つ間に別のカードが置かれた",
        _asked_other,
        sets=(("cause", "other_card"),),
    ),
    Transition(
        _T.WAITING_CARD,
        _E.CARD_GONE,
        _T.WAITING_CARD,
        BY_TERMINAL,
        label="カードが離れた",
        sets=(("card_away", True),),
    ),
    Transition(
        _T.WAITING_CARD,
        _E.BIND_REFUSED,
        _T.WAITING_CARD,
        BY_SERVER,
        ("reason",),
        (),
        "カード確認を断られた",
        sets=(("exposed", False), ("card_tag", None)),
    ),
    Transition(_T.WAITING_CARD, _E.BOUND, _T.OPEN, BY_SERVER, (), (_open,), "画面を開く", _card_here),
    Transition(
        _T.WAITING_CARD,
        _E.BOUND,
        _T.CURTAINED,
        BY_SERVER,
        (),
        (_open, *_curtain),
        "カードのないまま返事が来た(幕を下ろして開く)",
        _card_away,
    ),
    Transition(
        _T.OPEN,
        _E.CARD_GONE,
        _T.CURTAINED,
        BY_TERMINAL,
        (),
        _curtain,
        "カードが離れた",
    ),
    Transition(
        _T.CURTAINED,
        _E.CARD_SEEN,
        _T.OPEN,
        BY_TERMINAL,
        ("card_tag",),
        (effect(EffectKind.STOP_GRACE), report(_E.UNCURTAIN), effect(EffectKind.LIFT_CURTAIN)),
        "同じカードが戻った",
        SAME_CARD,
    ),
    Transition(
        _T.CURTAINED,
        _E.CARD_SEEN,
        _T.ENDING,
        BY_TERMINAL,
        (),
        _end,
        "別のカードが置かれた",
        OTHER_CARD,
        sets=(("cause", "other_card"),),
    ),
    Transition(_T.CURTAINED, _E.CARD_GONE, _T.CURTAINED, BY_TERMINAL, label="カードが離れたまま"),
    Transition(
        _T.OPEN,
        _E.CARD_SEEN,
        _T.ENDING,
        BY_TERMINAL,
        (),
        _end,
        "離れた合図なしにカードが置かれた",
        sets=(("cause", "doubt"),),
    ),
    *(
        Transition(
            source, _E.END, _T.ENDING, BY_TERMINAL | BY_SERVER | {Role.CITIZEN}, ("cause",), _end, "終了・消去開始"
        )
        for source in (_T.OPEN, _T.CURTAINED)
    ),
    Transition(
        _T.WAITING_CARD,
        _E.END,
        _T.ENDING,
        BY_TERMINAL | BY_SERVER,
        ("cause",),
        _end,
        "返事を待つ間に終了",
        _exposed,
    ),
    *(
        Transition(
            source,
            _E.ORPHAN,
            _T.ENDING,
            BY_SERVER,
            ("visit", "lease"),
            _end,
            "端末の知らない対応が残っている",
            sets=(("exposed", True), ("cause", "agent_restarted")),
        )
        for source in (_T.LOCKED, _T.WAITING_CARD)
    ),
    Transition(
        _T.CONFIRMING,
        _E.ORPHAN,
        _T.ENDING,
        BY_SERVER,
        ("visit", "lease"),
        _end,
        "サーバーに消去の証明が届いていない(再消去)",
        _same_visit,
    ),
    Transition(
        _T.ENDING,
        _E.WIPE_PROVEN,
        _T.CONFIRMING,
        BY_TERMINAL,
        ("proof",),
        (report(_E.WIPE_PROVEN),),
        "消去の証明",
        _exposed,
    ),
    Transition(
        _T.ENDING,
        _E.WIPE_PROVEN,
        _T.LOCKED,
        BY_TERMINAL,
        ("proof",),
        (report(_E.SWEEP_PROVEN),),
        "残りのないことの証明",
        _unexposed,
        clears=True,
    ),
    Transition(
        _T.ENDING,
        _E.WIPE_FAILED,
        _T.QUARANTINED,
        BY_TERMINAL,
        ("failure",),
        (report(_E.WIPE_FAILED),),
        "消去を証明できない",
    ),
    Transition(_T.QUARANTINED, _E.CLEAR, _T.ENDING, BY_SERVER, (), (_destroy,), "使用停止の解除(再消去)"),
    Transition(
        _T.CONFIRMING,
        _E.CONFIRM,
        _T.LOCKED,
        frozenset({Role.CITIZEN, Role.SUPPORTER}),
        ("confirmation", "outcome"),
        (report(_E.CONFIRM),),
        "ログアウト確認",
        clears=True,
    ),
    Transition(_T.CONFIRMING, _E.SERVER_CLOSED, _T.LOCKED, BY_SERVER, label="係員の画面で終了", clears=True),
    *(
        Transition(
            source,
            _E.RESTART,
            _T.ENDING,
            BY_TERMINAL,
            (),
            _end,
            "再起動・消去",
            guard,
            sets=(("cause", "agent_restarted"),),
        )
        for source, guard in ((_T.WAITING_CARD, _exposed), (_T.OPEN, None), (_T.CURTAINED, None))
    ),
    *(
        Transition(source, _E.RESTART, _T.ENDING, BY_TERMINAL, (), (_destroy,), "再起動・消去")
        for source in (_T.LOCKED, _T.ENDING, _T.CONFIRMING)
    ),
    Transition(
        _T.WAITING_CARD,
        _E.RESTART,
        _T.ENDING,
        BY_TERMINAL,
        (),
        (_destroy,),
        "再起動・消去",
        _unexposed,
        clears=True,
    ),
    Transition(_T.QUARANTINED, _E.RESTART, _T.QUARANTINED, BY_TERMINAL, label="再起動(使用停止のまま)"),
    Transition(
        _T.ENDING, _E.END, _T.ENDING, BY_TERMINAL | BY_SERVER | {Role.CITIZEN}, ("cause",), label="消去中の合図"
    ),
    *(
        Transition(source, event, source, BY_TERMINAL, label="カードの動き(記録のみ)")
        for source in (_T.LOCKED, _T.ENDING, _T.CONFIRMING, _T.QUARANTINED)
        for event in (_E.CARD_SEEN, _E.CARD_GONE)
    ),
)
