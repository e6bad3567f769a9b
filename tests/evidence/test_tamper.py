"""Tamper trials: each is found, and the words say where and what."""

import base64
import hmac
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidence.logbook import Logbook, Terminal, key_of, uuid_of
from madoguchi.evidence import verify
from madoguchi.evidence.bundle import Disclosed
from madoguchi.evidence.merkle import leaf_hash

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    """Runs the check in this process: exit code and everything it prints."""

    def run(folder: Path, *arguments: str) -> tuple[int, str]:
        code = verify.main([str(folder), "--jobs", "1", *arguments])
        return code, capfd.readouterr().out

    return run


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Logbook, Path]:
    """An untouched bundle of the whole log (never written to), with its log."""
    book = Logbook.office(days=8)
    return book, book.write(tmp_path_factory.mktemp("whole") / "bundle", anchors=[book.checkpoint(100)])


@pytest.fixture
def copy(whole: tuple[Logbook, Path], tmp_path: Path) -> Path:
    """A copy to tamper with."""
    return Path(shutil.copytree(whole[1], tmp_path / "copy"))


def rows(folder: Path, name: str = "events.jsonl") -> list[bytes]:
    return (folder / name).read_bytes().splitlines()


def put(folder: Path, lines: list[bytes], name: str = "events.jsonl") -> None:
    (folder / name).write_bytes(b"".join(line + b"\n" for line in lines))


def renumber(lines: list[bytes]) -> list[bytes]:
    return [b"%d %b" % (at, line.partition(b" ")[2]) for at, line in enumerate(lines)]


def test_untouched(say: Say, whole: tuple[Logbook, Path]) -> None:
    book, folder = whole
    code, words = say(folder, "--key", book.vkey)
    assert code == 0, words
    assert "×" not in words
    assert "The entries are the ones of the checkpoint: none changed, none missing, none moved." in words
    assert "Result: everything that was checked holds." in words


def test_a_byte_of_an_event(say: Say, copy: Path) -> None:
    lines = rows(copy)
    lines[40] = lines[40].replace(b'"kind":"', b'"kind":"x', 1)
    put(copy, lines)
    code, words = say(copy)
    assert code == 1
    assert "position 40: The entry at this position was changed." in words
    assert "位置 40: この位置の記録が変えられました。" in words
    assert "The root over the entries is not the checkpoint's: the log was changed." in words
    assert "The signature of this statement does not fit: statement or signature was changed." in words


def test_a_byte_of_a_signature(say: Say, copy: Path) -> None:
    lines = rows(copy)
    at = lines[41].index(b'"signature":"') + 20
    lines[41] = lines[41][:at] + (b"A" if lines[41][at : at + 1] != b"A" else b"B") + lines[41][at + 1 :]
    put(copy, lines)
    code, words = say(copy)
    assert code == 1
    assert "position 41: The entry at this position was changed." in words
    assert "The signature of this statement does not fit" in words
    assert "この記録の署名が正しくありません。" in words


def test_a_byte_of_a_signature_even_with_new_hashes(say: Say, tmp_path: Path) -> None:
    """Who holds the server's key can make a new tree over it, but not the device's signature."""
    book = Logbook.office()
    position = book.at("wipe_proven")
    book.change(position, lambda given: given["statement"]["body"].update(proof={"space": "none"}))
    code, words = say(book.write(tmp_path / "b"))
    assert code == 1
    assert f"position {position}, visit {book.about[position]}: The signature of this statement does not fit" in words
    assert "○ log" in words
    assert "A closed visit without wipe_proven, confirm, or with it out of order." in words


def test_a_byte_of_a_payload(say: Say, copy: Path) -> None:
    lines = rows(copy, "payloads.jsonl")
    lines[0] = lines[0].replace(b"600", b"601")
    put(copy, lines, "payloads.jsonl")
    code, words = say(copy)
    assert code == 1
    assert "payloads.jsonl, line 1: the content is not the committed one: it was changed or swapped." in words
    assert "内容が変えられたか、入れ替えられました。" in words


