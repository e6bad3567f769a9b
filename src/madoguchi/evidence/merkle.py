"""Merkle tree of RFC 6962, section 2.1: hashes, proofs, and what checks them. Pure; hashes are 32 raw bytes."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from madoguchi.evidence.errors import ProofBroken

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a tree without leaves."""


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def leaf_hashes(leaves: Iterable[bytes]) -> bytes:
    """The hashes of many leaves, one behind the other."""
    sha = hashlib.sha256
    return b"".join([sha(b"\x00" + leaf).digest() for leaf in leaves])


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """What has to be remembered to add leaves: the roots of the full subtrees, largest first. O(log n)."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def add(self, leaf: bytes) -> None:
        """Append a leaf's hash."""
        carry, size, sha, pop = leaf, self.size, hashlib.sha256, self.peaks.pop
        while size & 1:
            carry = sha(b"\x01" + pop() + carry).digest()
            size >>= 1
        self.peaks.append(carry)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append the hashes of leaves."""
        for leaf in leaves:
            self.add(leaf)

    def root(self) -> bytes:
        """The root of the tree so far."""
        if not self.peaks:
            return EMPTY_ROOT
        found = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            found = node_hash(peak, found)
        return found


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over the hashes of leaves."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2). Raises `ProofBroken` for a wrong length."""
    if not 0 <= index < size:
        raise ProofBroken(f"no entry {index} among {size}")
    inner, border = _shape(index, size)
    if len(proof) != inner + border:
        raise ProofBroken(f"a proof of {len(proof)} hashes where {inner + border} are due")
    found = leaf
    for level, sibling in enumerate(proof[:inner]):
        found = node_hash(sibling, found) if index >> level & 1 else node_hash(found, sibling)
    for sibling in proof[inner:]:
        found = node_hash(sibling, found)
    return found


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raises `ProofBroken` unless the leaf's hash stands at `index` in the tree of `size` with `root`."""
    if root_from_inclusion(index, size, leaf, proof) != root:
        raise ProofBroken("the proof leads to another root")


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises `ProofBroken` unless the tree of `new` leaves continues the one of `old` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        raise ProofBroken(f"{new} entries do not continue {old}")
    if old in (0, new):
        _check_trivial(old, old_root, new_root, proof, same=old == new)
        return
    # a full old tree is itself the first node of the proof
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise ProofBroken("an empty proof")
    if _climb(old, new, path) != (old_root, new_root):
        raise ProofBroken("the proof leads to other roots")


def _check_trivial(old: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes], *, same: bool) -> None:
    if proof:
        raise ProofBroken("nothing was to be proven")
    if (same and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
        raise ProofBroken("two roots for one size")


def _climb(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The old and the new root that the path leads to. Raises `ProofBroken` for a wrong length."""
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofBroken("a proof that goes on above the root")
        if at & 1 or at == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofBroken("a proof that ends below the root")
    return before, after


def _shape(index: int, size: int) -> tuple[int, int]:
    """How many hashes of a proof stand beside the way up, and how many are peaks to its left."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()
