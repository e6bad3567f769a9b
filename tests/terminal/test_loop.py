"""One queue, one owner; whoever asks from outside waits for the disk, not for ever."""

import threading
from concurrent.futures import Future

import pytest

from madoguchi.terminal.errors import AgentBusy
from madoguchi.terminal.loop import Item, Loop


def call(item: Item) -> None:
    item()


def test_what_follows_comes_before_what_waits() -> None:
    done: list[str] = []
    loop = Loop(call)

    def first() -> None:
        done.append("first")
        loop.soon(lambda: done.append("follows 1"))
        loop.soon(lambda: done.append("follows 2"))

    loop.put(first)
    loop.put(lambda: done.append("second"))
    assert loop.pump() == 4
    assert done == ["first", "follows 1", "follows 2", "second"]


def test_the_owner_pumps_while_it_waits() -> None:
    loop = Loop(call)
    loop.own()
    answer: Future[None] = Future()
    loop.put(lambda: answer.set_result(None))
    loop.result(answer, seconds=0, what="x")
    assert answer.done()


def test_nobody_else_pumps() -> None:
    loop = Loop(call)
    loop.own()
    caught: list[Exception] = []

    def ask() -> None:
        answer: Future[None] = Future()
        loop.put(lambda: answer.set_result(None))
        try:
            loop.result(answer, seconds=0.01, what="x")
        except AgentBusy as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(10)
    assert len(caught) == 1


def test_waiting_ends_with_the_item_or_the_time() -> None:
    done: list[int] = []
    loop = Loop(call)
    loop.wait(0.01)
    threading.Timer(0.01, loop.put, [lambda: done.append(1)]).start()
    loop.wait(20)
    assert done == [1]


def test_an_answer_that_is_an_error_is_raised_to_whoever_asked() -> None:
    loop = Loop(call)
    loop.own()
    answer: Future[None] = Future()
    loop.put(lambda: answer.set_exception(LookupError("x")))
    with pytest.raises(LookupError):
        loop.result(answer, seconds=1, what="x")


def test_a_loop_that_hangs_in_an_item_does_not_turn() -> None:
    loop = Loop(call)
    held, go = threading.Event(), threading.Event()

    def hang() -> None:
        held.set()
        go.wait(20)

    loop.put(hang)
    thread = threading.Thread(target=loop.pump)
    thread.start()
    assert held.wait(10)
    assert not go.wait(0.05)
    hung = loop.turning(0.04)
    go.set()
    thread.join(10)
    assert not hung
    assert loop.turning(60)
