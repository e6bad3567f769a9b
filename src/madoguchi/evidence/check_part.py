"""Checks a part of the log: every entry stands in its tile, every tile leads to the checkpoint's root."""

from collections.abc import Sequence

from madoguchi.evidence.errors import ProofBroken
from madoguchi.evidence.merkle import leaf_hash
from madoguchi.evidence.source import FileBroken, Source, read
from madoguchi.evidence.tiles import WIDTH, Tree, path_of, place_of, top, width_of
from madoguchi.evidence.verdict import Verdict

_HASH = 32


class PartOfLog:
    """Takes the lines of `events.jsonl`, ascending. `tree`: over the bundle's tiles."""

    def __init__(self, source: Source, verdict: Verdict, size: int) -> None:
        self._source, self._verdict, self._size = source, verdict, size
        self.tree = Tree(self.tile, size)
        self._row = 0
        self._last = -1
        self._held: dict[int, tuple[int, bytes]] = {}

    def tile(self, level: int, number: int) -> bytes:
        """A tile's bytes, b"" where there is none. The last one of each level is kept."""
        held = self._held.get(level)
        if held is not None and held[0] == number:
            return held[1]
        name = self._name(level, number)
        found = b""
        if name and name in self._source.names:
            try:
                found = read(self._source, name, WIDTH * _HASH)
            except FileBroken as error:
                self._verdict.found("file", name=name, why=error.why)
        self._held[level] = (number, found)
        return found

    def _name(self, level: int, number: int) -> str:
        """The name that the tile has in a log of this size, or nothing."""
        width = width_of(level, number, self._size)
        return path_of(level, number, width) if width else ""

    def take(self, lines: Sequence[bytes]) -> None:
        """The next lines."""
        for line in lines:
            self._row += 1
            number, _, leaf = line.partition(b" ")
            if not number.isdigit() or len(number) > len(str(self._size)) or b"%d" % int(number) != number:
                self._verdict.found("no_position", row=self._row)
                continue
            self._entry(int(number), leaf)

    def _entry(self, position: int, leaf: bytes) -> None:
        if position >= self._size:
            self._verdict.found("beyond", position=position, size=self._size)
            return
        if position <= self._last:
            self._verdict.found("position_back", position=self._last + 1, found=position)
            return
        self._last = position
        offset = position % WIDTH * _HASH
        hashes = self.tile(0, position // WIDTH)[offset : offset + _HASH]
        if len(hashes) != _HASH:
            name = self._name(0, position // WIDTH)
            self._verdict.found("entry_unproven", position=position, name=name)
        elif hashes != leaf_hash(leaf):
            self._verdict.found("entry_changed", position=position)

    def finish(self, root: bytes) -> None:
        """After the last line: the tiles against each other, and against the checkpoint's root."""
        try:
            if self.tree.root() != root:
                self._verdict.found("root")
        except ProofBroken as error:
            self._verdict.found("file", name=str(error).partition(" ")[0], why="missing or too short")
        for name in sorted(name for name in self._source.names if name.startswith("tile/")):
            self._linked(name)

    def _linked(self, name: str) -> None:
        """A full tile's root stands in the tile above it; one that is not full is a part of the root itself."""
        level, number, width = place_of(name, self._size) or (None, 0, 0)
        if not isinstance(level, int):
            self._verdict.found("tile_foreign", name=name)
            return
        hashes = self.tile(level, number)
        if len(hashes) != width * _HASH:
            self._verdict.found("tile_changed", name=name)
        elif width == WIDTH:
            offset = number % WIDTH * _HASH
            if self.tile(level + 1, number // WIDTH)[offset : offset + _HASH] != top(hashes):
                self._verdict.found("tile_unlinked", name=name)
