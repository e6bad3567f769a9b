"""The log's hashes in tiles of 256 (C2SP tlog-tiles): growing them, and proofs read from them.

A tile (level L, number N) holds the hashes of up to 256 full subtrees of 256**L leaves each, from subtree 256*N on.
Whoever keeps tiles only has to answer `read`; everything else is computed here. Proofs are lists of 32-byte hashes.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from madoguchi.evidence.errors import ProofBroken
from madoguchi.evidence.merkle import EMPTY_ROOT, node_hash

WIDTH = 256
_HEIGHT = 8
_HASH = 32
_NAME = re.compile(r"tile/(entries|\d{1,2})/((?:x\d{3}/){0,5}\d{3})(?:\.p/\d{1,3})?", re.ASCII)

Read = Callable[[int, int], bytes]
"""(level, number) -> the tile's bytes so far, b"" for one that does not exist; 32 bytes a hash."""


def path_of(level: int | str, number: int, width: int = WIDTH) -> str:
    """The tile's name: `tile/0/x001/234`, with `.p/5` for a tile of 5 hashes. Level `entries` for the entries."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def place_of(name: str, size: int) -> tuple[int | str, int, int] | None:
    """(level, number, width) of the tile with this name in a log of `size` entries, None if no tile has it there."""
    parts = _NAME.fullmatch(name)
    if parts is None:
        return None
    level = int(parts[1]) if parts[1].isdigit() else parts[1]
    number = int(parts[2].replace("/", "").replace("x", ""))
    width = width_of(level if isinstance(level, int) else 0, number, size)
    return (level, number, width) if width and path_of(level, number, width) == name else None


def width_of(level: int, number: int, size: int) -> int:
    """How many hashes a tile has in a log of `size` entries; 0 if it is not there."""
    return max(0, min(WIDTH, (size >> _HEIGHT * level) - number * WIDTH))


def tiles_of(size: int) -> list[tuple[int, int, int]]:
    """(level, number, width) of every tile of a tree with `size` leaves."""
    found, level = [], 0
    while size:
        found += [(level, number, WIDTH) for number in range(size // WIDTH)]
        if size % WIDTH:
            found.append((level, size // WIDTH, size % WIDTH))
        size, level = size // WIDTH, level + 1
    return found


def grow(read: Read, size: int, leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles that change, with their new bytes, when the hashes of `leaves` are added to `size` leaves."""
    changed: dict[tuple[int, int], bytes] = {}
    level, begin, new = 0, size, list(leaves)
    while new:
        above: list[bytes] = []
        for number in range(begin // WIDTH, (begin + len(new) - 1) // WIDTH + 1):
            first = max(begin, number * WIDTH)
            part = b"".join(new[first - begin : (number + 1) * WIDTH - begin])
            before = read(level, number)[: (first - number * WIDTH) * _HASH] if first % WIDTH else b""
            changed[level, number] = before + part
            if len(changed[level, number]) == WIDTH * _HASH:
                above.append(top(changed[level, number]))
        level, begin, new = level + 1, begin // WIDTH, above
    return changed


def top(hashes: bytes) -> bytes:
    """The root of a full subtree from 2**k hashes of its lowest row."""
    sha = hashlib.sha256
    while len(hashes) > _HASH:
        pairs = range(0, len(hashes), 2 * _HASH)
        hashes = b"".join([sha(b"\x01" + hashes[at : at + 2 * _HASH]).digest() for at in pairs])
    return hashes


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of `size` leaves whose tiles can be read. Every method raises `ProofBroken` where a tile is missing."""

    read: Read
    size: int

    def leaf(self, index: int) -> bytes:
        """The hash of one leaf."""
        return self._node(0, index)

    def root(self, size: int | None = None) -> bytes:
        """The root, or the one the tree had when it had `size` leaves."""
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise ProofBroken(f"the log has {self.size} entries, not {size}")
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Proof that leaf `index` stands in the tree of `size` leaves (RFC 6962, 2.1.1)."""
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise ProofBroken(f"no entry {index} among {size}")
        proof, begin, end = [], 0, size
        while end - begin > 1:
            middle = begin + _split(end - begin)
            if index < middle:
                proof.append((middle, end))
                end = middle
            else:
                proof.append((begin, middle))
                begin = middle
        return [self._range(*part) for part in reversed(proof)]

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """Proof that the tree of `size` leaves continues the one of `old` (RFC 6962, 2.1.2)."""
        size = self.size if size is None else size
        if not 0 <= old <= size <= self.size:
            raise ProofBroken(f"{size} entries do not continue {old}")
        if old in (0, size):
            return []
        proof, begin, end, whole = [], 0, size, True
        while old != end:
            middle = begin + _split(end - begin)
            if old <= middle:
                proof.append((middle, end))
                end = middle
            else:
                proof.append((begin, middle))
                begin, whole = middle, False
        lowest = [] if whole else [self._range(begin, end)]
        return lowest + [self._range(*part) for part in reversed(proof)]

    def _range(self, begin: int, end: int) -> bytes:
        """The root over the leaves from `begin` to `end`; `begin` is a multiple of the largest power of two in it."""
        length = end - begin
        if length & (length - 1) == 0:
            level = length.bit_length() - 1
            return self._node(level, begin >> level)
        middle = begin + _split(length)
        return node_hash(self._range(begin, middle), self._range(middle, end))

    def _node(self, level: int, index: int) -> bytes:
        """The root of the full subtree of 2**level leaves, number `index`."""
        row, within = divmod(level, _HEIGHT)
        width = 1 << within
        first = index * width
        number, offset = divmod(first, WIDTH)
        hashes = self.read(row, number)[offset * _HASH : (offset + width) * _HASH]
        if len(hashes) != width * _HASH:
            raise ProofBroken(f"{path_of(row, number)} is missing or too short")
        return top(hashes)


def from_mapping(tiles: Mapping[tuple[int, int], bytes]) -> Read:
    """A `Read` over tiles in memory."""
    return lambda level, number: tiles.get((level, number), b"")


def _split(length: int) -> int:
    """The largest power of two below `length` (length >= 2)."""
    return 1 << (length - 1).bit_length() - 1
