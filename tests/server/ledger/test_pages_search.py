"""Searching the log: every way of asking, page by page, and only over indexes."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from madoguchi.protocol import EventKind
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.seed import City
from madoguchi.server.ledger import integrator, log, pages_search, statements
from madoguchi.server.ledger.models import Entry
from madoguchi.server.visits.models import Visit
from server.ledger.pages_support import place_of, seen
from server.seat import Enter, People, Seat, ticket


def asked(client: Client, **query: object) -> list[int]:
    """The places that a search of today finds, in the order shown."""
    today = clock.today().isoformat()
    page = seen(client, "evidence_search", query={"begin": today, "end": today} | query)
    return [int(place) for place in re.findall(r'<td>\s*<a href="/evidence/entries/(\d+)/">', page)]


def test_today_is_shown_at_once_newest_first(officer: Client, visit: Visit) -> None:
    assert visit.pk
    page = seen(officer, "evidence_search")
    places = [int(place) for place in re.findall(r'<td>\s*<a href="/evidence/entries/(\d+)/">', page)]
    assert places == asked(officer) == sorted(range(log.size()), reverse=True)


def test_by_ticket_kind_terminal_and_staff(officer: Client, visit: Visit, seat: Seat, staff: People) -> None:
    own = sorted((place for place, _ in log.entries_of_visit(visit.pk) if place is not None), reverse=True)
    ticket(seat, staff("honcho-2"))
    integrator.settle()
    assert asked(officer, ticket="A-001") == asked(officer, ticket="a001") == own
    assert asked(officer, ticket="A-001", kind="end") == [place_of(visit, EventKind.END)]
    assert asked(officer, ticket="B-001") == []
    terminal = asked(officer, terminal=str(seat.terminal.pk))
    assert set(own) - {place_of(visit, EventKind.ISSUE)} < set(terminal)
    issued = asked(officer, kind="issue")
    assert len(issued) == 2
    assert asked(officer, kind="issue", staff=staff("honcho-2").pk) == issued[:1]
    called = sorted([place_of(visit, EventKind.ISSUE), place_of(visit, EventKind.CALL)], reverse=True)
    assert asked(officer, staff=staff("honcho-1").pk) == called


def test_a_login_that_begins_like_another_is_not_mixed_up_with_it(officer: Client, visit: Visit) -> None:
    assert visit.pk
    short = Staff.objects.create_user("honcho", "x" * 12, display_name="架空", role="supporter")
    assert asked(officer, staff=short.pk) == []


def test_a_place_leads_to_its_entry(officer: Client, visit: Visit) -> None:
    assert visit.pk
    today = clock.today().isoformat()
    answer = officer.get("/evidence/search/", {"begin": today, "end": today, "position": "2"})
    assert answer.headers["Location"] == "/evidence/entries/2/"


def test_results_come_in_pages_without_a_gap(officer: Client, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    assert visit.pk
    monkeypatch.setattr(pages_search, "PAGE", 4)
    found, before = [], ""
    while True:
        query: dict[str, object] = {"before": before} if before else {}
        found += asked(officer, **query)
        today = clock.today().isoformat()
        page = seen(officer, "evidence_search", query={"begin": today, "end": today} | query)
        more = re.search(r'before=(\d+)">古い方へ', page)
        if not more:
            break
        before = more[1]
    assert found == sorted(range(log.size()), reverse=True)


def test_entries_of_one_moment_are_not_lost_between_pages(
    officer: Client, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert visit.pk
    moment = clock.now()
    with clock.running_on(lambda: moment):
        for number in range(9):
            statements.state(kind="clock_off", body={"skew": number})
    integrator.settle()
    monkeypatch.setattr(pages_search, "PAGE", 4)
    first = asked(officer, kind="clock_off")
    last = Entry.objects.filter(kind="clock_off").order_by("pk")[5].pk
    assert len(first) == 4
    assert asked(officer, kind="clock_off", before=last) == [first[-1] - 1 - n for n in range(4)]


@pytest.mark.parametrize(
    "query",
    [
        {"begin": "2022-08-18", "end": "2022-08-17"},
        {"begin": "2022-01-01", "end": "2022-12-31"},
        {"begin": "きょう"},
        {"ticket": "名前"},
        {"kind": "nothing"},
        {"terminal": "x"},
        {"position": "-1"},
    ],
)
def test_what_cannot_be_searched_is_said(officer: Client, visit: Visit, query: dict[str, str]) -> None:
    assert visit.pk
    today = clock.today().isoformat()
    page = seen(officer, "evidence_search", status=400, query={"begin": today, "end": today} | query)
    assert 'class="error"' in page


def test_people_of_one_site_find_their_own_and_are_offered_no_others(
    enter: Enter, visit: Visit, city: City, staff: People
) -> None:
    for site, expected in ((city.sites[0], True), (city.sites[1], False)):
        Staff.objects.filter(username="officer").update(site=site)
        client = enter("officer")
        assert (place_of(visit, EventKind.END) in asked(client)) is expected
        assert bool(asked(client, ticket="A-001")) is expected
        page = seen(client, "evidence_search")
        assert (city.terminals[0].name in page and str(city.terminals[0].pk) in page) is expected
        assert (str(staff("honcho-1")) in page) is expected
        assert "記録 0" not in page


def test_yesterday_is_found_by_its_day_alone(officer: Client, visit: Visit) -> None:
    assert visit.pk
    yesterday = clock.now() - timedelta(days=1)
    with clock.running_on(lambda: yesterday):
        statements.state(kind="clock_right", body={"skew": 0})
        day = clock.today().isoformat()
    integrator.settle()
    assert len(asked(officer, kind="clock_right", begin=day, end=day)) == 1
    assert asked(officer, kind="clock_right") == []


def test_the_number_of_queries_does_not_grow_with_the_results(officer: Client, visit: Visit) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            asked(officer)
        return len(queries)

    assert visit.pk
    before = count()
    for number in range(30):
        statements.state(kind="clock_off", body={"skew": number})
    integrator.settle()
    assert count() <= before + 1


def test_a_search_reads_along_an_index(officer: Client, visit: Visit, seat: Seat) -> None:
    assert visit.pk
    ways = {"": "entry_at", "terminal": "entry_of_terminal", "ticket": "entry_of_visit"}
    given = {"": {}, "terminal": {"terminal": str(seat.terminal.pk)}, "ticket": {"ticket": "A-001"}}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    for way, index in ways.items():
        with CaptureQueriesContext(connection) as queries:
            asked(officer, **given[way])
        (found,) = [one["sql"] for one in queries if '"leaf"' in one["sql"] and "ORDER BY" in one["sql"]]
        with connection.cursor() as cursor:
            cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + found)
            plan = str(cursor.fetchall())
        assert re.search(rf"{index}|entry_at|entry_of_terminal", plan), plan
        assert "Seq Scan on ledger_entry" not in plan
        assert "SCAN ledger_entry'" not in plan
