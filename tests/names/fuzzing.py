"""Hostile names between inaccessible pages; a program, so that a read outside a buffer ends a process, not a test.

python -m names.fuzzing --seed 1 --rounds 50
"""

import argparse
import ctypes
import json
import mmap
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from madoguchi.names.batch import GIVEN, judge_arrow
from madoguchi.names.engine import Engine, shipped_engine

_PAGE = mmap.PAGESIZE
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_PROT_NONE = 0
_KANJI_WORDS = (
    "佐藤 鈴木 高橋 髙橋 渡邉 渡邊󠄁 齋藤 佐々木 長谷川 花子 一郎 裕子 翔 蓮 葵 陽菜 ヶ 々 〻 さくら マリ Ｍ"
    " SMITH O'Neil Nguyễn"
)
_LATIN_WORDS = (
    "SMITH O'Neil Nguyễn VAN AN KIM MIN-JUN WANG XIAOMING García-Márquez MARICEL X Straße ﬁne Ĳssel DE LA CRUZ JR."
    " VILLANUEVA Łukasz ＴＡＮＡＫＡ NGUYENVANANTHIHUONGGIANGPHUONGTHAOMYLINHBA"
)
_KANA_WORDS = (
    "ｻﾄｳ ｽｽﾞｷ ﾀｶﾊｼ ﾜﾀﾅﾍﾞ ｻｲﾄｳ ｻｻｷ ﾊｾｶﾞﾜ ﾊﾅｺ ｲﾁﾛｳ ﾕｳｺ ｼﾖｳ ﾚﾝ ｱｵｲ ﾋﾅ ｵｵﾉ ｵ-ﾉ ｶ) (ｶ (ﾕ) （カ ㈱ ﾏﾙｼﾖｳﾃﾝ ﾀﾞｲﾋﾖｳ"
    " ｺｳｹﾝﾆﾝ ﾁﾖｳﾅｲｶｲ ｶﾌｪ ヂ ヅ ヲ ー ﾞ ﾟ ・ ｽﾐｽ ｸﾞｴﾝ ｱﾝ ｷﾑ ﾐﾝｼﾞﾕﾝ ﾜﾝ ｼﾔｵﾐﾝ ﾏﾘｾﾙ ﾋﾞﾘﾔﾇｴﾊﾞ"
)
_ODD_WORDS = (
    "\0 \x1a \u3000 \u00a0 \ufeff \u200b \u202e 😀 ９ 7 ä½è 縺ゅ> 〓 \U000e0101 \ufe00 \u0301 \U0010fffd 𠮷 𩸽 \uffff"
)
_KANJI, _LATIN, _KANA, _ODD = (
    _KANJI_WORDS.split(),
    _LATIN_WORDS.split(),
    _KANA_WORDS.split(),
    _ODD_WORDS.split(" "),
)
_FOREIGN = 0.3


