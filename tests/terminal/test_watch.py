"""What the watcher tells, look by look; with the real applet client on a virtual card where it matters."""

import threading
from collections.abc import Callable

import pytest

from card.support import HOLDER_A, NOW, PINS
from madoguchi.card import (
    AppletMissing,
    CardInUse,
    CertificateAuthority,
    MemoryReader,
    ReaderLost,
    ReaderState,
    VirtualCard,
    practice_keys,
    read_card_tag,
)
from madoguchi.card.keys import KeyKind
from madoguchi.terminal.watch import Observation, Watcher
from terminal.doubles import CARD_A, CARD_B, SimClock, TagCard, tag_reading


class Eye:
    """A watcher and what it told."""

    def __init__(self) -> None:
        self.reader = MemoryReader("架空リーダー")
        self.told: list[Observation] = []
        self.with_reading(tag_reading(self.reader))

    def with_reading(self, read: Callable[[], str]) -> "Eye":
        self.watcher = Watcher(reader=self.reader, read_tag=read, tell=self.told.append, clock=SimClock())
        self.watcher.observe()
        return self

    def look(self, times: int = 1) -> list[str]:
        self.told.clear()
        for _ in range(times):
            self.watcher.observe()
        return [seen.sight.value for seen in self.told]


@pytest.fixture
def eye() -> Eye:
    return Eye()


def test_put_and_take(eye: Eye) -> None:
    eye.reader.insert(CARD_A)
    assert eye.look() == ["seen"]
    assert eye.told[0].tag == CARD_A.tag
    eye.reader.remove()
    assert eye.look() == ["gone"]
    assert eye.look() == []


def test_a_card_that_lay_there_before_is_present_but_not_seen() -> None:
    reader = MemoryReader("架空リーダー")
    reader.insert(CARD_A)
    told: list[Observation] = []
    watcher = Watcher(reader=reader, read_tag=tag_reading(reader), tell=told.append, clock=SimClock())
    watcher.observe()
    watcher.observe()
    assert watcher.present
    assert told == []


def test_a_swap_between_two_looks_is_a_jump(eye: Eye) -> None:
    eye.reader.insert(CARD_A)
    eye.look()
    eye.reader.swap(CARD_B)
    assert eye.look() == ["jump", "gone", "seen"]
    assert eye.told[-1].tag == CARD_B.tag


def test_in_and_out_between_two_looks_is_a_jump(eye: Eye) -> None:
    eye.reader.insert(CARD_A)
    eye.reader.remove()
    assert eye.look() == ["jump", "gone"]


def test_a_lost_reader_is_told_once_and_its_card_has_to_be_put_again(eye: Eye) -> None:
    eye.reader.insert(CARD_A)
    eye.look()
    eye.reader.lose()
    assert eye.look(3) == ["lost"]
    eye.reader.recover()
    assert eye.look(2) == ["recovered"]
    assert eye.watcher.present
    assert not eye.watcher.untouched_since(1)


def test_a_card_in_use_is_tried_again(eye: Eye) -> None:
    with_card = threading.Event()
    eye.reader.insert(CARD_A)
    with eye.reader.connect():
        assert eye.look(5) == []
        with_card.set()
    assert eye.look() == ["seen"]


def test_a_card_in_use_for_too_long_is_unreadable(eye: Eye) -> None:
    eye.reader.insert(CARD_A)
    with eye.reader.connect():
        assert eye.look(40) == ["unreadable"]
        assert eye.told[0].code == "CardInUse"
        assert eye.told[0].sentence == CardInUse.sentence


def test_a_card_that_leaves_while_it_is_read_was_not_seen() -> None:
    looking = Eye()

    def read() -> str:
        tag = tag_reading(looking.reader)()
        looking.reader.remove()
        return tag

    eye = looking.with_reading(read)
    eye.reader.insert(CARD_A)
    assert eye.look() == []
    assert eye.look() == ["gone"]


def test_a_card_swapped_while_it_is_read_is_not_taken_for_the_other() -> None:
    swaps = [CARD_B]
    looking = Eye()

    def read() -> str:
        tag = tag_reading(looking.reader)()
        if swaps:
            looking.reader.swap(swaps.pop())
        return tag

    eye = looking.with_reading(read)
    eye.reader.insert(CARD_A)
    assert eye.look() == []
    assert eye.look() == ["jump", "gone", "seen"]
    assert eye.told[-1].tag == CARD_B.tag


def test_a_driver_that_fails_in_its_own_way_is_a_lost_reader(eye: Eye) -> None:
    class Broken(MemoryReader):
        def wait(self, known: ReaderState, timeout: float) -> ReaderState:  # noqa: ARG002
            raise BrokenPipeError

    watcher = Watcher(reader=Broken("x"), read_tag=lambda: "", tell=eye.told.append, clock=SimClock())
    watcher.observe()
    watcher.observe()
    assert [(seen.sight.value, seen.code, seen.sentence) for seen in eye.told] == [
        ("lost", "BrokenPipeError", ReaderLost.sentence)
    ]


def test_the_real_tag_of_a_virtual_card_and_of_something_that_is_no_card() -> None:
    card = VirtualCard.make(
        HOLDER_A,
        PINS,
        CertificateAuthority.create(NOW),
        NOW,
        KeyKind.RSA2048,
        keys=practice_keys(HOLDER_A.name, KeyKind.RSA2048),
    )
    looking = Eye()
    eye = looking.with_reading(lambda: read_card_tag(looking.reader, b"k" * 32))
    eye.reader.insert(card)
    assert eye.look() == ["seen"]
    assert len(eye.told[0].tag) == 64
    eye.reader.remove()
    eye.look()
    eye.reader.insert(_TransitCard("x"))
    assert eye.look() == ["unreadable"]
    assert eye.told[0].code == AppletMissing.__name__


class _TransitCard(TagCard):
    """Answers every command with "file not found"."""

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:  # noqa: ARG002
        return b"", 0x6A82


def test_the_thread_sees_a_removal_without_being_asked() -> None:
    reader = MemoryReader("架空リーダー")
    gone = threading.Event()
    stop = threading.Event()
    seen = threading.Event()

    def tell(observation: Observation) -> None:
        {"seen": seen, "gone": gone}[observation.sight.value].set()

    watcher = Watcher(reader=reader, read_tag=tag_reading(reader), tell=tell, clock=SimClock())
    watcher.observe()
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    reader.insert(CARD_A)
    assert seen.wait(10)
    reader.remove()
    assert gone.wait(10)
    assert watcher.beat is not None
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
