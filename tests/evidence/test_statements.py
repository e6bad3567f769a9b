"""Statements that do not go together although every hash fits: each is found, and only it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidence.logbook import Logbook, Terminal, key_of, uuid_of
from evidence.support import Run


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
def test_what_is_wrong_although_every_hash_fits(run: Run, tmp_path: Path, case: str) -> None:
    alter, said = WRONG[case]
    code, words = run(spoilt(alter).write(tmp_path / "b"))
    assert code == 1
    assert said in words
    assert "○ log" in words
    assert words.count("    × ") == 1 + (case in TWICE), words


def test_wipe_failed_after_the_proof_needs_another_proof(run: Run, tmp_path: Path) -> None:
    book = spoilt(lambda book, one, _: at_its_place(book, one, confirm=None, close=None))
    visit, one = uuid_of("市民Z"), Terminal("窓口1", key_of("one"), seq=7)
    book.report("wipe_failed", visit=visit, terminal=one, body={"failure": "x"})
    book.report("confirm", visit=visit, terminal=one, body={"confirmation": {"kind": "absent", "reason": "x"}})
    book.state("close", visit=visit, terminal=one)
    code, words = run(book.write(tmp_path / "b"))
    assert code == 1
    assert "A closed visit without wipe_proven, confirm, or with it out of order." in words
