"""The tree against the published vectors of Certificate Transparency, and against pymerkle, which is other code."""

import hashlib

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle.hasher import MerkleHasher

from madoguchi.evidence import tiles
from madoguchi.evidence.errors import ProofBroken
from madoguchi.evidence.merkle import (
    EMPTY_ROOT,
    Frontier,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of,
)

# google/certificate-transparency, merkletree test vectors; the same stand in transparency-dev/merkle
LEAVES = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSIONS = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCIES = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def tree_of(leaves: list[bytes]) -> tiles.Tree:
    hashes = [leaf_hash(one) for one in leaves]
    return tiles.Tree(tiles.from_mapping(tiles.grow(lambda *_: b"", 0, hashes)), len(hashes))


def test_the_published_roots() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    frontier, tree = Frontier(), tree_of(LEAVES)
    assert frontier.root() == EMPTY_ROOT == tree.root(0)
    for size, root in enumerate(ROOTS, start=1):
        frontier.add(leaf_hash(LEAVES[size - 1]))
        assert frontier.root().hex() == root
        assert tree.root(size).hex() == root
        assert root_of(leaf_hash(one) for one in LEAVES[:size]).hex() == root


@pytest.mark.parametrize(("index", "size", "path"), INCLUSIONS)
def test_the_published_inclusion_proofs(index: int, size: int, path: list[str]) -> None:
    proof = tree_of(LEAVES).inclusion(index, size)
    assert [one.hex() for one in proof] == path
    check_inclusion(index, size, leaf_hash(LEAVES[index]), proof, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCIES)
def test_the_published_consistency_proofs(old: int, new: int, path: list[str]) -> None:
    proof = tree_of(LEAVES).consistency(old, new)
    assert [one.hex() for one in proof] == path
    check_consistency(old, new, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]), proof)


def test_a_leaf_is_no_node() -> None:
    """Second preimages: without the prefixes, two hashes side by side could be taken for a leaf."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)
    assert node_hash(left, right) == hashlib.sha256(b"\x01" + left + right).digest()


def oracle_of(size: int) -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    tree.append_entries([b"%d" % n for n in range(size)])
    return tree


def test_pymerkle_hashes_as_rfc_6962_does() -> None:
    assert MerkleHasher("sha256").hash_buff(b"x") == leaf_hash(b"x")


SIZES = st.integers(1, 700)


@settings(max_examples=40, deadline=None)
@given(st.tuples(SIZES, SIZES).map(sorted), st.data())
def test_roots_and_proofs_are_those_of_pymerkle(sizes: list[int], data: st.DataObject) -> None:
    old, new = sizes
    oracle, tree = oracle_of(new), tree_of([b"%d" % n for n in range(new)])
    assert tree.root() == oracle.get_root()
    assert tree.root(old) == oracle.get_root(old)
    index = data.draw(st.integers(0, old - 1))
    leaf = leaf_hash(b"%d" % index)
    # pymerkle's paths begin with the leaf itself
    inclusion = oracle.prove_inclusion(index + 1, old)
    assert [leaf, *tree.inclusion(index, old)] == inclusion.path
    pymerkle.verify_inclusion(leaf, tree.root(old), inclusion)
    check_inclusion(index, old, leaf, inclusion.path[1:], oracle.get_root(old))
    check_consistency(old, new, oracle.get_root(old), oracle.get_root(new), tree.consistency(old))
    pymerkle.verify_consistency(tree.root(old), tree.root(), oracle.prove_consistency(old, new))


@settings(max_examples=60, deadline=None)
@given(st.tuples(SIZES, SIZES).map(sorted), st.data())
def test_a_proof_with_anything_changed_does_not_hold(sizes: list[int], data: st.DataObject) -> None:
    old, new = sizes
    tree = tree_of([b"%d" % n for n in range(new)])
    index = data.draw(st.integers(0, new - 1))
    leaf, proof = tree.leaf(index), tree.inclusion(index)
    forged = data.draw(st.sampled_from(list(_changed(proof))))
    with pytest.raises(ProofBroken):
        check_inclusion(index, new, leaf, forged, tree.root())
    proof = tree.consistency(old)
    forged = data.draw(st.sampled_from(list(_changed(proof))))
    with pytest.raises(ProofBroken):
        check_consistency(old, new, tree.root(old), tree.root(), forged)


def _changed(proof: list[bytes]) -> list[list[bytes]]:
    """Something more, something less, and every hash changed."""
    found = [[*proof, bytes(32)], [bytes(32), *proof]]
    found += [proof[:at] + proof[at + 1 :] for at in range(len(proof))]
    return found + [[*proof[:at], bytes([one[0] ^ 1]) + one[1:], *proof[at + 1 :]] for at, one in enumerate(proof)]


@settings(max_examples=30, deadline=None)
@given(SIZES, st.data())
def test_another_place_is_another_proof(size: int, data: st.DataObject) -> None:
    tree = tree_of([b"%d" % n for n in range(size + 1)])
    index, other = data.draw(st.integers(0, size)), data.draw(st.integers(0, size))
    if index != other:
        with pytest.raises(ProofBroken):
            check_inclusion(other, size + 1, tree.leaf(index), tree.inclusion(index), tree.root())


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0), (9, 4)])
def test_no_place_in_the_tree(index: int, size: int) -> None:
    with pytest.raises(ProofBroken):
        root_from_inclusion(index, size, bytes(32), [])


@pytest.mark.parametrize(("old", "new"), [(3, 2), (-1, 2), (0, 3), (3, 3)])
def test_no_continuation(old: int, new: int) -> None:
    with pytest.raises(ProofBroken):
        check_consistency(old, new, b"a" * 32, b"b" * 32, [])


def test_a_rewritten_history_has_no_proof() -> None:
    before, after = [b"%d" % n for n in range(300)], [b"%d" % n for n in range(500)]
    after[17] = b"x"
    tree = tree_of(after)
    with pytest.raises(ProofBroken):
        check_consistency(300, 500, tree_of(before).root(), tree.root(), tree.consistency(300))
