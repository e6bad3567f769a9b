"""The sources of the tables: JMnedict and KANJIDIC2 (in `jamdict-data`), and the MJ variant map (in `mojidata`)."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from madoguchi.names.errors import SourceMissing

_NAMES = """
SELECT DISTINCT k.text, r.text FROM NETransType t
JOIN NETranslation n ON n.ID = t.tid JOIN NEKanji k ON k.idseq = n.idseq JOIN NEKana r ON r.idseq = n.idseq
WHERE t.text IN ({marks}) ORDER BY 1, 2
"""
_PERSONS = """
SELECT DISTINCT k.text, r.text, g.text FROM NETransType t
JOIN NETranslation n ON n.ID = t.tid JOIN NETransGloss g ON g.tid = n.ID
JOIN NEKanji k ON k.idseq = n.idseq JOIN NEKana r ON r.idseq = n.idseq
WHERE t.text = 'person' AND g.text NOT LIKE '%(%' ORDER BY 1, 2, 3
"""
_KANJI = """
SELECT c.literal, n.value FROM character c JOIN nanori n ON n.cid = c.ID
UNION SELECT c.literal, r.value FROM character c JOIN rm_group g ON g.cid = c.ID JOIN reading r ON r.gid = g.ID
WHERE r.r_type IN ('ja_on', 'ja_kun') ORDER BY 1, 2
"""
_VARIANTS = """
SELECT m."対応するUCS", s."縮退UCS", s."表", coalesce(s."順位", s."ホップ数", 1)
FROM mjsm s JOIN mji m USING ("MJ文字図形名") WHERE m."対応するUCS" <> s."縮退UCS" AND s."表" IN ({marks})
"""
STRICT = ("戸籍統一文字情報_親字正字", "JIS包摂規準UCS統合規則", "民二5202号通知別表_正字俗字等対照表")
"""Rules for characters that names in the dictionary use."""
LOOSE = (
    "民一2842号通達別表_誤字俗字正字一覧表_無印",
    *STRICT,
    "民一2842号通達別表_誤字俗字正字一覧表_俗字",
    "法務省告示582号別表第四_一",
    "読み字形による類推",
    "法務省告示582号別表第四_二",
    "辞書類等による関連字",
)
"""Rules for all others: first the list by which registry offices write mistaken forms right."""
SURNAMES = ("surname", "unclass")
GIVEN_NAMES = ("given", "fem", "masc", "unclass")


def rows_of(path: Path, query: str, values: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Rows of a database, read only; `{marks}` in the query become placeholders. Raises `SourceMissing`."""
    if not path.is_file():
        raise SourceMissing(path.name)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        try:
            yield from database.execute(query.format(marks=",".join("?" * len(values))), values)
        except sqlite3.DatabaseError as error:
            raise SourceMissing(path.name) from error


def name_pairs(path: Path, kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Kanji and kana of every JMnedict name of these kinds, in a fixed order. Raises `SourceMissing`."""
    return [(kanji, kana) for kanji, kana in rows_of(path, _NAMES, kinds)]


def persons(path: Path) -> list[tuple[str, str, str]]:
    """Kanji, surname in kana and given name in kana of well-known persons of whom JMnedict tells no year.

    Only those whose two romanised words have as many beats as the kana. Raises `SourceMissing`.
    """
    found = []
    for kanji, kana, text in rows_of(path, _PERSONS, ()):
        words = text.split()
        if len(words) == 2 and _beats(words[0]) + _beats(words[1]) == len(_BEAT.findall(kana)):
            cut = [match.end() for match in _BEAT.finditer(kana)][_beats(words[0]) - 1]
            found.append((kanji, kana[:cut], kana[cut:]))
    return found


_BEAT = re.compile(r"[\u3041-\u3096ー][ゃゅょ]?")
_ROMAN_BEAT = re.compile(r"[aiueo]|[āīūēō]|n(?![aiueoyāīūēō])|([kstpc])(?=\1|(?<=t)ch)")


def _beats(word: str) -> int:
    return sum(2 if found[0] in "āīūēō" else 1 for found in _ROMAN_BEAT.finditer(word.lower()))


def variants(path: Path, rules: tuple[str, ...]) -> dict[str, str]:
    """Characters and the one they are folded to, from the MJ variant map; the first rule that answers wins.

    Raises `SourceMissing`.
    """
    ranked: dict[str, tuple[int, int, str]] = {}
    for source, target, rule, rank in rows_of(path, _VARIANTS, rules):
        better = (rules.index(rule), int(rank), target)
        if len(source) == len(target) == 1 and better < ranked.get(source, (len(rules), 0, "")):
            ranked[source] = better
    return {source: target for source, (_, _, target) in ranked.items()}


def kanji_readings(path: Path) -> list[tuple[str, str]]:
    """Kanji and their readings from KANJIDIC2 with and without okurigana. Raises `SourceMissing`."""
    readings = [(kanji, kana.strip("-")) for kanji, kana in rows_of(path, _KANJI, ())]
    return sorted(
        {pair for kanji, kana in readings for pair in ((kanji, kana.split(".")[0]), (kanji, kana.replace(".", "")))}
    )
