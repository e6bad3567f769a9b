"""What pcscd's codes and states mean: no code but 0 is a success, no doubtful state is a card or an empty reader."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import madoguchi
from madoguchi.card import (
    CardError,
    CardInUse,
    CardRemoved,
    CardSilent,
    NoCard,
    ReaderAmbiguous,
    ReaderLost,
    ReaderNotFound,
)
from madoguchi.card.pcsc_codes import Code, counted, is_present, opening_error, steps_between, unsigned, use_error
from madoguchi.card.pcsc_watch import choose

_EMPTY, _PRESENT = 0x10, 0x20


def _event(count: int, bit: int) -> int:
    return count << 16 | bit


@pytest.mark.parametrize(
    ("code", "opening", "in_use"),
    [
        (0x80100069, CardRemoved, CardRemoved),
        (0x80100016, CardRemoved, CardRemoved),
        (0x80100068, CardRemoved, CardRemoved),
        (0x8010000B, CardInUse, CardInUse),
        (0x8010000C, NoCard, CardRemoved),
        (0x80100066, CardSilent, CardRemoved),
        (0x80100067, CardSilent, CardRemoved),
        (0x8010000F, CardSilent, ReaderLost),
        (0x80100013, ReaderLost, ReaderLost),
        (0x8010001D, ReaderLost, ReaderLost),
        (0x8010001E, ReaderLost, ReaderLost),
        (0x80100017, ReaderLost, ReaderLost),
        (0x80100009, ReaderLost, ReaderLost),
        (0x80100003, ReaderLost, ReaderLost),
        (0x80100001, ReaderLost, ReaderLost),
    ],
)
def test_every_measured_code_has_its_error(code: int, opening: type[CardError], in_use: type[CardError]) -> None:
    assert (type(opening_error(code)), type(use_error(code))) == (opening, in_use)


@given(st.integers(1, 0xFFFFFFFF).filter(lambda code: code not in set(Code)))
def test_a_code_that_nobody_expected_is_a_lost_reader(code: int) -> None:
    assert type(opening_error(code)) is type(use_error(code)) is ReaderLost
    assert f"{code:08X}" in use_error(code).args


def test_negative_codes_are_the_same_codes() -> None:
    assert unsigned(0x80100069 - (1 << 32)) == Code.REMOVED
    assert unsigned(0x80100069) == Code.REMOVED
    assert unsigned(0) == Code.OK


@given(st.integers(0, 0xFFFFFFFF))
def test_a_card_is_there_only_where_the_state_says_so_and_nothing_against_it(event: int) -> None:
    bits = event & 0x3C
    if bits in (_EMPTY, _PRESENT):
        assert is_present(event) == (bits == _PRESENT)
    else:
        with pytest.raises(ReaderLost):
            is_present(event)


_BITS = st.sampled_from([_EMPTY, _PRESENT])


def _other(bit: int) -> int:
    return _EMPTY + _PRESENT - bit


@given(st.integers(0, 0xFFFF), _BITS, st.integers(0, 0x7FFF))
def test_steps_are_counted_across_the_end_of_the_counter(count: int, bit: int, steps: int) -> None:
    after = _event((count + steps) % 0x10000, _other(bit) if steps % 2 else bit)
    assert steps_between(_event(count, bit), after) == steps


@given(st.integers(0, 0xFFFF), _BITS, st.integers(0, 0xFFFF), _BITS)
def test_states_that_do_not_fit_are_no_steps(count: int, bit: int, later: int, now: int) -> None:
    steps = steps_between(_event(count, bit), _event(later, now))
    if (count - later) % 2 != (bit != now):
        assert steps is None
    assert steps is None or steps < 0x8000


@pytest.mark.parametrize(
    ("before", "after"), [(_event(3, _PRESENT), _event(1, _PRESENT)), (_event(1, _PRESENT), _event(0, _EMPTY))]
)
def test_a_count_that_went_back_belongs_to_another_reader(before: int, after: int) -> None:
    assert steps_between(before, after) is None
    assert steps_between(before, counted(after)) is None


def test_a_reader_called_empty_before_the_removal_is_counted_is_empty_and_counted_once() -> None:
    lying, early, late = _event(7, _PRESENT), _event(7, _EMPTY), _event(8, _EMPTY)
    assert steps_between(lying, early) is None
    assert steps_between(lying, counted(early)) == 1
    assert [steps_between(counted(early), later) for later in (counted(early), late)] == [0, 0]
    assert counted(_event(0xFFFF, _EMPTY)) == _event(0, _EMPTY)
    assert counted(lying) == lying


_READERS = ["Virtual PCD 00 00", "Virtual PCD 00 01", "架空リーダー 00 00"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Virtual PCD 00 00", "Virtual PCD 00 00"),
        ("Virtual PCD 00 01", "Virtual PCD 00 01"),
        ("架空", "架空リーダー 00 00"),
    ],
)
def test_a_reader_is_found_by_its_name_or_its_own_beginning(name: str, found: str) -> None:
    assert choose(name, _READERS) == found


def test_a_full_name_wins_over_longer_ones() -> None:
    assert choose("Reader", ["Reader 2", "Reader", "Reader 1"]) == "Reader"


@pytest.mark.parametrize("name", ["", "PCD", "virtual pcd 00 00", "Virtual PCD 00 00 ", "Virtual PCD 00 02"])
def test_no_other_reader_is_taken_instead(name: str) -> None:
    with pytest.raises(ReaderNotFound):
        choose(name, _READERS)


@pytest.mark.parametrize("name", ["Virtual PCD", "Virtual PCD 00 0", "V"])
def test_of_several_readers_none_is_guessed(name: str) -> None:
    with pytest.raises(ReaderAmbiguous):
        choose(name, _READERS)


def test_nothing_of_pyscard_is_used_but_its_plain_calls() -> None:
    """Its CardMonitor dies silently with pcscd and tells cards apart by their ATR; its connections reconnect."""
    sources = [file.read_text(encoding="utf-8") for file in Path(madoguchi.__file__).parent.rglob("*.py")]
    imports = {found.strip() for text in sources for found in re.findall(r"(?m)^\s*(?:from|import) smartcard.*$", text)}
    assert imports == {"from smartcard import scard"}
