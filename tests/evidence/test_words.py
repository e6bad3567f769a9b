"""The words in docs/evidence.md are the words that are printed."""

import shutil
from pathlib import Path

import pytest

from evidence.logbook import Logbook, key_of, uuid_of
from madoguchi.evidence import verify

DOC = Path(__file__).parents[2] / "docs" / "evidence.md"


def example(good: Path) -> Logbook:
    """The log of the document: a morning with two visits."""
    book = Logbook.morning()
    book.write(good, anchors=[book.checkpoint(12)])
    return book


def printed(capfd: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> str:
    verify.main([str(folder), "--jobs", "1", *arguments])
    return capfd.readouterr().out


def test_the_good_case(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    book = example(tmp_path / "bundle")
    assert printed(capfd, tmp_path / "bundle", "--key", book.vkey) in DOC.read_text()


def test_the_bad_case(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One row taken out and the rest moved up."""
    book = example(tmp_path / "whole")
    folder = Path(shutil.copytree(tmp_path / "whole", tmp_path / "bundle"))
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    del lines[book.at("wipe_proven", uuid_of("市民B"))]
    moved = [b"%d %b\n" % (at, line.partition(b" ")[2]) for at, line in enumerate(lines)]
    (folder / "events.jsonl").write_bytes(b"".join(moved))
    assert printed(capfd, folder, "--key", book.vkey) in DOC.read_text()


def test_the_rewritten_case(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before, book = Logbook.morning(), Logbook.morning()
    at = book.at("end", uuid_of("市民A"))
    book.change(at, lambda given: given["statement"]["body"].update(cause="card_gone"), resign=key_of("one"))
    folder = book.write(tmp_path / "bundle", anchors=[before.checkpoint(12)])
    words = printed(capfd, folder, "--key", book.vkey)
    said = [line for line in words.splitlines() if "rewritten" in line or "書き換えて" in line]
    assert len(said) == 2
    for line in said:
        assert line.strip(" ×") in DOC.read_text()
