"""One file with every table: a JSON header, the arrays (to be mapped), a SHA-256 sum of all before it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from madoguchi.names.errors import TablesDamaged, TablesMissing

MAGIC = b"madoguchi-names-2\n"
SHIPPED = Path(__file__).with_name("data") / "names.tables"
LETTER_ARRAYS, LATIN_ARRAYS = 2, 7
"""How many arrays at the beginning are for folding, and at the end for names in Latin letters."""
_ALIGN = 64
_LENGTH = 8
_SUM = 32


@dataclass(frozen=True)
class Tables:
    """What the kernel reads.

    `pages[code point >> 8]` is a row of `symbols`; `symbols[row, code point & 255]` a symbol (see `fold`). Readings of
    kanji `k` stand in `starts[k]:starts[k + 1]` of `readings` (length << 56 | codes, first code lowest; by first code)
    and `weights[·, role * 4 + place]` (see `weigh`; `v` is the probability exp(-v / 24), 255 is none). `odd[k, role]`
    is the share of readings not known, `pieces[role, a, b]` the chance of one (b = 0) or two kana as such, `longer` a
    hashed table of those of three and four. `slots` is a hashed table (see `lookup`) of (role, kanji half, kana half),
    of known kanji halves and of kana names. `trigrams[role, a, b, c]` is -16 ln P(c | a, b), code 0 is the edge.
    `fit` holds the calibration (see `decide`).

    For names in Latin letters (none: such names are not judged): `latin_groups` is an open-addressed table of letter
    groups (5 bits a letter), `latin_bases` the chance of each; the pieces of kana of group place `g` stand in
    `latin_starts[g]:latin_starts[g + 1]` of `latin_pieces` (kana << 21 | codes, 7 bits each) and `latin_weights`
    (chances). `latin_book` is a hashed table of words and their readings, `latin_grams` the kana background, -20 ln P.
    `latin_fit` holds a calibration for each of their groups (see `latin.kernel`).
    """

    pages: npt.NDArray[np.uint16]
    symbols: npt.NDArray[np.uint16]
    starts: npt.NDArray[np.int32]
    readings: npt.NDArray[np.uint64]
    weights: npt.NDArray[np.uint8]
    odd: npt.NDArray[np.float32]
    pieces: npt.NDArray[np.float32]
    longer: npt.NDArray[np.uint32]
    slots: npt.NDArray[np.uint32]
    trigrams: npt.NDArray[np.uint8]
    fit: npt.NDArray[np.float64]
    latin_fit: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2, 0)))
    latin_groups: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    latin_starts: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    latin_pieces: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    latin_weights: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    latin_bases: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    latin_book: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    latin_grams: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 0), np.uint8))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def write(path: Path, tables: Tables, about: Mapping[str, object]) -> None:
    """Write the file; the same tables and `about` give the same bytes."""
    places, offset, blobs = {}, 0, []
    for name, array in tables.arrays().items():
        if not array.size:
            continue
        blob = np.ascontiguousarray(array).tobytes()
        places[name] = {"dtype": array.dtype.str, "shape": list(array.shape), "at": offset}
        blobs.append(blob + b"\0" * (-len(blob) % _ALIGN))
        offset += len(blobs[-1])
    body = b"".join(blobs)
    text = json.dumps({"about": about, "arrays": places}, sort_keys=True, ensure_ascii=False).encode()
    text += b" " * (-(len(MAGIC) + _LENGTH + len(text)) % _ALIGN)
    whole = MAGIC + len(text).to_bytes(_LENGTH, "little") + text + body
    path.write_bytes(whole + hashlib.sha256(whole).digest())


def _header(path: Path) -> tuple[dict[str, Any], int]:
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise TablesDamaged(path.name)
            text = file.read(int.from_bytes(file.read(_LENGTH), "little"))
    except FileNotFoundError as error:
        raise TablesMissing(path.name) from error
    try:
        header: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise TablesDamaged(path.name) from error
    return header, len(MAGIC) + _LENGTH + len(text)


def _check_sum(path: Path) -> None:
    if not path.is_file():
        raise TablesMissing(path.name)
    if path.stat().st_size <= _SUM:
        raise TablesDamaged(path.name)
    whole = memoryview(path.read_bytes())
    if hashlib.sha256(whole[:-_SUM]).digest() != whole[-_SUM:]:
        raise TablesDamaged(path.name)


def about(path: Path = SHIPPED) -> dict[str, Any]:
    """What the file says of its sources and licence. Raises `TablesMissing`, `TablesDamaged`."""
    told: dict[str, Any] = _header(path)[0]["about"]
    return told


def read(path: Path = SHIPPED) -> Tables:
    """Map the file into memory and check its sum. Raises `TablesMissing`, `TablesDamaged`."""
    _check_sum(path)
    header, start = _header(path)
    body = np.memmap(path, dtype=np.uint8, mode="r", offset=start)
    arrays = {}
    for name, place in header["arrays"].items():
        dtype = np.dtype(place["dtype"])
        end = place["at"] + int(np.prod(place["shape"])) * dtype.itemsize
        arrays[name] = np.asarray(body[place["at"] : end]).view(dtype).reshape(place["shape"])
    return Tables(**arrays)


@cache
def shipped() -> Tables:
    """The tables that come with the product."""
    return read()
