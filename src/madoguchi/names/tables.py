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

MAGIC = b"madoguchi-names-1\n"
SHIPPED = Path(__file__).with_name("data") / "names.tables"
_ALIGN = 64
_LENGTH = 8
_SUM = 32


@dataclass(frozen=True)
class Tables:
    """What the kernel reads.

    `pages[code point >> 8]` is a row of `symbols`; `symbols[row, code point & 255]` a symbol (see `fold`). Readings of
    kanji `k` stand in `starts[k]:starts[k + 1]` of `readings` (length << 56 | codes, first code lowest) and
    `weights[·, 0 surname / 1 given]` (probabilities). `marks` and `values` are an open-addressed table of hashes of
    (role, kanji half, kana half), of known kanji halves and of kana names; a value `v` means probability
    `exp(-v / 12)`. `trigrams[role, a, b, c]` is -1024 ln P(c | a, b), code 0 is the edge. `fit` holds
    the calibration (see `calibrate`): row 0 for names with an unknown half, row 1 for names with both halves known.

    For names in Latin letters (none: such names are not judged): `latin_groups` is an open-addressed table of letter
    groups (5 bits a letter), `latin_bases` the chance of each; the pieces of kana of group place `g` stand in
    `latin_starts[g]:latin_starts[g + 1]` of `latin_pieces` (kana << 21 | codes, 7 bits each) and `latin_weights`
    (chances). `latin_book` is an open-addressed table (mark << 8 | value) of words and their readings, `latin_grams`
    the kana background, -20 ln P. The last four rows of `fit` are theirs.
    """

    pages: npt.NDArray[np.uint16]
    symbols: npt.NDArray[np.uint16]
    starts: npt.NDArray[np.int32]
    readings: npt.NDArray[np.uint64]
    weights: npt.NDArray[np.float32]
    marks: npt.NDArray[np.uint32]
    values: npt.NDArray[np.uint8]
    trigrams: npt.NDArray[np.uint16]
    fit: npt.NDArray[np.float64]
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
