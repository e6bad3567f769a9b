"""What the keeper takes and what it refuses: nothing that is said to it ends it, or leaves a descriptor with it."""

import array
import json
import os
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from madoguchi.terminal.keeper_line import LONGEST, LineClosed, MessageRefused, receive, send
from terminal.box.support import until
from terminal.keeper.doubles import NAME, NotedGround, dial, keeping, open_descriptors

ORDER: dict[str, Any] = {
    "do": "start",
    "start_url": "https://a.test/",
    "logout_url": "",
    "allowed": ["a.test", "https://*.b.test:8443"],
    "size": [1280, 800],
}


@pytest.fixture
def ground() -> NotedGround:
    return NotedGround()


@pytest.fixture
def place(tmp_path: Path, ground: NotedGround) -> Iterator[Path]:
    with keeping(tmp_path / "k", ground):
        yield tmp_path / "k"


@pytest.fixture
def line(place: Path) -> Iterator[socket.socket]:
    """A line on which the keeper has greeted."""
    with dial(place) as line:
        assert receive(line).message == {"done": {"name": NAME, "form": 1}}
        yield line


def said(line: socket.socket, data: bytes, descriptors: list[int] | None = None) -> Any:
    """Send these bytes; what the keeper says to them."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    line.sendmsg([data], rights)
    return receive(line).message


def asked(line: socket.socket, message: object, descriptors: list[int] | None = None) -> Any:
    return said(line, json.dumps(message).encode(), descriptors)


def ask_on_and_on(line: socket.socket) -> None:
    for _ in range(100_000):
        send(line, {"do": "missing"})


def still_works(line: socket.socket) -> bool:
    return bool(asked(line, {"do": "missing"}) == {"done": []})


@pytest.fixture
def ends() -> Iterator[list[int]]:
    """Three pipes and a socket, as an order has them; and their other ends."""
    pairs = [os.pipe() for _ in range(3)]
    near, far = socket.socketpair()
    with near, far:
        yield [*(read for read, _ in pairs), near.fileno()]
        for pair in pairs:
            for descriptor in pair:
                with suppress(OSError):
                    os.close(descriptor)


def test_an_order_of_the_agreed_form_is_carried_out(line: socket.socket, ends: list[int], ground: NotedGround) -> None:
    assert asked(line, ORDER, ends) == {"done": 1}
    assert asked(line, ORDER, ends) == {"done": 2}
    (first, _) = (hold.order for hold in ground.holds)
    assert (first.procedure.start_url, first.size) == ("https://a.test/", (1280, 800))
    assert first.procedure.allowed == ("a.test", "https://*.b.test:8443")
    assert first.procedure.code == ""


def test_noise_is_refused_and_changes_nothing(line: socket.socket, ends: list[int], ground: NotedGround) -> None:
    chance = random.Random(7)  # noqa: S311 # noise, not secrets
    before = open_descriptors()
    for _ in range(300):
        data = chance.randbytes(chance.randint(1, 300))
        answer = said(line, data, ends[: chance.randint(0, 4)])
        assert answer["refused"] == "MessageRefused"
    assert open_descriptors() == before
    assert still_works(line)
    assert ground.holds == []


BROKEN: dict[str, object] = {
    "no object": [1, 2],
    "a number": 5,
    "nothing asked": {},
    "an unknown request": {"do": "shell"},
    "a request that is no text": {"do": ["start"]},
    "a field too many": {"do": "sweep", "id": 1},
    "a command of one's own": {**ORDER, "command": ["/bin/sh"]},
    "a field too few": {"do": "prove", "id": 1},
    "a box that is no number": {"do": "kill", "id": "1"},
    "a box that is true": {"do": "kill", "id": True},
    "a negative box": {"do": "kill", "id": -1},
    "half a box": {"do": "settle", "id": 1.5},
    "an unknown log-out": {"do": "prove", "id": 1, "logout": "maybe"},
    "a log-out that is no text": {"do": "prove", "id": 1, "logout": ["visited"]},
    "no width": {**ORDER, "size": [0, 800]},
    "a huge height": {**ORDER, "size": [1280, 1 << 20]},
    "a size of three": {**ORDER, "size": [1, 2, 3]},
    "a size of truths": {**ORDER, "size": [True, True]},
    "a size that is text": {**ORDER, "size": "12"},
    "an address with a line end": {**ORDER, "start_url": "https://a.test/\n--no-sandbox"},
    "an address with a NUL": {**ORDER, "start_url": "https://a.test/\0"},
    "an address that is a file": {**ORDER, "start_url": "file:///etc/shadow"},
    "an address that is an option": {**ORDER, "start_url": "--no-sandbox"},
    "an address that cannot be parsed": {**ORDER, "start_url": "https://[a"},
    "half a character": {**ORDER, "logout_url": "https://a.test/\ud800"},
    "a place that cannot be parsed": {**ORDER, "allowed": ["[a"]},
    "a place that is a list": {**ORDER, "allowed": [["a.test"]]},
    "places that are text": {**ORDER, "allowed": "a.test"},
    "too many places": {**ORDER, "allowed": ["a.test"] * 1000},
    "a long place": {**ORDER, "allowed": ["a" * 5000]},
}


@pytest.mark.parametrize("message", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_request_is_refused_by_name(
    line: socket.socket, ends: list[int], ground: NotedGround, message: object
) -> None:
    before = open_descriptors()
    for given in ([], ends):
        assert asked(line, message, given)["refused"] == "MessageRefused"
    assert open_descriptors() == before
    assert still_works(line)
    assert ground.holds == []


@pytest.mark.parametrize("data", [b"[" * 60000, b"1" * 60000, b'{"do":' * 9000, b"\xff\xfe", b'{"do":NaN}'])
def test_what_breaks_parsers_does_not_break_the_keeper(line: socket.socket, data: bytes) -> None:
    assert said(line, data)["refused"] == "MessageRefused"
    assert still_works(line)


def test_a_message_that_is_too_long_is_refused(line: socket.socket, ends: list[int]) -> None:
    before = open_descriptors()
    padded = json.dumps({"do": "missing"}).encode() + b" " * LONGEST
    for given in ([], ends):
        assert said(line, padded, given) == {"refused": "MessageRefused", "lines": ["message or descriptors cut off"]}
    assert open_descriptors() == before
    assert still_works(line)


@pytest.mark.parametrize("count", [0, 1, 3, 5, 64, 65, 66, 250])
def test_another_number_of_descriptors_is_refused(
    line: socket.socket, ends: list[int], ground: NotedGround, count: int
) -> None:
    before = open_descriptors()
    given = (ends * count)[:count]
    assert asked(line, ORDER, given)["refused"] == "MessageRefused"
    assert open_descriptors() == before
    assert still_works(line)
    assert ground.holds == []


def test_descriptors_of_another_kind_are_refused(line: socket.socket, ends: list[int], ground: NotedGround) -> None:
    before = open_descriptors()
    with open("/dev/null") as device, open(__file__) as file:
        wrong = [ends[::-1], [device.fileno(), *ends[1:]], [*ends[:3], file.fileno()], [*ends[:3], ends[0]]]
        for given in wrong:
            assert asked(line, ORDER, given)["refused"] == "MessageRefused"
    assert open_descriptors() == before
    assert ground.holds == []


@pytest.mark.parametrize("do", ["missing", "sweep"])
def test_descriptors_come_with_orders_only(line: socket.socket, ends: list[int], do: str) -> None:
    before = open_descriptors()
    assert asked(line, {"do": do}, ends)["refused"] == "MessageRefused"
    assert open_descriptors() == before


def test_an_empty_message_is_a_hang_up(line: socket.socket, ends: list[int], place: Path) -> None:
    before = open_descriptors()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", ends))]
    line.sendmsg([b""], rights)
    with pytest.raises(LineClosed):
        receive(line)
    assert open_descriptors() == before - 1  # the keeper's end of the line
    with dial(place) as another:
        assert "done" in receive(another).message


def test_an_agent_that_does_not_read_is_hung_up_on(line: socket.socket, place: Path) -> None:
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        ask_on_and_on(line)
    with dial(place) as another:
        assert "done" in receive(another).message


def test_one_agent_at_a_time(line: socket.socket, place: Path) -> None:
    with dial(place) as second:
        assert receive(second).message["refused"] == "KeeperBusy"
    assert still_works(line)
    line.close()
    with dial(place) as third:
        assert "done" in receive(third).message


def test_the_keeper_itself_starts_nothing_while_an_end_is_unproven(
    place: Path, ends: list[int], ground: NotedGround
) -> None:
    with dial(place) as line:
        receive(line)
        assert "done" in asked(line, ORDER, ends)
        ground.held = True
    before = open_descriptors()
    with dial(place) as line:
        receive(line)
        assert asked(line, ORDER, ends)["refused"] == "BoxUnavailable"
        assert asked(line, {"do": "sweep"})["refused"] == "WipeUnproven"
        ground.held = False
        assert asked(line, ORDER, ends)["refused"] == "BoxUnavailable"
        assert asked(line, {"do": "sweep"})["done"]["space_gone_at"]
        assert ground.holds[0].proven == 1
        assert "done" in asked(line, ORDER, ends)
    until(lambda: open_descriptors() <= before)


def test_nothing_starts_when_what_an_earlier_keeper_left_is_unproven(tmp_path: Path, ends: list[int]) -> None:
    ground = NotedGround(held=True)
    with keeping(tmp_path / "k", ground), dial(tmp_path / "k") as line:
        receive(line)
        assert asked(line, ORDER, ends)["refused"] == "BoxUnavailable"
        ground.held = False
        assert "done" in asked(line, {"do": "sweep"})
        assert "done" in asked(line, ORDER, ends)


def test_a_sweep_that_fails_is_a_doubt_of_its_own(line: socket.socket, ends: list[int], ground: NotedGround) -> None:
    assert "done" in asked(line, {"do": "sweep"})
    ground.held = True
    assert asked(line, {"do": "sweep"})["refused"] == "WipeUnproven"
    assert asked(line, ORDER, ends)["refused"] == "BoxUnavailable"


@pytest.mark.parametrize("fault", [RuntimeError("unforeseen"), OSError(28, "no space left")])
def test_after_a_fault_nothing_starts_before_a_sweep(
    place: Path, ends: list[int], ground: NotedGround, fault: Exception
) -> None:
    with dial(place) as line:
        receive(line)
        asked(line, ORDER, ends)
        ground.fault = fault
        send(line, {"do": "settle", "id": 1})
        with pytest.raises(LineClosed):
            receive(line)
    with dial(place) as line:
        receive(line)
        assert asked(line, ORDER, ends)["refused"] == "BoxUnavailable"
        assert "done" in asked(line, {"do": "sweep"})
        assert "done" in asked(line, ORDER, ends)


def test_a_box_whose_proof_fails_in_its_own_way_is_not_forgotten(
    place: Path, ends: list[int], ground: NotedGround, caplog: pytest.LogCaptureFixture
) -> None:
    with dial(place) as line:
        receive(line)
        asked(line, ORDER, ends)
        asked(line, ORDER, ends)
        ground.unprovable = PermissionError("a person's name")
    with dial(place) as line:
        receive(line)
        assert "PermissionError" in caplog.text
        assert "name" not in caplog.text
        ground.unprovable = None
        assert asked(line, ORDER, ends)["refused"] == "BoxUnavailable"
        assert "done" in asked(line, {"do": "sweep"})
        assert [hold.proven for hold in ground.holds] == [1, 1]


def test_what_comes_in_is_not_passed_on_by_accident(ends: list[int]) -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        send(near, {"do": "start"}, ends)
        parcel = receive(far)
    assert len(parcel.descriptors) == 4
    assert not any(os.get_inheritable(descriptor) for descriptor in parcel.descriptors)
    parcel.close()


def test_another_user_is_refused_and_named(
    tmp_path: Path, ground: NotedGround, caplog: pytest.LogCaptureFixture
) -> None:
    with keeping(tmp_path / "other", ground, uid=os.geteuid() + 1), dial(tmp_path / "other") as line:
        assert receive(line).message["refused"] == "PeerRefused"
        with pytest.raises(LineClosed):
            receive(line)
    assert f"uid {os.geteuid()}" in caplog.text


def test_a_message_of_ours_that_is_too_long_is_not_sent() -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        with pytest.raises(MessageRefused):
            send(near, {"do": "x" * LONGEST})
        far.settimeout(0)
        with pytest.raises(BlockingIOError):
            far.recv(1)
