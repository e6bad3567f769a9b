"""How a value of a visit record is read: codes of this system, and the words that paper lists use for them."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")

HERE = ZoneInfo("Asia/Tokyo")
"""The clock of lists that name no zone."""

_ERAS = {"令和": 2018, "R": 2018, "平成": 1988, "H": 1988}
_ERA = re.compile(r"(令和|平成|R|H) ?(\d{1,2}|元)(?=[-/.年])")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_TIME = re.compile(
    _DAY.pattern + r"[T ]+(\d{1,2})[:時](\d{1,2})分?(?::(\d{1,2})(?:\.(\d{1,6})\d*)?)? ?(Z|[+-]\d\d:?\d\d)?"
)


_LARGEST = 2**53


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    KEY = "key"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"
    OUTCOME = "outcome"
    CONFIRMATION = "confirmation"
    OWN_NAME = "own_name"
    CODES = "codes"


_YES, _NO = "true 1 yes 有 あり はい ○ 〇", "false 0 no 無 なし いいえ ×"
_FLAGS = dict.fromkeys(_YES.split(), True) | dict.fromkeys(_NO.split(), False)
_WORDS: Mapping[Kind, dict[str, str]] = {
    Kind.OUTCOME: {"完了": "completed", "中断": "interrupted", "離席": "abandoned"},
    Kind.CONFIRMATION: {
        "署名": "signature",
        "代筆": "proxy_signature",
        "proxy": "proxy_signature",
        "口頭": "spoken",
        "不在": "absent",
        "なし": "none",
        "無": "none",
    },
    Kind.OWN_NAME: {"本人": "own", "別人": "other", "未確認": "unseen"},
    Kind.CODES: {"登録済み": "already_registered", "登録済": "already_registered"},
}


def read(kind: Kind, value: object) -> object:
    """The value in the form of its kind, None for an empty one. Raises `ValueError` for what means nothing."""
    if value is None or value != value:  # not a number: how some tables write an empty cell
        return None
    given = value if isinstance(value, datetime | date) else unicodedata.normalize("NFKC", str(value)).strip()
    return None if given == "" else _READERS[kind](value if kind is Kind.TEXT else given)


def is_day(value: object) -> bool:
    """Whether a time is given as a day only: enough for an order, not for minutes."""
    if isinstance(value, str):
        return bool(_DAY.fullmatch(_western(unicodedata.normalize("NFKC", value).strip())))
    return isinstance(value, date) and not isinstance(value, datetime)


def _time(value: object) -> datetime:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=HERE)).astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=HERE).astimezone(UTC)
    text = _western(str(value))
    found = _TIME.fullmatch(text)
    if found:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        part = int((found[7] or "0").ljust(6, "0"))
        zone = datetime.strptime(found[8].replace("Z", "+0000"), "%z").tzinfo if found[8] else HERE
        return datetime(year, month, day, hour, minute, second, part, tzinfo=zone).astimezone(UTC)
    only = _DAY.fullmatch(text)
    if only:
        return datetime(int(only[1]), int(only[2]), int(only[3]), tzinfo=HERE).astimezone(UTC)
    raise ValueError("no time")


def _western(text: str) -> str:
    """With the year of this country's eras as a year of four digits."""
    return _ERA.sub(lambda era: str(_ERAS[era[1]] + (1 if era[2] == "元" else int(era[2]))), text, count=1)


def _flag(value: object) -> bool:
    return _known(_FLAGS, str(value).lower())


def _code(kind: Kind) -> Callable[[object], str]:
    words = _WORDS[kind] | {code: code for code in _WORDS[kind].values()}
    return lambda value: _known(words, str(value).lower())


def _codes(value: object) -> str:
    """Codes of refusals, joined by commas without spaces. Any code may stand: national sites have their own."""
    parts = (part.strip().lower() for part in re.split(r"[,、;]", str(value)))
    return ",".join(_WORDS[Kind.CODES].get(part, part) for part in parts if part)


def _number(value: object) -> int:
    number = int(float(str(value)))
    if abs(number) > _LARGEST:
        raise ValueError("too large")
    return number


def _known(table: Mapping[str, T], key: str) -> T:
    if key not in table:
        raise ValueError("unknown word")
    return table[key]


_READERS: Mapping[Kind, Callable[[object], object]] = {
    Kind.TEXT: lambda value: str(value).strip(),
    Kind.KEY: str,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.TIME: _time,
    Kind.OUTCOME: _code(Kind.OUTCOME),
    Kind.CONFIRMATION: _code(Kind.CONFIRMATION),
    Kind.OWN_NAME: _code(Kind.OWN_NAME),
    Kind.CODES: _codes,
}
