"""The debugging pipe: answers find their askers, silence and death have names."""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from madoguchi.terminal.cdp import Cdp, CdpClosed, CdpRefused, CdpTimeout
from terminal.box.support import until

Answer = Callable[[dict[str, Any]], list[dict[str, Any]]]


class Other:
    """The browser's end of the pipe, answering as it is told."""

    def __init__(self, answer: Answer | None) -> None:
        self.closed: list[bool] = []
        self.events: list[Mapping[str, Any]] = []
        self._read, to_browser = os.pipe()
        from_browser, self.write = os.pipe()
        self.cdp = Cdp(
            to_browser=to_browser,
            from_browser=from_browser,
            on_event=self.events.append,
            on_close=lambda: self.closed.append(True),
        )
        self._answer = answer
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        rest = b""
        while self._answer is not None and (chunk := os.read(self._read, 4096)):
            *messages, rest = (rest + chunk).split(b"\0")
            for message in messages:
                for answer in self._answer(json.loads(message)):
                    self.say(json.dumps(answer).encode() + b"\0")

    def say(self, data: bytes) -> None:
        os.write(self.write, data)

    def die(self) -> None:
        os.close(self.write)
        self.write = -1

    def end(self) -> None:
        self.cdp.close()
        self._thread.join()
        os.close(self._read)
        if self.write >= 0:
            os.close(self.write)


@pytest.fixture
def start() -> Iterator[Callable[[Answer | None], Other]]:
    others: list[Other] = []

    def make(answer: Answer | None) -> Other:
        others.append(Other(answer))
        return others[-1]

    yield make
    for other in others:
        other.end()


Start = Callable[[Answer | None], Other]


def test_an_answer_finds_its_asker_and_events_go_their_way(start: Start) -> None:
    event = {"method": "Target.targetCreated", "params": {"日本": "語"}}
    other = start(lambda asked: [event, {"id": asked["id"], "result": asked}])
    found = other.cdp.call("Some.thing", {"a": 1}, session="s")
    assert (found["method"], found["params"], found["sessionId"]) == ("Some.thing", {"a": 1}, "s")
    assert other.events == [event]


def test_many_threads_share_one_pipe(start: Start) -> None:
    other = start(lambda asked: [{"id": asked["id"], "result": asked["params"]}])
    wrong: list[int] = []

    def ask(number: int) -> None:
        for step in range(50):
            if other.cdp.call("Echo", {"n": [number, step]}) != {"n": [number, step]}:
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_refusal_is_named(start: Start) -> None:
    other = start(lambda asked: [{"id": asked["id"], "error": {"code": -32000, "message": "Not allowed"}}])
    with pytest.raises(CdpRefused, match="Not allowed"):
        other.cdp.call("Target.attachToTarget")


def test_silence_ends_in_time(start: Start) -> None:
    other = start(lambda _: [])
    with pytest.raises(CdpTimeout):
        other.cdp.call("Some.thing", timeout=0.1)


def test_a_browser_that_does_not_read_cannot_hold_us(start: Start) -> None:
    other = start(None)
    with pytest.raises(CdpTimeout):
        other.cdp.call("Some.thing", {"long": "x" * 1_000_000}, timeout=0.2)


def test_a_late_answer_hits_nobody(start: Start) -> None:
    kept: list[int] = []

    def answer(asked: dict[str, Any]) -> list[dict[str, Any]]:
        kept.append(asked["id"])
        return [] if len(kept) == 1 else [{"id": kept[0], "result": {"late": 1}}, {"id": kept[1], "result": {"own": 1}}]

    other = start(answer)
    with pytest.raises(CdpTimeout):
        other.cdp.call("First", timeout=0.1)
    assert other.cdp.call("Second") == {"own": 1}


def test_death_ends_every_wait_and_is_told_once(start: Start) -> None:
    other = start(lambda _: [])
    ended: list[str] = []

    def ask() -> None:
        try:
            other.cdp.call("Some.thing", timeout=10)
        except CdpClosed as error:
            ended.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: len(other.cdp._waiting) == 3)
    other.die()
    for thread in threads:
        thread.join()
    assert ended == ["CdpClosed"] * 3
    assert other.closed == [True]
    with pytest.raises(CdpClosed):
        other.cdp.call("Some.thing")


def test_closing_is_no_death(start: Start) -> None:
    other = start(lambda _: [])
    other.cdp.close()
    other.cdp.close()
    assert other.closed == []
    with pytest.raises(CdpClosed):
        other.cdp.send("Some.thing", {})
