"""What "verify now" can find, each with words for the person who reads it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

_SHOWN = 100


class Fault(StrEnum):
    """A kind of damage; the value is the code that reports name."""

    ENTRY_GONE = "entry_gone"
    PLACE_GONE = "place_gone"
    ENTRY_CHANGED = "entry_changed"
    ENTRY_UNREADABLE = "entry_unreadable"
    ENTRY_WAITS = "entry_waits"
    SIGNATURE_WRONG = "signature_wrong"
    SIGNER_UNKNOWN = "signer_unknown"
    COLUMN_DIFFERS = "column_differs"
    EVENT_GONE = "event_gone"
    EVENT_DIFFERS = "event_differs"
    EVENT_NOT_LOGGED = "event_not_logged"
    TILE_GONE = "tile_gone"
    TILE_WRONG = "tile_wrong"
    ROOT_DIFFERS = "root_differs"
    CHECKPOINT_BROKEN = "checkpoint_broken"
    CHECKPOINT_GONE = "checkpoint_gone"
    CHECKPOINT_AHEAD = "checkpoint_ahead"
    SIZE_DIFFERS = "size_differs"

    @property
    def sentence(self) -> str:
        """What it means and what to do, for people."""
        return f"{_WORDS[self]}{_DO[self is Fault.ENTRY_WAITS]}"


_DO = {
    False: "データベースに手を加えず、市の担当者と監査担当に知らせてください。",
    True: "サーバーを再起動しても直らないときは、管理者に知らせてください。",
}
_WORDS = {
    Fault.ENTRY_GONE: "記録が消えています。",
    Fault.PLACE_GONE: "記録の通し番号が抜けています。",
    Fault.ENTRY_CHANGED: "記録の内容が、書いたときのものと違います。",
    Fault.ENTRY_UNREADABLE: "記録を読み取れません。",
    Fault.ENTRY_WAITS: "書いてから10秒たっても、通し番号の付いていない記録があります。",
    Fault.SIGNATURE_WRONG: "記録の署名が、内容と合いません。",
    Fault.SIGNER_UNKNOWN: "この窓口のものではない鍵で署名された記録です。",
    Fault.COLUMN_DIFFERS: "検索用の項目が、署名された内容と違います。",
    Fault.EVENT_GONE: "証拠の記録はありますが、対応の履歴から消えています。",
    Fault.EVENT_DIFFERS: "対応の履歴が、署名された内容と違います。",
    Fault.EVENT_NOT_LOGGED: "対応の履歴にありますが、証拠の記録がありません。",
    Fault.TILE_GONE: "証明用のハッシュの表が消えているか、短くなっています。",
    Fault.TILE_WRONG: "証明用のハッシュの表が、記録と合いません。",
    Fault.ROOT_DIFFERS: "記録全体から計算した値が、署名済みのチェックポイントと違います。",
    Fault.CHECKPOINT_BROKEN: "チェックポイントを読めないか、この窓口の鍵で署名されていません。",
    Fault.CHECKPOINT_GONE: "最後の記録までのチェックポイントがありません。",
    Fault.CHECKPOINT_AHEAD: "チェックポイントの件数より、残っている記録が少なくなっています。",
    Fault.SIZE_DIFFERS: "記録の件数が、管理用の値と違います。",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One damage. `place`: where, in words and numbers that lead there."""

    fault: Fault
    place: str

    @property
    def code(self) -> str:
        """The fault's code."""
        return self.fault.value

    @property
    def sentence(self) -> str:
        """What it means and what to do."""
        return self.fault.sentence


@dataclass(slots=True)
class Findings:
    """The result of an audit. `waiting`: entries that have no place yet, which is no damage for a moment.

    `found` holds the first hundred of each kind, `counts` how many there were. `root`: computed from the entries.
    """

    size: int = 0
    root: bytes = b""
    checkpoints: int = 0
    waiting: int = 0
    seconds: float = 0.0
    found: list[Finding] = field(default_factory=list)
    counts: Counter[Fault] = field(default_factory=Counter)

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.counts

    def add(self, fault: Fault, place: str) -> None:
        """Note a damage."""
        self.counts[fault] += 1
        if self.counts[fault] <= _SHOWN:
            self.found.append(Finding(fault, place))
