"""Names of made-up people: common ones as the country has them, rarer ones composed of kanji and their readings."""

import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FORMS = ("plain", "long", "zengin", "zengin_long")
"""Columns of `Pool.kana`: as read, long vowels spelt another way, each of them half-width as banks send it."""
FIRST_YEAR, YEARS, BUCKET = 1930, 95, 5
"""Birth years the given names are drawn for, in buckets of five years."""
_COMPOSED_SURNAMES, _COMPOSED_GIVEN, _RARE_GIVEN = 0.3, 0.31, 0.04
_FLATTER = 8.0
_SPREAD = 9.0
_VARIANTS = str.maketrans("高斎辺沢浜広国崎桜真恵島竜徳", "髙齋邉澤濵廣國﨑櫻眞惠嶋龍德")
_SMALL = str.maketrans("ァィゥェォッャュョ", "アイウエオツヤユヨ")
_HALF = {
    unicodedata.normalize("NFKC", chr(point)): chr(point)
    for point in range(0xFF66, 0xFF9E)
    if not 0xFF67 <= point <= 0xFF70
} | {"\u3099": "\uff9e", "\u309a": "\uff9f", "ー": "-"}
_O_ROW = set("オコゴソゾトドノホボポモヨロョ")


@dataclass(frozen=True)
class Pool:
    """Names with every spelling made once.

    `kanji` and `variant` (an old form of a character, or the same), `kana` by `FORMS`, `differs` (has a variant),
    `lengthens` (has a long vowel that can be spelt another way).
    """

    kanji: pa.Array
    variant: pa.Array
    kana: tuple[pa.Array, ...]
    differs: npt.NDArray[np.bool_]
    lengthens: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, names: Sequence[tuple[str, str]]) -> "Pool":
        """A pool of (kanji, kana)."""
        kanji, plain = [name for name, _ in names], [kana for _, kana in names]
        variant, long = [name.translate(_VARIANTS) for name in kanji], [spelt_otherwise(kana) for kana in plain]
        forms = plain, long, [zengin(kana) for kana in plain], [zengin(kana) for kana in long]
        differs = np.array([a != b for a, b in zip(kanji, variant, strict=True)])
        lengthens = np.array([a != b for a, b in zip(plain, long, strict=True)])
        return cls(pa.array(kanji), pa.array(variant), tuple(pa.array(form) for form in forms), differs, lengthens)


def zengin(kana: str) -> str:
    """Full-width katakana as banks send it: half-width, small kana large, marks apart, `-` for the long mark."""
    return "".join(_HALF.get(char, char) for char in unicodedata.normalize("NFD", kana.translate(_SMALL)))


def spelt_otherwise(kana: str) -> str:
    """The same name with its first long オ spelt another way (サトウ, サトオ); the same if there is none."""
    for place in range(1, len(kana)):
        if kana[place - 1] in _O_ROW and kana[place] in "ウオ":
            return kana[:place] + ("オ" if kana[place] == "ウ" else "ウ") + kana[place + 1 :]
    return kana


def _lines(name: str) -> Iterator[tuple[list[str], list[tuple[str, str]]]]:
    """Head words and names of each line of a data file."""
    text = (resources.files("madoguchi.inspection") / "data" / name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            first, *rest = line.split("|")
            *head, kanji, kana = first.split(" ")
            pairs = [(kanji, kana)]
            pairs += [(name, reading) for name, reading in (entry.split(" ") for entry in rest)]
            yield head, pairs


def _elements() -> dict[str, list[tuple[str, str]]]:
    return {head[0]: pairs for head, pairs in _lines("elements.txt")}


def _composed(first: Sequence[tuple[str, str]], last: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Every pair of elements, in an order that mixes them but is always the same."""
    pairs = [(a[0] + b[0], a[1] + b[1]) for a, b in itertools.product(first, last) if a[0] != b[0]]
    order = np.random.default_rng(len(pairs)).permutation(len(pairs))
    return [pairs[place] for place in order]


def _tail(count: int) -> Floats:
    weights = np.asarray(1.0 / (np.arange(count) + _FLATTER), dtype=np.float64)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


@cache
def surnames() -> tuple[Pool, Floats]:
    """All surnames, and their cumulative chances."""
    common = [pair for _, pairs in _lines("surnames.txt") for pair in pairs]
    parts = _elements()
    rare = _composed(parts["surname-first"], parts["surname-last"])
    chances = np.concatenate([(1 - _COMPOSED_SURNAMES) * _tail(len(common)), _COMPOSED_SURNAMES * _tail(len(rare))])
    return Pool.of(common + rare), np.cumsum(chances)


@cache
def given_names() -> tuple[Pool, Floats]:
    """All given names, and their cumulative chances: [sex (0 f, 1 m), bucket of birth years, name]."""
    names: list[tuple[str, str]] = []
    chances = np.zeros((2, YEARS // BUCKET, 0))
    middles = FIRST_YEAR + BUCKET * np.arange(YEARS // BUCKET) + BUCKET / 2
    for head, pairs in _lines("given.txt"):
        near = np.exp(-(((middles - int(head[1])) / _SPREAD) ** 2))
        chances = _with(chances, "fm".index(head[0]), near[:, None] * np.ones(len(pairs)))
        names += pairs
    chances *= (1 - _COMPOSED_GIVEN - _RARE_GIVEN) / chances.sum(axis=2, keepdims=True)
    parts = _elements()
    for sex, letter in enumerate("fm"):
        first, last = parts[f"{letter}-first"], parts[f"{letter}-last"]
        rare = _composed(parts[f"{letter}-first-rare"], last) + _composed(first, parts[f"{letter}-last-rare"])
        for share, more in ((_COMPOSED_GIVEN, _composed(first, last)), (_RARE_GIVEN, rare)):
            chances = _with(chances, sex, np.tile(share * _tail(len(more)), (len(middles), 1)))
            names += more
    return Pool.of(names), np.cumsum(chances, axis=2)


def _with(chances: Floats, sex: int, more: Floats) -> Floats:
    """Chances with columns added for one sex."""
    added = np.zeros((2, *more.shape))
    added[sex] = more
    return np.concatenate([chances, added], axis=2)


def draw(cumulative: Floats, dice: np.random.Generator, count: int) -> Numbers:
    """`count` places by cumulative chances."""
    found = np.searchsorted(cumulative, dice.random(count) * cumulative[-1], side="right")
    return np.asarray(np.minimum(found, len(cumulative) - 1), dtype=np.int64)


def draw_given(dice: np.random.Generator, sex: Numbers, year: Numbers) -> Numbers:
    """A given name for each person, of the sex and the birth year."""
    _, cumulative = given_names()
    bucket = np.clip((year - FIRST_YEAR) // BUCKET, 0, cumulative.shape[1] - 1)
    out = np.zeros(len(sex), dtype=np.int64)
    for kind, which in itertools.product(range(2), range(cumulative.shape[1])):
        rows = np.flatnonzero((sex == kind) & (bucket == which))
        out[rows] = draw(cumulative[kind, which], dice, len(rows))
    return out
