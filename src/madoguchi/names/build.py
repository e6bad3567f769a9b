"""Making the tables from their sources; the same sources (and Unicode version of Python) give the same bytes."""

import hashlib
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numba import njit

from madoguchi.names import calibrate, fold, latin_build, sources
from madoguchi.names.alphabet import numbered, page_tables
from madoguchi.names.engine import Engine, Floats
from madoguchi.names.folded import Folder
from madoguchi.names.learn import Pair, Readings, learn_readings, readings_of_roles, trigrams
from madoguchi.names.lookup import ABSENT, STEP, hash_half, insert, seed_of
from madoguchi.names.reading import OK
from madoguchi.names.tables import Tables, write

LICENCE = "CC BY-SA 3.0 (JMnedict, KANJIDIC2: EDRDG); CC BY-SA 2.1 JP (MJ縮退マップ, MJ文字情報一覧表: IPA)"
_SLOTS = 1 << 21
_KANJI_BOOK = 0.3
_KANA_ITSELF = 50.0
_UNALIGNED = 1e-7
_HELD_OUT_PART = 10
_READINGS_PART = 30


@dataclass(frozen=True)
class Halves:
    """Name halves of one role, folded, and their texts (kanji, kana) in the same order."""

    pairs: list[Pair]
    texts: list[tuple[str, str]]

    def only(self, wanted: Iterable[bool]) -> "Halves":
        """Those for which `wanted` is true."""
        kept = [place for place, want in enumerate(wanted) if want]
        return Halves([self.pairs[place] for place in kept], [self.texts[place] for place in kept])


@dataclass(frozen=True)
class Material:
    """Everything the tables are learnt from."""

    folder: Folder
    pages: "np.ndarray[tuple[int], np.dtype[np.uint16]]"
    symbols: "np.ndarray[tuple[int, int], np.dtype[np.uint16]]"
    surnames: Halves
    given: Halves
    extra: list[Pair]


def held_out(kanji: Sequence[int]) -> bool:
    """Whether a folded name half belongs to the tenth that is left out for an honest test."""
    return _sum_of(kanji) % _HELD_OUT_PART == 0


def _sum_of(codes: Sequence[int]) -> int:
    return zlib.crc32(np.array(codes, dtype="<u2").tobytes())


def gather(*, names: Path, variants: Path) -> Material:
    """Read and fold the sources. Raises `SourceMissing`."""
    raw = [sources.name_pairs(names, kinds) for kinds in (sources.SURNAMES, sources.GIVEN_NAMES)]
    book = sources.kanji_readings(names)
    texts = [kanji for part in (*raw, book) for kanji, _ in part]
    alphabet = numbered(texts, sources.variants(variants, sources.STRICT), sources.variants(variants, sources.LOOSE))
    pages, symbols = page_tables(alphabet)
    folder = Folder(pages, symbols)
    extra = [replace(pair, weight=_KANJI_BOOK) for pair in _halves(folder, book).pairs] + _kana_themselves()
    return Material(folder, pages, symbols, _halves(folder, raw[0]), _halves(folder, raw[1]), extra)


def _halves(folder: Folder, texts: Iterable[tuple[str, str]]) -> Halves:
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[str, str]] = {}
    for kanji_text, kana_text in texts:
        kanji, kana = folder.kanji(kanji_text), folder.kana(kana_text)
        if kanji.status == kana.status == OK and kanji.split == kana.split == -1:
            found.setdefault((kanji.codes, kana.codes), (kanji_text, kana_text))
    return Halves([Pair(*codes) for codes in found], list(found.values()))


def _kana_themselves() -> list[Pair]:
    """Kana in registry names read as themselves, and as what they lengthen."""
    codes = sorted({fold.PLAIN[code] for code in range(fold.KANA_FIRST, fold.KANA_LAST + 1)})
    pairs = [Pair((code,), (code,), _KANA_ITSELF) for code in codes]
    for symbol, sounds in ((fold.code_of("オ"), "ウ"), (fold.code_of("エ"), "イ"), (fold.LONG, "アイウ")):
        pairs += [Pair((symbol,), (fold.code_of(sound),), _KANA_ITSELF / 2) for sound in sounds]
    return pairs