def test_a_payload_swapped_between_two_visits(say: Say, copy: Path) -> None:
    """With salt and commitment: each still fits by itself, but stands in the other visit's statement."""
    lines = [json.loads(line) for line in rows(copy, "payloads.jsonl")]
    one, other = [line for line in lines if line["kind"] == "signature"][:2]
    one["visit"], other["visit"] = other["visit"], one["visit"]
    put(copy, [json.dumps(line).encode() for line in lines], "payloads.jsonl")
    code, words = say(copy)
    assert code == 1
    assert words.count("stands in a statement of another visit: contents were swapped between visits.") == 2
    assert "内容が来庁の間で入れ替えられました。" in words


@pytest.mark.parametrize("names", [("payload",), ("payload", "salt")])
def test_a_payloads_content_swapped_between_two_visits(say: Say, copy: Path, names: tuple[str, ...]) -> None:
    lines = [json.loads(line) for line in rows(copy, "payloads.jsonl")]
    one, other = [line for line in lines if line["kind"] == "signature"][:2]
    for name in names:
        one[name], other[name] = other[name], one[name]
    put(copy, [json.dumps(line).encode() for line in lines], "payloads.jsonl")
    code, words = say(copy)
    assert code == 1
    assert words.count("the content is not the committed one: it was changed or swapped.") == 2


def test_a_payload_that_nobody_committed_to(say: Say, tmp_path: Path) -> None:
    book = Logbook.office()
    commitment = book.commit(book.about[2], "signature", {"strokes": []})
    visit = book.about[3]
    folder = book.write(tmp_path / "b")
    listed = book.payloads[-1]
    line = {name: getattr(listed, name) for name in listed.__slots__} | {"visit": visit}
    put(folder, [*rows(folder, "payloads.jsonl"), json.dumps(line).encode()], "payloads.jsonl")
    code, words = say(folder)
    assert code == 1
    assert f"The commitment {commitment} stands in no statement of the bundle." in words


def test_an_erasure_that_was_never_there(say: Say, copy: Path) -> None:
    lines = rows(copy, "erasures.jsonl")
    erased = json.loads(lines[0]) | {"commitment": "A" * 43 + "="}
    put(copy, [json.dumps(erased).encode(), *lines[1:]], "erasures.jsonl")
    code, words = say(copy)
    assert code == 1
    assert "stands in no statement of the bundle." in words


def test_a_content_that_is_shown_and_erased(say: Say, copy: Path) -> None:
    lines = rows(copy, "payloads.jsonl")
    shown = json.loads(lines[0])
    erased = json.loads(rows(copy, "erasures.jsonl")[0]) | {name: shown[name] for name in ("commitment", "visit")}
    put(copy, [json.dumps(erased).encode()], "erasures.jsonl")
    code, words = say(copy)
    assert code == 1
    assert "is listed twice." in words


def test_a_row_removed_in_the_middle(say: Say, copy: Path) -> None:
    lines = rows(copy)
    put(copy, lines[:50] + lines[52:])
    code, words = say(copy)
    assert code == 1
    assert "position 50: The entry at this position is missing (the next is 52): entries were removed." in words
    assert "位置 50: この位置の記録がありません(次は位置 52)。記録が抜かれました。" in words


@pytest.mark.parametrize("at", [50, 270])
@pytest.mark.parametrize("count", [1, 3])
def test_rows_removed_in_the_middle_and_the_rest_moved_up(say: Say, copy: Path, count: int, at: int) -> None:
    """Also behind the last full tile, where it looks at first as if the end were missing."""
    lines = rows(copy)
    put(copy, renumber(lines[:at] + lines[at + count :]))
    code, words = say(copy)
    assert code == 1
    assert "the end was cut off" not in words
    assert f"position {at}: {count} entries were removed from this position on, and the later ones moved up." in words


def test_a_row_put_in(say: Say, copy: Path) -> None:
    lines = rows(copy)
    put(copy, renumber([*lines[:50], lines[3], *lines[50:]]))
    code, words = say(copy)
    assert code == 1
    assert "position 50: 1 entries that the log does not have were put in at this position." in words


@pytest.mark.parametrize("count", [1, 30])
def test_rows_removed_at_the_end(say: Say, whole: tuple[Logbook, Path], copy: Path, count: int) -> None:
    put(copy, rows(copy)[:-count])
    size = len(whole[0].entries)
    code, words = say(copy)
    assert code == 1
    assert f"position {size - count}: From this position on, the last {count} entries are missing" in words
    assert "終わりが切られました。" in words


