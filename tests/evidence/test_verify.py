"""The check as a program: alone with `cryptography`, exit codes, hostile bundles, any byte flipped."""

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evidence.logbook import Logbook, Terminal, key_of, uuid_of
from madoguchi.evidence import bundle, verify
from madoguchi.evidence.check_log import tell_apart
from madoguchi.evidence.check_visits import Visits
from madoguchi.evidence.facts import Fact
from madoguchi.evidence.keys import public_text
from madoguchi.evidence.remarks import NOTES
from madoguchi.evidence.verdict import Verdict, plain
from madoguchi.evidence.words import FINDINGS, HOLDS, HOLDS_OF_A_PART

Run = Callable[..., tuple[int, str]]
SOURCES = Path(verify.__file__).parents[2]
ALONE = """
import sys, runpy
allowed = sys.stdlib_module_names | {"cryptography", "cffi", "_cffi_backend", "madoguchi"}
class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"{name} must not be needed")
        if name.startswith("madoguchi.") and not (name + ".").startswith("madoguchi.evidence."):
            raise ModuleNotFoundError(f"{name} must not be needed")
sys.meta_path.insert(0, Guard())
sys.argv = ["verify", *sys.argv[1:]]
runpy.run_module("madoguchi.evidence.verify", run_name="__main__")
"""


@pytest.fixture(scope="session")
def book() -> Logbook:
    return Logbook.office(days=8)


