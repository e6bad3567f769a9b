"""The log's check alone: the roots it gives on its way, and which tiles it knows."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO

import pytest

from madoguchi.evidence.bundle import entry_bundle
from madoguchi.evidence.check_log import WholeLog
from madoguchi.evidence.merkle import Frontier, leaf_hash
from madoguchi.evidence.tiles import WIDTH, grow, path_of, tiles_of
from madoguchi.evidence.verdict import Verdict

SIZE = WIDTH**2 + 2 * WIDTH + 3
SIZES = [1, 255, 256, 257, 511, 512, 65_279, 65_280, 65_535, 65_536, 65_537, 65_791, 65_792, 66_048, SIZE]
ENTRIES = [b"entry %d" % number for number in range(SIZE)]
STEPS = [1, 255, 256, 257, 70_000]
FOREIGN = {
    "tile/0/258",  # the last one is not full: there it has `.p/3`
    "tile/0/258.p/2",
    "tile/0/259",
    "tile/0/000.p/7",
    "tile/0/x000/000",
    "tile/00/000",
    "tile/1/001",
    "tile/2/000",
    "tile/3/000",
    "tile/entries/258",
    "tile/entries/259.p/1",
    "tile/0/0000",
    "tile/0/a",
    "tile/0/٠٠٠",
    "tile/x/000",
    "tile/-1/000",
    "tile/",
}


class Held:
    """A bundle's tiles in memory."""

    strange: tuple[str, ...] = ()

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.names = files

    def open(self, name: str) -> IO[bytes]:
        """The file's bytes."""
        return BytesIO(self.names[name])

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    tiles = grow(lambda *_: b"", 0, [leaf_hash(entry) for entry in ENTRIES])
    found = {path_of(level, number, width): tiles[level, number] for level, number, width in tiles_of(SIZE)}
    for begin in range(0, SIZE, WIDTH):
        some = ENTRIES[begin : begin + WIDTH]
        found[path_of("entries", begin // WIDTH, len(some))] = entry_bundle(some)
    return found


@pytest.fixture(scope="module")
def roots() -> dict[int, bytes]:
    frontier, found = Frontier(), {0: Frontier().root()}
    for size, entry in enumerate(ENTRIES, start=1):
        frontier.add(leaf_hash(entry))
        found[size] = frontier.root()
    return found


def checked(files: Mapping[str, bytes], sizes: list[int], step: int) -> tuple[WholeLog, Verdict]:
    verdict = Verdict()
    log = WholeLog(Held(files), verdict, SIZE, sizes)
    for begin in range(0, SIZE, step):
        log.take([b"%d %b" % (at, ENTRIES[at]) for at in range(begin, min(begin + step, SIZE))])
    assert log.finish()
    return log, verdict


@pytest.mark.parametrize("step", STEPS)
def test_the_roots_on_the_way_are_the_trees(files: dict[str, bytes], roots: dict[int, bytes], step: int) -> None:
    log, verdict = checked(files, SIZES, step)
    assert log.roots == {size: roots[size] for size in (0, *SIZES)}
    assert not verdict.findings
    assert not list(log.foreign())


def test_the_root_at_many_sizes(files: dict[str, bytes], roots: dict[int, bytes]) -> None:
    sizes = range(0, SIZE, 41)
    assert checked(files, list(sizes), 10_000)[0].roots == {size: roots[size] for size in sizes}


@pytest.mark.parametrize("level", ["entries", "0", "1", "2"])
def test_every_level_is_compared(files: dict[str, bytes], level: str) -> None:
    """One byte changed in the first and in the last tile of a level: both are found."""
    names = [name for name in files if name.startswith(f"tile/{level}/")]
    chosen = {names[0], names[-1]}
    wrong = {name: files[name][:-1] + bytes([files[name][-1] ^ 1]) for name in chosen}
    _, verdict = checked(files | wrong, SIZES, 10_000)
    code = "entry_tile" if level == "entries" else "tile_changed"
    assert {said.fields["name"] for said in verdict.findings if said.code == code} == chosen
    # a changed hash of the lowest tiles is also told as an entry's
    assert {said.code for said in verdict.findings} - {code} == ({"entry_changed"} if level == "0" else set())


def test_what_the_log_does_not_have_is_foreign(files: dict[str, bytes]) -> None:
    assert not files.keys() & FOREIGN
    log, _ = checked(files | dict.fromkeys(FOREIGN, b""), SIZES, 10_000)
    assert set(log.foreign()) == FOREIGN