def learn(material: Material, fit: Floats) -> Tables:
    """Tables of all the material, with the given calibration."""
    found = [_learn_role(part, material.extra) for part in (material.surnames, material.given)]
    keys, chances = readings_of_roles(*found)
    dictionary = [
        _dictionary(role, part.pairs, side.likelihoods)
        for role, (part, side) in enumerate(zip((material.surnames, material.given), found, strict=True))
    ]
    marks, values = np.zeros(_SLOTS, dtype=np.uint32), np.zeros(_SLOTS, dtype=np.uint8)
    for hashes, stored in dictionary:
        _fill(marks, values, hashes, stored)
    sizes = sum(((keys >> 8 * place & 255) > 0).astype(np.int64) for place in range(5))
    return Tables(
        pages=material.pages,
        symbols=material.symbols,
        starts=np.searchsorted(keys >> 40, np.arange(int(material.symbols.max()) + 2)).astype(np.int32),
        readings=(keys & (1 << 40) - 1 | sizes << 56).astype(np.uint64),
        weights=chances.astype(np.float32),
        marks=marks,
        values=values,
        trigrams=np.stack([trigrams(pair.kana for pair in part.pairs) for part in (material.surnames, material.given)]),
        fit=fit,
    )


def _learn_role(part: Halves, extra: list[Pair]) -> Readings:
    return learn_readings([*part.pairs, *extra])


def _dictionary(
    role: int, pairs: Sequence[Pair], likelihoods: "np.ndarray[tuple[int], np.dtype[np.float64]]"
) -> "tuple[np.ndarray[tuple[int], np.dtype[np.uint64]], np.ndarray[tuple[int], np.dtype[np.int64]]]":
    """Hashes and values of every reading of every name half, of the halves themselves, and of kana names."""
    trust = np.sqrt(np.maximum(likelihoods[: len(pairs)], 0.0) + _UNALIGNED)
    totals: Counter[tuple[int, ...]] = Counter()
    kana: Counter[tuple[int, ...]] = Counter()
    for pair, weight in zip(pairs, trust.tolist(), strict=True):
        totals[pair.kanji] += weight
        kana[pair.kana] += 1
    rows: dict[int, float] = {}
    for pair, weight in zip(pairs, trust.tolist(), strict=True):
        half = np.uint64(hash_half(np.uint64(seed_of(role, 0)), np.array(pair.kanji), 0, len(pair.kanji)))
        rows[int(half)] = 1.0
        rows[int(hash_half(half, np.array(pair.kana), 0, len(pair.kana)))] = weight / totals[pair.kanji]
    for name, count in kana.items():
        rows[int(hash_half(np.uint64(seed_of(role, 1)), np.array(name), 0, len(name)))] = count / len(pairs)
    stored = np.minimum(np.rint(-STEP * np.log(np.array(list(rows.values())))), ABSENT - 1).astype(np.int64)
    return np.array(list(rows), dtype=np.uint64), stored


@njit(cache=True)
def _fill(marks, values, hashes, stored):  # type: ignore[no-untyped-def]
    for place in range(hashes.size):
        insert(marks, values, hashes[place], stored[place])


def about(paths: Mapping[str, Path], material: Material, *, holdout: bool) -> dict[str, object]:
    """What the file says of itself."""
    return {
        "licence": LICENCE,
        "sources": {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(paths.items())},
        "unicode": unicodedata.unidata_version,
        "surnames": len(material.surnames.pairs),
        "given_names": len(material.given.pairs),
        "holdout": holdout,
    }


def make(*, names: Path, variants: Path, out: Path, holdout: bool) -> dict[str, object]:
    """Write the table file and answer what it says of itself. Raises `SourceMissing`.

    The calibration is made with tables that lack a tenth of the names, and on people of whom as many are unknown.
    """
    material = gather(names=names, variants=variants)
    known = replace(material, surnames=_seen(material.surnames), given=_seen(material.given))
    part = replace(known, surnames=_less_readings(known.surnames), given=_less_readings(known.given))
    found = calibrate.fit(Engine(learn(part, calibrate.START)), material.surnames.texts, material.given.texts)
    tables = learn(known if holdout else material, found)
    strangers = [pair.kana for part in (material.surnames, material.given) for pair in part.pairs]
    tables = latin_build.added(tables, names=names, japanese=strangers, holdout=holdout)
    told = about({"jmnedict": names, "mojidata": variants}, material, holdout=holdout)
    write(out, tables, told)
    return told


def _seen(part: Halves) -> Halves:
    return part.only(not held_out(pair.kanji) for pair in part.pairs)


def _less_readings(part: Halves) -> Halves:
    """Without a few readings: for the calibration, which has to know that dictionaries do not list every reading."""
    return part.only(_sum_of(pair.kanji + pair.kana) % _READINGS_PART > 0 for pair in part.pairs)
