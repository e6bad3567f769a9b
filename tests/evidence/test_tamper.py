"""Tamper trials on entries and tiles of the whole log: each is found, and the words say where and what."""

from pathlib import Path

import pytest

from evidence.logbook import Logbook
from evidence.support import Run, put, rows
from madoguchi.evidence.merkle import leaf_hash


def renumber(lines: list[bytes]) -> list[bytes]:
    return [b"%d %b" % (at, line.partition(b" ")[2]) for at, line in enumerate(lines)]


def test_untouched(run: Run, whole: tuple[Logbook, Path]) -> None:
    book, folder = whole
    code, words = run(folder, "--key", book.vkey)
    assert code == 0, words
    assert "×" not in words
    assert "The entries are the ones of the checkpoint: none changed, none missing, none moved." in words
    assert "Result: everything that was checked holds." in words


def test_a_byte_of_an_event(run: Run, copy: Path) -> None:
    lines = rows(copy)
    lines[40] = lines[40].replace(b'"kind":"', b'"kind":"x', 1)
    put(copy, lines)
    code, words = run(copy)
    assert code == 1
    assert "position 40: The entry at this position was changed." in words
    assert "位置 40: この位置の記録が変えられました。" in words
    assert "The root over the entries is not the checkpoint's: the log was changed." in words
    assert "The signature of this statement does not fit: statement or signature was changed." in words


def test_a_byte_of_a_signature(run: Run, copy: Path) -> None:
    lines = rows(copy)
    at = lines[41].index(b'"signature":"') + 20
    lines[41] = lines[41][:at] + (b"A" if lines[41][at : at + 1] != b"A" else b"B") + lines[41][at + 1 :]
    put(copy, lines)
    code, words = run(copy)
    assert code == 1
    assert "position 41: The entry at this position was changed." in words
    assert "The signature of this statement does not fit" in words
    assert "この記録の署名が正しくありません。" in words


def test_a_byte_of_a_signature_even_with_new_hashes(run: Run, tmp_path: Path) -> None:
    """Who holds the server's key can make a new tree over it, but not the device's signature."""
    book = Logbook.office()
    position = book.at("wipe_proven")
    book.change(position, lambda given: given["statement"]["body"].update(proof={"space": "none"}))
    code, words = run(book.write(tmp_path / "b"))
    assert code == 1
    assert f"position {position}, visit {book.about[position]}: The signature of this statement does not fit" in words
    assert "○ log" in words
    assert "A closed visit without wipe_proven, confirm, or with it out of order." in words


def test_a_row_removed_in_the_middle(run: Run, copy: Path) -> None:
    lines = rows(copy)
    put(copy, lines[:50] + lines[52:])
    code, words = run(copy)
    assert code == 1
    assert "position 50: The entry at this position is missing (the next is 52): entries were removed." in words
    assert "位置 50: この位置の記録がありません(次は位置 52)。記録が抜かれました。" in words


@pytest.mark.parametrize("at", [50, 270])
@pytest.mark.parametrize("count", [1, 3])
def test_rows_removed_in_the_middle_and_the_rest_moved_up(run: Run, copy: Path, count: int, at: int) -> None:
    """Also behind the last full tile, where it looks at first as if the end were missing."""
    lines = rows(copy)
    put(copy, renumber(lines[:at] + lines[at + count :]))
    code, words = run(copy)
    assert code == 1
    assert "the end was cut off" not in words
    assert f"position {at}: {count} entries were removed from this position on, and the later ones moved up." in words


def test_a_row_put_in(run: Run, copy: Path) -> None:
    lines = rows(copy)
    put(copy, renumber([*lines[:50], lines[3], *lines[50:]]))
    code, words = run(copy)
    assert code == 1
    assert "position 50: 1 entries that the log does not have were put in at this position." in words


@pytest.mark.parametrize("count", [1, 30])
def test_rows_removed_at_the_end(run: Run, whole: tuple[Logbook, Path], copy: Path, count: int) -> None:
    put(copy, rows(copy)[:-count])
    size = len(whole[0].entries)
    code, words = run(copy)
    assert code == 1
    assert f"position {size - count}: From this position on, the last {count} entries are missing" in words
    assert "終わりが切られました。" in words


def test_two_rows_swapped(run: Run, copy: Path) -> None:
    lines = rows(copy)
    lines[60], lines[61] = lines[61], lines[60]
    put(copy, lines)
    code, words = run(copy)
    assert code == 1
    assert "position 60: The entry at this position is missing (the next is 61)" in words


def test_two_rows_swapped_with_their_numbers(run: Run, copy: Path) -> None:
    lines = rows(copy)
    lines[60], lines[64] = lines[64], lines[60]
    put(copy, renumber(lines))
    code, words = run(copy)
    assert code == 1
    assert "position 60: The entry at this position was swapped with the one at position 64." in words


def test_a_row_twice(run: Run, copy: Path) -> None:
    lines = rows(copy)
    put(copy, [*lines[:60], lines[59], *lines[60:]])
    code, words = run(copy)
    assert code == 1
    assert "position 60: The line due at this position says 59" in words


def test_rows_beyond_the_checkpoint(run: Run, copy: Path) -> None:
    lines = rows(copy)
    put(copy, renumber([*lines, lines[0]]))
    code, words = run(copy)
    assert code == 1
    assert f"There are entries beyond the checkpoint ({len(lines)} entries)." in words


def test_a_tile_changed(run: Run, copy: Path) -> None:
    for name in ("tile/0/000", "tile/1/000.p/1"):
        raw = bytearray((copy / name).read_bytes())
        raw[5] ^= 1
        (copy / name).write_bytes(raw)
    code, words = run(copy)
    assert code == 1
    assert "The tile tile/0/000 does not fit the entries: it was changed." in words
    assert "The tile tile/1/000.p/1 does not fit the entries: it was changed." in words


def test_a_tile_changed_with_its_entry(run: Run, copy: Path) -> None:
    lines = rows(copy)
    lines[7] = lines[7].replace(b'"lease":', b'"lease":1', 1)
    put(copy, lines)
    raw = bytearray((copy / "tile/0/000").read_bytes())
    raw[7 * 32 : 8 * 32] = leaf_hash(lines[7].partition(b" ")[2])
    (copy / "tile/0/000").write_bytes(raw)
    code, words = run(copy)
    assert code == 1
    assert "The tile tile/1/000.p/1 does not fit the entries" in words
    assert "The root over the entries is not the checkpoint's" in words
    assert "The entries in tile/entries/000 are not the ones in events.jsonl." in words


def test_a_tile_removed_or_added(run: Run, copy: Path) -> None:
    (copy / "tile/0/000").unlink()
    (copy / "tile/0/900").write_bytes(bytes(256 * 32))
    code, words = run(copy)
    assert code == 1
    assert "The file tile/0/000 cannot be read (missing)." in words
    assert "tile/0/900 is no tile of a log of this size." in words


def test_a_full_tile_above_the_lowest(run: Run, tmp_path: Path) -> None:
    book = Logbook()
    book.entries = [b"{}"] * 65_536
    book.about = [None] * 65_536
    folder = book.write(tmp_path / "b")
    assert run(folder, "--log-only")[0] == 0
    raw = bytearray((folder / "tile/1/000").read_bytes())
    raw[77] ^= 1
    (folder / "tile/1/000").write_bytes(raw)
    code, words = run(folder, "--log-only")
    assert code == 1
    assert "The tile tile/1/000 does not fit the entries: it was changed." in words