def stamped(book: Logbook, under: Path) -> Path:
    """The whole log with an older checkpoint and something like a time stamp."""
    note = book.checkpoint()
    stamp = (len(book.entries), b"token of " + hashlib.sha256(note.encode()).digest())
    return book.write(under, anchors=[book.checkpoint(len(book.entries) // 3)], stamps=[stamp], checkpoint=note)


@pytest.fixture(scope="session")
def folder(book: Logbook, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Never written to."""
    return stamped(book, tmp_path_factory.mktemp("verify") / "bundle")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(path: Path, *arguments: str) -> tuple[int, str]:
        code = verify.main([str(path), "--jobs", "1", *arguments])
        captured = capfd.readouterr()
        assert captured.err == ""
        return code, captured.out

    return call


def alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ALONE, *arguments],
        env={"PYTHONPATH": str(SOURCES), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_needs_cryptography_alone(folder: Path, book: Logbook) -> None:
    done = alone(str(folder), "--key", book.vkey, "--jobs", "2")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "Result: everything that was checked holds." in done.stdout


def test_the_guard_of_that_test_guards() -> None:
    code = ALONE.replace('runpy.run_module("madoguchi.evidence.verify", run_name="__main__")', "import rfc8785")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "rfc8785 must not be needed" in done.stderr


def test_a_zip_is_checked_as_a_folder_is(run: Run, folder: Path, tmp_path: Path) -> None:
    packed = tmp_path / "bundle.zip"
    bundle.pack(folder, packed)
    code, words = run(packed)
    assert code == 0
    assert words.splitlines()[1:] == run(folder)[1].splitlines()[1:]


def test_any_number_of_processes_says_the_same(run: Run, tmp_path: Path) -> None:
    large = Logbook.office(days=80)
    position = large.at("end", uuid_of("市民E 70"))
    large.change(position, lambda given: given["statement"]["body"].update(cause="idle"))
    path = large.write(tmp_path / "b")
    assert (path / "events.jsonl").stat().st_size > 1 << 20
    code, words = run(path)
    assert code == 1
    assert f"position {position}" in words
    assert run(path, "--jobs", "3") == (code, words)


def test_a_part_is_checked(run: Run, book: Logbook, tmp_path: Path) -> None:
    visit = uuid_of("市民E 2")
    scope = {"kind": "visit", "visits": [visit]}
    code, words = run(book.write(tmp_path / "v", scope=scope, positions=book.positions_of(visit)))
    assert code == 0, words
    assert "Every entry of the bundle stands in the checkpoint's log, unchanged and at its position." in words
    assert "This is a part of the log: whether entries were left out of the bundle cannot be seen." in words
    assert "In a bundle of visits the numbers of devices cannot be checked for gaps." in words


def test_a_period_is_checked_for_gaps_within_it(run: Run, book: Logbook, tmp_path: Path) -> None:
    """A visit that began before the period is said to; the devices' numbers may begin anywhere."""
    positions = [0, 1, *range(60, 150)]
    scope = {"kind": "period", "from": "x", "to": "y"}
    code, words = run(book.write(tmp_path / "p", scope=scope, positions=positions))
    assert code == 0, words
    assert "of this visit is outside the bundle." in words
    positions.remove(book.at("end", uuid_of("市民A 3")))
    code, words = run(book.write(tmp_path / "q", scope=scope, positions=positions))
    assert code == 1
    assert f"visit {uuid_of('市民A 3')}: The visit's statements 4 to 4 are missing." in words
    assert "are missing, and nothing explains it." in words


def test_what_is_said_beside_the_findings(run: Run, folder: Path, book: Logbook) -> None:
    words = run(folder)[1]
    assert f"Compare its fingerprint 6aaa10ac693a473c with the one on paper: {book.vkey}" in words
    assert "was erased on 2027-04-01T00:00:00+09:00 (retention); the proofs still hold." in words
    assert "The terminal's clock was 400 seconds off." in words
    assert "numbers 5 to 6: the server has recorded a gap or refused messages." in words
    assert "The log continues the older checkpoint anchors/98-1.note (98 entries)." in words
    assert "There is a time stamp stamps/296.tsr: check it with openssl ts -verify." in words
    assert "Compare its fingerprint" not in run(folder, "--key", book.vkey)[1]


def test_hashes_only(run: Run, folder: Path) -> None:
    code, words = run(folder, "--log-only")
    assert code == 0
    assert "－ signers: 確かめていません。 Not checked." in words
    assert "Signatures and contents were not checked (--log-only)." in words


def test_json(run: Run, folder: Path, tmp_path: Path) -> None:
    code, words = run(folder, "--json")
    said = json.loads(words)
    assert (code, said["holds"], said["size"], said["scope"]) == (0, True, 296, "all")
    assert {check["name"]: check["state"] for check in said["checks"]} == dict.fromkeys(HOLDS, "holds")
    copy = Path(shutil.copytree(folder, tmp_path / "b"))
    lines = (copy / "events.jsonl").read_bytes().splitlines(keepends=True)
    (copy / "events.jsonl").write_bytes(b"".join(lines[:-2]))
    code, words = run(copy, "--json")
    said = json.loads(words)
    assert (code, said["holds"]) == (1, False)
    [log] = [check for check in said["checks"] if check["name"] == "log"]
    assert [(one["code"], one["position"]) for one in log["findings"]] == [("end_missing", 294)]


def test_an_erasure_that_no_statement_tells_of(run: Run, tmp_path: Path) -> None:
    """Erased after the checkpoint, or never: the log does not say so."""
    book = Logbook.office()
    del book.entries[40:], book.about[40:]
    at = book.at("payload_erased")
    book.change(at, lambda given: given["statement"]["body"].update(commitments=[]), resign=book.server)
    code, words = run(book.write(tmp_path / "b"))
    assert code == 0
    assert "but no statement of the bundle says so yet." in words


@pytest.mark.parametrize("kind", ["revoked", "enrolled"])
def test_a_machine_that_speaks_after_it_was_replaced(run: Run, tmp_path: Path, kind: str) -> None:
    book, old = Logbook(), Terminal("窓口1", key_of("old"))
    book.enrol(old)
    book.state(kind, terminal=old, body={"public_key": public_text(key_of("new"))})
    position = book.report("sweep_proven", terminal=old)
    code, words = run(book.write(tmp_path / "b"))
    assert code == 0
    assert f"position {position}: Terminal {old.id}: signed with a key (fingerprint" in words
    assert "whose enrolment was revoked or replaced before." in words


def test_stamps(run: Run, folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "b"))
    (copy / "stamps/50.tsr").write_bytes(b"of an older checkpoint")
    head = json.loads((copy / "bundle.json").read_text())
    head["counts"]["stamps"] = 2
    (copy / "bundle.json").write_text(json.dumps(head))
    code, words = run(copy)
    assert code == 0
    assert "The checkpoint of the time stamp stamps/50.tsr is not in the bundle; it was not compared." in words
    (copy / "stamps/296.tsr").write_bytes(b"of another checkpoint")
    code, words = run(copy)
    assert code == 1
    assert "The time stamp stamps/296.tsr is not of a checkpoint in the bundle." in words


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


@pytest.mark.parametrize("key", ["", "x", "a+b+c", "madoguchi.example/counter+00000000+AAAA"])
def test_a_key_that_is_none(run: Run, folder: Path, key: str) -> None:
    assert run(folder, "--key", key)[0] == 2


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"x" * 2_000_000])
def test_an_anchor_that_cannot_be_read(run: Run, folder: Path, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "old.note").write_bytes(content)
    code, words = run(folder, "--anchor", str(tmp_path / "old.note"))
    assert code == 1
    assert "The older checkpoint old.note cannot be read." in words


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


def test_an_empty_log(run: Run, tmp_path: Path) -> None:
    code, words = run(Logbook().write(tmp_path / "b"))
    assert code == 0, words


def test_a_visit_whose_statements_stand_the_other_way_round() -> None:
    """Two transactions of one moment may be integrated in either order: the numbers tell, not the positions."""
    kinds = ["issue", "call", "bind_card", "end", "wipe_proven", "confirm", "close"]
    verdict = Verdict()
    visits = Visits(verdict, whole=True)
    for position, order in enumerate([1, 3, 2, 5, 4, 7, 6]):
        visits.take(Fact(position, "", kind=kinds[order - 1], visit="v", order=order, noted=order))
    visits.finish()
    assert (verdict.findings, verdict.notes) == ([], [])


@pytest.mark.parametrize(
    ("mine", "due", "code"),
    [
        ("abcd", "abxd", "entry_changed"),
        ("acbd", "abcd", "entry_swapped"),
        ("acdx", "abcd", "entry_removed"),
        ("axbc", "abcd", "entry_added"),
        ("xbyd", "abcd", "several_changed"),
        ("bcad", "abcd", "several_changed"),
        ("abd", "abcd", "entry_removed"),
        ("bcd", "abcd", "entry_removed"),
        ("ad", "abcd", "entry_removed"),
        ("abx", "abcd", "entry_changed"),
    ],
)
def test_what_was_done_to_entries(mine: str, due: str, code: str) -> None:
    verdict = Verdict()
    tell_apart(verdict, 0, [one.encode() for one in mine], [one.encode() for one in due])
    assert verdict.findings[-1].code == code


def test_what_was_not_checked_does_not_hold() -> None:
    verdict = Verdict()
    assert verdict.exit == 1
    verdict.done.update(HOLDS)
    assert verdict.exit == 0


def test_every_sentence_is_said_in_two_languages() -> None:
    told = [(words.ja, words.en) for words in (*FINDINGS.values(), *NOTES.values())]
    for ja, en in [*HOLDS.values(), *HOLDS_OF_A_PART.values(), *told]:
        assert re.search(r"[ぁ-ん]", ja)
        assert re.fullmatch(r"[ -~]+", en)
        assert set(re.findall(r"{(\w+)}", ja)) == set(re.findall(r"{(\w+)}", en))
    assert {words.check for words in FINDINGS.values()} == set(HOLDS)


def test_what_a_bundle_says_is_printed_safely() -> None:
    assert plain("a\x1b[31m\n\u202e\ud800あ") == "a?[31m???あ"
    assert len(plain("x" * 5000)) == 201
    assert plain(10**4000) == "…"
