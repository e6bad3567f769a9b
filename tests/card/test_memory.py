"""The contract of a reader, on the slot itself and through the socket; then the faults of the slot."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise

import pytest

from card.support import SELECT_JPKI, SOON, enter, select, send, status
from madoguchi.card import (
    CardError,
    CardInUse,
    CardRemoved,
    CardTrouble,
    Connection,
    MemoryReader,
    NoCard,
    PinWrong,
    Reader,
    ReaderLost,
    ReaderState,
    SlotTaken,
    VirtualCard,
)

"""Seconds: far more than anything here takes."""


def _status(connection: Connection, *apdus: str) -> str:
    return [f"{connection.transmit(bytes.fromhex(apdu))[1]:04X}" for apdu in apdus][-1]


def _open_auth_key(connection: Connection) -> None:
    assert _status(connection, SELECT_JPKI, select(0x0018), enter("1234")) == "9000"


def _auth_key_is_open(card: VirtualCard) -> bool:
    """An empty signature is refused for its length (6700) only where the PIN is no obstacle (6982)."""
    return status(card, SELECT_JPKI, select(0x0017), "802A0080") == "6700"


def test_the_counter_grows_at_every_insertion_and_removal(
    reader: Reader, slot: MemoryReader, card: VirtualCard, other_card: VirtualCard
) -> None:
    seen = [reader.state()]
    moves: list[Callable[[], None]] = [
        lambda: slot.insert(card),
        slot.remove,
        lambda: slot.insert(card),
        lambda: slot.swap(other_card),
    ]
    for move in moves:
        move()
        seen.append(reader.state())
    assert [state.present for state in seen] == [False, True, False, True, True]
    assert all(before.counter < after.counter for before, after in pairwise(seen))


def test_removing_nothing_changes_nothing(reader: Reader, slot: MemoryReader) -> None:
    before = reader.state()
    slot.remove()
    assert reader.state() == before


def test_a_wait_ends_at_its_time(reader: Reader) -> None:
    state = reader.state()
    assert reader.wait(state, 0.02) == state
    assert reader.wait(state, -1) == state


def test_a_wait_on_an_old_state_returns_at_once(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    known = reader.state()
    slot.insert(card)
    assert reader.wait(known, SOON) == reader.state()


def test_a_card_that_left_and_came_back_is_noticed(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    slot.insert(card)
    known = reader.state()
    slot.remove()
    slot.insert(card)
    now = reader.wait(known, SOON)
    assert now.present
    assert now != known


def test_a_wait_is_woken_by_the_hand(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    known = reader.state()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(reader.wait, known, SOON)
        slot.insert(card)
        assert waiting.result(SOON).present


def test_a_wait_is_woken_by_the_loss_of_the_reader(reader: Reader, slot: MemoryReader) -> None:
    known = reader.state()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(reader.wait, known, SOON)
        slot.lose()
        with pytest.raises(ReaderLost):
            waiting.result(SOON)


def test_every_waiter_is_woken(slot: MemoryReader, card: VirtualCard) -> None:
    known = slot.state()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(slot.wait, known, SOON) for _ in range(4)]
        slot.insert(card)
        assert {one.result(SOON) for one in waiting} == {slot.state()}


def test_an_empty_reader_is_no_card_and_a_lost_one_is_not(reader: Reader, slot: MemoryReader) -> None:
    with pytest.raises(NoCard), reader.connect():
        pass
    slot.lose()
    uses: list[Callable[[], object]] = [
        reader.state,
        lambda: reader.wait(ReaderState(present=False, counter=0), 0),
        lambda: reader.connect().__enter__(),
    ]
    for use in uses:
        with pytest.raises(ReaderLost):
            use()


def test_a_reader_that_comes_back_does_not_vouch_for_what_happened(
    reader: Reader, slot: MemoryReader, card: VirtualCard
) -> None:
    slot.insert(card)
    known = reader.state()
    slot.lose()
    slot.recover()
    now = reader.state()
    assert now.present
    assert now.counter > known.counter
    slot.recover()
    assert reader.state() == now


def test_a_use_is_exclusive_and_ends(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    slot.insert(card)
    with reader.connect() as first:
        with pytest.raises(CardInUse), reader.connect():
            pass
        assert _status(first, SELECT_JPKI) == "9000"  # the refused one has not disturbed it
    with reader.connect() as second:
        assert _status(second, SELECT_JPKI) == "9000"


def test_of_many_at_once_one_gets_the_card(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    slot.insert(card)
    tried = threading.Barrier(6)

    def use() -> bool:
        try:
            with reader.connect():
                tried.wait(SOON)
                return True
        except CardInUse:
            tried.wait(SOON)
            return False

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(lambda _: use(), range(6))) == [False] * 5 + [True]


def test_a_verified_pin_does_not_outlive_the_use(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    slot.insert(card)
    with reader.connect() as connection:
        _open_auth_key(connection)
        assert _auth_key_is_open(card)
    assert not _auth_key_is_open(card)


def test_a_pin_verified_before_the_use_is_worth_nothing(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    slot.insert(card)
    for apdu in (SELECT_JPKI, select(0x0018), enter("1234")):
        send(card, apdu)
    assert _auth_key_is_open(card)
    with reader.connect() as connection:
        assert _status(connection, SELECT_JPKI, select(0x0017), "802A0080023031") == "6982"


def test_a_use_that_fails_powers_the_card_off_too(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    slot.insert(card)

    def use() -> None:
        with reader.connect() as connection:
            _open_auth_key(connection)
            raise PinWrong(2)

    with pytest.raises(PinWrong):
        use()
    assert not _auth_key_is_open(card)
    with reader.connect():
        pass


def test_removal_ends_the_use_for_good_even_if_the_same_card_returns(
    reader: Reader, slot: MemoryReader, card: VirtualCard
) -> None:
    slot.insert(card)
    with reader.connect() as connection:
        _open_auth_key(connection)
        slot.remove()
        assert not _auth_key_is_open(card)
        for _ in range(2):
            with pytest.raises(CardRemoved):
                connection.transmit(bytes.fromhex(SELECT_JPKI))
        slot.insert(card)
        with pytest.raises(CardRemoved):
            connection.transmit(bytes.fromhex(SELECT_JPKI))
    with reader.connect() as connection:
        assert _status(connection, SELECT_JPKI) == "9000"


def test_a_use_never_passes_to_another_card(
    reader: Reader, slot: MemoryReader, card: VirtualCard, other_card: VirtualCard
) -> None:
    slot.insert(card)
    with reader.connect() as connection:
        slot.swap(other_card)
        for _ in range(3):
            with pytest.raises(CardRemoved):
                connection.transmit(bytes.fromhex(select(0x0018)))
    assert send(other_card, "00B0000000")[1] == "6986"  # it never heard of anything


def test_a_reader_lost_in_the_middle_is_told_as_such_and_the_use_is_over(
    reader: Reader, slot: MemoryReader, card: VirtualCard
) -> None:
    slot.insert(card)
    with reader.connect() as connection:
        _open_auth_key(connection)
        slot.lose()
        assert not _auth_key_is_open(card)
        with pytest.raises(ReaderLost):
            connection.transmit(bytes.fromhex(SELECT_JPKI))
        slot.recover()
        with pytest.raises((CardRemoved, ReaderLost)):
            connection.transmit(bytes.fromhex(SELECT_JPKI))
    with reader.connect():
        pass


def test_an_ended_use_cannot_be_used(reader: Reader, slot: MemoryReader, card: VirtualCard) -> None:
    slot.insert(card)
    with reader.connect() as connection:
        pass
    with pytest.raises(CardRemoved):
        connection.transmit(bytes.fromhex(SELECT_JPKI))


@pytest.mark.parametrize("error", [ReaderLost(), CardRemoved(), CardTrouble(0x6F00), CardInUse()])
def test_the_next_use_fails_once_as_told(
    reader: Reader, slot: MemoryReader, card: VirtualCard, error: CardError
) -> None:
    slot.insert(card)
    slot.fail_next(error)
    with pytest.raises(type(error)) as raised:
        reader.state()
    assert raised.value.sentence == error.sentence
    assert reader.state().present
    slot.fail_next(error)
    with pytest.raises(type(error)), reader.connect():
        pass
    with reader.connect() as connection:
        slot.fail_next(error)
        with pytest.raises(type(error)):
            connection.transmit(bytes.fromhex(SELECT_JPKI))


def test_a_waiting_thread_gets_the_failure(slot: MemoryReader) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slot.wait, slot.state(), SOON)
        slot.fail_next(ReaderLost())
        with pytest.raises(ReaderLost):
            waiting.result(SOON)


def test_the_card_is_pulled_at_the_apdu_that_was_named(slot: MemoryReader, card: VirtualCard) -> None:
    slot.insert(card)
    slot.pull_at(3)
    with slot.connect() as connection:
        assert _status(connection, SELECT_JPKI, select(0x0018)) == "9000"
        with pytest.raises(CardRemoved):
            connection.transmit(bytes.fromhex(enter("0000")))
    assert not slot.state().present
    assert [send(card, apdu)[1] for apdu in (SELECT_JPKI, select(0x0018), "00200080")][-1] == "63C3"  # never arrived


def test_two_cards_do_not_fit(slot: MemoryReader, card: VirtualCard, other_card: VirtualCard) -> None:
    slot.insert(card)
    before = slot.state()
    with pytest.raises(SlotTaken):
        slot.insert(other_card)
    assert (slot.state(), slot.card) == (before, card)


def test_a_card_taken_away_is_not_powered_off_by_the_use_it_left(
    slot: MemoryReader, card: VirtualCard, other_card: VirtualCard
) -> None:
    elsewhere = MemoryReader("別の架空リーダー")
    slot.insert(card)
    with ExitStack() as first:
        first.enter_context(slot.connect())
        slot.swap(other_card)
        elsewhere.insert(card)
        with elsewhere.connect() as connection:
            _open_auth_key(connection)
            first.close()
            assert _auth_key_is_open(card)
