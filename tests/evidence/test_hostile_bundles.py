"""Bundles that mean harm or are broken: said in words, never opened outside, no byte flipped unseen."""

import json
import os
import random
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evidence.logbook import Logbook
from evidence.support import Run, stamped
from madoguchi.evidence import bundle


def unreadable(tmp_path: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    yield "nothing there", tmp_path / "nobody"
    (tmp_path / "empty").mkdir()
    yield "an empty folder", tmp_path / "empty"
    (tmp_path / "text").write_text("no zip")
    yield "no zip", tmp_path / "text"
    changes: dict[str, Callable[[Path], object]] = {
        "no head": lambda at: (at / "bundle.json").unlink(),
        "a broken head": lambda at: (at / "bundle.json").write_text("{"),
        "a head that is a list": lambda at: (at / "bundle.json").write_text("[]"),
        "a deep head": lambda at: (at / "bundle.json").write_text("[" * 200_000),
        "an endless head": lambda at: (at / "bundle.json").write_bytes(b" " * 2_000_000),
        "a head of another form": lambda at: (at / "bundle.json").write_text('{"format": "x"}'),
        "no checkpoint": lambda at: (at / "checkpoint").unlink(),
        "a broken checkpoint": lambda at: (at / "checkpoint").write_bytes(b"\xff"),
        "a checkpoint of a number that is none": lambda at: (at / "checkpoint").write_text(
            f"a\n{'9' * 5000}\n{'A' * 43}=\n\n— a AAAA\n"
        ),
        "a head that is a link": lambda at: os.symlink((at / "bundle.json").rename(at / "moved"), at / "bundle.json"),
    }
    for name, change in changes.items():
        copy = Path(shutil.copytree(folder, tmp_path / name.replace(" ", "_")))
        change(copy)
        yield name, copy


def test_what_cannot_be_read(run: Run, folder: Path, tmp_path: Path) -> None:
    for name, path in unreadable(tmp_path, folder):
        code, words = run(path)
        assert (code, words.startswith("× 証拠の束を読めません。")) == (2, True), f"{name}: {words}"
        code, words = run(path, "--json")
        assert (code, json.loads(words)["unreadable"]) == (2, True), name


@pytest.mark.parametrize("name", ["events.jsonl", "payloads.jsonl", "erasures.jsonl", "tile/0/000", "tile/entries/000"])
def test_a_missing_file(run: Run, folder: Path, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "b"))
    (copy / name).unlink()
    code, words = run(copy)
    assert code == 1
    assert f"The file {name} cannot be read (missing)." in words


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("events.jsonl", b"x" * 3_000_000, "The file events.jsonl cannot be read (a line is too long)."),
        ("events.jsonl", b"0 {}", "The file events.jsonl cannot be read (the last line is cut off)."),
        ("events.jsonl", b"x\n", "events.jsonl, line 1, has no position."),
        ("events.jsonl", "０ {}\n".encode(), "events.jsonl, line 1, has no position."),
        ("events.jsonl", b"0" * 5000 + b" {}\n", "events.jsonl, line 1, has no position."),
        ("events.jsonl", b"0 {}\n", "position 0: The entry at this position does not have the form of one."),
        ("payloads.jsonl", b"{}\n", "payloads.jsonl, line 1, cannot be read."),
        ("payloads.jsonl", b"[" * 100_000 + b"\n", "payloads.jsonl, line 1, cannot be read."),
        ("payloads.jsonl", b"\xff\n", "payloads.jsonl, line 1, cannot be read."),
        ("erasures.jsonl", b"null\n", "erasures.jsonl, line 1, cannot be read."),
        ("tile/0/000", b"", "The tile tile/0/000 does not fit the entries"),
        ("tile/0/000", b"x" * 9000, "The file tile/0/000 cannot be read (too long)."),
    ],
)
def test_broken_files(run: Run, folder: Path, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "b"))
    (copy / name).write_bytes(content)
    code, words = run(copy)
    assert code == 1
    assert said in words


