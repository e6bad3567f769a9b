"""From signs to findings: one for each pair of people, strongest first, with who sat before and after them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from madoguchi.inspection.visit_signs import NOBODY_EN, NOBODY_JA, SIGNS, Sign

_UTC = pa.timestamp("us", tz="UTC")
_PEOPLE = ("lost", "got", "before", "after")
FINDINGS = pa.schema(
    [
        ("rank", pa.int64()),
        ("weight", pa.float64()),
        ("signals", pa.list_(pa.string())),
        ("site", pa.string()),
        ("terminal", pa.string()),
        ("procedure", pa.string()),
        *[
            (f"{who}_{what}", kind)
            for who in _PEOPLE
            for what, kind in (("ticket", pa.string()), ("at", _UTC), ("visit", pa.string()))
        ],
        ("reason_ja", pa.string()),
        ("reason_en", pa.string()),
        ("unknown", pa.string()),
        ("seen_visit", pa.list_(pa.string())),
    ]
)
"""A finding. `lost`: whose registration may stand elsewhere; `got`: on whose card it may stand; `before`, `after`:
their neighbours at the seat; `seen_visit`: where the signs showed. A person who is not on record is null."""

LOOKBACK = pa.schema(
    [
        ("rank", pa.int64()),
        ("line", pa.int64()),
        ("role", pa.string()),
        ("visit_id", pa.string()),
        ("ticket", pa.string()),
        ("at", _UTC),
        ("outcome", pa.string()),
        ("proof", pa.bool_()),
        ("confirmation", pa.string()),
    ]
)
"""The look-back list (遡及一覧): for each finding the visits around it at the seat, `line` from the earliest."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signal:
    """One row of a check."""

    sign: str
    seen: str
    lost: str | None
    got: str | None
    minutes: int | None


@dataclass(frozen=True, slots=True)
class Pair:
    """All signals about the same two visits."""

    lost: str | None
    got: str | None
    signals: tuple[Signal, ...]

    @property
    def weight(self) -> float:
        """Strength of all signs together, each kind counted once."""
        missing = 1.0
        for sign in sorted({signal.sign for signal in self.signals}):
            missing *= 1.0 - SIGNS[sign].strength
        return round(1.0 - missing, 9)


def pairs(signals: Iterable[Signal]) -> list[Pair]:
    """The signals by pair, strongest first; of the same weight by their visits: the order is always the same."""
    found: dict[tuple[str | None, str | None], list[Signal]] = defaultdict(list)
    for signal in signals:
        found[signal.lost, signal.got].append(signal)
    made = [
        Pair(lost, got, tuple(sorted(some, key=lambda one: (-SIGNS[one.sign].strength, one.sign, one.seen))))
        for (lost, got), some in found.items()
    ]
    return sorted(made, key=lambda pair: (-pair.weight, pair.got or "", pair.lost or ""))


def findings(ranked: Sequence[Pair], visits: Mapping[str, Row]) -> Iterator[dict[str, Any]]:
    """The rows of `FINDINGS`. `visits`: the rows of the view `seats` by visit."""
    for rank, pair in enumerate(ranked, start=1):
        yield _finding(rank, pair, visits)


def neighbours(pair: Pair, visits: Mapping[str, Row]) -> tuple[Row | None, Row | None]:
    """Who sat there before the first and after the last of the two."""
    first, last = _ends(pair, visits)
    before = visits.get(first["before_id"] or "") if first else None
    after = visits.get(last["after_id"] or "") if last else None
    return before, after


def _ends(pair: Pair, visits: Mapping[str, Row]) -> tuple[Row | None, Row | None]:
    """The two of a pair in the order of their seat; of two seats, that of the one whose card is in question."""
    both = [visits[key] for key in (pair.got, pair.lost) if key is not None]
    here = sorted((row for row in both if row["seat"] == both[0]["seat"]), key=lambda row: int(row["place"]))
    return (here[0], here[-1]) if here else (None, None)


