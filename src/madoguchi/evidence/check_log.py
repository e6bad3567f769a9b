"""Checks the whole log of a bundle: entries in order, their hashes, every tile, the root. Streams."""

from collections.abc import Iterator, Sequence

from madoguchi.evidence.bundle import LONGEST_ENTRY, entry_bundle
from madoguchi.evidence.merkle import EMPTY_ROOT, leaf_hashes
from madoguchi.evidence.source import FileBroken, Source, read
from madoguchi.evidence.tiles import WIDTH, Tree, path_of, place_of, top
from madoguchi.evidence.verdict import Verdict

_HASH = 32
_FULL = WIDTH * _HASH
_ENTRY_BUNDLE = WIDTH * (LONGEST_ENTRY + 2)


class WholeLog:
    """Takes the lines of `events.jsonl` from position 0 on. `roots`: the root at each size that was asked for.

    After a line that is out of its place nothing more is compared: everything behind it stands elsewhere.
    """

    def __init__(self, source: Source, verdict: Verdict, size: int, sizes: Sequence[int]) -> None:
        self._source, self._verdict, self._size = source, verdict, size
        self._wanted = sorted({one for one in sizes if 0 < one <= size})
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self.broken = False
        self._rows = [b""]  # the last tile of each level; a full one stays until the next begins
        self._leaves: list[bytes] = []
        self._at = 0

    def take(self, lines: Sequence[bytes]) -> None:
        """The next lines."""
        begin = 0
        while begin < len(lines) and not self.broken:
            room = WIDTH - len(self._leaves)
            self._some(lines[begin : begin + room])
            begin += room
            if len(self._leaves) == WIDTH:
                self._flush()

    def _some(self, lines: Sequence[bytes]) -> None:
        keep, at = self._leaves.append, self._at
        for line in lines:
            number, _, leaf = line.partition(b" ")
            if number != b"%d" % at or at >= self._size:
                self._at = at
                self._misplaced(number)
                return
            keep(leaf)
            at += 1
        self._at = at

    def _misplaced(self, number: bytes) -> None:
        self.broken = True
        if self._at >= self._size:
            self._verdict.found("beyond", size=self._size)
            return
        if not number.isdigit() or len(number) > len(str(self._size)):
            self._verdict.found("no_position", row=self._at + 1)
            return
        found = int(number)
        code = "position_missing" if found > self._at else "position_back"
        self._verdict.found(code, position=self._at, found=found)

    def _flush(self) -> None:
        """Compare what was gathered with its tiles, and carry full tiles upwards."""
        begin = self._at - len(self._leaves)
        self._rows[0] = leaf_hashes(self._leaves)
        self._compare_leaves(begin, self._rows[0])
        self._leaves = []
        self._carry(begin // WIDTH)
        self._take_roots()

    def _carry(self, number: int) -> None:
        level = 0
        while len(self._rows[level]) == _FULL:
            if level:
                self._compare(level, number, self._rows[level])
            above = top(self._rows[level])
            level, number = level + 1, number // WIDTH
            if level == len(self._rows):
                self._rows.append(b"")
            self._rows[level] = above if len(self._rows[level]) == _FULL else self._rows[level] + above

    def _take_roots(self) -> None:
        tree = Tree(lambda level, _: self._rows[level], self._at)
        while self._wanted and self._wanted[0] <= self._at:
            size = self._wanted.pop(0)
            self.roots[size] = tree.root(size)

    def _compare_leaves(self, begin: int, row: bytes) -> None:
        """Against the lowest tile and the bundle of entries; the last ones may be cut off here."""
        number, width = begin // WIDTH, min(WIDTH, self._size - begin)
        if len(self._leaves) == width:
            self._compare_entries(path_of("entries", number, width))
        name = path_of(0, number, width)
        theirs = self._read(name, _FULL)
        if theirs is None or theirs == row:
            return
        if len(self._leaves) == width:
            self._verdict.found("tile_changed", name=name)
        if len(theirs) == width * _HASH:
            self.broken = tell_apart(self._verdict, begin, _hashes(row), _hashes(theirs))

    def _compare(self, level: int, number: int, mine: bytes) -> None:
        name = path_of(level, number, len(mine) // _HASH)
        theirs = self._read(name, _FULL)
        if theirs is not None and theirs != mine:
            self._verdict.found("tile_changed", name=name)

    def _compare_entries(self, name: str) -> None:
        theirs = self._read(name, _ENTRY_BUNDLE)
        if theirs is None:
            return
        if theirs != entry_bundle([leaf for leaf in self._leaves if len(leaf) <= LONGEST_ENTRY]):
            self._verdict.found("entry_tile", name=name)

    def _read(self, name: str, limit: int) -> bytes | None:
        try:
            return read(self._source, name, limit)
        except FileBroken as error:
            self._verdict.found("file", name=name, why=error.why)
            return None

    def finish(self) -> bool:
        """After the last line: whether all of it could be compared."""
        if not self.broken and self._leaves:
            self._flush()
        if not self.broken and self._at < self._size:
            self.broken = True
            self._verdict.found("end_missing", position=self._at, count=self._size - self._at)
        if self.broken:
            return False
        for level, row in enumerate(self._rows[1:], start=1):
            if len(row) < _FULL:
                self._compare(level, (self._size >> 8 * level) // WIDTH, row)
        return True

    def foreign(self) -> Iterator[str]:
        """Names under `tile/` that the log does not have."""
        for name in self._source.names:
            if name.startswith("tile/") and place_of(name, self._size) is None:
                yield name


def _hashes(row: bytes) -> list[bytes]:
    return [row[at : at + _HASH] for at in range(0, len(row), _HASH)]


def tell_apart(verdict: Verdict, first: int, mine: list[bytes], due: list[bytes]) -> bool:
    """Say what was done to entries whose hashes are not the due ones. `first`: position of the first of them.

    Swapped, removed with the later ones moved up, put in, or changed: as far as these hashes tell. Entries at the end
    may be missing altogether; that alone says nothing here. Returns whether all later ones stand elsewhere.
    """
    wrong = [at for at in range(len(mine)) if mine[at] != due[at]]
    if not wrong:
        return False
    at = wrong[0]
    cut = len(due) - len(mine)
    removed = cut if cut and mine[at:] == due[at + cut :] else _shift(mine[at:], due[at:])
    added = _shift(due[at:], mine[at:])
    if len(wrong) == 1 and not (cut and removed):
        verdict.found("entry_changed", position=first + at)
    elif len(wrong) == 2 and not cut and mine[at] == due[wrong[1]] and mine[wrong[1]] == due[at]:
        verdict.found("entry_swapped", position=first + at, other=first + wrong[1])
    elif removed or added:
        code = "entry_removed" if removed else "entry_added"
        verdict.found(code, position=first + at, count=removed or added)
        return True
    else:
        for one in wrong[:3]:
            verdict.found("entry_changed", position=first + one)
        verdict.found("several_changed", position=first + at)
    return False


def _shift(shorter: list[bytes], longer: list[bytes]) -> int:
    """By how many places `shorter` runs ahead of `longer`; 0 if it does not."""
    if shorter[0] not in longer:
        return 0
    by = longer.index(shorter[0])
    same = len(longer) - by
    return by if same > 1 and shorter[:same] == longer[by:] else 0
