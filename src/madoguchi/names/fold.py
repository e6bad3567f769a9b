"""Folding: many spellings of one name to one row of small numbers. Any string is allowed; nothing here raises on text.

A character is looked up once and becomes a *symbol*:

| symbol | meaning |
|---|---|
| 0 | stands in no name |
| 1..84 | kana (katakana's place in its Unicode block) |
| 85 | long mark |
| 90..98 | space, ignored, voicing marks, repetition, Latin letter, digit, kanji not in the tables |
| 128.. | kanji, after variants are folded |

Account-holder kana become two rows of codes of the same length: *plain* (small kana large, ヂ→ジ ヅ→ズ ヲ→オ, a
long mark as the vowel it lengthens) and *long* (オ after オ段 written ウ, エ after エ段 written イ, so that オオノ,
オウノ and オーノ are one). A given name begins with the plain code, whatever the surname ended with.
"""

import unicodedata
from collections.abc import Iterable, Mapping

KANA_FIRST, KANA_LAST, LONG = 1, 84, 85
SPACE, IGNORED, VOICED, SEMIVOICED, AGAIN, LATIN, DIGIT, UNKNOWN = 90, 91, 92, 93, 94, 95, 96, 98
KANJI_FIRST = 128
KANA_CODES = 86
MAX_KANJI = 24
"""Characters a registry name may have after folding."""
MAX_KANA = 48
"""Kana an account-holder name may have after folding."""

_BLOCK = 0x30A0
_HIRAGANA = 0x3040
_ROWS = (
    "アカガサザタダナハバパマヤラワャァヵ",
    "イキギシジチヂニヒビピミリヰィ",
    "ウクグスズツヅヌフブプムユルヴュゥッ",
    "エケゲセゼテデネヘベペメレヱェヶ",
    "オコゴソゾトドノホボポモヨロヲョォ",
)
_PLAIN = dict(zip("ァィゥェォッャュョヮヵヶヂヅヲヰヱ", "アイウエオツヤユヨワカケジズオイエ", strict=True))
_LONG_MARKS = "ー-‐‑‒–—―−－ｰ─━"
_VOWELS = "アイウエオ"


def code_of(kana: str) -> int:
    """The code of one katakana."""
    return ord(kana) - _BLOCK


def _table(pairs: Mapping[str, str]) -> bytes:
    table = bytearray(range(256))
    for old, new in pairs.items():
        table[code_of(old)] = code_of(new)
    return bytes(table)


def _voice(mark: str, bases: str) -> bytes:
    table = bytearray(256)
    for base in bases:
        table[code_of(base)] = code_of(unicodedata.normalize("NFC", base + mark))
    return bytes(table)


PLAIN = _table(_PLAIN)
"""Kana code to the code a bank would write."""
WITH_VOICE = _voice("\u3099", "カキクケコサシスセソタチツテトハヒフヘホウ")
"""Kana code to its voiced code; 0 where there is none."""
WITH_SEMIVOICE = _voice("\u309a", "ハヒフヘホ")
"""Kana code to its p-sound; 0 where there is none."""
_rows = bytearray(256)
for _number, _row in enumerate(_ROWS, start=1):
    for _kana in _row:
        _rows[code_of(_kana)] = _number
ROW = bytes(_rows)
"""Kana code to its vowel, 1 ア to 5 オ; 0 without one."""
LENGTHENED = bytes([0, code_of("ア"), code_of("イ"), code_of("ウ"), code_of("イ"), code_of("ウ")])
"""Vowel to the code a long mark after it stands for."""


def symbol_of(char: str, kanji: Mapping[str, int]) -> int:
    """Symbol of one character; `kanji` gives the numbers of kanji that are in the tables (variants included)."""
    if char in _LONG_MARKS:
        return LONG
    plain = unicodedata.normalize("NFKC", char)
    if char in "\uff9e\u3099\u309b":
        return VOICED
    if char in "\uff9f\u309a\u309c":
        return SEMIVOICED
    if len(plain) != 1:
        return 0
    return kanji.get(char) or kanji.get(plain) or _other_symbol(plain)


def _other_symbol(char: str) -> int:
    point = ord(char)
    if 0x30A1 <= point <= 0x30F4 or point in (0x30F5, 0x30F6):
        return PLAIN[point - _BLOCK] if point > 0x30F4 else point - _BLOCK
    if 0x3041 <= point <= 0x3096:
        return _other_symbol(chr(point - _HIRAGANA + _BLOCK))
    if char in " \u30fb":
        return SPACE
    if char in "々〻ゝゞヽヾ":
        return AGAIN
    if 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF:
        return IGNORED
    return _letter_symbol(char)


def _letter_symbol(char: str) -> int:
    if char.isdigit():
        return DIGIT
    if unicodedata.category(char) == "Lo" and unicodedata.name(char, "").startswith("CJK UNIFIED"):
        return UNKNOWN
    return LATIN if char.isalpha() and unicodedata.name(char, "").startswith("LATIN") else 0


def kana_text(codes: Iterable[int]) -> str:
    """Codes as katakana, for people."""
    return "".join(chr(_BLOCK + code) for code in codes)
