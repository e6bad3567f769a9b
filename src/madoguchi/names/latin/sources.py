"""Where names in Latin letters and their kana come from: JMnedict's loan words, and `rules`."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from madoguchi.names.folded import Folder
from madoguchi.names.latin.fold import words_of
from madoguchi.names.latin.learn import LatinPair
from madoguchi.names.latin.rules import rule_words
from madoguchi.names.reading import OK
from madoguchi.names.sources import rows_of

_LOANS = """
SELECT DISTINCT g.text, r.text, t.text FROM NETransType t
JOIN NETransGloss g ON g.tid = t.tid JOIN NETranslation n ON n.ID = t.tid JOIN NEKana r ON r.idseq = n.idseq
WHERE t.text IN ({marks}) AND NOT EXISTS (SELECT 1 FROM NEKanji k WHERE k.idseq = n.idseq) ORDER BY 1, 2, 3
"""
_WEIGHTS = {"surname": 1.0, "given": 1.0, "fem": 1.0, "masc": 1.0, "unclass": 0.8, "place": 0.3}
PERSON = 1.0
"""Weight of words that are surely people's names."""
_LONGEST = 20


@dataclass(frozen=True)
class LatinWord:
    """A word and a reading as written, folded, whether the dictionary lists it (others only teach), and its group."""

    latin: str
    kana: str
    pair: LatinPair
    listed: bool
    group: str = ""


def loan_words(path: Path, folder: Folder) -> list[LatinWord]:
    """One-word names of JMnedict that have no kanji, in a fixed order. Raises `SourceMissing`."""
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], LatinWord] = {}
    for gloss, kana, kind in rows_of(path, _LOANS, tuple(_WEIGHTS)):
        latin = unicodedata.normalize("NFC", gloss.split("(")[0].strip())
        for word in _folded(latin, kana, _WEIGHTS[kind], kind != "place", folder):
            known = found.get((word.pair.letters, word.pair.kana))
            if known is None or word.pair.weight > known.pair.weight:
                found[word.pair.letters, word.pair.kana] = word
    return list(found.values())


def ruled_words(folder: Folder) -> list[LatinWord]:
    """Words of `rules`, folded."""
    return [
        replace(word, group=rule.group)
        for rule in rule_words()
        for word in _folded(rule.latin, rule.kana, rule.weight, rule.listed, folder)
    ]


def _folded(latin: str, kana: str, weight: float, listed: bool, folder: Folder) -> Iterator[LatinWord]:
    words, folded = words_of(latin), folder.kana(kana)
    if len(words) == 1 and len(words[0]) <= _LONGEST + 2 and folded.status == OK and folded.split == -1:
        yield LatinWord(latin, kana, LatinPair(words[0], folded.codes, weight), listed)
