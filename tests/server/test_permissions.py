"""Role × address: every address has a row here, and every role gets what `protocol.roles` says and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from madoguchi.protocol import Permission, Role, may
from madoguchi.protocol.roles import STAFF
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import HelpLine
from madoguchi.server.counters.seed import City
from madoguchi.server.ledger import integrator, log, payloads
from madoguchi.server.ledger.models import Payload
from madoguchi.server.visits.models import RejectedMessage, Visit
from server.seat import People, Seat, ticket

P = Permission
PUBLIC, ANY_STAFF, DEVICE, ENROLMENT, NOWHERE = "public", "any staff", "device", "enrolment", "nowhere"
WORKS = (200, 302, 400, 409)


@dataclass(frozen=True)
class Row:
    """Who may use an address, how it is asked, and of what kind its argument is."""

    who: Permission | str
    argument: str | None = None
    method: str = "get"
    foreign: bool = False
    """Whether the argument belongs to a site: for people of another site it does not exist."""


def of_site(who: Permission, method: str = "get") -> Row:
    return Row(who, "slug", method, foreign=True)


def of_visit(who: Permission, method: str = "get") -> Row:
    return Row(who, "visit_id", method, foreign=True)


def of_terminal(who: Permission, method: str = "get") -> Row:
    return Row(who, "terminal", method, foreign=True)


MATRIX = {
    "home": Row(ANY_STAFF),
    "login": Row(PUBLIC),
    "logout": Row(ANY_STAFF, method="post"),
    "password": Row(ANY_STAFF),
    "staff": Row(P.MANAGE_STAFF),
    "staff_new": Row(P.MANAGE_STAFF),
    "staff_edit": Row(P.MANAGE_STAFF, "staff", foreign=True),
    "sites": Row(P.SEE_BOARD),
    "board": of_site(P.SEE_BOARD),
    "board_live": of_site(P.SEE_BOARD),
    "call": of_site(P.CALL_TICKET, "post"),
    "reception": of_site(P.ISSUE_TICKET),
    "display": Row(PUBLIC, "slug"),
    "display_live": Row(PUBLIC, "slug"),
    "visit": of_visit(P.SEE_VISIT),
    "visit_now": of_visit(P.SEE_VISIT),
    "visit_record": of_visit(P.SEE_VISIT),
    "slip": of_visit(P.SEE_VISIT),
    "visit_spoken": of_visit(P.CONFIRM_FOR_CITIZEN, "post"),
    "visit_absent": of_visit(P.CONFIRM_FOR_CITIZEN, "post"),
    "visit_ask-end": of_visit(P.ASK_END, "post"),
    "visit_return": of_visit(P.CALL_TICKET, "post"),
    "visit_withdraw": of_visit(P.WITHDRAW_TICKET, "post"),
    "visit_attest": of_visit(P.ATTEST_WIPE, "post"),
    "receipt": of_visit(P.SEE_VISIT),
    "evidence": Row(P.SEE_EVIDENCE),
    "evidence_verify": Row(P.SEE_EVIDENCE, method="post"),
    "evidence_search": Row(P.SEE_EVIDENCE),
    "evidence_visit": of_visit(P.SEE_EVIDENCE),
    "evidence_visit_export": of_visit(P.EXPORT_EVIDENCE, "post"),
    "evidence_entry": Row(P.SEE_EVIDENCE, "position", foreign=True),
    "evidence_checkpoints": Row(P.SEE_EVIDENCE),
    "evidence_note": Row(P.SEE_EVIDENCE, "size"),
    "evidence_anchor": Row(P.SEE_EVIDENCE),
    "evidence_payload": Row(P.SEE_PAYLOADS, "payload_id", "post", foreign=True),
    "evidence_export": Row(P.EXPORT_EVIDENCE, method="post"),
    "daily_choose": Row(P.SEE_VISIT),
    "daily": Row(P.SEE_VISIT, "slug_day", foreign=True),
    "rejected": Row(P.SEE_REJECTED),
    "rejected_open": Row(P.SEE_PAYLOADS, "rejected", "post", foreign=True),
    "counters": Row(P.SEE_COUNTERS),
    "site_new": Row(P.EDIT_COUNTERS),
    "site_edit": Row(P.EDIT_COUNTERS, "site", foreign=True),
    "procedure_new": Row(P.EDIT_COUNTERS),
    "procedure_edit": Row(P.EDIT_COUNTERS, "procedure"),
    "help_line_new": Row(P.EDIT_COUNTERS),
    "help_line_edit": Row(P.EDIT_COUNTERS, "help_line"),
    "terminals": Row(P.SEE_COUNTERS),
    "terminal_new": Row(P.EDIT_COUNTERS),
    "terminal": of_terminal(P.SEE_COUNTERS),
    "terminal_edit": of_terminal(P.EDIT_COUNTERS),
    "terminal_enrol": of_terminal(P.ENROL_TERMINAL, "post"),
    "terminal_revoke": of_terminal(P.REVOKE_TERMINAL, "post"),
    "terminal_clear": of_terminal(P.CLEAR_QUARANTINE, "post"),
    "device:api-root": Row(NOWHERE),
    "device:enrol": Row(ENROLMENT, method="post"),
    "device:token": Row(DEVICE, method="post"),
    "device:poll_": Row(DEVICE, method="post"),
    "device:messages": Row(DEVICE, method="post"),
}

Arguments = dict[str | None, dict[str, Any]]


def addresses(patterns: list[Any], space: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else space)
        elif isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}", pattern.callback


@pytest.fixture
def visit(seat: Seat, staff: People) -> Visit:
    return ticket(seat, staff("honcho-1"))


@pytest.fixture
def arguments(city: City, seat: Seat, visit: Visit) -> Arguments:
    """Things of the first site."""
    line = HelpLine.objects.first()
    assert line is not None
    seat.send({"message": None, "signature": "x", "payload": None})
    payloads.keep_words("席を外した", visit=visit.pk)
    checkpoint = integrator.settle()
    (position, _), *_ = log.entries_of_visit(visit.pk)
    return {
        None: {},
        "slug": {"slug": city.sites[0].slug},
        "visit_id": {"visit_id": visit.pk},
        "position": {"position": position},
        "size": {"size": checkpoint.size},
        "payload_id": {"payload_id": Payload.objects.get(visit=visit.pk).pk},
        "slug_day": {"slug": city.sites[0].slug, "day": clock.today().isoformat()},
        "terminal": {"pk": seat.terminal.pk},
        "rejected": {"pk": RejectedMessage.objects.get(terminal=seat.terminal).pk},
        "staff": {"pk": Staff.objects.get(username="honcho-2").pk},
        "site": {"pk": city.sites[0].pk},
        "procedure": {"pk": city.procedures[0].pk},
        "help_line": {"pk": line.pk},
    }


def person(role: Role, site: Any = None) -> Staff:
    return Staff.objects.create_user(f"some-{role}", "x" * 12, display_name="架空", role=role.value, site=site)


def ask(client: Client, name: str, arguments: Arguments) -> int:
    row = MATRIX[name]
    answer = getattr(client, row.method)(reverse(name, kwargs=arguments[row.argument]))
    if answer.streaming:
        b"".join(answer.streaming_content)
    return int(answer.status_code)


def enter(client: Client, staff: Staff) -> None:
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert {name for name, _ in addresses(get_resolver().url_patterns)} == set(MATRIX)


def test_each_view_asks_for_the_permission_of_its_row() -> None:
    asked = {
        name: getattr(view, "permission", None)
        for name, view in addresses(get_resolver().url_patterns)
        if isinstance(MATRIX[name].who, Permission)
    }
    assert asked == {name: row.who for name, row in MATRIX.items() if isinstance(row.who, Permission)}


@pytest.mark.parametrize("role", STAFF)
def test_role_by_address(role: Role, client: Client, arguments: Arguments) -> None:
    staff = person(role)
    wrong = {}
    for name, row in MATRIX.items():
        enter(client, staff)
        status = ask(client, name, arguments)
        if isinstance(row.who, Permission) and not may(role, row.who):
            expected: tuple[int, ...] = (403,)
        else:
            expected = {DEVICE: (401,), NOWHERE: (404,)}.get(str(row.who), WORKS)
        if status not in expected:
            wrong[name] = (status, expected)
    assert wrong == {}


FOREIGN = {name: row.who for name, row in MATRIX.items() if row.foreign and isinstance(row.who, Permission)}


def test_a_colleague_of_another_site_finds_nothing(client: Client, arguments: Arguments, city: City) -> None:
    people = {role: person(role, city.sites[1]) for role in STAFF}
    found = {}
    for name, who in FOREIGN.items():
        enter(client, people[next(role for role in STAFF if may(role, who))])
        found[name] = ask(client, name, arguments)
    assert found == dict.fromkeys(FOREIGN, 404)


def test_a_colleague_of_the_same_site_finds_it(client: Client, arguments: Arguments, city: City) -> None:
    wrong = {}
    for role in STAFF:
        enter(client, person(role, city.sites[0]))
        for name, who in FOREIGN.items():
            if may(role, who) and (status := ask(client, name, arguments)) not in WORKS:
                wrong[role, name] = status
    assert wrong == {}


def test_a_stranger_is_asked_for_a_login(client: Client, arguments: Arguments) -> None:
    usual = {PUBLIC: 200, DEVICE: 401, ENROLMENT: 400, NOWHERE: 404}
    expected = {name: usual.get(str(row.who), 302) for name, row in MATRIX.items()}
    assert {name: ask(client, name, arguments) for name in MATRIX} == expected


def test_a_login_that_was_stopped_opens_nothing(client: Client, arguments: Arguments) -> None:
    stopped = person(Role.CITY_OFFICER)
    enter(client, stopped)
    Staff.objects.filter(pk=stopped.pk).update(is_active=False)
    names = [name for name, row in MATRIX.items() if isinstance(row.who, Permission) or row.who == ANY_STAFF]
    assert {ask(client, name, arguments) for name in names} == {302}