def test_links_are_not_followed_and_pipes_not_opened(run: Run, folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "b"))
    (copy / "payloads.jsonl").unlink()
    (copy / "payloads.jsonl").symlink_to("/etc/passwd")
    shutil.rmtree(copy / "tile/0")
    (copy / "tile/0").symlink_to("/")
    os.mkfifo(copy / "anchors/5.note")
    code, words = run(copy)
    assert code == 1
    for name in ("payloads.jsonl", "tile/0", "anchors/5.note"):
        assert f"{name} is no plain file; it was not opened." in words
    assert "root:" not in words


def test_what_does_not_belong_there_is_named(run: Run, folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "b"))
    (copy / "read\x1b[2Jme").write_text("x")
    code, words = run(copy)
    assert code == 0
    assert "read?[2Jme is no part of the bundle." in words


def test_zips_that_mean_harm(run: Run, folder: Path, tmp_path: Path) -> None:
    packed = tmp_path / "b.zip"
    bundle.pack(folder, packed)
    with zipfile.ZipFile(packed, "a") as file:
        file.writestr("../outside", "x")
        file.writestr("/etc/outside", "x")
        file.writestr("tile/0/../../../outside", "x")
    code, words = run(packed)
    assert code == 1
    assert "../outside is no part of the bundle." in words
    assert "tile/0/../../../outside is no tile of a log of this size." in words
    assert not (tmp_path.parent / "outside").exists()


def test_one_name_for_two_files(run: Run, folder: Path, tmp_path: Path) -> None:
    packed = tmp_path / "b.zip"
    bundle.pack(folder, packed)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(packed, "a") as file:
        file.writestr("checkpoint", "x")
    assert run(packed)[0] == 2


def test_a_zip_bomb_is_not_held_in_memory(run: Run, folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "b"))
    (copy / "payloads.jsonl").write_bytes(bytes(60_000_000))
    packed = tmp_path / "b.zip"
    bundle.pack(copy, packed)
    assert packed.stat().st_size < 1_000_000
    code, words = run(packed)
    assert code == 1
    assert "The file payloads.jsonl cannot be read (a line is too long)." in words


def test_any_byte_flipped_is_found(run: Run, tmp_path: Path) -> None:
    """A sample of every file's bytes. What is not found must be on the list of what may be harmless, and why."""
    chance = random.Random(20220817)  # noqa: S311 - a sample, not a secret
    copy = stamped(Logbook.office(), tmp_path / "b")
    unfound: dict[str, list[int]] = {}
    for path in sorted(one for one in copy.rglob("*") if one.is_file()):
        good = path.read_bytes()
        name = path.relative_to(copy).as_posix()
        for place in chance.sample(range(len(good)), min(len(good), 24)):
            flipped = bytearray(good)
            flipped[place] ^= 1 << chance.randrange(8)
            path.write_bytes(flipped)
            if run(copy)[0] == 0:
                unfound.setdefault(name, []).append(place)
        path.write_bytes(good)
    assert set(unfound) <= {"bundle.json", "payloads.jsonl", "erasures.jsonl", "stamps/44.tsr"}, unfound
    for name, places in unfound.items():
        good = (copy / name).read_bytes()
        assert all(_harmless(name, good, place) for place in places), (name, places)


def _harmless(name: str, good: bytes, place: int) -> bool:
    """Words for people that nobody signs: labels, when the bundle was made, the kinds and reasons beside contents."""
    if name.startswith("stamps/"):
        return place < good.index(b" of ") + 4
    if name == "bundle.json":
        made_at = good[good.rfind(b"\n", 0, place) + 1 :].startswith(b' "made_at": ')
        return made_at or good.index(b'"labels": ') < place < good.index(b'"log_key"')
    line_start = good.rfind(b"\n", 0, place) + 1
    field = re.findall(rb'"(\w+)":', good[line_start:place])
    return bool(field) and field[-1] in (b"kind", b"reason", b"erased_at")


def test_any_byte_of_a_zip_flipped_is_no_traceback(run: Run, folder: Path, tmp_path: Path) -> None:
    chance = random.Random(20220830)  # noqa: S311 - a sample, not a secret
    packed = tmp_path / "b.zip"
    bundle.pack(folder, packed)
    good = packed.read_bytes()
    for place in [*chance.sample(range(len(good)), 60), *range(len(good) - 22, len(good))]:
        flipped = bytearray(good)
        flipped[place] ^= 1 << chance.randrange(8)
        packed.write_bytes(flipped)
        assert run(packed)[0] in (0, 1, 2)
