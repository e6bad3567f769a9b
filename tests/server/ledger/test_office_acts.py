"""What the office does is stated in the log: who, what, and nothing personal."""

import json
from datetime import timedelta
from typing import Any

import pytest

from madoguchi.protocol import Event, EventKind, Role
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.services import save_staff
from madoguchi.server.counters.seed import City
from madoguchi.server.errors import Forbidden
from madoguchi.server.ledger import statements
from madoguchi.server.ledger.errors import EntryTooLong
from madoguchi.server.ledger.models import Entry
from madoguchi.server.ledger.types import NotInTheList
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit, VisitEvent
from madoguchi.server.visits.record import record
from server.seat import Enter, People, Seat, ticket

pytestmark = pytest.mark.django_db


def stated(kind: str) -> list[dict[str, Any]]:
    rows = Entry.objects.filter(kind=kind).order_by("pk")
    return [json.loads(bytes(row.leaf))["statement"] for row in rows]


def test_a_new_account_is_stated_without_name_and_password(city: City, staff: People) -> None:
    person = Staff(username="honcho-9", display_name="架空 九子", role="supporter", site=city.sites[0])
    save_staff(person=person, password="a long enough one", by=staff("officer"))
    said = stated("staff_saved")[-1]
    assert (said["staff"], said["by"]) == ("officer", "city_officer")
    assert said["body"]["username"] == "honcho-9"
    assert said["body"]["password"] is True
    whole = b"".join(bytes(row.leaf) for row in Entry.objects.all()).decode()
    assert "架空" not in whole
    assert "a long enough one" not in whole


def test_a_login_name_stays_as_the_record_names_it(staff: People, enter: Enter) -> None:
    person = staff("honcho-1")
    form = {"username": "someone-else", "display_name": "架空 一子", "role": "supporter", "site": person.site_id}
    assert enter("officer").post(f"/staff/{person.pk}/", form | {"is_active": "on"}).status_code == 302
    assert Staff.objects.get(pk=person.pk).username == "honcho-1"
    person.username = "someone-else"
    with pytest.raises(Forbidden):
        save_staff(person=person, password=None, by=staff("officer"))


def test_a_statement_that_no_bundle_holds_is_refused(city: City) -> None:
    before = Entry.objects.count()
    body = {"scope": {"visits": ["0" * 36] * 2_000}, "size": 1, "entries": 1, "payloads": 0}
    with pytest.raises(EntryTooLong):
        statements.state(kind="evidence_exported", body=body)
    assert Entry.objects.count() == before
    assert city.sites


def test_changed_counter_data_is_stated(city: City, enter: Enter) -> None:
    site = city.sites[0]
    form = {"name": "架空市役所 新館", "slug": site.slug, "ticket_letter": site.ticket_letter}
    assert enter("officer").post(f"/counters/sites/{site.pk}/", form).status_code == 302
    assert stated("counter_saved")[-1]["body"] == {"what": "site", "key": str(site.pk), "changed": ["name"]}


def test_an_enrolment_code_is_stated_but_not_told(seat: Seat) -> None:
    said = stated("code_issued")[-1]
    assert said["terminal"] == str(seat.terminal.pk)
    assert said["body"] == {"old_machine_off": True}


def test_a_clock_that_goes_wrong_is_stated_once_and_so_is_its_return(seat: Seat) -> None:
    for late in (0, 30, 31, 45, 2, 1):
        seat.poll(clock=(clock.now() - timedelta(seconds=late)).isoformat())
    assert [round(said["body"]["skew"]) for said in stated("clock_off")] == [-30]
    assert [round(said["body"]["skew"]) for said in stated("clock_right")] == [-2]
    assert {said["terminal"] for said in stated("clock_off")} == {str(seat.terminal.pk)}


def test_words_that_staff_type_stand_neither_in_the_log_nor_in_the_record(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    services.withdraw(visit=visit, staff=staff("honcho-1"), reason="架空さんは保険証を忘れた")
    rows = [*Entry.objects.values_list("leaf", flat=True)]
    assert not any("保険証".encode() in bytes(leaf) or b"\\u4fdd" in bytes(leaf) for leaf in rows)
    assert "保険証" not in json.dumps(list(VisitEvent.objects.values_list("body", flat=True)), ensure_ascii=False)
    assert "保険証" not in Visit.objects.get(pk=visit.pk).reason


def test_the_record_takes_no_words_by_another_way(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    before = Entry.objects.count()
    event = Event(EventKind.WITHDRAW, Role.SUPPORTER, body={"reason": "架空さんの都合"})
    with pytest.raises(NotInTheList):
        record(event=event, visit=visit, staff=staff("honcho-1"))
    assert Entry.objects.count() == before