def test_rows_removed_at_the_end_with_a_new_checkpoint(say: Say, tmp_path: Path) -> None:
    """The key's holder can sign a shorter log. A paper that counts more tells."""
    book = Logbook.office()
    paper = tmp_path / "receipt.note"
    paper.write_text(book.checkpoint())
    size = len(book.entries)
    del book.entries[-5:], book.about[-5:]
    folder = book.write(tmp_path / "b")
    assert say(folder)[0] == 0
    code, words = say(folder, "--anchor", str(paper))
    assert code == 1
    assert f"The older checkpoint receipt.note counts {size} entries, the log now only {size - 5}" in words


def test_two_rows_swapped(say: Say, copy: Path) -> None:
    lines = rows(copy)
    lines[60], lines[61] = lines[61], lines[60]
    put(copy, lines)
    code, words = say(copy)
    assert code == 1
    assert "position 60: The entry at this position is missing (the next is 61)" in words


def test_two_rows_swapped_with_their_numbers(say: Say, copy: Path) -> None:
    lines = rows(copy)
    lines[60], lines[64] = lines[64], lines[60]
    put(copy, renumber(lines))
    code, words = say(copy)
    assert code == 1
    assert "position 60: The entry at this position was swapped with the one at position 64." in words


def test_a_row_twice(say: Say, copy: Path) -> None:
    lines = rows(copy)
    put(copy, [*lines[:60], lines[59], *lines[60:]])
    code, words = say(copy)
    assert code == 1
    assert "position 60: The line due at this position says 59" in words


def test_rows_beyond_the_checkpoint(say: Say, copy: Path) -> None:
    lines = rows(copy)
    put(copy, renumber([*lines, lines[0]]))
    code, words = say(copy)
    assert code == 1
    assert f"There are entries beyond the checkpoint ({len(lines)} entries)." in words


def rewritten() -> Logbook:
    """The same days, signed again by the holders of all keys: one cause is another, everything fits."""
    book = Logbook.office()
    position = book.at("end", uuid_of("市民B 0"))
    book.change(position, lambda given: given["statement"]["body"].update(cause="finish"), resign=key_of("two"))
    return book


def test_a_whole_history_signed_again_is_found_with_an_older_checkpoint_only(say: Say, tmp_path: Path) -> None:
    paper = tmp_path / "report.note"
    paper.write_text(Logbook.office().checkpoint(25))
    folder = rewritten().write(tmp_path / "b")
    code, words = say(folder)
    assert code == 0
    assert "No older checkpoint was compared: if the key's holder has rewritten the past" in words
    code, words = say(folder, "--anchor", str(paper))
    assert code == 1
    assert (
        "The first 25 entries are not those of the older checkpoint report.note: the history was rewritten and signed "
        "again by the holder of the key."
    ) in words
    assert "鍵を持つ者が、過去の記録を書き換えて署名し直しました。" in words
    assert say(folder, "--anchor", str(paper), "--log-only")[0] == 1


def test_a_history_signed_again_is_found_in_the_bundles_own_anchors(say: Say, tmp_path: Path) -> None:
    before, after = Logbook.office(), rewritten()
    code, words = say(after.write(tmp_path / "b", anchors=[before.checkpoint(5), before.checkpoint(30)]))
    assert code == 1
    assert "the older checkpoint anchors/30-2.note: the history was rewritten" in words
    assert "continues the older checkpoint anchors/5-1.note (5 entries)" in words


def test_a_history_signed_again_with_a_part_of_the_log(say: Say, tmp_path: Path) -> None:
    before, after = Logbook.office(), rewritten()
    visit = uuid_of("市民B 0")
    folder = after.write(
        tmp_path / "b",
        scope={"kind": "visit", "visits": [visit]},
        positions=after.positions_of(visit),
        anchors=[before.checkpoint(25), before.checkpoint()],
    )
    code, words = say(folder)
    assert code == 1
    assert "It is not proven that the log continues the older checkpoint anchors/25-1.note (25 entries)" in words
    assert f"The first {len(after.entries)} entries are not those of the older checkpoint" in words


