"""Words for the record on screens. Labels of visit events come from the protocol's table."""

from madoguchi.protocol import TERMINAL_TABLE, VISIT_TABLE, EventKind

OFFICE_EVENTS = {
    "enrolled": "端末の登録",
    "revoked": "端末の登録の取り消し",
    "in_service": "使用開始",
    "out_of_service": "使用をやめる設定",
    "sequence_gap": "連絡の番号が飛んだ",
    "sequence_back": "連絡の順番が前後した",
}
"""Kinds of event that the office records beside the protocol's own."""


def _labels() -> dict[str, str]:
    labels = {row.event.value: row.label for row in reversed(TERMINAL_TABLE)}
    labels |= {row.event.value: row.label for row in reversed(VISIT_TABLE)}
    labels[EventKind.SWEEP_PROVEN.value] = "残りのないことの証明"
    return labels | OFFICE_EVENTS


EVENT_LABELS = _labels()
