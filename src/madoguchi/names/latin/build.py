"""Making the tables for names in Latin letters; the same sources give the same bytes."""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from madoguchi.names.calibrate import START
from madoguchi.names.engine import Engine
from madoguchi.names.latin.align import read_chances
from madoguchi.names.latin.book import fill_book, slot_of
from madoguchi.names.latin.calibrate import fit
from madoguchi.names.latin.kernel import GRAM_STEP, GROUPS, NARROW, SOUNDS
from madoguchi.names.latin.learn import PIECE_BITS, Groups, LatinPair, learn_groups
from madoguchi.names.latin.sources import LatinWord, loan_words, ruled_words
from madoguchi.names.learn import flat
from madoguchi.names.lookup import ABSENT, STEP
from madoguchi.names.tables import Tables

_GROUP_SLOTS = 1 << 14
_BOOK_SLOTS = 1 << 18
_HELD_OUT_PART = 10
_READINGS_PART = 30
_UNALIGNED = 1e-6
_JAPANESE = 0.3
_GROUP_NAMES = 8000.0


def held_out(letters: Sequence[int]) -> bool:
    """Whether a folded word belongs to the tenth that is left out for an honest test."""
    return _sum_of(letters) % _HELD_OUT_PART == 0


def _sum_of(codes: Sequence[int]) -> int:
    return zlib.crc32(np.array(codes, dtype="<u2").tobytes())


def added(tables: Tables, *, names: Path, japanese: Iterable[tuple[int, ...]], holdout: bool) -> Tables:
    """The tables with those for Latin letters, and their calibration.

    `japanese` are kana names of strangers with Japanese names. Raises `SourceMissing`.
    """
    folder = Engine(tables).folder()
    words = [*loan_words(names, folder), *ruled_words(folder)]
    strangers = [kana for kana in japanese if _sum_of(kana) % _HELD_OUT_PART == 0]
    known = [word for word in words if not held_out(word.pair.letters)]
    part = [word for word in known if not word.listed or _sum_of(word.pair.letters + word.pair.kana) % _READINGS_PART]
    start = np.stack([START] * GROUPS)
    found = fit(Engine(replace(learn(tables, part, strangers), latin_fit=start)), words)
    return replace(learn(tables, known if holdout else words, strangers), latin_fit=found)


def learn(tables: Tables, words: Sequence[LatinWord], japanese: Sequence[tuple[int, ...]]) -> Tables:
    """The tables with those learnt from these words."""
    laid = _lay(learn_groups([word.pair for word in words]))
    listed = [word.pair for word in words if word.listed]
    sums = Counter(word.group for word in words)
    shares = {group: _GROUP_NAMES / count if group else 1.0 for group, count in sums.items()}
    names = [(word.pair.kana, shares[word.group]) for word in words if word.listed or word.group]
    names += [(kana, _JAPANESE) for kana in japanese]
    groups, starts, pieces, weights, bases = laid
    return replace(
        tables,
        latin_groups=groups,
        latin_starts=starts,
        latin_pieces=pieces,
        latin_weights=weights,
        latin_bases=bases,
        latin_book=_book(listed, laid),
        latin_grams=_grams(names),
    )


Laid = tuple[
    npt.NDArray[np.uint32],
    npt.NDArray[np.int32],
    npt.NDArray[np.uint32],
    npt.NDArray[np.float32],
    npt.NDArray[np.float32],
]


def _chances(pairs: Sequence[LatinPair], laid: Laid) -> npt.NDArray[np.float64]:
    found = np.zeros(len(pairs))
    letters, letters_at, kana, kana_at = _flat(pairs)
    read_chances(letters, letters_at, kana, kana_at, laid, found)
    return found


def _flat(pairs: Sequence[LatinPair]) -> tuple[npt.NDArray[Any], ...]:
    letters, letters_at = flat([pair.letters for pair in pairs])
    kana, kana_at = flat([pair.kana for pair in pairs])
    return letters.astype(np.uint8), letters_at, kana.astype(np.uint8), kana_at


def _book(pairs: Sequence[LatinPair], laid: Laid) -> npt.NDArray[np.uint32]:
    """Hashes of words and of their readings; a reading that the letters hardly give counts for less."""
    trust = np.sqrt(_chances(pairs, laid) + _UNALIGNED) * np.array([pair.weight for pair in pairs])
    totals: Counter[tuple[int, ...]] = Counter()
    for pair, weight in zip(pairs, trust.tolist(), strict=True):
        totals[pair.letters] += weight
    shares = trust / np.array([totals[pair.letters] for pair in pairs])
    values = np.minimum(np.rint(-STEP * np.log(shares)), ABSENT - 1).astype(np.int64)
    book = np.zeros(_BOOK_SLOTS, dtype=np.uint32)
    letters, letters_at, kana, kana_at = _flat(pairs)
    fill_book(book, letters, letters_at, kana, kana_at, values)
    return book


def _lay(groups: Groups) -> Laid:
    """Groups in an open-addressed table, their pieces in the order of its places."""
    owners, numbers = np.unique(groups.keys >> PIECE_BITS, return_inverse=True)
    slots = np.zeros(_GROUP_SLOTS, dtype=np.uint32)
    places = np.zeros(len(owners), dtype=np.int64)
    for number, owner in enumerate(owners.tolist()):
        places[number] = -2 - slot_of(slots, owner)
        slots[places[number]] = owner
    home = places[numbers]
    order = np.lexsort((-groups.chances, home))
    codes = groups.keys & (1 << PIECE_BITS) - 1
    sizes = sum(((codes >> 7 * place & 127) > 0).astype(np.int64) for place in range(3))
    starts = np.searchsorted(home[order], np.arange(_GROUP_SLOTS + 1)).astype(np.int32)
    bases = np.bincount(home, weights=groups.chances, minlength=_GROUP_SLOTS).astype(np.float32)
    pieces = (codes | sizes << PIECE_BITS).astype(np.uint32)[order]
    return slots, starts, pieces, groups.chances.astype(np.float32)[order], bases


def _grams(names: Iterable[tuple[tuple[int, ...], float]]) -> npt.NDArray[np.uint8]:
    """-20 ln P(kana | two before), 0 before the first and after the last; smoothed by fewer before."""
    counts = np.zeros((SOUNDS, SOUNDS, SOUNDS))
    for name, weight in names:
        row = (0, 0, *NARROW[list(name)].tolist(), 0)
        for place in range(2, len(row)):
            counts[row[place - 2], row[place - 1], row[place]] += weight
    one = counts.sum((0, 1)) + 0.5
    two = counts.sum(0) + 20.0 * one / one.sum()
    two /= two.sum(1, keepdims=True)
    three = counts + 8.0 * two[None]
    costs: npt.NDArray[np.float64] = -GRAM_STEP * np.log(three / three.sum(2, keepdims=True))
    return np.minimum(np.rint(costs), 255).astype(np.uint8)
