"""The device API: enrolment, tokens, polls, and what is answered to calls that are not of the agreed form."""

from datetime import timedelta

import pytest
from django.test import Client

from madoguchi.evidence.keys import public_text
from madoguchi.protocol import Assignment, TerminalState
from madoguchi.server import clock, errors
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters import devices
from madoguchi.server.counters.models import Device, DeviceToken, EnrolmentCode, Terminal
from madoguchi.server.counters.seed import City
from madoguchi.server.visits import services
from server.seat import People, Seat, serve, ticket


@pytest.fixture
def empty(city: City, client: Client) -> Seat:
    """A terminal that is not enrolled yet."""
    return Seat(city.terminals[0], client)


def enrol(seat: Seat, code: str) -> tuple[int, str]:
    status, answer = seat.post("enrol", {"code": code, "public_key": public_text(seat.key)})
    return status, answer.get("reason", "")


def test_enrolment_tells_the_machine_what_it_is(empty: Seat, staff: People) -> None:
    code = devices.issue_code(terminal=empty.terminal, staff=staff("officer"))
    status, answer = empty.post("enrol", {"code": code, "public_key": public_text(empty.key)})
    assert status == 200
    assert set(answer) == {"terminal", "name", "site", "token", "tag_key"}
    assert (answer["terminal"], answer["name"], answer["site"]) == (str(empty.terminal.pk), "端末1", "本庁舎")
    assert not DeviceToken.objects.filter(digest__contains=answer["token"]).exists()


def test_a_code_may_be_typed_carelessly(empty: Seat, staff: People) -> None:
    code = devices.issue_code(terminal=empty.terminal, staff=staff("officer"))
    typed = code.lower().replace("-", " ").translate({ord("2"): "2", ord("3"): "3"})
    assert enrol(empty, f" {typed} ") == (200, "")


def test_a_code_is_used_once(empty: Seat, staff: People) -> None:
    code = devices.issue_code(terminal=empty.terminal, staff=staff("officer"))
    assert enrol(empty, code) == (200, "")
    assert enrol(empty, code) == (409, "EnrolmentUsed")
    assert Device.objects.filter(revoked_at=None).count() == 1


def test_a_code_expires(empty: Seat, staff: People) -> None:
    code = devices.issue_code(terminal=empty.terminal, staff=staff("officer"))
    later = clock.now() + timedelta(minutes=31)
    with clock.running_on(lambda: later):
        assert enrol(empty, code) == (409, "EnrolmentExpired")


def test_a_new_code_ends_the_older_one(empty: Seat, staff: People) -> None:
    first = devices.issue_code(terminal=empty.terminal, staff=staff("officer"))
    devices.issue_code(terminal=empty.terminal, staff=staff("officer"))
    assert enrol(empty, first) == (409, "EnrolmentExpired")


def test_an_unknown_code_enrols_nothing(empty: Seat) -> None:
    assert enrol(empty, "AAAA-AAAA-AAAA") == (404, "EnrolmentUnknown")
    assert enrol(empty, "") == (404, "EnrolmentUnknown")


def test_a_code_is_not_spent_on_a_key_that_is_none(empty: Seat, staff: People) -> None:
    code = devices.issue_code(terminal=empty.terminal, staff=staff("officer"))
    status, answer = empty.post("enrol", {"code": code, "public_key": "no key"})
    assert (status, answer["reason"]) == (400, "BadSignature")
    assert enrol(empty, code) == (200, "")


def test_codes_are_kept_as_hashes_only(empty: Seat, staff: People) -> None:
    code = devices.issue_code(terminal=empty.terminal, staff=staff("officer"))
    digest = EnrolmentCode.objects.get().digest
    assert code.replace("-", "") not in digest
    assert len(digest) == 64


def test_a_new_machine_ends_the_old_one(seat: Seat, city: City, client: Client) -> None:
    another = Seat(city.terminals[0], client)
    another.enrol()
    status, answer = seat.post("token", {})
    assert (status, answer["reason"]) == (401, "TokenRevoked")
    another.poll()


def test_a_machine_is_not_replaced_over_an_open_visit_without_a_look(seat: Seat, staff: People) -> None:
    serve(seat, ticket(seat, staff("honcho-1")), staff("honcho-1"))
    with pytest.raises(errors.OldMachineUnclear):
        devices.issue_code(terminal=seat.terminal, staff=staff("officer"))
    assert devices.issue_code(terminal=seat.terminal, staff=staff("officer"), old_machine_off=True)


