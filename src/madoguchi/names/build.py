"""Making the tables from their sources; the same sources (and Unicode version of Python) give the same bytes."""

import hashlib
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from madoguchi.names import calibrate, fold, sources
from madoguchi.names.alphabet import numbered, page_tables
from madoguchi.names.engine import Engine, Floats, forget_stale_code
from madoguchi.names.folded import Folder
from madoguchi.names.latin import build as latin
from madoguchi.names.learn import Pair, Readings, learn_readings, trigrams
from madoguchi.names.lookup import ABSENT, STEP, hash_half, hash_piece, insert, seed_of
from madoguchi.names.reading import OK
from madoguchi.names.tables import Tables, write
from madoguchi.names.weigh import COMMON, ODD_SIZES, Weights, codes_of, stored, weigh
from madoguchi.names.weigh import STEP as WEIGHT_STEP

LICENCE = "CC BY-SA 3.0 (JMnedict, KANJIDIC2: EDRDG); CC BY-SA 2.1 JP (MJ縮退マップ, MJ文字情報一覧表: IPA)"
_SLOTS, _LONGER_SLOTS = 1_500_000, 1 << 13
_KANJI_BOOK = 0.3
_KANA_ITSELF = 50.0
_UNALIGNED = 1e-7
_HELD_OUT_PART = 10


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
    pages: npt.NDArray[np.uint16]
    symbols: npt.NDArray[np.uint16]
    surnames: Halves
    given: Halves
    extra: list[Pair]
    people: list[tuple[str, str, str]]


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
    return Material(
        folder, pages, symbols, _halves(folder, raw[0]), _halves(folder, raw[1]), extra, sources.persons(names)
    )


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
    """Tables of the material, with the given calibration."""
    parts = (material.surnames, material.given)
    found = [_learn_role(part, material.extra) for part in parts]
    weights = weigh(found[0], found[1], int(material.symbols.max()) + 1)
    slots, longer = np.zeros(_SLOTS, dtype=np.uint32), np.zeros(_LONGER_SLOTS, dtype=np.uint32)
    for role, (part, side) in enumerate(zip(parts, found, strict=True)):
        _fill(slots, *_dictionary(role, part.pairs, side.likelihoods))
        _fill(longer, *_longer(role, weights))
    codes = weights.keys & (1 << 40) - 1
    order = np.lexsort((codes, codes & 255, weights.keys >> 40))
    sizes = sum(((codes >> 8 * place & 255) > 0).astype(np.int64) for place in range(5))
    return Tables(
        pages=material.pages,
        symbols=material.symbols,
        starts=np.searchsorted(weights.keys >> 40, np.arange(int(material.symbols.max()) + 2)).astype(np.int32),
        readings=(codes | sizes << 56).astype(np.uint64)[order],
        weights=stored(weights.chances, WEIGHT_STEP)[order],
        odd=weights.odd.astype(np.float32),
        pieces=np.stack([_short(role, weights) for role in (0, 1)]),
        longer=longer,
        slots=slots,
        trigrams=np.stack([trigrams(pair.kana for pair in part.pairs) for part in parts]),
        fit=fit,
    )


def _short(role: int, weights: Weights) -> npt.NDArray[np.float32]:
    """Chance of one kana (column 0) or two as an unknown reading that other kanji have."""
    table = np.zeros((fold.KANA_CODES, fold.KANA_CODES), dtype=np.float32)
    for piece, share in weights.pieces[role].items():
        if len(codes := codes_of(piece)) < 3:
            table[codes[0], codes[1] if len(codes) == 2 else 0] = COMMON[role] * share
    return table


def _longer(role: int, weights: Weights) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Hashes and values of pieces of three and four kana that more than one kanji has."""
    rows = {
        int(hash_piece(role, np.uint64(piece))): share
        for piece, share in weights.pieces[role].items()
        if 3 <= len(codes_of(piece)) < len(ODD_SIZES)
    }
    return _stored(rows)


def _learn_role(part: Halves, extra: list[Pair]) -> Readings:
    return learn_readings([*part.pairs, *extra])


def _dictionary(
    role: int, pairs: Sequence[Pair], likelihoods: Floats
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Hashes and values of every reading of every name half, of the halves themselves, and of kana names."""
    trust = np.sqrt(np.maximum(likelihoods[: len(pairs)], 0.0) + _UNALIGNED)
    totals: Counter[tuple[int, ...]] = Counter()
    kana: Counter[tuple[int, ...]] = Counter()
    for pair, weight in zip(pairs, trust.tolist(), strict=True):
        totals[pair.kanji] += weight
        kana[pair.kana] += 1
    rows: dict[int, float] = {}
    for pair, weight in zip(pairs, trust.tolist(), strict=True):
        half = _hash(seed_of(role, 0), pair.kanji)
        rows[half] = 1.0
        rows[_hash(half, pair.kana)] = weight / totals[pair.kanji]
    for name, count in kana.items():
        rows[_hash(seed_of(role, 1), name)] = count / len(pairs)
    return _stored(rows)


def _hash(seed: int, codes: Sequence[int]) -> int:
    return int(hash_half(np.uint64(seed), np.array(codes), 0, len(codes)))


def _stored(rows: Mapping[int, float]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    values = np.minimum(stored(np.array(list(rows.values())), STEP), ABSENT - 1).astype(np.int64)
    return np.array(list(rows), dtype=np.uint64), values


@njit(cache=True)
def _fill(slots, hashes, values):  # type: ignore[no-untyped-def]
    for place in range(hashes.size):
        insert(slots, hashes[place], values[place])


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
    """Write the table file and answer what it says of itself. Raises `SourceMissing`."""
    forget_stale_code()
    material = gather(names=names, variants=variants)
    if holdout:
        material = replace(material, surnames=_seen(material.surnames), given=_seen(material.given))
    engine = Engine(learn(material, calibrate.START))
    people = calibrate.cut(engine, material.people)
    material = _with(material, people, holdout=holdout)
    tables = learn(material, calibrate.fit(engine, people))
    strangers = [pair.kana for part in (material.surnames, material.given) for pair in part.pairs]
    tables = latin.added(tables, names=names, japanese=strangers, holdout=holdout)
    told = about({"jmnedict": names, "mojidata": variants}, material, holdout=holdout)
    write(out, tables, told)
    return told


def _with(material: Material, people: Sequence[calibrate.Halves], *, holdout: bool) -> Material:
    """The material, and the halves of well-known people's names beside it."""
    texts = [(name[0], name[2]) for name in people], [(name[1], name[3]) for name in people]
    more = [_seen(part) if holdout else part for part in (_halves(material.folder, role) for role in texts)]
    return replace(material, surnames=_joined(material.surnames, more[0]), given=_joined(material.given, more[1]))


def _joined(part: Halves, more: Halves) -> Halves:
    known = set(part.pairs)
    new = more.only(pair not in known for pair in more.pairs)
    return Halves([*part.pairs, *new.pairs], [*part.texts, *new.texts])


def _seen(part: Halves) -> Halves:
    return part.only(not held_out(pair.kanji) for pair in part.pairs)
