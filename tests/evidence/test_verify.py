"""The check as a program: alone with `cryptography`, exit codes, what it says beside its findings."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.logbook import Logbook, Terminal, key_of, uuid_of
from evidence.support import Run
from madoguchi.evidence import bundle, verify
from madoguchi.evidence.check_log import tell_apart
from madoguchi.evidence.check_visits import Visits
from madoguchi.evidence.facts import Fact
from madoguchi.evidence.keys import public_text
from madoguchi.evidence.remarks import NOTES
from madoguchi.evidence.verdict import Verdict, plain
from madoguchi.evidence.words import FINDINGS, HOLDS, HOLDS_OF_A_PART

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