def test_the_old_token_works_until_the_new_one_is_used(seat: Seat) -> None:
    old = seat.token
    status, answer = seat.post("token", {})
    assert status == 200
    assert seat.post("token", {}, token=old)[0] == 200
    assert seat.post("token", {}, token=answer["token"])[0] == 401  # replaced by the one asked for after it
    new = seat.post("token", {}, token=old)[1]["token"]
    assert seat.post("token", {}, token=new)[0] == 200
    status, refusal = seat.post("token", {}, token=old)
    assert (status, refusal["reason"]) == (401, "TokenRevoked")


@pytest.mark.parametrize("header", [None, "", "Device", "Device ", "Bearer x", "Device no-such-token", "Device \u00e9"])
def test_without_a_good_token_nothing_is_answered(client: Client, city: City, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in ("token", "poll", "messages"):
        answer = client.post(f"/api/device/{path}", {}, content_type="application/json", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["reason"] == "TokenUnknown"
    assert len(city.terminals) == 7


def test_the_poll_brings_the_assignment_and_takes_the_state(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    assert seat.poll()["assignment"] is None
    services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
    held = Assignment.from_json(seat.poll()["assignment"])
    assert (held.visit, held.ticket, held.lease, held.state) == (str(visit.pk), "A-001", 1, "called")
    assert held.procedure.code == "public_money_account"
    assert held.procedure.allowed == ("https://site.example",)
    seat.poll(TerminalState.WAITING_CARD, clock=(clock.now() + timedelta(seconds=40)).isoformat(), training=True)
    terminal = Terminal.objects.get(pk=seat.terminal.pk)
    assert (terminal.state, terminal.training, terminal.version) == ("waiting_card", True, "test")
    assert terminal.clock_skew == pytest.approx(40, abs=5)


def test_the_servers_clock_can_be_simulated(seat: Seat) -> None:
    from datetime import UTC, datetime

    august = datetime(2022, 8, 17, 1, 0, tzinfo=UTC)
    with clock.running_on(lambda: august):
        assert seat.poll()["server_time"] == "2022-08-17T01:00:00+00:00"
        assert clock.today().isoformat() == "2022-08-17"


def test_a_silent_terminal_is_not_called_to(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    later = clock.now() + timedelta(minutes=2)
    with clock.running_on(lambda: later), pytest.raises(errors.TerminalSilent):
        services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))


POLL = {
    "state": "locked",
    "visit": None,
    "lease": None,
    "clock": "2026-01-01T00:00:00+09:00",
    "training": False,
    "version": "1",
}


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("poll", {}),
        ("poll", POLL | {"state": "asleep"}),
        ("poll", POLL | {"clock": "2026-01-01T00:00:00"}),
        ("poll", POLL | {"clock": 5}),
        ("poll", POLL | {"training": "yes"}),
        ("poll", POLL | {"version": "x" * 50}),
        ("poll", POLL | {"more": 1}),
        ("messages", {}),
        ("messages", {"messages": {}}),
        ("messages", {"messages": [None] * 201}),
        ("messages", []),
        ("token", {"x": 1}),
        ("enrol", {"code": 5, "public_key": "x"}),
        ("enrol", {"code": "x" * 99, "public_key": "x"}),
    ],
)
def test_a_call_of_another_form_is_refused_with_a_reason(seat: Seat, path: str, data: object) -> None:
    status, answer = seat.post(path, data)
    assert status == 400
    assert answer == {"reason": "MalformedRequest", "sentence": errors.MalformedRequest.sentence}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"messages": [NaN]}'])
def test_a_body_that_is_no_json_is_refused(seat: Seat, body: bytes) -> None:
    answer = seat._client.post(
        "/api/device/messages", body, content_type="application/json", headers={"Authorization": f"Device {seat.token}"}
    )
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert answer.json()["verdicts"][0]["verdict"] == "rejected"
    else:
        assert answer.json()["reason"] == "MalformedRequest"


def test_a_body_that_is_too_large_is_refused(seat: Seat) -> None:
    body = b'{"messages": ["' + b"x" * (4 * 1024 * 1024) + b'"]}'
    answer = seat._client.post(
        "/api/device/messages", body, content_type="application/json", headers={"Authorization": f"Device {seat.token}"}
    )
    assert answer.status_code == 400
    assert answer.json()["reason"] == "MalformedRequest"


def test_unknown_calls_answer_in_the_same_form(client: Client) -> None:
    answer = client.get("/api/device/nothing")
    assert answer.status_code == 404
    assert set(answer.json()) == {"reason", "sentence"}


def test_the_api_takes_no_login_of_a_person_instead_of_a_token(client: Client, city: City) -> None:
    client.force_login(Staff.objects.get(username="officer"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/api/device/poll", POLL, content_type="application/json").status_code == 401
    assert city.sites
