"""The terminal's own watcher on a real service: it is told whatever happens; after a loss nothing is vouched for."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from card.pcsc.support import SOON, Hand
from madoguchi.card import (
    VirtualCard,
    card_tag,
    read_card_tag,
)
from madoguchi.terminal.timers import SystemClock
from madoguchi.terminal.watch import Observation, Sight, Watcher

pytestmark = pytest.mark.slow
_KEY = bytes(range(32))


@pytest.fixture
def seen() -> list[Observation]:
    return []


@pytest.fixture
def watcher(slot: Hand, seen: list[Observation]) -> Watcher:
    """The terminal's own watcher, at its first look."""
    watcher = Watcher(
        reader=slot.reader, read_tag=lambda: read_card_tag(slot.reader, _KEY), tell=seen.append, clock=SystemClock()
    )
    watcher.observe()
    return watcher


def _sights(seen: list[Observation]) -> list[Sight]:
    return [observation.sight for observation in seen]


def test_a_card_put_down_is_seen_with_its_tag_and_seen_to_go(
    watcher: Watcher, seen: list[Observation], slot: Hand, card: VirtualCard
) -> None:
    slot.insert(card)
    watcher.observe(SOON)
    assert _sights(seen) == [Sight.SEEN]
    assert seen[0].tag == card_tag(card.auth_certificate, _KEY)
    assert watcher.untouched_since(seen[0].counter)
    assert not watcher.observe(0.05)
    slot.remove()
    assert not watcher.untouched_since(seen[0].counter)
    watcher.observe(SOON)
    assert _sights(seen) == [Sight.SEEN, Sight.GONE]


def test_a_swap_during_a_slow_callback_is_a_jump(
    seen: list[Observation], slot: Hand, card: VirtualCard, other_card: VirtualCard
) -> None:
    def slow() -> str:
        tag = read_card_tag(slot.reader, _KEY)
        if slot.card is card:
            slot.swap(other_card)  # while whoever reads is still busy
        return tag

    watcher = Watcher(reader=slot.reader, read_tag=slow, tell=seen.append, clock=SystemClock())
    watcher.observe()
    slot.insert(card)
    watcher.observe(SOON)
    assert seen == []  # read from a card that is no longer there
    watcher.observe(SOON)
    assert _sights(seen) == [Sight.JUMP, Sight.GONE, Sight.SEEN]
    assert seen[-1].tag == card_tag(other_card.auth_certificate, _KEY)


def test_pcscd_restarted_while_the_watcher_waits_is_told_before_anything_else(
    watcher: Watcher, seen: list[Observation], slot: Hand, card: VirtualCard
) -> None:
    slot.insert(card)
    watcher.observe(SOON)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(watcher.observe, SOON)
        slot.lose()
        slot.recover()
        assert waiting.result(SOON)
    assert _sights(seen) == [Sight.SEEN, Sight.LOST]
    assert not watcher.untouched_since(seen[0].counter)
    watcher.observe()
    assert _sights(seen)[2:] == [Sight.RECOVERED]  # and not SEEN: the card must be put down again
    assert not watcher.observe(0.05)


def test_pcscd_restarted_while_nobody_waits_is_told_too(
    watcher: Watcher, seen: list[Observation], slot: Hand, card: VirtualCard
) -> None:
    slot.insert(card)
    watcher.observe(SOON)
    slot.lose()
    slot.recover()
    assert not watcher.untouched_since(seen[0].counter)  # somebody else looked first, and began a new watch
    watcher.observe(SOON)
    watcher.observe()
    assert _sights(seen) == [Sight.SEEN, Sight.LOST, Sight.RECOVERED]


def test_without_pcscd_everything_is_a_lost_reader_until_it_is_back(
    watcher: Watcher, seen: list[Observation], slot: Hand
) -> None:
    slot.lose()
    for _ in range(3):
        watcher.observe(0.1)
    assert _sights(seen) == [Sight.LOST]
    slot.recover()
    watcher.observe()
    assert _sights(seen) == [Sight.LOST, Sight.RECOVERED]