def test_a_history_signed_again_with_another_key(say: Say, tmp_path: Path) -> None:
    book = Logbook.office()
    other = Logbook.office(server=key_of("another"))
    folder = other.write(tmp_path / "b", anchors=[book.checkpoint(25)])
    code, words = say(folder)
    assert code == 1
    assert "The older checkpoint anchors/25-1.note is not signed with this log's key." in words
    code, words = say(folder, "--key", book.vkey)
    assert code == 1
    assert "The key in the bundle is not the key that was given." in words
    assert "The checkpoint's signature does not fit, or is by another key: not the log of this key." in words
    assert "A server's statement is signed with another key" in words


def test_a_checkpoint_of_another_log(say: Say, tmp_path: Path) -> None:
    book, other = Logbook.office(), Logbook.office()
    folder = book.write(tmp_path / "b")
    other.origin = "other.example/log"
    (folder / "checkpoint").write_text(other.checkpoint())
    code, words = say(folder)
    assert code == 1
    assert "The checkpoint is of another log, other.example/log" in words
    paper = tmp_path / "other.note"
    paper.write_text(other.checkpoint())
    code, words = say(book.write(tmp_path / "c"), "--anchor", str(paper))
    assert code == 1
    assert "The older checkpoint other.note is of another log." in words


def test_a_checkpoint_of_the_same_log_at_another_time(say: Say, tmp_path: Path) -> None:
    book = Logbook.office()
    folder = book.write(tmp_path / "b")
    (folder / "checkpoint").write_text(book.checkpoint(20))
    code, words = say(folder)
    assert code == 1
    assert "There are entries beyond the checkpoint (20 entries)." in words


def test_a_tile_changed(say: Say, copy: Path) -> None:
    for name in ("tile/0/000", "tile/1/000.p/1"):
        raw = bytearray((copy / name).read_bytes())
        raw[5] ^= 1
        (copy / name).write_bytes(raw)
    code, words = say(copy)
    assert code == 1
    assert "The tile tile/0/000 does not fit the entries: it was changed." in words
    assert "The tile tile/1/000.p/1 does not fit the entries: it was changed." in words


def test_a_tile_changed_with_its_entry(say: Say, copy: Path) -> None:
    lines = rows(copy)
    lines[7] = lines[7].replace(b'"lease":', b'"lease":1', 1)
    put(copy, lines)
    raw = bytearray((copy / "tile/0/000").read_bytes())
    raw[7 * 32 : 8 * 32] = leaf_hash(lines[7].partition(b" ")[2])
    (copy / "tile/0/000").write_bytes(raw)
    code, words = say(copy)
    assert code == 1
    assert "The tile tile/1/000.p/1 does not fit the entries" in words
    assert "The root over the entries is not the checkpoint's" in words
    assert "The entries in tile/entries/000 are not the ones in events.jsonl." in words


def test_a_tile_removed_or_added(say: Say, copy: Path) -> None:
    (copy / "tile/0/000").unlink()
    (copy / "tile/0/900").write_bytes(bytes(256 * 32))
    code, words = say(copy)
    assert code == 1
    assert "The file tile/0/000 cannot be read (missing)." in words
    assert "tile/0/900 is no tile of a log of this size." in words


@pytest.fixture
def part(say: Say, tmp_path: Path) -> tuple[Logbook, Path]:
    """One visit out of a log of some hundred entries."""
    book = Logbook.office(days=20)
    visit = uuid_of("市民D 3")
    scope = {"kind": "visit", "visits": [visit]}
    folder = book.write(
        tmp_path / "part", scope=scope, positions=book.positions_of(visit), anchors=[book.checkpoint(300)]
    )
    code, words = say(folder)
    assert code == 0, words
    return book, folder


def test_a_part_with_an_entry_changed(say: Say, part: tuple[Logbook, Path]) -> None:
    lines = rows(part[1])
    at = int(lines[4].partition(b" ")[0])
    lines[4] = lines[4].replace(b'"lease":1', b'"lease":2')
    put(part[1], lines)
    code, words = say(part[1])
    assert code == 1
    assert f"position {at}: The entry at this position was changed." in words