def _finding(rank: int, pair: Pair, visits: Mapping[str, Row]) -> dict[str, Any]:
    place = visits[pair.got or pair.lost or pair.signals[0].seen]
    before, after = neighbours(pair, visits)
    people = dict(zip(_PEOPLE, (visits.get(pair.lost or ""), visits.get(pair.got or ""), before, after), strict=True))
    return {
        "rank": rank,
        "weight": pair.weight,
        "signals": list(dict.fromkeys(SIGNS[one.sign].title_ja for one in pair.signals)),
        "site": place["site"],
        "terminal": place["terminal"],
        "procedure": place["procedure"],
        "reason_ja": " ".join(dict.fromkeys(_reason(one, visits, ja=True) for one in pair.signals)),
        "reason_en": " ".join(dict.fromkeys(_reason(one, visits, ja=False) for one in pair.signals)),
        "unknown": "、".join(_unknown(place)),
        "seen_visit": sorted({one.seen for one in pair.signals}),
    } | {f"{who}_{what}": value for who, row in people.items() for what, value in _person(row).items()}


def _person(row: Row | None) -> dict[str, Any]:
    if row is None:
        return {"ticket": None, "at": None, "visit": None}
    return {"ticket": row["ticket"], "at": began(row), "visit": row["visit_id"]}


def began(row: Row) -> Any:
    """When the visit began, as it is ordered by."""
    return next(
        (row[name] for name in ("opened_at", "called_at", "created_at", "ended_at", "closed_at") if row[name]), None
    )


def _reason(signal: Signal, visits: Mapping[str, Row], *, ja: bool) -> str:
    sign: Sign = SIGNS[signal.sign]
    nobody = NOBODY_JA if ja else NOBODY_EN
    named = {who: _called(visits.get(getattr(signal, who) or ""), nobody) for who in ("seen", "lost", "got")}
    lasted, later = _minutes(signal.minutes, ja=ja)
    return (sign.reason_ja if ja else sign.reason_en).format(**named, minutes=lasted, later=later)


def _called(row: Row | None, nobody: str) -> str:
    return nobody if row is None else str(row["ticket"] or row["visit_id"])


def _minutes(minutes: int | None, *, ja: bool) -> tuple[str, str]:
    """How long it lasted, and how much later it was."""
    if minutes is None:
        return ("(時間の記録なし)", "そのあと、") if ja else ("(no time recorded)", "afterwards")
    shown = max(0, minutes)
    return (f"{shown}分間", f"{shown}分後に、") if ja else (f"{shown} min", f"{shown} min later")


_ASKED = {"proof": "消去の証明", "confirmation": "ログアウト確認", "card_tag": "カードの印", "terminal": "端末"}


def _unknown(row: Row) -> list[str]:
    """What the record of the visit whose card is in question does not say."""
    return [title for name, title in _ASKED.items() if row[name] is None]


def lookback(ranked: Sequence[Pair], visits: Mapping[str, Row]) -> Iterator[dict[str, Any]]:
    """The rows of `LOOKBACK`: two before the pair, everybody between, two after."""
    for rank, pair in enumerate(ranked, start=1):
        for line, row in enumerate(_line(pair, visits), start=1):
            yield {
                "rank": rank,
                "line": line,
                "role": _role(pair, row),
                "at": began(row),
                **{name: row[name] for name in ("visit_id", "ticket", "outcome", "proof", "confirmation")},
            }


_REACH = 2
_FARTHEST = 20


def _line(pair: Pair, visits: Mapping[str, Row]) -> list[Row]:
    first, last = _ends(pair, visits)
    if first is None or last is None:
        return []
    earlier = reversed(_walk(first, "before_id", visits, _REACH))
    return [*earlier, *_between(first, last, visits), *_walk(last, "after_id", visits, _REACH)]


def _between(first: Row, last: Row, visits: Mapping[str, Row]) -> list[Row]:
    found = [first]
    while found[-1]["visit_id"] != last["visit_id"] and len(found) < _FARTHEST:
        following = visits.get(found[-1]["after_id"] or "")
        if following is None:
            break
        found.append(following)
    return found


def _walk(start: Row, way: str, visits: Mapping[str, Row], most: int) -> list[Row]:
    found: list[Row] = []
    at: Row | None = start
    while at is not None and len(found) < most:
        at = visits.get(at[way] or "")
        if at is not None:
            found.append(at)
    return found


def _role(pair: Pair, row: Row) -> str:
    if row["visit_id"] == pair.lost:
        return "登録が移った疑い"
    if row["visit_id"] == pair.got:
        return "登録が入った疑い"
    return "しるしのあった来庁" if row["visit_id"] in {one.seen for one in pair.signals} else "前後の人"
