"""Service and reader fail in every way they can: whoever watches is told, and nothing is vouched for afterwards."""

import gc
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from card.pcsc.support import READER, SOON, Hand, await_empty, code_of, threads, until
from card.support import SELECT_JPKI, Meddled, enter, select
from card.test_proof import ACT
from madoguchi.card import (
    CardSilent,
    JpkiClient,
    NoCard,
    PinWrong,
    ReaderAmbiguous,
    ReaderLost,
    ReaderNotFound,
    ReaderState,
    VirtualCard,
    card_tag,
    prove,
    read_card_tag,
)
from madoguchi.card.pcsc import PcscReader
from madoguchi.card.pcscd import PrivatePcscd, VirtualReader, vpcd_driver

pytestmark = pytest.mark.slow

_KEY = bytes(range(32))
_HANG = 8.0
"""Seconds within which a service that hangs is told as lost, everywhere."""


def test_only_a_new_look_mends_a_broken_watch(slot: Hand, service: PrivatePcscd, card: VirtualCard) -> None:
    known = slot.state()
    service.kill()
    service.start()
    await_empty()
    slot.insert(card)
    for _ in range(2):
        with pytest.raises(ReaderLost):
            slot.wait(known, 0)
        with pytest.raises(ReaderLost):
            prove(slot.reader, "1234", ACT)
    assert slot.state().counter > known.counter + 1
    with pytest.raises(ReaderLost):
        slot.wait(known, 0)
    prove(slot.reader, "1234", ACT)


def test_a_reader_that_nobody_watches_can_be_used_again_after_a_restart(
    slot: Hand, service: PrivatePcscd, card: VirtualCard
) -> None:
    service.kill()
    with pytest.raises(ReaderLost):
        prove(slot.reader, "1234", ACT)
    service.start()
    await_empty()
    slot.insert(card)
    prove(slot.reader, "1234", ACT)


def test_a_service_that_hangs_is_lost_in_bounded_time_and_threads_do_not_pile_up(
    slot: Hand, service: PrivatePcscd, card: VirtualCard
) -> None:
    slot.insert(card)
    known = slot.state()
    service.pause()
    try:
        began = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            uses = [
                pool.submit(code_of, use)
                for use in (
                    lambda: slot.wait(known, 60),
                    slot.state,
                    lambda: prove(slot.reader, "1234", ACT),
                    lambda: prove(PcscReader(READER), "1234", ACT),
                )
            ]
            assert {use.result(_HANG) for use in uses} == {"ReaderLost"}
        assert time.monotonic() - began < _HANG
        before = len(threads())
        for _ in range(20):
            assert code_of(slot.state) == "ReaderLost"
        assert len(threads()) <= before
    finally:
        service.resume()
    until(lambda: code_of(slot.state) == "")
    assert slot.state().counter > known.counter + 1
    prove(slot.reader, "1234", ACT)


