"""The contract of a reader (tests/card/test_memory.py), on a real pcscd, as far as hands can do it."""

import time

import pytest

from card import test_memory
from card.test_memory import (  # noqa: F401  # collected here again, with this folder's fixtures
    test_a_card_taken_away_is_not_powered_off_by_the_use_it_left,
    test_a_card_that_left_and_came_back_is_noticed,
    test_a_pin_verified_before_the_use_is_worth_nothing,
    test_a_reader_lost_in_the_middle_is_told_as_such_and_the_use_is_over,
    test_a_reader_that_comes_back_does_not_vouch_for_what_happened,
    test_a_use_is_exclusive_and_ends,
    test_a_use_never_passes_to_another_card,
    test_a_use_that_fails_powers_the_card_off_too,
    test_a_verified_pin_does_not_outlive_the_use,
    test_a_wait_ends_at_its_time,
    test_a_wait_is_woken_by_the_hand,
    test_a_wait_is_woken_by_the_loss_of_the_reader,
    test_a_wait_on_an_old_state_returns_at_once,
    test_an_empty_reader_is_no_card_and_a_lost_one_is_not,
    test_an_ended_use_cannot_be_used,
    test_every_waiter_is_woken,
    test_of_many_at_once_one_gets_the_card,
    test_removal_ends_the_use_for_good_even_if_the_same_card_returns,
    test_removing_nothing_changes_nothing,
    test_the_counter_grows_at_every_insertion_and_removal,
    test_two_cards_do_not_fit,
)
from card.test_proof import (  # noqa: F401  # see above
    test_a_card_left_on_the_reader_proves_nothing_without_its_pin,
    test_a_malformed_pin_is_not_sent,
    test_a_proof_holds_for_its_card_and_act,
)
from card.test_tag import test_the_tag_is_read_without_pin_even_when_all_pins_are_locked  # noqa: F401  # see above
from madoguchi.card import VirtualCard

pytestmark = pytest.mark.slow
_key_is_open = test_memory._auth_key_is_open


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """vpcd does not wait until the card has heard that its power is off: a moment later it has."""

    def stays_open(card: VirtualCard) -> bool:
        for _ in range(10):
            if not _key_is_open(card):
                return False
            time.sleep(0.005)
        return True

    monkeypatch.setattr(test_memory, "_auth_key_is_open", stays_open)
