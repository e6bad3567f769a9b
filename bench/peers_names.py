"""What an engineer would take instead for names: readings by pykakasi, SudachiPy or MeCab, and the edit distance.

Each peer names candidate readings of the registry name's parts (what stands between spaces). The score of a pair is
`1 - distance / length` of the nearest: Levenshtein distance over folded kana, by halves where both names have two, else
joined. All are given our folding of kana. Called as a program, it measures one peer in a process of its own.

    python bench/peers_names.py PEER --pairs FILE --rows N --seed N --out scores.npy
"""

import argparse
import importlib.metadata
import itertools
import json
import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from numba import njit

from madoguchi.names.engine import shipped_engine
from madoguchi.names.folded import Folded

N_BEST = 10
"""Readings asked of MeCab, and combined readings of one part taken from any peer."""
Readings = Callable[[str], list[str]]
Codes = tuple[int, ...]
_KANA = 17
"""Place of the kana in UniDic-lite's features."""


@dataclass(frozen=True)
class Peer:
    """One of the others. `readings` answers the candidate readings of one part of a name, in kana."""

    name: str
    readings: Readings

    def score(self, kanji: Sequence[str], kana: Sequence[str]) -> npt.NDArray[np.float64]:
        """How near each account-holder name is to a reading of the registry name beside it; 1 is the same."""
        return np.array([self._near(*pair) for pair in zip(kanji, kana, strict=True)], dtype=np.float64)

    def _near(self, kanji: str, kana: str) -> float:
        fold = shipped_engine().folder().kana
        account = fold(kana)
        candidates = [[fold(reading).codes for reading in self.readings(part)] for part in _plain(kanji).split()]
        if not account.codes or not candidates or not all(candidates):
            return -1.0
        if len(candidates) == 2 and account.split > 0:
            return _by_halves(candidates, account)
        whole = itertools.islice(itertools.product(*candidates), N_BEST * N_BEST)
        return max(_likeness([(sum(parts, ()), account.codes)]) for parts in whole)


def _plain(kanji: str) -> str:
    """As their users have to prepare texts: NFKC, and no variation selectors (pykakasi raises IndexError on one)."""
    return "".join(char for char in unicodedata.normalize("NFKC", kanji) if unicodedata.category(char) != "Mn")


def _by_halves(candidates: list[list[Codes]], account: Folded) -> float:
    halves = (account.codes[: account.split], account.codes[account.split :])
    nearest = [
        min(((code, half) for code in codes), key=lambda pair: _distance(*pair))
        for codes, half in zip(candidates, halves, strict=True)
    ]
    return _likeness(nearest)


def _likeness(pairs: list[tuple[Codes, Codes]]) -> float:
    longest = sum(max(len(one), len(other)) for one, other in pairs)
    return 1 - sum(_distance(*pair) for pair in pairs) / longest if longest else 0.0


def _distance(one: Codes, other: Codes) -> int:
    return int(_levenshtein(np.array(one, dtype=np.int64), np.array(other, dtype=np.int64)))


@njit(cache=True)
def _levenshtein(one, other):  # type: ignore[no-untyped-def]
    row = np.arange(other.size + 1)
    for place in range(one.size):
        before, row[0] = row[0], place + 1
        for column in range(1, other.size + 1):
            best = min(row[column] + 1, row[column - 1] + 1, before + (one[place] != other[column - 1]))
            before, row[column] = row[column], best
    return row[-1]


def _pykakasi() -> Readings:
    import pykakasi

    converter = pykakasi.kakasi()
    return lambda part: ["".join(piece["kana"] for piece in converter.convert(part))]


def _sudachi() -> Readings:
    from sudachipy import Dictionary, SplitMode

    dictionary = Dictionary(dict="core")
    tokenizer = dictionary.tokenizer()

    def readings(part: str) -> list[str]:
        listed = [piece.reading_form() for piece in dictionary.lookup(part)]
        modes = (SplitMode.C, SplitMode.A)
        cut = ["".join(piece.reading_form() for piece in tokenizer.tokenize(part, mode)) for mode in modes]
        return list(dict.fromkeys([*listed, *cut]))[:N_BEST]

    return readings


def _mecab() -> Readings:
    import MeCab
    import unidic_lite

    tagger = MeCab.Tagger(f"-r {unidic_lite.DICDIR}/dicrc -d {unidic_lite.DICDIR}")

    def readings(part: str) -> list[str]:
        found: dict[str, None] = {}
        if tagger.parseNBestInit(part):
            for _ in range(N_BEST):
                if (node := tagger.nextNode()) is None:
                    break
                found[_kana_of(node)] = None
        return list(found)

    return readings


def _kana_of(node: Any) -> str:
    """The kana of one way to cut a text; what the dictionary has no kana for, as it is written."""
    texts = []
    while node:
        fields = node.feature.split(",")
        if node.surface:
            texts.append(fields[_KANA] if len(fields) > _KANA else node.surface)
        node = node.next
    return "".join(texts)


_MADE = {
    "pykakasi": ("pykakasi", _pykakasi),
    "SudachiPy C/A + lookup": ("sudachipy", _sudachi),
    "MeCab 10-best": ("mecab-python3", _mecab),
}
NAMES = tuple(_MADE)
"""The peers, by the names they are shown under."""


@cache
def peer(name: str) -> Peer:
    """One peer by its name. Raises KeyError."""
    return Peer(name, _MADE[name][1]())


def peers() -> list[Peer]:
    """All of them, in this process."""
    return [peer(name) for name in NAMES]


def sample(pairs: pa.Table, rows: int, seed: int) -> pa.Table:
    """The same rows for the same seed, in their order; all if there are not so many."""
    chosen = np.random.default_rng(seed).permutation(len(pairs))[:rows]
    return pairs.take(pa.array(np.sort(chosen)))


def _peak() -> float:
    """Peak memory of this process in MB; `getrusage` would count the process that started it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    """Measure one peer: scores into a file, figures as JSON to standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=NAMES)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    chosen = sample(pq.read_table(given.pairs, columns=["kanji", "kana"]), given.rows, given.seed)
    kanji, kana = chosen["kanji"].to_pylist(), chosen["kana"].to_pylist()
    shipped_engine().folder().kana("ｱ")
    before = _peak()
    one = peer(given.peer)
    one.score(kanji[:10], kana[:10])
    start = time.perf_counter()
    scores = one.score(kanji, kana)
    seconds = time.perf_counter() - start
    np.save(given.out, scores)
    memory = _peak() - before
    version = importlib.metadata.version(_MADE[given.peer][0])
    told = {"pairs_per_second": len(kanji) / seconds, "megabytes": memory, "version": version}
    print(json.dumps(told))  # noqa: T201 - for the bench that called


if __name__ == "__main__":
    main()