def test_a_part_with_an_entry_left_out(say: Say, part: tuple[Logbook, Path]) -> None:
    lines = rows(part[1])
    put(part[1], lines[:4] + lines[5:])
    code, words = say(part[1])
    assert code == 1
    assert f"visit {uuid_of('市民D 3')}: The visit's statements 3 to 3 are missing." in words


def test_a_part_without_its_first_entries(say: Say, part: tuple[Logbook, Path]) -> None:
    """In a period a visit may have begun before; in the bundle of that visit it may not."""
    put(part[1], [line for line in rows(part[1]) if b'"kind":"issue"' not in line])
    code, words = say(part[1])
    assert code == 1
    assert f"visit {uuid_of('市民D 3')}: The visit's statements 1 to 1 are missing." in words


def test_a_part_with_two_rows_swapped(say: Say, part: tuple[Logbook, Path]) -> None:
    lines = rows(part[1])
    lines[4], lines[5] = lines[5], lines[4]
    put(part[1], lines)
    code, words = say(part[1])
    assert code == 1
    at = int(lines[5].partition(b" ")[0])
    assert f"says {at}: lines were put in another order, or stand twice." in words


def test_a_full_tile_above_the_lowest(say: Say, tmp_path: Path) -> None:
    book = Logbook()
    book.entries = [b"{}"] * 65_536
    book.about = [None] * 65_536
    folder = book.write(tmp_path / "b")
    assert say(folder, "--log-only")[0] == 0
    raw = bytearray((folder / "tile/1/000").read_bytes())
    raw[77] ^= 1
    (folder / "tile/1/000").write_bytes(raw)
    code, words = say(folder, "--log-only")
    assert code == 1
    assert "The tile tile/1/000 does not fit the entries: it was changed." in words


def test_a_salt_that_is_too_short(say: Say, tmp_path: Path) -> None:
    """Under an empty salt a short content could be guessed from its commitment."""
    book = Logbook.morning()
    payload = '{"strokes":[]}'
    weak = base64.b64encode(hmac.digest(b"", payload.encode(), "sha256")).decode()
    book.state("withdraw", visit=uuid_of("市民Q"), body={"reason": f"sealed:{weak}"})
    book.payloads.append(Disclosed(uuid_of("市民Q"), weak, "reason", "", payload))
    code, words = say(book.write(tmp_path / "b"))
    assert code == 1
    assert "the content is not the committed one: it was changed or swapped." in words


def test_a_part_without_its_last_entry(say: Say, part: tuple[Logbook, Path]) -> None:
    """Cut off at the end, a visit looks as if it were open: the number of entries tells."""
    put(part[1], rows(part[1])[:-1])
    code, words = say(part[1])
    assert code == 1
    assert "entries: 8, but the bundle says 9." in words


def test_a_part_of_another_visit(say: Say, part: tuple[Logbook, Path]) -> None:
    head = json.loads((part[1] / "bundle.json").read_text())
    head["scope"]["visits"] = [uuid_of("nobody")]
    (part[1] / "bundle.json").write_text(json.dumps(head))
    code, words = say(part[1])
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
def test_a_part_with_its_proof_changed(say: Say, part: tuple[Logbook, Path], name: str, said: str) -> None:
    raw = bytearray((part[1] / name).read_bytes())
    raw[6] = raw[6] ^ 1 if name.startswith("tile") else (ord("A") if raw[6] != ord("A") else ord("B"))
    (part[1] / name).write_bytes(raw)
    code, words = say(part[1])
    assert code == 1
    assert said in words


def test_a_part_with_a_paper_that_cannot_be_compared(say: Say, part: tuple[Logbook, Path], tmp_path: Path) -> None:
    """Not compared is not proven. One that the bundle's own tiles lead to can be compared."""
    paper = tmp_path / "paper.note"
    paper.write_text(part[0].checkpoint(77))
    code, words = say(part[1], "--anchor", str(paper))
    assert (code, "The log continues the older checkpoint paper.note (77 entries)." in words) == (0, True)
    paper.write_text(part[0].checkpoint(400))
    code, words = say(part[1], "--anchor", str(paper))
    assert code == 1
    assert "The older checkpoint paper.note (400 entries) cannot be compared" in words


