"""Tamper trials on contents that are shown or erased: each is found, and the words say where."""

import base64
import hmac
import json
from pathlib import Path

import pytest

from evidence.logbook import Logbook, uuid_of
from evidence.support import Run, put, rows
from madoguchi.evidence.bundle import Disclosed


def test_a_byte_of_a_payload(run: Run, copy: Path) -> None:
    lines = rows(copy, "payloads.jsonl")
    lines[0] = lines[0].replace(b"600", b"601")
    put(copy, lines, "payloads.jsonl")
    code, words = run(copy)
    assert code == 1
    assert "payloads.jsonl, line 1: the content is not the committed one: it was changed or swapped." in words
    assert "内容が変えられたか、入れ替えられました。" in words


def test_a_payload_swapped_between_two_visits(run: Run, copy: Path) -> None:
    """With salt and commitment: each still fits by itself, but stands in the other visit's statement."""
    lines = [json.loads(line) for line in rows(copy, "payloads.jsonl")]
    one, other = [line for line in lines if line["kind"] == "signature"][:2]
    one["visit"], other["visit"] = other["visit"], one["visit"]
    put(copy, [json.dumps(line).encode() for line in lines], "payloads.jsonl")
    code, words = run(copy)
    assert code == 1
    assert words.count("stands in a statement of another visit: contents were swapped between visits.") == 2
    assert "内容が来庁の間で入れ替えられました。" in words


@pytest.mark.parametrize("names", [("payload",), ("payload", "salt")])
def test_a_payloads_content_swapped_between_two_visits(run: Run, copy: Path, names: tuple[str, ...]) -> None:
    lines = [json.loads(line) for line in rows(copy, "payloads.jsonl")]
    one, other = [line for line in lines if line["kind"] == "signature"][:2]
    for name in names:
        one[name], other[name] = other[name], one[name]
    put(copy, [json.dumps(line).encode() for line in lines], "payloads.jsonl")
    code, words = run(copy)
    assert code == 1
    assert words.count("the content is not the committed one: it was changed or swapped.") == 2


def test_a_payload_that_nobody_committed_to(run: Run, tmp_path: Path) -> None:
    book = Logbook.office()
    commitment = book.commit(book.about[2], "signature", {"strokes": []})
    visit = book.about[3]
    folder = book.write(tmp_path / "b")
    listed = book.payloads[-1]
    line = {name: getattr(listed, name) for name in listed.__slots__} | {"visit": visit}
    put(folder, [*rows(folder, "payloads.jsonl"), json.dumps(line).encode()], "payloads.jsonl")
    code, words = run(folder)
    assert code == 1
    assert f"The commitment {commitment} stands in no statement of the bundle." in words


def test_an_erasure_that_was_never_there(run: Run, copy: Path) -> None:
    lines = rows(copy, "erasures.jsonl")
    erased = json.loads(lines[0]) | {"commitment": "A" * 43 + "="}
    put(copy, [json.dumps(erased).encode(), *lines[1:]], "erasures.jsonl")
    code, words = run(copy)
    assert code == 1
    assert "stands in no statement of the bundle." in words


def test_a_content_that_is_shown_and_erased(run: Run, copy: Path) -> None:
    lines = rows(copy, "payloads.jsonl")
    shown = json.loads(lines[0])
    erased = json.loads(rows(copy, "erasures.jsonl")[0]) | {name: shown[name] for name in ("commitment", "visit")}
    put(copy, [json.dumps(erased).encode()], "erasures.jsonl")
    code, words = run(copy)
    assert code == 1
    assert "is listed twice." in words


def test_a_salt_that_is_too_short(run: Run, tmp_path: Path) -> None:
    """Under an empty salt a short content could be guessed from its commitment."""
    book = Logbook.morning()
    payload = '{"strokes":[]}'
    weak = base64.b64encode(hmac.digest(b"", payload.encode(), "sha256")).decode()
    book.state("withdraw", visit=uuid_of("市民Q"), body={"reason": f"sealed:{weak}"})
    book.payloads.append(Disclosed(uuid_of("市民Q"), weak, "reason", "", payload))
    code, words = run(book.write(tmp_path / "b"))
    assert code == 1
    assert "the content is not the committed one: it was changed or swapped." in words
