"""How long personal contents are kept. Pure.

Years are counted as Japanese offices count them: the period (保存期間) begins on 1 April of the fiscal year after
the one in which the content was stored (起算日は翌年度の4月1日). What is stored on 31 March begins the next day;
what is stored on 1 April belongs to the new fiscal year and begins a year later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

_APRIL = (4, 1)
_MOST = 100


class RetentionUnknown(Exception):
    """`MADOGUCHI_RETENTION_YEARS` names a class that does not exist, or years that nobody keeps anything."""

    sentence = (
        "保存年数の設定(MADOGUCHI_RETENTION_YEARS)が正しくありません。種類の名前と1から100までの年数を書いてください。"
    )


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """A kind of content: code, Japanese label, years unless the settings say otherwise."""

    code: str
    label: str
    years: int


CLASSES: dict[str, RetentionClass] = {
    kind.code: kind
    for kind in (
        RetentionClass("signature", "市民の署名の筆跡", 5),
        RetentionClass("words", "職員が書いた理由などの言葉", 5),
        RetentionClass("rejected", "受け付けなかった連絡の中身", 1),
    )
}
"""Every kind that a payload can have."""


def years_of(kind: str, years: Mapping[str, int] | None = None) -> int:
    """The years of a class; `years`: those that the settings say differently. Raises `RetentionUnknown`."""
    said = years or {}
    if kind not in CLASSES or said.keys() - CLASSES.keys():
        raise RetentionUnknown(f"{kind}, {sorted(said)}")
    chosen = said.get(kind, CLASSES[kind].years)
    if not 1 <= chosen <= _MOST:
        raise RetentionUnknown(f"{kind}: {chosen}")
    return chosen


def begins(stored: date) -> date:
    """The day from which the years count: the first 1 April after `stored`."""
    april = stored.replace(month=_APRIL[0], day=_APRIL[1])
    return april if april > stored else april.replace(year=april.year + 1)


def erase_on(stored: date, kind: str, years: Mapping[str, int] | None = None) -> date:
    """The first day on which the content is to be erased; the day before is the last on which it is kept."""
    start = begins(stored)
    return start.replace(year=start.year + years_of(kind, years))
