"""Which characters names are written with: kanji get numbers, variants the number of the one they are folded to."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from madoguchi.names import fold

_USED = 5
_CHAIN = 4
_SURROGATES = range(0xD800, 0xE000)


def is_kanji(char: str) -> bool:
    """Whether a character is a kanji by its Unicode name."""
    return unicodedata.name(char, "").startswith("CJK ")


def numbered(texts: Iterable[str], strict: Mapping[str, str], loose: Mapping[str, str]) -> dict[str, int]:
    """Symbol of every kanji of these texts and of every variant of one.

    `strict` folds characters that five texts or more use, `loose` all others.
    """
    counts = Counter(char for text in texts for char in unicodedata.normalize("NFKC", text) if is_kanji(char))
    rules = {source: target for source, target in loose.items() if counts[source] < _USED}
    rules |= {source: target for source, target in strict.items() if counts[source] >= _USED}
    roots = {char: _root(char, rules, counts) for char in sorted({*counts, *rules})}
    known = sorted({root for char, root in roots.items() if counts[char]})
    numbers = {char: fold.KANJI_FIRST + place for place, char in enumerate(known)}
    return {char: numbers[root] for char, root in roots.items() if root in numbers}


def _root(char: str, rules: Mapping[str, str], counts: Counter[str]) -> str:
    """The end of a chain of variants; in a ring, its most used character."""
    seen = [char]
    while len(seen) <= _CHAIN and seen[-1] in rules:
        if rules[seen[-1]] in seen:
            ring = seen[seen.index(rules[seen[-1]]) :]
            return max(ring, key=lambda member: (counts[member], member))
        seen.append(rules[seen[-1]])
    return seen[-1]


def page_tables(kanji: Mapping[str, int]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """`pages` and `symbols` of `Tables`: the symbol of every code point there is."""
    rows: dict[bytes, int] = {}
    pages = np.zeros(0x1100, dtype=np.uint16)
    for page in range(pages.size):
        points = range(page << 8, page + 1 << 8)
        line = [0 if point in _SURROGATES else fold.symbol_of(chr(point), kanji) for point in points]
        pages[page] = rows.setdefault(np.array(line, dtype=np.uint16).tobytes(), len(rows))
    return pages, np.stack([np.frombuffer(row, dtype=np.uint16) for row in rows])
