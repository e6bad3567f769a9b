"""Tiles: names and widths as C2SP tlog-tiles has them, growth in any steps, proofs from tiles alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.evidence import tiles
from madoguchi.evidence.bundle import entry_bundle, tiles_for
from madoguchi.evidence.errors import ProofBroken
from madoguchi.evidence.merkle import check_inclusion, leaf_hash, root_of

HASHES = [leaf_hash(b"%d" % n) for n in range(3000)]
EMPTY: tiles.Read = lambda *_: b""  # noqa: E731 - a constant that is a function


@pytest.mark.parametrize(
    ("level", "number", "width", "name"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 273, 256, "tile/0/273"),
        (0, 273, 112, "tile/0/273.p/112"),
        (1, 0, 256, "tile/1/000"),
        (3, 999, 256, "tile/3/999"),
        (0, 1000, 256, "tile/0/x001/000"),
        # the example of the specification: 1234067
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        ("entries", 1234067, 8, "tile/entries/x001/x234/067.p/8"),
    ],
)
def test_names(level: int | str, number: int, width: int, name: str) -> None:
    assert tiles.path_of(level, number, width) == name


def test_the_tiles_of_the_specifications_example() -> None:
    """A log of 70,000: 273 full tiles and one of 112 below, one full and one of 17 above, one of 1."""
    found = tiles.tiles_of(70_000)
    assert len([one for one in found if one[0] == 0 and one[2] == 256]) == 273
    assert [one for one in found if one[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert (1, 0, 256) in found


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=4))
def test_growing_in_steps_is_growing_at_once(steps: list[int]) -> None:
    kept: dict[tuple[int, int], bytes] = {}
    size = 0
    for step in steps:
        kept |= tiles.grow(tiles.from_mapping(kept), size, HASHES[size : size + step])
        size += step
    assert kept == tiles.grow(EMPTY, 0, HASHES[:size])
    assert {(level, number): len(kept[level, number]) // 32 for level, number in kept} == {
        (level, number): width for level, number, width in tiles.tiles_of(size)
    }
    assert tiles.Tree(tiles.from_mapping(kept), size).root() == root_of(HASHES[:size])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3000), st.data())
def test_the_tiles_chosen_for_entries_lead_to_the_root(size: int, data: st.DataObject) -> None:
    positions = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=5))
    whole = tiles.grow(EMPTY, 0, HASHES[:size])
    chosen = tiles_for({one // 256 for one in positions}, size)
    assert set(chosen) <= set(tiles.tiles_of(size))
    kept = {(level, number): whole[level, number][: width * 32] for level, number, width in chosen}
    part, full = tiles.Tree(tiles.from_mapping(kept), size), tiles.Tree(tiles.from_mapping(whole), size)
    assert part.root() == full.root()
    for one in positions:
        assert part.leaf(one) == HASHES[one]
        check_inclusion(one, size, HASHES[one], full.inclusion(one), part.root())


def test_older_roots_come_from_the_same_tiles() -> None:
    tree = tiles.Tree(tiles.from_mapping(tiles.grow(EMPTY, 0, HASHES)), len(HASHES))
    for size in (1, 255, 256, 257, 511, 512, 2047, 3000):
        assert tree.root(size) == root_of(HASHES[:size])


@pytest.mark.parametrize("call", ["root", "inclusion", "consistency", "leaf"])
def test_a_missing_tile_is_said(call: str) -> None:
    tree = tiles.Tree(EMPTY, 300)
    arguments = {"root": (), "inclusion": (7,), "consistency": (7,), "leaf": (7,)}[call]
    with pytest.raises(ProofBroken):
        getattr(tree, call)(*arguments)


@pytest.mark.parametrize(("call", "arguments"), [("root", (301,)), ("inclusion", (300,)), ("consistency", (301,))])
def test_beyond_the_log(call: str, arguments: tuple[int]) -> None:
    tree = tiles.Tree(tiles.from_mapping(tiles.grow(EMPTY, 0, HASHES[:300])), 300)
    with pytest.raises(ProofBroken):
        getattr(tree, call)(*arguments)


def test_entries_in_the_form_of_the_specification() -> None:
    assert entry_bundle([b"", b"ab", b"x" * 300]) == b"\x00\x00" + b"\x00\x02ab" + b"\x01\x2c" + b"x" * 300
