"""Readings of names that the dictionary hardly has: China, Korea, Vietnam and other countries, from `rules.txt`.

Syllables are listed as words of their own and, two by two, teach how letters are read; a Vietnamese word is an
initial and a rime.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

_WHOLE, _SYLLABLE, _JOINED = 1.0, 0.6, 0.2
_PARTNERS = 16
_STEP = 37
_VOWELS = "aiueo"
_ROWS = {
    "": "ア イ ウ エ オ",
    "b": "バ ビ ブ ベ ボ",
    "ch": "チャ チ チュ チェ チョ",
    "d": "ダ ディ ドゥ デ ド",
    "f": "ファ フィ フ フェ フォ",
    "g": "ガ ギ グ ゲ ゴ",
    "h": "ハ ヒ フ ヘ ホ",
    "j": "ジャ ジ ジュ ジェ ジョ",
    "k": "カ キ ク ケ コ",
    "kw": "クア クイ ク クエ クオ",
    "m": "マ ミ ム メ モ",
    "n": "ナ ニ ヌ ネ ノ",
    "ny": "ニャ ニ ニュ ニェ ニョ",
    "p": "パ ピ プ ペ ポ",
    "r": "ラ リ ル レ ロ",
    "s": "サ シ ス セ ソ",
    "sh": "シャ シ シュ シェ ショ",
    "t": "タ ティ トゥ テ ト",
    "tr": "トラ トリ トゥル トレ トロ",
    "v": "ヴァ ヴィ ヴ ヴェ ヴォ",
    "y": "ヤ イ ユ イェ ヨ",
    "z": "ザ ジ ズ ゼ ゾ",
}
_LINKED = dict(zip("アイウエオハヒフヘホ", "ナニヌネノナニヌネノ", strict=True))


@dataclass(frozen=True)
class RuleWord:
    """A word and a reading of it, how much it counts, whether the dictionary lists it, and zh, ko, vi or nothing."""

    latin: str
    kana: str
    weight: float
    group: str
    listed: bool = True


def _sections() -> dict[str, dict[str, list[str]]]:
    """Entries of the file by section: Latin letters and their readings, in the file's order."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in files(__package__).joinpath("rules.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            for entry in line.split():
                latin, _, kana = entry.partition("=")
                section.setdefault(latin, []).extend(kana.split(","))
    return found


def rule_words() -> list[RuleWord]:
    """All words, in a fixed order; the same pair may come more than once."""
    parts = _sections()
    words = []
    for group, name in (("", "whole"), ("vi", "whole-vi"), ("ko", "whole-ko"), ("zh", "whole-zh")):
        words += [RuleWord(*pair, _WHOLE, group) for pair in _pairs(parts[name])]
    for group in ("zh", "ko"):
        words += [RuleWord(*pair, _SYLLABLE, group) for pair in _pairs(parts[group])]
        words += [RuleWord(*pair, _JOINED, group, listed=False) for pair in _joined(parts[group])]
    words += [RuleWord(*pair, _SYLLABLE, "vi") for pair in _vietnamese(parts["vi"], parts["vi-rime"])]
    return words


def _pairs(section: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    for latin, readings in section.items():
        for kana in dict.fromkeys(readings):
            yield latin, kana


def _joined(section: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Every syllable with some others, their readings by turns; ン before a vowel or H also linked (ミナ, ジュノ)."""
    names = list(section)
    for number, first in enumerate(names):
        for turn in range(_PARTNERS):
            second = names[(number * _PARTNERS + turn * _STEP) % len(names)]
            heads, tails = section[first], section[second]
            head, tail = heads[turn % len(heads)], tails[turn // 2 % len(tails)]
            yield first + second, head + tail
            if head.endswith("ン") and tail[0] in _LINKED:
                yield first + second, head[:-1] + _LINKED[tail[0]] + tail[1:]


def _vietnamese(initials: Mapping[str, list[str]], rimes: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    for initial, rows in {"": [""], **initials}.items():
        for rime, readings in rimes.items():
            for row in rows:
                sounds = dict(zip(_VOWELS, _ROWS[row].split(), strict=True))
                for reading in readings:
                    yield initial + rime, sounds[reading[0]] + reading[1:]
