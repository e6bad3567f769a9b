"""The device API from the terminal's side: every failure a named error, the token rolled, nobody locked out."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from madoguchi.protocol import MalformedMessage
from madoguchi.terminal.enrol import Credentials
from madoguchi.terminal.errors import ServerRefused, ServerUnreachable, TokenRevoked
from madoguchi.terminal.link import HttpLink
from madoguchi.terminal.service import roll_if_due
from terminal.doubles import START, SimClock, make_credentials
from terminal.office import Office
from terminal.rig import Cable

REPORT = {
    "state": "locked",
    "visit": None,
    "lease": None,
    "clock": START.isoformat(),
    "training": False,
    "version": "0",
}


class Wire:
    """A link to an office over a cable."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.office = Office(self.clock)
        self.credentials = make_credentials()
        self.office.trust(self.credentials)
        self.cable = Cable(self.office)
        self.client = httpx.Client(transport=self.cable)
        self.saved: list[Credentials] = []
        self.link = HttpLink(
            base_url="http://office.test/", credentials=self.credentials, client=self.client, save=self.saved.append
        )


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.client.close()


def test_an_empty_answer(wire: Wire) -> None:
    answer = wire.link.poll(REPORT)
    assert answer.assignment is None
    assert answer.cleared is False
    assert answer.server_time == START


def test_a_called_visit(wire: Wire) -> None:
    ident = wire.office.call()
    held = wire.link.poll(REPORT).assignment
    assert held is not None
    assert (held.visit, held.lease, held.state) == (ident, 1, "called")


@pytest.mark.parametrize(
    ("error", "sent"),
    [(httpx.ConnectError, False), (httpx.ConnectTimeout, False), (httpx.ReadTimeout, True), (httpx.ReadError, True)],
)
def test_whether_a_request_can_have_arrived(error: type[httpx.HTTPError], sent: bool) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error("架空")

    with httpx.Client(transport=httpx.MockTransport(fail)) as client:
        link = HttpLink(base_url="http://office.test", credentials=make_credentials(), client=client)
        with pytest.raises(ServerUnreachable) as caught:
            link.poll(REPORT)
    assert caught.value.sent is sent


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, text="<html>log in to the proxy</html>"),
        httpx.Response(401, json={"detail": "proxy"}),
        httpx.Response(403, text="blocked by the filter"),
        httpx.Response(200, text="<html>welcome to the wifi</html>"),
        httpx.Response(200, json=["not", "an", "object"]),
        httpx.Response(500, json={"reason": "Oops", "sentence": "x"}),
        httpx.Response(503, text=""),
        httpx.Response(429, json={"reason": "TooMany", "sentence": "x"}),
        httpx.Response(302, headers={"Location": "http://elsewhere.test"}),
    ],
)
def test_what_something_in_between_says_decides_nothing(wire: Wire, answer: httpx.Response) -> None:
    wire.cable.instead = answer
    with pytest.raises(ServerUnreachable):
        wire.link.poll(REPORT)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"server_time": START.isoformat(), "assignment": None},
        {"server_time": "yesterday", "assignment": None, "cleared": False},
        {"server_time": "2022-08-17T10:00:00", "assignment": None, "cleared": False},
        {"server_time": START.isoformat(), "assignment": {"visit": "v"}, "cleared": False},
        {"server_time": START.isoformat(), "assignment": [], "cleared": False},
    ],
)
def test_a_malformed_answer_is_named(wire: Wire, body: dict[str, object]) -> None:
    wire.cable.instead = httpx.Response(200, json=body)
    with pytest.raises(MalformedMessage):
        wire.link.poll(REPORT)


def test_a_named_refusal_keeps_reason_and_sentence(wire: Wire) -> None:
    wire.office.refuse = (409, "TerminalOutOfService")
    with pytest.raises(ServerRefused) as caught:
        wire.link.poll(REPORT)
    assert (caught.value.status, caught.value.reason, caught.value.sentence) == (
        409,
        "TerminalOutOfService",
        "断りました。",
    )


def test_a_revoked_token_is_named(wire: Wire) -> None:
    wire.office.tokens = ["another"]
    with pytest.raises(TokenRevoked):
        wire.link.poll(REPORT)


def test_a_rolled_token_is_saved_before_it_is_used(wire: Wire) -> None:
    wire.link.roll_token()
    assert [saved.token for saved in wire.saved] == [wire.office.tokens[-1]]
    assert len(wire.office.tokens) == 2, "the old one still works"
    wire.link.poll(REPORT)
    assert wire.office.tokens == [wire.saved[0].token]


def test_a_crash_between_rolling_and_using_locks_nobody_out(wire: Wire) -> None:
    wire.cable.lose_next_answers = 1
    with pytest.raises(ServerUnreachable):
        wire.link.roll_token()
    assert wire.saved == []
    wire.link.poll(REPORT)
    wire.link.roll_token()
    wire.link.poll(REPORT)


def test_a_request_overtaken_by_a_new_token_is_repeated_with_it(wire: Wire) -> None:
    def overtake() -> None:
        wire.cable.meanwhile = None
        wire.link.roll_token()
        wire.link.poll(REPORT)

    wire.cable.meanwhile = overtake
    assert wire.link.poll(REPORT).assignment is None


def test_rolling_by_age(wire: Wire) -> None:
    assert roll_if_due(wire.link, wire.clock, days=1) is False
    wire.clock.forward(timedelta(days=1, seconds=1).total_seconds())
    wire.cable.cut = True
    assert roll_if_due(wire.link, wire.clock, days=1) is False
    wire.cable.cut = False
    assert roll_if_due(wire.link, wire.clock, days=1) is True


def test_the_token_is_in_no_representation(wire: Wire) -> None:
    assert wire.credentials.token not in repr(wire.credentials)
