"""Events that drive the machines, effects that the shells carry out, and the closed lists they use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from madoguchi.protocol.roles import Role


class EventKind(StrEnum):
    """Everything that can happen to a visit or a terminal."""

    ISSUE = "issue"
    CALL = "call"
    RETURN_TO_QUEUE = "return_to_queue"
    WITHDRAW = "withdraw"
    BIND_CARD = "bind_card"
    CURTAIN = "curtain"
    UNCURTAIN = "uncurtain"
    ASK_END = "ask_end"
    END = "end"
    WIPE_PROVEN = "wipe_proven"
    WIPE_FAILED = "wipe_failed"
    SWEEP_PROVEN = "sweep_proven"
    CLEAR = "clear"
    ATTEST_WIPE = "attest_wipe"
    CONFIRM = "confirm"
    CLOSE = "close"
    ASSIGN = "assign"
    UNASSIGN = "unassign"
    ORPHAN = "orphan"
    CARD_SEEN = "card_seen"
    CARD_GONE = "card_gone"
    BOUND = "bound"
    BIND_REFUSED = "bind_refused"
    RESTART = "restart"
    SERVER_CLOSED = "server_closed"


class EffectKind(StrEnum):
    """What a shell does after a step. `REPORT` queues the event itself for the server."""

    BIND = "bind"
    OPEN_BOX = "open_box"
    DROP_CURTAIN = "drop_curtain"
    LIFT_CURTAIN = "lift_curtain"
    START_GRACE = "start_grace"
    STOP_GRACE = "stop_grace"
    DESTROY_BOX = "destroy_box"
    REPORT = "report"
    GRANT_LEASE = "grant_lease"
    TELL_TERMINAL = "tell_terminal"
    CLOSE_VISIT = "close_visit"
    RETIRE_TERMINAL = "retire_terminal"


class EndCause(StrEnum):
    """Why a box was destroyed; `label` is shown to the citizen."""

    FINISH = "finish"
    CARD_GONE = "card_gone"
    OTHER_CARD = "other_card"
    IDLE = "idle"
    BROWSER_DIED = "browser_died"
    READER_LOST = "reader_lost"
    AGENT_RESTARTED = "agent_restarted"
    SERVER_SAID = "server_said"
    DOUBT = "doubt"

    @property
    def label(self) -> str:
        """Japanese label."""
        return _CAUSE_LABELS[self]


class Outcome(StrEnum):
    """How a visit came out."""

    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    ABANDONED = "abandoned"

    @property
    def label(self) -> str:
        """Japanese label."""
        return {"completed": "完了", "interrupted": "中断", "abandoned": "離席"}[self.value]


class OwnName(StrEnum):
    """Whose name the last screen of the national site showed, as the citizen says who has completed a procedure."""

    OWN = "own"
    OTHER = "other"
    UNSEEN = "unseen"

    @property
    def label(self) -> str:
        """Japanese label."""
        return _OWN_NAME_LABELS[self]


class InterruptReason(StrEnum):
    """Why a procedure was interrupted (the triggers of domain rule 2: interruption is the rule, not the exception)."""

    CERTIFICATE_RENEWED = "certificate_renewed"
    NO_ACCOUNT_DATA = "no_account_data"
    NO_PAYMENT_ID = "no_payment_id"
    PIN_LOCKED = "pin_locked"
    REFUSED_BY_SITE = "refused_by_site"
    MISSING_INFORMATION = "missing_information"
    LEFT_SEAT = "left_seat"
    OTHER = "other"

    @property
    def label(self) -> str:
        """Japanese label."""
        return _REASON_LABELS[self]


class Confirmation(StrEnum):
    """How the log-out was confirmed; `demands` names the fields that each way needs."""

    SIGNATURE = "signature"
    PROXY_SIGNATURE = "proxy_signature"
    SPOKEN = "spoken"
    ABSENT = "absent"

    @property
    def label(self) -> str:
        """Japanese label."""
        return _CONFIRMATION_LABELS[self]

    @property
    def demands(self) -> tuple[str, ...]:
        """Fields of the confirmation, all of them non-empty."""
        return _CONFIRMATION_DEMANDS[self]


_CAUSE_LABELS = {
    EndCause.FINISH: "終了ボタンが押されました",
    EndCause.CARD_GONE: "カードが戻りませんでした",
    EndCause.OTHER_CARD: "別のカードが置かれました",
    EndCause.IDLE: "しばらく操作がありませんでした",
    EndCause.BROWSER_DIED: "画面のソフトが止まりました",
    EndCause.READER_LOST: "カードリーダーの反応がなくなりました",
    EndCause.AGENT_RESTARTED: "端末が再起動しました",
    EndCause.SERVER_SAID: "係員が終了を指示しました",
    EndCause.DOUBT: "カードの状態を確かめられませんでした",
}

_OWN_NAME_LABELS = {
    OwnName.OWN: "最後の画面に本人の名前",
    OwnName.OTHER: "最後の画面にほかの人の名前",
    OwnName.UNSEEN: "最後の画面の名前は見られなかった",
}

_REASON_LABELS = {
    InterruptReason.CERTIFICATE_RENEWED: "電子証明書を更新したばかり",
    InterruptReason.NO_ACCOUNT_DATA: "口座の情報がない",
    InterruptReason.NO_PAYMENT_ID: "決済サービスIDがない",
    InterruptReason.PIN_LOCKED: "暗証番号がロックされた",
    InterruptReason.REFUSED_BY_SITE: "国のサイトで受け付けられなかった",
    InterruptReason.MISSING_INFORMATION: "必要な情報がない",
    InterruptReason.LEFT_SEAT: "席を離れた",
    InterruptReason.OTHER: "その他",
}

_CONFIRMATION_LABELS = {
    Confirmation.SIGNATURE: "署名",
    Confirmation.PROXY_SIGNATURE: "代筆(立会人あり)",
    Confirmation.SPOKEN: "口頭(係員2人で記録)",
    Confirmation.ABSENT: "不在",
}

_CONFIRMATION_DEMANDS = {
    Confirmation.SIGNATURE: ("commitment",),
    Confirmation.PROXY_SIGNATURE: ("commitment", "witness"),
    Confirmation.SPOKEN: ("staff_1", "staff_2"),
    Confirmation.ABSENT: ("reason",),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: what, by whom, under which lease, with which fields."""

    kind: EventKind
    by: Role
    lease: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing a shell has to do. `event` is set for `REPORT`: the event kind to send."""

    kind: EffectKind
    event: EventKind | None = None
