"""The only way out of a box lets through the visit's places, whole, and nothing else."""

import asyncio
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.terminal.boxconfig import START
from madoguchi.terminal.egress import Egress, Place, hand_out_own, is_near, take_listener
from website import Quiet, Website


class Way:
    """A proxy as a box sees it."""

    def __init__(self, *places: str, plain: bool = False) -> None:
        self.failures: list[str] = []
        near, far = socket.socketpair()
        self._near = near
        with far:
            self.address = hand_out_own(far.fileno())
        self.egress = Egress(near.fileno(), places, plain=plain, failed=self.failures.append)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=5)

    def say(self, text: bytes) -> bytes:
        """Send bytes, and read until the proxy closes."""
        with self.connect() as line:
            line.sendall(text)
            return rest(line)

    def close(self) -> None:
        self.egress.close()
        self._near.close()


def rest(line: socket.socket) -> bytes:
    found = b""
    with suppress(ConnectionResetError):
        while part := line.recv(65536):
            found += part
    return found


@contextmanager
def way(*places: str, plain: bool = False) -> Iterator[Way]:
    found = Way(*places, plain=plain)
    try:
        yield found
    finally:
        found.close()


class Site(Website):
    """A site that keeps connections open and tells what it was asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes, dict[str, str]]] = []
        site = self

        class Handler(Quiet, BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:  # the library's name
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                site.seen.append((self.command, self.path, body, dict(self.headers)))
                answer = b"x" * 300_000 if self.path == "/long" else b"seen"
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET  # noqa: N815 # the library's name

        super().__init__(Handler)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def through(found: Way, site: Site, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*found.address, timeout=5)
    try:
        connection.request(method, site.origin + path, body=body, headers={"Proxy-Authorization": "secret"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_place_of_the_visit_is_reached_with_its_whole_request_and_answer(site: Site) -> None:
    with way(site.origin) as found:
        assert through(found, site, "GET", "/long?x=1&y=%E3%81%82") == (200, b"seen")
        assert through(found, site, "GET", "/long") == (200, b"x" * 300_000)
        assert through(found, site, "POST", "/form", b"a=1" * 100_000) == (200, b"seen")
    methods = [(method, path, len(body)) for method, path, body, _ in site.seen]
    assert methods == [("GET", "/long?x=1&y=%E3%81%82", 0), ("GET", "/long", 0), ("POST", "/form", 300_000)]
    assert not any(name.lower().startswith("proxy") for *_, headers in site.seen for name in headers)


def test_another_port_host_or_scheme_is_not(site: Site) -> None:
    with Site() as other, way(site.origin) as found:
        for target in (other.origin, f"http://localhost:{site.port}", f"https://127.0.0.1:{site.port}", "file:///etc"):
            assert found.say(f"GET {target}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode()) == b""
        assert found.say(f"CONNECT 127.0.0.1:{other.port} HTTP/1.1\r\n\r\n".encode()) == b""
        assert other.seen == site.seen == []


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("localhost.example.jp", False),
        ("points.example.jp", False),
        ("10.0.0.1", False),
        ("127.0.0.1.example.jp", False),
        ("", False),
    ],
)
def test_only_this_machine_is_near(host: str, near: bool) -> None:
    assert is_near(host) is near


def test_what_is_said_without_https_does_not_leave_the_machine(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name for another machine; here it leads to the site, so that only the rule can stop it."""
    connect = asyncio.open_connection
    monkeypatch.setattr(asyncio, "open_connection", lambda *_: connect("127.0.0.1", site.port))
    request = b"GET http://points.example.jp/ HTTP/1.1\r\nHost: x\r\n\r\n"
    with way("points.example.jp") as found:
        assert found.say(request) == b""
        assert site.seen == []
    with way("points.example.jp", plain=True) as found:
        assert found.say(request).endswith(b"seen")


def test_the_host_header_opens_nothing(site: Site) -> None:
    with Site() as other, way(site.origin) as found:
        text = f"GET {other.origin}/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n"
        assert found.say(text.encode()) == b""
        assert other.seen == []


def test_a_second_request_on_the_same_connection_goes_nowhere(site: Site) -> None:
    """Only the first line was looked at: whatever follows on that connection must not be carried anywhere."""
    with Site() as other, way(site.origin) as found:
        first = f"GET {site.origin}/one HTTP/1.1\r\nHost: x\r\n\r\n"
        second = f"GET {other.origin}/two HTTP/1.1\r\nHost: x\r\n\r\n"
        found.say((first + second).encode())
        assert [path for _, path, *_ in site.seen] in ([], ["/one"])
        assert other.seen == []


