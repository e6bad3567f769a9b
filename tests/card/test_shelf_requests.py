"""The reader behind its socket, asked by strangers: no request stops it, none leaves a thread."""

import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from card.support import SOON, until
from madoguchi.card import (
    MemoryReader,
    ReaderServer,
    SocketReader,
    wire,
)

# --- clients that misbehave

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


_OPS = st.sampled_from(["state", "wait", "connect", "transmit", "insert", "on_reader", "disconnect", "exec", ""])


_KNOWN = st.tuples(st.booleans(), st.integers(0, 3)).map(list)


_REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "known": _KNOWN | _JSON,
        "timeout": st.floats(-1, 0.02) | st.none() | st.text(max_size=3),
        "apdu": st.binary(max_size=12).map(bytes.hex) | _JSON,
        "name": st.sampled_from(["花子", "次郎"]) | _JSON,
    },
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(requests=st.lists(st.tuples(_OPS, _REQUESTS), max_size=4), rest=st.binary(max_size=20))
def test_no_request_whatever_stops_the_server(
    server: ReaderServer,
    slot: MemoryReader,
    socket_path: Path,
    requests: list[tuple[str, dict[str, object]]],
    rest: bytes,
) -> None:
    assert server
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(SOON)
        channel.connect(str(socket_path))
        for op, fields in requests:
            wire.send(channel, {"op": op} | fields)
            answer = wire.receive(channel)
            assert answer is not None
            assert set(answer) in ({"ok"}, {"error", "args"})
        channel.sendall(rest)
    assert SocketReader(socket_path).state() == slot.state()


def test_nested_nonsense_is_refused(server: ReaderServer, socket_path: Path) -> None:
    assert server
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(socket_path))
        data = b"[" * 200_000
        channel.sendall(len(data).to_bytes(4, "big") + data)
        answer = wire.receive(channel)
        assert answer == {"error": "RequestRefused", "args": []}
        assert wire.receive(channel) is None
    SocketReader(socket_path).state()


@pytest.mark.parametrize("timeout", ["Infinity", "NaN", "true", "null", "86401", "1" + "0" * 400])
def test_a_wait_without_a_time_is_refused(server: ReaderServer, socket_path: Path, timeout: str) -> None:
    assert server
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(socket_path))
        data = f'{{"op": "wait", "known": [false, 0], "timeout": {timeout}}}'.encode()
        channel.sendall(len(data).to_bytes(4, "big") + data)
        assert wire.receive(channel) == {"error": "RequestRefused", "args": []}


def test_a_client_that_leaves_while_waiting_leaves_no_thread(server: ReaderServer, socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(socket_path))
        wire.send(channel, {"op": "wait", "known": [False, 0], "timeout": 600})
        until(lambda: bool(server._threads))
    until(lambda: not server._threads)