def test_a_service_that_hangs_during_a_use_ends_it(
    slot: Hand, service: PrivatePcscd, card: VirtualCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("madoguchi.card.pcsc_line.COMPUTE", 0.5)
    slot.insert(Meddled(card, 3, service.pause))
    try:
        with pytest.raises(ReaderLost):
            prove(slot.reader, "1234", ACT)
    finally:
        service.resume()
    until(lambda: code_of(lambda: prove(slot.reader, "1234", ACT)) == "")


def test_a_use_whose_end_nobody_confirms_fails_though_everything_in_it_succeeded(
    slot: Hand, service: PrivatePcscd, card: VirtualCard
) -> None:
    slot.insert(card)

    def use() -> None:
        with slot.connect() as connection:
            JpkiClient(connection)
            service.kill()

    with pytest.raises(ReaderLost):
        use()


def test_an_error_within_a_use_is_not_hidden_by_how_the_use_ends(
    slot: Hand, service: PrivatePcscd, card: VirtualCard
) -> None:
    slot.insert(card)

    def use() -> None:
        with slot.connect():
            service.kill()
            raise PinWrong(2)

    with pytest.raises(PinWrong):
        use()


def test_a_card_taken_after_the_last_answer_takes_nothing_back(slot: Hand, card: VirtualCard) -> None:
    slot.insert(card)
    known = slot.state()
    with slot.connect() as connection:
        assert JpkiClient(connection).read_auth_certificate() == card.auth_certificate
        slot.slot.remove()
    assert slot.wait(known, SOON) == (False, known.counter + 1)


@pytest.mark.parametrize("used", [False, True])
def test_a_card_taken_a_moment_ago_is_no_card_although_pcscd_still_shows_it(
    slot: Hand, card: VirtualCard, *, used: bool
) -> None:
    slot.insert(card)
    if used:  # and therefore without power
        prove(slot.reader, "1234", ACT)
    slot.slot.remove()
    with pytest.raises(NoCard):
        prove(slot.reader, "1234", ACT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("part", ["_sentry", "_witness"])
def test_a_sentry_that_dies_does_not_pass_for_a_calm_reader(
    slot: Hand, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def broken(*_: object) -> int:
        raise ArithmeticError("nobody thought of this")

    known = slot.state()
    watch = slot.reader._watch
    assert watch is not None
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slot.wait, known, SOON)
        until(lambda: bool(watch._changed._waiters))  # type: ignore[attr-defined]  # it looked, and sleeps
        monkeypatch.setattr(getattr(watch, part), "look", broken)
        with pytest.raises(ReaderLost):
            waiting.result(SOON / 2)


def test_closing_ends_every_wait_at_once_and_for_good(slot: Hand) -> None:
    known = slot.state()
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(slot.wait, known, 60) for _ in range(3)]
        until(lambda: all(one.running() for one in waiting))
        began = time.monotonic()
        slot.reader.close()
        for one in waiting:
            with pytest.raises(ReaderLost):
                one.result(SOON)
    assert time.monotonic() - began < 0.5
    until(lambda: not threads())
    slot.reader.close()
    for use in (slot.state, lambda: slot.wait(known, 0), lambda: prove(slot.reader, "1234", ACT)):
        assert code_of(use) == "ReaderLost"


def test_watching_costs_next_to_nothing_also_during_a_use(slot: Hand, card: VirtualCard) -> None:
    slot.insert(card)
    known = slot.state()
    with slot.connect():
        spent = time.process_time()
        slot.wait(known, 1.5)
        assert time.process_time() - spent < 0.3


def test_many_threads_use_one_reader_and_nothing_is_mixed_up(slot: Hand, card: VirtualCard) -> None:
    slot.insert(card)
    known = slot.state()
    tag = card_tag(card.auth_certificate, _KEY)
    results: list[str] = []

    def use() -> None:
        for _ in range(10):
            assert slot.wait(known, 0) == slot.state() == known
            results.append(code_of(lambda: results.append(read_card_tag(slot.reader, _KEY))))

    crowd = [threading.Thread(target=use) for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(SOON)
    assert set(results) <= {tag, "", "CardInUse"}
    assert tag in results


def test_a_reader_is_chosen_by_name_and_never_guessed(service: PrivatePcscd) -> None:
    assert service
    for name, error in (("Virtual PCD", ReaderAmbiguous), ("Virtual", ReaderAmbiguous), ("RC-S300", ReaderNotFound)):
        with PcscReader(name) as reader:
            for use in (reader.state, lambda: prove(reader, "1234", ACT)):  # used up at once
                with pytest.raises(error):
                    use()


def test_the_slot_beside_is_another_reader(service: PrivatePcscd, slot: Hand, card: VirtualCard) -> None:
    assert service
    slot.insert(card)
    with PcscReader("Virtual PCD 00 01") as beside:
        assert not beside.state().present
        with pytest.raises(NoCard):
            prove(beside, "1234", ACT)
    assert slot.state().present


def test_a_reader_that_is_not_there_after_a_restart_is_not_found(slot: Hand, service: PrivatePcscd) -> None:
    slot.state()
    service.kill()
    service.plug(VirtualReader("Another"))
    service.start()
    try:
        until(lambda: code_of(slot.state) == "ReaderNotFound")
        assert issubclass(ReaderNotFound, ReaderLost)
    finally:
        service.plug(VirtualReader())


@pytest.fixture
def loose(private: PrivatePcscd, tmp_path: Path, slot: Hand) -> Path:  # noqa: ARG001  # replaces its service
    """A reader with one slot whose cable can come loose: the file that makes it so."""
    source, library = Path(__file__).with_name("loose_reader.c"), tmp_path / "libloose.so"
    include = ["-I/usr/include/PCSC", f'-DDRIVER="{vpcd_driver()}"']
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", *include, "-o", library, source, "-ldl"], check=True)
    private.plug(VirtualReader(driver=library))
    private.start()
    private.plug(VirtualReader())
    await_empty()
    return tmp_path / "unplugged"


def test_a_reader_unplugged_while_somebody_waits(loose: Path, slot: Hand, card: VirtualCard) -> None:
    slot.insert(card)
    known = slot.state()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slot.wait, known, SOON)
        loose.touch()
        with pytest.raises(ReaderLost):
            waiting.result(SOON)
    for use in (slot.state, lambda: prove(slot.reader, "1234", ACT)):
        assert code_of(use) == "ReaderLost"
    loose.unlink()
    until(lambda: code_of(slot.state) == "")
    assert slot.state().counter > known.counter + 1


@pytest.mark.parametrize("watched", [False, True])
def test_a_reader_unplugged_during_a_write(loose: Path, slot: Hand, card: VirtualCard, *, watched: bool) -> None:
    slot.insert(Meddled(card, 7, loose.touch))
    if watched:
        slot.state()
    assert code_of(lambda: prove(slot.reader, "1234", ACT)) in ("CardRemoved", "ReaderLost")
    assert code_of(lambda: prove(slot.reader, "1234", ACT)) in ("ReaderLost", "CardSilent", "NoCard")
    until(lambda: code_of(slot.state) == "ReaderLost")
    slot.slot.remove()
    loose.unlink()
    until(lambda: code_of(slot.state) == "" and not slot.state().present)


def test_something_that_cannot_be_switched_on_is_silent_and_not_absent(
    slot: Hand, card: VirtualCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("madoguchi.card.vpcd.ATR", bytes(40))  # longer than any ATR: pcscd cannot read it
    slot.insert(card)
    known = slot.state()
    with pytest.raises(CardSilent):
        prove(slot.reader, "1234", ACT)
    assert slot.wait(known, 0) == known


def test_the_pin_stays_on_nothing_that_remains(slot: Hand, card: VirtualCard) -> None:
    slot.insert(card)
    slot.state()
    with slot.connect() as connection:
        for apdu in (SELECT_JPKI, select(0x0018), enter("7391")):
            connection.transmit(bytes.fromhex(apdu))
    planted = list(bytes.fromhex(enter("7391")))
    assert any(thing is planted for thing in _lists_ending_in(b"7391"))
    until(lambda: all(thing is planted for thing in _lists_ending_in(b"7391")))


def _lists_ending_in(pin: bytes) -> list[list[object]]:
    return [thing for thing in gc.get_objects() if type(thing) is list and thing[-len(pin) :] == list(pin)]


def test_an_apdu_is_not_held_up_on_its_way(slot: Hand, card: VirtualCard) -> None:
    """Without TCP_QUICKACK before every recv the kernel adds 40 ms to each."""
    slot.insert(card)
    with slot.connect() as connection:
        taken = sorted(_seconds(lambda: connection.transmit(bytes.fromhex(SELECT_JPKI))) for _ in range(30))
    assert taken[15] < 0.02


def _seconds(use: Callable[[], object]) -> float:
    began = time.perf_counter()
    use()
    return time.perf_counter() - began


def test_states_are_plain_values(slot: Hand) -> None:
    assert slot.state() == ReaderState(present=False, counter=0)
