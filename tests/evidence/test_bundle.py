"""Writing bundles: the files are those of the contract, complete or not there at all, the same bytes every time."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evidence.logbook import Logbook, uuid_of
from madoguchi.evidence import bundle, tiles
from madoguchi.evidence.errors import BundleRefused, CheckpointBroken, EvidenceError, ProofBroken
from madoguchi.evidence.merkle import check_inclusion, leaf_hash
from madoguchi.evidence.note import Checkpoint, Verifier, open_note

BOOK = Logbook.office(days=9)
VISIT = uuid_of("市民B 4")


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_whole_log(tmp_path: Path) -> None:
    folder = BOOK.write(tmp_path / "b", anchors=[BOOK.checkpoint(3)], stamps=[(len(BOOK.entries), b"token")])
    size = len(BOOK.entries)
    expected = {tiles.path_of(*tile) for tile in tiles.tiles_of(size)}
    expected |= {tiles.path_of("entries", number, width) for level, number, width in tiles.tiles_of(size) if not level}
    expected |= {"bundle.json", "checkpoint", "events.jsonl", "payloads.jsonl", "erasures.jsonl"}
    assert names(folder) == expected | {"anchors/3-1.note", f"stamps/{size}.tsr"}
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    assert lines == [b"%d %b" % row for row in enumerate(BOOK.entries)]
    head = json.loads((folder / "bundle.json").read_text())
    assert head.keys() == bundle.HEAD
    assert head["counts"] == {
        "anchors": 1,
        "entries": size,
        "erasures": len(BOOK.erasures),
        "payloads": len(BOOK.payloads),
        "stamps": 1,
    }
    text, _ = open_note((folder / "checkpoint").read_text(), [Verifier.parse(head["log_key"])])
    assert Checkpoint.parse(text).size == size


def test_the_tiles_read_as_another_program_would(tmp_path: Path) -> None:
    """An inclusion proof from the files alone, by the rules of the specification."""
    folder, size = BOOK.write(tmp_path / "b"), len(BOOK.entries)

    def read(level: int, number: int) -> bytes:
        width = min(256, (size >> 8 * level) - 256 * number)
        return (folder / tiles.path_of(level, number, width)).read_bytes()

    tree = tiles.Tree(read, size)
    root = Checkpoint.parse((folder / "checkpoint").read_text().partition("\n\n")[0] + "\n").root
    raw = (folder / "tile/entries/000").read_bytes()
    entries: list[bytes] = []
    while raw:
        length = int.from_bytes(raw[:2], "big")
        entries.append(raw[2 : 2 + length])
        raw = raw[2 + length :]
    assert entries == BOOK.entries[:256]
    for index in (0, 17, 255):
        check_inclusion(index, size, leaf_hash(entries[index]), tree.inclusion(index), root)


def test_a_visit(tmp_path: Path) -> None:
    positions = BOOK.positions_of(VISIT)
    folder = BOOK.write(
        tmp_path / "b",
        scope={"kind": "visit", "visits": [VISIT]},
        positions=positions,
        anchors=[BOOK.checkpoint(100), BOOK.checkpoint()],
    )
    found = names(folder)
    assert {one for one in found if one.startswith("tile/")} == {"tile/0/000", "tile/0/001.p/76", "tile/1/000.p/1"}
    assert {one for one in found if one.startswith("anchors/")} == {
        "anchors/100-1.note",
        "anchors/100-1.proof",
        f"anchors/{len(BOOK.entries)}-2.note",
        f"anchors/{len(BOOK.entries)}-2.proof",
    }
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    assert [int(line.partition(b" ")[0]) for line in lines] == positions


def test_the_form_of_contents(tmp_path: Path) -> None:
    folder = BOOK.write(tmp_path / "b")
    shown = json.loads((folder / "payloads.jsonl").read_text().splitlines()[0])
    assert sorted(shown) == ["commitment", "kind", "payload", "salt", "visit"]
    erased = json.loads((folder / "erasures.jsonl").read_text().splitlines()[0])
    assert sorted(erased) == ["commitment", "erased_at", "kind", "reason", "visit"]


def test_a_zip_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        bundle.pack(BOOK.write(tmp_path / name), tmp_path / f"{name}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert packed.namelist() == sorted(names(tmp_path / "a"))
        assert {info.date_time for info in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        for name in packed.namelist():
            assert packed.read(name) == (tmp_path / "a" / name).read_bytes()
    assert (tmp_path / "a.zip").stat().st_mode & 0o777 == 0o644


def parts(**changed: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "scope": {"kind": "all"},
        "log_key": BOOK.vkey,
        "labels": {},
        "made_at": "2022-08-18T09:00:00+09:00",
        "checkpoint_note": BOOK.checkpoint(),
        "entries": list(enumerate(BOOK.entries)),
        "read_tile": tiles.from_mapping(BOOK.tiles()),
    }
    return given | changed


def breaking() -> Iterator[tuple[int, bytes]]:
    yield 0, BOOK.entries[0]
    raise OSError("the database went away")


PART = {"kind": "period"}
OTHER = Verifier("other.example", Verifier.parse(BOOK.vkey).public).text()
REFUSED: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "an unknown scope": ({"scope": {"kind": "half"}}, BundleRefused),
    "one entry too few": ({"entries": list(enumerate(BOOK.entries))[:-1]}, BundleRefused),
    "one entry left out": ({"entries": [row for row in enumerate(BOOK.entries) if row[0] != 5]}, BundleRefused),
    "one entry too many": ({"entries": list(enumerate([*BOOK.entries, b"x"]))}, BundleRefused),
    "going back": ({"scope": PART, "entries": [(5, b"{}"), (4, b"{}")]}, BundleRefused),
    "twice the same": ({"scope": PART, "entries": [(5, b"{}"), (5, b"{}")]}, BundleRefused),
    "beyond the checkpoint": ({"scope": PART, "entries": [(len(BOOK.entries), b"{}")]}, BundleRefused),
    "more than a line": ({"scope": PART, "entries": [(5, b"{\n}")]}, BundleRefused),
    "an empty entry": ({"scope": PART, "entries": [(5, b"")]}, BundleRefused),
    "too long for C2SP": ({"scope": PART, "entries": [(5, b"x" * 65_536)]}, BundleRefused),
    "tiles are missing": ({"read_tile": lambda *_: b""}, ProofBroken),
    "another log's key": ({"log_key": OTHER}, CheckpointBroken),
    "no checkpoint": ({"checkpoint_note": "x"}, CheckpointBroken),
    "an anchor that is none": ({"anchors": ["x"]}, CheckpointBroken),
    "the source breaks": ({"entries": breaking()}, OSError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_is_left_of_what_was_refused(tmp_path: Path, case: str) -> None:
    changed, error = REFUSED[case]
    with pytest.raises(error):
        bundle.write(tmp_path / "b", **parts(**changed))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(BundleRefused) as caught:
        bundle.write(tmp_path / "b", **parts())
    assert caught.value.sentence
    assert caught.value.code == "BundleRefused"
    assert isinstance(caught.value, EvidenceError)


def test_a_broken_pack_leaves_nothing(tmp_path: Path) -> None:
    folder = BOOK.write(tmp_path / "b")
    (tmp_path / "taken.zip").mkdir()
    with pytest.raises(OSError, match="taken"):
        bundle.pack(folder, tmp_path / "taken.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "taken.zip"]


def test_an_empty_log(tmp_path: Path) -> None:
    book = Logbook()
    folder = book.write(tmp_path / "b")
    assert (folder / "events.jsonl").read_bytes() == b""
    assert not [one for one in names(folder) if one.startswith("tile/")]