class Fenced:
    """Memory whose last byte, or first, lies beside a page nobody may touch."""

    def __init__(self, data: bytes, *, at_end: bool) -> None:
        pages = -(-max(len(data), 1) // _PAGE)
        self._map = mmap.mmap(-1, (pages + 2) * _PAGE)
        first = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        begin = first + _PAGE + (pages * _PAGE - len(data) if at_end else 0)
        ctypes.memmove(begin, data, len(data))
        for fence in (first, first + (pages + 1) * _PAGE):
            if _LIBC.mprotect(fence, _PAGE, _PROT_NONE):
                raise OSError(ctypes.get_errno(), "mprotect")
        self.address, self.size = begin, len(data)

    def buffer(self) -> pa.Buffer:
        """The memory as Arrow sees it."""
        return pa.foreign_buffer(self.address, self.size, self)


def fenced_texts(texts: Sequence[bytes], *, at_end: bool, large: bool = False) -> pa.Array:
    """Texts (any bytes) as an Arrow string array, its bytes and its places both fenced."""
    places = np.cumsum([0, *map(len, texts)], dtype=np.int64 if large else np.int32)
    parts = [Fenced(part, at_end=at_end).buffer() for part in (places.tobytes(), b"".join(texts))]
    return pa.Array.from_buffers(pa.large_string() if large else pa.string(), len(texts), [None, *parts])


@dataclass
class Counts:
    """What was tried."""

    rounds: int = 0
    rows: int = 0
    statuses: set[int] = field(default_factory=set)
    verdicts: set[str] = field(default_factory=set)


Row = tuple[bytes, ...]


def row(dice: random.Random) -> Row:
    """Registry name, kana, furigana, alias and former name of nobody."""
    registry = _LATIN if dice.random() < _FOREIGN else _KANJI
    words = (registry, _KANA, _KANA, dice.choice((_KANJI, _LATIN)), registry)
    return tuple(_text(dice, words[place], needed=place < 2) for place in range(5))


def some_rows(*, seed: int, count: int) -> list[tuple[str, ...]]:
    """The same rows as texts, for tables that hold nothing else."""
    dice = random.Random(seed)  # noqa: S311 - no secrets
    return [tuple(text.decode("utf-8", "replace") for text in row(dice)) for _ in range(count)]


def _text(dice: random.Random, words: Sequence[str], *, needed: bool) -> bytes:
    if not needed and dice.random() < 0.6:
        return b""
    pieces = [dice.choice(words if dice.random() < 0.93 else _ODD) for _ in range(dice.choice((1, 2, 2, 2, 3, 4, 9)))]
    data = bytearray(dice.choice(("", " ", "\u3000")).join(pieces).encode())
    chance = dice.random()
    if chance < 0.3:
        _mutate(dice, data)
    elif chance < 0.33:
        data = bytearray(dice.randbytes(dice.choice((1, 3, 30, 300, 1100))))
    elif chance < 0.36:
        data = data * dice.choice((5, 20, 60, 400))
    return bytes(data)


def _mutate(dice: random.Random, data: bytearray) -> None:
    for _ in range(dice.choice((1, 1, 2, 5))):
        place = dice.randrange(len(data) + 1)
        kind = dice.randrange(4)
        if kind == 0 and place < len(data):
            data[place] = dice.randrange(256)
        elif kind == 1 and place < len(data):
            data[place] ^= 1 << dice.randrange(8)
        elif kind == 2:
            del data[place : place + dice.randrange(4)]
        else:
            data[place:place] = dice.choice(
                (b"\xff", b"\xe3", b"\xe3\x82", b"\xf0\x9f", b"\xef\xbd", b"\xc0\x80", b"\xed\xa0\x80")
            )


def judged(rows: Sequence[Row], engine: Engine, *, at_end: bool, large: bool = False) -> list[tuple[object, ...]]:
    """Every row's results, floats as bits, judged between fences."""
    columns = [fenced_texts(column, at_end=at_end, large=large) for column in zip(*rows, strict=True)]
    given = dict(zip(GIVEN, columns[2:], strict=True))
    found = judge_arrow(columns[0], columns[1], engine=engine, **given)
    plain = [_exact(column) for column in found.columns]
    return list(zip(*plain, strict=True))


def _exact(column: pa.Array) -> list[object]:
    """Values that are equal only if all bits are."""
    if pa.types.is_dictionary(column.type):
        return list(column.to_pylist())
    return list(column.to_numpy().view(f"u{column.type.bit_width // 8}").tolist())


def one_round(dice: random.Random, engine: Engine, counts: Counts) -> None:
    """Judge a batch at both fences, backwards, in pieces, and beside other neighbours: the same bits each time."""
    rows = [row(dice) for _ in range(dice.choice((1, 2, 17, 60)))]
    expected = judged(rows, engine, at_end=True)
    _same(expected, judged(rows, engine, at_end=False, large=True), rows)
    _same(expected, judged(rows[::-1], engine, at_end=True, large=True)[::-1], rows)
    cut = dice.randrange(len(rows))
    pieces = [judged(piece, engine, at_end=True) for piece in (rows[:cut], rows[cut:]) if piece]
    _same(expected, [result for piece in pieces for result in piece], rows)
    mixed = [one for pair in zip(rows, (row(dice) for _ in rows), strict=True) for one in pair]
    _same(expected, judged(mixed, engine, at_end=False)[::2], rows)
    counts.rounds, counts.rows = counts.rounds + 1, counts.rows + 6 * len(rows)
    counts.verdicts |= {str(result[0]) for result in expected}
    counts.statuses |= {int(str(result[-1])) for result in expected}


def _same(expected: list[tuple[object, ...]], found: list[tuple[object, ...]], rows: Sequence[Row]) -> None:
    for one, other, texts in zip(expected, found, rows, strict=True):
        if one != other:
            raise AssertionError(f"{texts!r}: {one} is not {other}")
        if one[0] is None or not one[5]:
            raise AssertionError(f"{texts!r}: no verdict or no reason")


def main() -> None:
    """Fuzz for some rounds or seconds; counts as JSON, a traceback or a signal if something is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1 << 62)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--overread", choices=("before", "after"), help="Read one byte outside, to see the fence work.")
    given = parser.parse_args()
    if given.overread:
        fence = Fenced(b"x" * 10, at_end=given.overread == "after")
        ctypes.string_at(fence.address + (10 if given.overread == "after" else -1), 1)
    dice, counts, engine = random.Random(given.seed), Counts(), shipped_engine()  # noqa: S311 - no secrets
    end = time.monotonic() + given.seconds
    while counts.rounds < given.rounds and time.monotonic() < end:
        one_round(dice, engine, counts)
    told = {
        "rounds": counts.rounds,
        "rows": counts.rows,
        "statuses": sorted(counts.statuses),
        "verdicts": sorted(counts.verdicts),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
