"""Folding of names in Latin letters: one table by code point, made from Unicode's own decompositions.

A letter becomes 1..26 whatever its case, width or marks (Ö is O, Ế is E); some become two letters (ß is SS). Spaces,
hyphens and commas end a word; apostrophes, full stops and loose marks are passed over.
"""

import unicodedata

import numpy as np
import numpy.typing as npt

BEGIN, END = 27, 28
"""Signs before the first and after the last letter of a word; letters are 1..26."""
BREAK, PASSED, NUMBER, REFUSED = 40, 41, 42, 0
PAIR = 64
"""Entries from here on are two letters: `PAIR + first * 27 + second`, as a number above `PAIR`."""
MAX_WORDS = 8
"""Words a registry name may have."""
MAX_LETTERS = 96
"""Letters a registry name may have, with two signs for each word."""

_SPECIAL = {
    "ß": "SS", "ẞ": "SS", "æ": "AE", "œ": "OE", "ø": "O", "đ": "D", "ð": "D", "ł": "L", "ı": "I", "þ": "TH",
    "ĳ": "IJ", "ħ": "H", "ŋ": "NG", "ŧ": "T", "ĸ": "K", "ə": "A", "ƒ": "F", "ŀ": "L", "ŉ": "N", "ơ": "O", "ư": "U",
}  # fmt: skip
_BREAKS = " \t\u00a0\u3000-,，、‐‑‒–—―−－・･/;"
_PASSES = "'`´.’‘ʼʻ′＇．｡。\u00ad\u200b\u200c\u200d\ufeff\u00b7"
_MARKS = (0x0300, 0x0370)
_RANGES = (range(0x250), range(0x1E00, 0x1F00), range(0x2000, 0x2020), range(0xFF00, 0xFF70))
_OTHERS = "\u02bc\u02bb\u2032\u3000\u3001\u3002\u30fb\ufeff\u2212"


def _letters(char: str) -> str:
    """Latin letters a character stands for; empty if it is none."""
    special = _SPECIAL.get(char) or _SPECIAL.get(char.lower())
    if special:
        return special
    plain = unicodedata.normalize("NFKD", char)
    bare = "".join(part for part in plain if not unicodedata.combining(part)).upper()
    return bare if bare and all("A" <= part <= "Z" for part in bare) else ""


def _entry(char: str) -> int:
    if char in _BREAKS:
        return BREAK
    if char in _PASSES or _MARKS[0] <= ord(char) < _MARKS[1]:
        return PASSED
    letters = _letters(char)
    if len(letters) in (1, 2):
        codes = [ord(letter) - 64 for letter in letters]
        return codes[0] if len(codes) == 1 else PAIR + codes[0] * 27 + codes[1]
    return NUMBER if unicodedata.normalize("NFKC", char).isdigit() else REFUSED


def letter_table() -> npt.NDArray[np.uint16]:
    """What every code point below U+10000 is in a name in Latin letters."""
    table = np.zeros(0x10000, dtype=np.uint16)
    points = [point for part in (*_RANGES, range(*_MARKS)) for point in part]
    for char in [*map(chr, points), *_OTHERS]:
        table[ord(char)] = _entry(char)
    return table


LETTERS = letter_table()


def words_of(text: str) -> list[tuple[int, ...]]:
    """Letters of each word, between `BEGIN` and `END`; none if a character is no Latin letter."""
    words: list[list[int]] = [[]]
    for char in text:
        entry = int(LETTERS[ord(char)]) if ord(char) < LETTERS.size else REFUSED
        if entry in (REFUSED, NUMBER):
            return []
        if entry == BREAK:
            words.append([])
        elif entry > PAIR:
            words[-1] += divmod(entry - PAIR, 27)
        elif entry != PASSED:
            words[-1].append(entry)
    return [(BEGIN, *word, END) for word in words if word]
