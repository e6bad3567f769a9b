"""Tamper trials on a bundle of one visit: each is found, and the words say where and what."""

import json
from pathlib import Path

import pytest

from evidence.logbook import Logbook, uuid_of
from evidence.support import Run, put, rows


@pytest.fixture
def part(run: Run, tmp_path: Path) -> tuple[Logbook, Path]:
    """One visit out of a log of some hundred entries."""
    book = Logbook.office(days=20)
    visit = uuid_of("市民D 3")
    scope = {"kind": "visit", "visits": [visit]}
    folder = book.write(
        tmp_path / "part", scope=scope, positions=book.positions_of(visit), anchors=[book.checkpoint(300)]
    )
    code, words = run(folder)
    assert code == 0, words
    return book, folder


def test_a_part_with_an_entry_changed(run: Run, part: tuple[Logbook, Path]) -> None:
    lines = rows(part[1])
    at = int(lines[4].partition(b" ")[0])
    lines[4] = lines[4].replace(b'"lease":1', b'"lease":2')
    put(part[1], lines)
    code, words = run(part[1])
    assert code == 1
    assert f"position {at}: The entry at this position was changed." in words


def test_a_part_with_an_entry_left_out(run: Run, part: tuple[Logbook, Path]) -> None:
    lines = rows(part[1])
    put(part[1], lines[:4] + lines[5:])
    code, words = run(part[1])
    assert code == 1
    assert f"visit {uuid_of('市民D 3')}: The visit's statements 3 to 3 are missing." in words


def test_a_part_without_its_first_entries(run: Run, part: tuple[Logbook, Path]) -> None:
    """In a period a visit may have begun before; in the bundle of that visit it may not."""
    put(part[1], [line for line in rows(part[1]) if b'"kind":"issue"' not in line])
    code, words = run(part[1])
    assert code == 1
    assert f"visit {uuid_of('市民D 3')}: The visit's statements 1 to 1 are missing." in words


def test_a_part_with_two_rows_swapped(run: Run, part: tuple[Logbook, Path]) -> None:
    lines = rows(part[1])
    lines[4], lines[5] = lines[5], lines[4]
    put(part[1], lines)
    code, words = run(part[1])
    assert code == 1
    at = int(lines[5].partition(b" ")[0])
    assert f"says {at}: lines were put in another order, or stand twice." in words


def test_a_part_without_its_last_entry(run: Run, part: tuple[Logbook, Path]) -> None:
    """Cut off at the end, a visit looks as if it were open: the number of entries tells."""
    put(part[1], rows(part[1])[:-1])
    code, words = run(part[1])
    assert code == 1
    assert "entries: 8, but the bundle says 9." in words


def test_a_part_of_another_visit(run: Run, part: tuple[Logbook, Path]) -> None:
    head = json.loads((part[1] / "bundle.json").read_text())
    head["scope"]["visits"] = [uuid_of("nobody")]
    (part[1] / "bundle.json").write_text(json.dumps(head))
    code, words = run(part[1])
    assert code == 1
    assert f"visit {uuid_of('nobody')}: The bundle has no statement of this visit." in words


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tile/0/000", "The tile tile/0/000 does not lead to the checkpoint."),
        ("tile/1/000.p/2", "The root over the entries is not the checkpoint's"),
        ("anchors/300-1.proof", "It is not proven that the log continues the older checkpoint"),
    ],
)
def test_a_part_with_its_proof_changed(run: Run, part: tuple[Logbook, Path], name: str, said: str) -> None:
    raw = bytearray((part[1] / name).read_bytes())
    raw[6] = raw[6] ^ 1 if name.startswith("tile") else (ord("A") if raw[6] != ord("A") else ord("B"))
    (part[1] / name).write_bytes(raw)
    code, words = run(part[1])
    assert code == 1
    assert said in words


def test_a_part_with_a_paper_that_cannot_be_compared(run: Run, part: tuple[Logbook, Path], tmp_path: Path) -> None:
    """Not compared is not proven. One that the bundle's own tiles lead to can be compared."""
    paper = tmp_path / "paper.note"
    paper.write_text(part[0].checkpoint(77))
    code, words = run(part[1], "--anchor", str(paper))
    assert (code, "The log continues the older checkpoint paper.note (77 entries)." in words) == (0, True)
    paper.write_text(part[0].checkpoint(400))
    code, words = run(part[1], "--anchor", str(paper))
    assert code == 1
    assert "The older checkpoint paper.note (400 entries) cannot be compared" in words