def spoilt(alter: Callable[[Logbook, Terminal, Terminal], Any]) -> Logbook:
    """A log in which something is wrong although every hash fits."""
    book = Logbook()
    one, two = Terminal("窓口1", key_of("one")), Terminal("窓口2", key_of("two"))
    book.enrol(one)
    book.enrol(two)
    book.visit("市民A", one)
    alter(book, one, two)
    return book


def at_its_place(book: Logbook, one: Terminal, **changed: Any) -> str:
    """A visit of which one statement is left out or changed."""
    visit = uuid_of("市民Z")
    book.state("issue", visit=visit)
    steps: list[tuple[str, dict[str, Any]]] = [
        ("call", {}),
        ("bind_card", {"card_tag": "ab" * 32}),
        ("end", {"cause": "finish"}),
        ("wipe_proven", {"proof": {"space": "unmounted"}}),
        ("confirm", {"confirmation": {"kind": "absent", "reason": "x"}}),
        ("close", {}),
    ]
    for kind, body in steps:
        body_now = changed.get(kind, body)
        if body_now is None:
            continue
        if kind in ("call", "close"):
            book.state(kind, visit=visit, terminal=one, body=body_now)
        else:
            book.report(kind, visit=visit, terminal=one, body=body_now)
    return visit


def state_twice(book: Logbook, one: Terminal, _two: Terminal) -> None:
    book.report("curtain", visit=book.visit("市民B", one), terminal=one, taken=False, seq=one.seq)