def test_a_tunnel_carries_bytes_both_ways(site: Site) -> None:
    with way(site.origin) as found, found.connect() as line:
        line.sendall(f"CONNECT 127.0.0.1:{site.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 200 ")
        line.sendall(b"GET /inside HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert rest(line).endswith(b"seen")


def test_nobody_there_closes_the_connection() -> None:
    """No answer of ours: the browser must show its own error page, by which a failed log-out is known."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with way(f"http://127.0.0.1:{port}") as found:
        assert found.say(f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\n\r\n".encode()) == b""
        assert found.say(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode()) == b""


def test_the_first_request_waits_for_the_visit() -> None:
    with way() as found, found.connect() as line:
        assert not found.egress.wait_waiting(0)
        line.sendall(f"GET {START} HTTP/1.1\r\nHost: start.invalid\r\n\r\n".encode())
        assert found.egress.wait_waiting(5)
        line.settimeout(0.2)
        with pytest.raises(TimeoutError):
            line.recv(1)
        line.settimeout(5)
        found.egress.go("https://points.example.jp/start?a=1#b")
        answer = rest(line)
    assert b"\r\nLocation: https://points.example.jp/start?a=1#b\r\n" in answer


def test_an_address_writes_no_header_of_its_own() -> None:
    with way() as found, found.connect() as line:
        line.sendall(f"GET {START} HTTP/1.1\r\n\r\n".encode())
        found.egress.go("https://a.example/\r\nSet-Cookie: x=1\r\n\r\n架空")
        assert rest(line).count(b"\r\n") == b"302 Location Cache-Control Content-Length Connection end".count(b" ") + 1


def test_the_end_cuts_what_is_open(site: Site) -> None:
    with way(site.origin) as found:
        lines = [found.connect() for _ in range(3)]
        lines[0].sendall(f"CONNECT 127.0.0.1:{site.port} HTTP/1.1\r\n\r\n".encode())
        assert lines[0].recv(1000)
        lines[1].sendall(f"GET {START} HTTP/1.1\r\n\r\n".encode())
        assert found.egress.wait_waiting(5)
    for line in lines:
        assert rest(line) == b""
        line.close()


@pytest.mark.parametrize(
    "text", [b"\r\n\r\n", b"GET\r\n\r\n", b"\xff\xfe \x00 x\r\n\r\n", b"a" * 200_000, b"GET http://[::1/ x\r\n\r\n"]
)
def test_nonsense_is_cut_and_harms_nobody(site: Site, text: bytes) -> None:
    with way(site.origin) as found:
        assert found.say(text + b"\r\n\r\n") == b""
        assert through(found, site, "GET", "/after") == (200, b"seen")


@given(st.binary(max_size=300))
def test_no_bytes_reach_anybody_unasked(text: bytes) -> None:
    with way("http://127.0.0.1:9") as found:
        assert found.say(text + b"\r\n\r\n") in (b"",)
        assert found.failures == []


def test_a_box_that_closes_its_door_is_told() -> None:
    near, far = socket.socketpair()
    told = threading.Event()
    egress = Egress(near.fileno(), (), failed=lambda _: told.set())
    far.close()
    assert told.wait(5)
    egress.close()
    near.close()


@pytest.mark.parametrize("kind", ["file", "unix", "client", "two"])
def test_only_one_listener_is_taken_from_a_box(kind: str) -> None:
    near, far = socket.socketpair()
    with near, far, open("/dev/null", "rb") as file, socket.socket(socket.AF_UNIX) as unix, socket.socket() as client:
        ends = {"file": file.fileno(), "unix": unix.fileno(), "client": client.fileno()}
        socket.send_fds(far, [b"."], list(ends.values())[:2] if kind == "two" else [ends[kind]])
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises((OSError, ValueError)):
            take_listener(near.fileno())
        assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("place", "inside", "outside"),
    [
        ("https://.points.example.jp", [("points.example.jp", 443)], [("a.points.example.jp", 443)]),
        (
            "points.example.jp/path",
            [("a.points.example.jp", 80), ("POINTS.example.jp.", 443)],
            [("xpoints.example.jp", 443)],
        ),
        ("https://points.example.jp:444/x", [("points.example.jp", 444)], [("points.example.jp", 443)]),
        ("http://127.0.0.1:8101", [("127.0.0.1", 8101)], [("127.0.0.1", 80), ("localhost", 8101)]),
        ("", [], [("", 80), ("a", 80)]),
        ("*", [], [("a.example", 443)]),
    ],
)
def test_places(place: str, inside: list[tuple[str, int]], outside: list[tuple[str, int]]) -> None:
    read = Place.read(place)
    assert all(read.holds(*where) for where in inside)
    assert not any(read.holds(*where) for where in outside)
