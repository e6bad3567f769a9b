"""PIN counters against a model of one line: tries left, and whether it is open."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from card.support import HOLDER_A, PINS, SELECT_JPKI, SELECT_TEXT, enter, select, status
from madoguchi.card import VirtualCard

_AUTH = (SELECT_JPKI, 0x0018, "1234", 3)
_SIGN = (SELECT_JPKI, 0x001B, "ABC123", 5)
_TEXT = (SELECT_TEXT, 0x0011, "5678", 3)
_ALL = [_AUTH, _SIGN, _TEXT]


@pytest.mark.parametrize(("aid", "file", "right", "tries"), _ALL)
def test_a_pin_counts_down_blocks_and_stays_blocked(aid: str, file: int, right: str, tries: int) -> None:
    card = VirtualCard.without_certificates(HOLDER_A, PINS)
    wrong = "9" * len(right)
    assert status(card, aid, select(file), "00200080") == f"63C{tries}"
    answers = [status(card, enter(wrong)) for _ in range(tries)]
    assert answers == [f"63C{left}" for left in range(tries - 1, -1, -1)]
    assert [status(card, enter(pin)) for pin in (wrong, right, wrong)] == ["6984"] * 3
    card.power_off()
    assert status(card, aid, select(file), enter(right)) == "6984"
    assert status(card, "00200080") == "63C0"


@pytest.mark.parametrize(("aid", "file", "right", "tries"), _ALL)
def test_a_right_entry_resets_the_count(aid: str, file: int, right: str, tries: int) -> None:
    card = VirtualCard.without_certificates(HOLDER_A, PINS)
    for _ in range(3):
        for _ in range(tries - 1):
            status(card, aid, select(file), enter("9" * len(right)))
        assert status(card, "00200080") == "63C1"
        assert status(card, enter(right)) == "9000"
        assert status(card, "00200080") == f"63C{tries}"


class Counters(RuleBasedStateMachine):
    """Entries, power-off and selections in any order: each PIN keeps its own count, only power-off closes them all."""

    def __init__(self) -> None:
        super().__init__()
        self.card = VirtualCard.without_certificates(HOLDER_A, PINS)
        self.left = {pin: pin[3] for pin in _ALL}
        self.open: set[tuple[str, int, str, int]] = set()

    @rule(pin=st.sampled_from(_ALL))
    def right(self, pin: tuple[str, int, str, int]) -> None:
        answer = status(self.card, pin[0], select(pin[1]), enter(pin[2]))
        if self.left[pin] == 0:
            assert answer == "6984"
        else:
            assert answer == "9000"
            self.left[pin] = pin[3]
            self.open.add(pin)

    @rule(pin=st.sampled_from(_ALL), given=st.sampled_from(["0", "4321", "12345", "abc123", "ABC1234", "\0\0\0\0"]))
    def wrong(self, pin: tuple[str, int, str, int], given: str) -> None:
        answer = status(self.card, pin[0], select(pin[1]), enter(given))
        if self.left[pin] == 0:
            assert answer == "6984"
        else:
            self.left[pin] -= 1
            self.open.discard(pin)
            assert answer == f"63C{self.left[pin]}"

    @rule()
    def power_off(self) -> None:
        self.card.power_off()
        self.open.clear()

    @rule(aid=st.sampled_from([SELECT_JPKI, SELECT_TEXT]))
    def select(self, aid: str) -> None:
        assert status(self.card, aid) == "9000"

    @precondition(lambda self: _TEXT in self.open)
    @rule()
    def text_is_open(self) -> None:
        assert status(self.card, SELECT_TEXT, select(0x0002), "00B0000000") == "9000"

    @precondition(lambda self: _TEXT not in self.open)
    @rule()
    def text_is_closed(self) -> None:
        assert status(self.card, SELECT_TEXT, select(0x0002), "00B0000000") == "6982"

    @invariant()
    def asking_costs_nothing(self) -> None:
        for pin in _ALL:
            assert status(self.card, pin[0], select(pin[1]), "00200080") == f"63C{self.left[pin]}"


Counters.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestCounters = Counters.TestCase