WRONG: dict[str, tuple[Callable[[Logbook, Terminal, Terminal], Any], str]] = {
    "foreign key": (
        lambda book, one, _: book.report("sweep_proven", terminal=one, signer=key_of("foreign")),
        "A device's statement is signed with a key (fingerprint",
    ),
    "another terminal's key": (
        lambda book, one, two: book.report("sweep_proven", terminal=one, signer=two.key),
        "that was not enrolled before.",
    ),
    "enrolled too late": (
        lambda book, *_: (
            book.report("sweep_proven", terminal=(late := Terminal("窓口3", key_of("three")))),
            book.enrol(late),
        ),
        "that was not enrolled before.",
    ),
    "enrolled by itself": (
        lambda book, one, _: book.state("enrolled", terminal=one, body={"public_key": "x"}, signer=key_of("foreign")),
        "A server's statement is signed with another key (fingerprint",
    ),
    "the server's key in a device's name": (
        lambda book, one, _: book.report("sweep_proven", terminal=one, signer=book.server),
        "What only a device can state (sweep_proven) is signed with the server's key.",
    ),
    "the server states a wipe": (
        lambda book, one, _: book.state("wipe_proven", terminal=one, body={"proof": {"space": "none"}}),
        "What only a device can state (wipe_proven) is signed with the server's key.",
    ),
    "a device closes": (
        lambda book, one, _: book.report("close", terminal=one, visit=uuid_of("市民A")),
        "What only the server can state (close) is signed with a device's key.",
    ),
    "a gap": (
        lambda book, one, _: book.report("sweep_proven", terminal=one, seq=one.seq + 3),
        f"Terminal {uuid_of('窓口1')}: the numbers 5 to 6 are missing, and nothing explains it.",
    ),
    "a gap half explained": (
        lambda book, one, _: (
            book.state("message_rejected", terminal=one, body={"seq": 6, "reason": "StaleLease"}),
            book.report("sweep_proven", terminal=one, seq=8),
        ),
        f"Terminal {uuid_of('窓口1')}: the numbers 7 to 7 are missing, and nothing explains it.",
    ),
    "a gap explained for another terminal": (
        lambda book, one, two: (
            book.state("sequence_gap", terminal=two, body={"expected": 5, "got": 7}),
            book.report("sweep_proven", terminal=one, seq=7),
        ),
        f"Terminal {uuid_of('窓口1')}: the numbers 5 to 6 are missing, and nothing explains it.",
    ),
    "a repeat": (state_twice, f"Terminal {uuid_of('窓口1')}: the number 8 stands twice."),
    "going back": (
        lambda book, one, _: book.report("sweep_proven", terminal=one, seq=2),
        f"Terminal {uuid_of('窓口1')}: the numbers go back from 4 to 2, and nothing explains it.",
    ),
    "the first message is not the first": (
        lambda book, _, two: book.report("sweep_proven", terminal=two, seq=2),
        f"Terminal {uuid_of('窓口2')}: the numbers 1 to 1 are missing, and nothing explains it.",
    ),
    "a visit's number twice": (
        lambda book, one, _: book.state("ask_end", visit=uuid_of("市民A"), terminal=one, seq=3),
        f"visit {uuid_of('市民A')}: The visit's statement number 3 stands twice.",
    ),
    "a visit's number left out": (
        lambda book, one, _: book.state("ask_end", visit=uuid_of("市民A"), terminal=one, seq=10),
        f"visit {uuid_of('市民A')}: The visit's statements 8 to 9 are missing.",
    ),
    "closed without a proof": (
        lambda book, one, _: at_its_place(book, one, wipe_proven=None),
        "A closed visit without wipe_proven, confirm, or with it out of order.",
    ),
    "closed with an empty proof": (
        lambda book, one, _: at_its_place(book, one, wipe_proven={"proof": {}}),
        "A closed visit without wipe_proven, confirm, or with it out of order.",
    ),
    "closed without a cause": (
        lambda book, one, _: at_its_place(book, one, end={}),
        "A closed visit without end, wipe_proven, confirm, or with it out of order.",
    ),
    "closed without a confirmation": (
        lambda book, one, _: at_its_place(book, one, confirm=None),
        "A closed visit without confirm, or with it out of order.",
    ),
    "never called": (
        lambda book, one, _: at_its_place(book, one, call=None),
        "A closed visit without call, end, wipe_proven, confirm, or with it out of order.",
    ),
    "goes on after the close": (
        lambda book, one, _: book.report("end", visit=uuid_of("市民A"), terminal=one, body={"cause": "idle"}),
        f"visit {uuid_of('市民A')}: After the visit was closed there is end.",
    ),
    "sent back to the queue and closed": (
        lambda book, one, _: (
            at_its_place(book, one, bind_card=None, end=None, wipe_proven=None, confirm=None, close=None),
            book.state("return_to_queue", visit=uuid_of("市民Z"), terminal=one),
            book.report("end", visit=uuid_of("市民Z"), terminal=one, body={"cause": "idle"}),
            book.report("wipe_proven", visit=uuid_of("市民Z"), terminal=one, body={"proof": {"space": "none"}}),
            book.report("confirm", visit=uuid_of("市民Z"), terminal=one, body={"confirmation": {"kind": "absent"}}),
            book.state("close", visit=uuid_of("市民Z"), terminal=one),
        ),
        "A closed visit without call, end, wipe_proven, confirm, or with it out of order.",
    ),
    "withdrawn with a card read": (
        lambda book, one, _: (
            at_its_place(book, one, end=None, wipe_proven=None, confirm=None, close=None),
            book.state("withdraw", visit=uuid_of("市民Z"), terminal=one),
        ),
        "A visit was withdrawn after a card had been read, without any proof of a wipe.",
    ),
}


TWICE = ("a gap half explained",)
"""What breaks more than one thing."""


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_although_every_hash_fits(say: Say, tmp_path: Path, case: str) -> None:
    alter, said = WRONG[case]
    code, words = say(spoilt(alter).write(tmp_path / "b"))
    assert code == 1
    assert said in words
    assert "○ log" in words
    assert words.count("    × ") == 1 + (case in TWICE), words


def test_wipe_failed_after_the_proof_needs_another_proof(say: Say, tmp_path: Path) -> None:
    book = spoilt(lambda book, one, _: at_its_place(book, one, confirm=None, close=None))
    visit, one = uuid_of("市民Z"), Terminal("窓口1", key_of("one"), seq=7)
    book.report("wipe_failed", visit=visit, terminal=one, body={"failure": "x"})
    book.report("confirm", visit=visit, terminal=one, body={"confirmation": {"kind": "absent", "reason": "x"}})
    book.state("close", visit=visit, terminal=one)
    code, words = say(book.write(tmp_path / "b"))
    assert code == 1
    assert "A closed visit without wipe_proven, confirm, or with it out of order." in words
