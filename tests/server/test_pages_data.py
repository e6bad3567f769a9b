"""What the pages of terminals, data, staff and rejected messages do, without a browser."""

import re

import pytest
from django.urls import reverse

from madoguchi.evidence import leaf
from madoguchi.protocol import EventKind, Role, TerminalState
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters import devices
from madoguchi.server.counters.forms import TerminalForm
from madoguchi.server.counters.models import ProcedureKind, Site, Terminal
from madoguchi.server.counters.seed import City
from madoguchi.server.counters.services import save_terminal
from madoguchi.server.ledger import payloads
from madoguchi.server.ledger.models import Entry, Payload
from madoguchi.server.visits import services
from madoguchi.server.visits.models import RejectedMessage, Visit
from server.seat import Enter, People, Seat, text, ticket

# Terminals


def test_the_enrolment_code_is_shown_once(enter: Enter, city: City) -> None:
    client = enter("officer")
    address = f"/terminals/{city.terminals[3].pk}/"
    code = re.search(r'class="code">([\w-]+)<', text(client.post(f"{address}enrol/")))
    assert code is not None
    assert code[1] not in text(client.get(address))
    answer = client.post(f"{address}enrol/")
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_code_over_an_open_visit_needs_a_look_at_the_old_machine(enter: Enter, confirming: Visit) -> None:
    client = enter("officer")
    address = f"/terminals/{confirming.terminal_id}/enrol/"
    answer = client.post(address)
    assert answer.status_code == 400
    assert "前の機械の電源" in text(answer)
    assert 'class="code"' in text(client.post(address, {"old_machine_off": "on"}))


def test_clearing_and_revoking_need_a_reason(enter: Enter, seat: Seat) -> None:
    client = enter("officer")
    seat.report(EventKind.WIPE_FAILED, {"failure": "x"}, visit=None, lease=None)
    seat.poll(TerminalState.QUARANTINED)
    address = f"/terminals/{seat.terminal.pk}/"
    assert "使用停止の解除" in text(client.get(address))
    assert "理由を書いてください" in text(client.post(f"{address}clear/", {"clear-reason": ""}))
    cleared = client.post(f"{address}clear/", {"clear-reason": "電源を入れ直した"}, follow=True)
    assert "再消去を許可しました" in text(cleared)
    assert "電源を入れ直した" in text(cleared)
    assert client.post(f"{address}revoke/", {"revoke-reason": ""}).status_code == 400
    assert "登録を取り消しました" in text(client.post(f"{address}revoke/", {"revoke-reason": "故障"}, follow=True))
    assert "使用停止になっていません" not in text(client.get(address))


def test_clearing_what_is_not_stopped_is_refused(enter: Enter, seat: Seat) -> None:
    answer = enter("officer").post(f"/terminals/{seat.terminal.pk}/clear/", {"clear-reason": "念のため"})
    assert answer.status_code == 400
    assert "使用停止になっていません" in text(answer)


def test_a_terminal_is_taken_out_of_service_and_that_is_recorded(enter: Enter, seat: Seat, city: City) -> None:
    address = reverse("terminal_edit", args=[seat.terminal.pk])
    data = {"site": city.sites[0].pk, "name": "端末1"}
    assert enter("officer").post(address, data).status_code == 302
    assert Terminal.objects.get(pk=seat.terminal.pk).in_service is False
    assert seat.terminal.events.filter(kind="out_of_service", staff__username="officer").count() == 1
    enter("officer").post(address, data | {"in_service": "on"})
    assert seat.terminal.events.filter(kind="in_service").count() == 1


def test_a_terminal_with_a_visit_stays_where_it_is(enter: Enter, confirming: Visit, city: City) -> None:
    address = reverse("terminal_edit", args=[confirming.terminal_id])
    answer = enter("officer").post(address, {"site": city.sites[1].pk, "name": "窓側", "in_service": "on"})
    assert answer.status_code == 409
    assert confirming.terminal is not None
    assert Terminal.objects.get(pk=confirming.terminal.pk).site_id == city.sites[0].pk


def test_an_edit_does_not_undo_what_the_terminal_said_meanwhile(city: City, seat: Seat, staff: People) -> None:
    officer = staff("officer")
    read = Terminal.objects.get(pk=seat.terminal.pk)
    form = TerminalForm({"site": city.sites[0].pk, "name": "窓側", "in_service": "on"}, instance=read, staff=officer)
    assert form.is_valid()
    services.call(visit=ticket(seat, officer), terminal=seat.terminal, staff=officer)
    save_terminal(form=form, staff=officer)
    fresh = Terminal.objects.get(pk=seat.terminal.pk)
    assert (fresh.name, fresh.lease) == ("窓側", 1)


# Data


def procedure_form(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "label": "架空の手続",
        "label_en": "Made up",
        "code": "made-up",
        "start_url": "https://site.example/start",
        "logout_url": "https://site.example/logout",
        "allowed": "https://site.example\nhttp://127.0.0.1:8001",
        "position": 9,
        "bring-TOTAL_FORMS": 1,
        "bring-INITIAL_FORMS": 0,
        "bring-0-label": "マイナンバーカード",
        "bring-0-position": 0,
        "bring-0-required": "on",
    }
    return fields | changes


def test_a_procedure_is_data(enter: Enter) -> None:
    answer = enter("officer").post("/counters/procedures/new/", procedure_form(), follow=True)
    assert "手続「架空の手続」を保存しました" in text(answer)
    made = ProcedureKind.objects.get(code="made-up")
    assert made.assignment().allowed == ("https://site.example", "http://127.0.0.1:8001")
    assert [item.label for item in made.bring.all()] == ["マイナンバーカード"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"allowed": "site.example"}, "https://example.go.jp の形で"),
        ({"allowed": "https://site.example/path"}, "https://example.go.jp の形で"),
        ({"allowed": "https://other.example"}, "「開いてよいサイト」にも"),
        ({"start_url": "javascript:alert(1)"}, "URL"),
        ({"active_from": "2026-04-01", "active_until": "2026-03-01"}, "受付開始日より後"),
        ({"code": "public_money_account"}, "記号"),
    ],
)
def test_a_procedure_that_the_box_could_not_hold_is_refused(
    enter: Enter, changes: dict[str, object], words: str
) -> None:
    answer = enter("officer").post("/counters/procedures/new/", procedure_form(**changes))
    assert answer.status_code == 400
    assert words in text(answer)
    assert not ProcedureKind.objects.filter(label="架空の手続").exists()


def test_sites_and_help_lines_are_data(enter: Enter) -> None:
    client = enter("officer")
    client.post("/counters/sites/new/", {"name": "北分館", "slug": "kita", "ticket_letter": "K"})
    assert Site.objects.get(slug="kita").name == "北分館"
    assert (
        client.post("/counters/sites/new/", {"name": "南", "slug": "minami", "ticket_letter": "k"}).status_code == 400
    )
    line = {"name": "架空の電話", "number": "0120-00-0000", "subject": "架空", "position": 1}
    client.post("/counters/help-lines/new/", line)
    assert "架空の電話" in text(client.get("/counters/"))


# Staff


def person_form(**changes: object) -> dict[str, object]:
    return {
        "username": "new-one",
        "display_name": "新しい人(架空)",
        "role": "supporter",
        "site": "",
        "is_active": "on",
        "password": "long-enough-and-odd-7",
    } | changes


def test_a_manager_manages_the_contractors_people_only(enter: Enter) -> None:
    manager = enter("manager")
    assert manager.post("/staff/new/", person_form()).status_code == 302
    assert manager.post("/staff/new/", person_form(username="x", role="city_officer")).status_code == 400
    officer = Staff.objects.get(username="officer")
    assert manager.get(f"/staff/{officer.pk}/").status_code == 404
    assert "市職員(架空)" not in text(manager.get("/staff/"))


def test_a_password_for_somebody_is_strong_and_never_shown(enter: Enter) -> None:
    officer = enter("officer")
    answer = officer.post("/staff/new/", person_form(password="short"))
    assert answer.status_code == 400
    assert "短すぎます" in text(answer)
    assert 'value="short"' not in text(answer)
    assert officer.post("/staff/new/", person_form(password="")).status_code == 400
    officer.post("/staff/new/", person_form())
    made = Staff.objects.get(username="new-one")
    assert made.check_password("long-enough-and-odd-7")
    officer.post(f"/staff/{made.pk}/", person_form(password="", display_name="別の名前"))
    made.refresh_from_db()
    assert made.display_name == "別の名前"
    assert made.check_password("long-enough-and-odd-7")


def test_nobody_stops_or_changes_the_role_of_their_own_account(enter: Enter) -> None:
    me = Staff.objects.get(username="officer")
    own = person_form(username="officer", role="city_officer", password="")
    del own["is_active"]
    assert enter("officer").post(f"/staff/{me.pk}/", own).status_code == 403
    assert enter("officer").post(f"/staff/{me.pk}/", person_form(username="officer", password="")).status_code == 403
    me.refresh_from_db()
    assert (me.is_active, me.role) == (True, Role.CITY_OFFICER.value)


def test_a_manager_of_one_site_makes_people_of_that_site_only(enter: Enter, city: City) -> None:
    Staff.objects.filter(username="manager").update(site=city.sites[0])
    manager = enter("manager")
    assert manager.post("/staff/new/", person_form()).status_code == 400
    assert manager.post("/staff/new/", person_form(site=city.sites[1].pk)).status_code == 400
    assert manager.post("/staff/new/", person_form(site=city.sites[0].pk)).status_code == 302
    foreign = Staff.objects.get(username="tonan-1")
    assert manager.get(f"/staff/{foreign.pk}/").status_code == 404


# Rejected messages


def test_rejected_messages_are_opened_on_request_and_that_is_stated(enter: Enter, seat: Seat) -> None:
    seat.send({"message": "<script>alert(1)</script>", "signature": "x", "payload": None})
    auditor, row = enter("auditor"), RejectedMessage.objects.get()
    listed = text(auditor.get("/rejected/"))
    assert "MalformedMessage" in listed
    assert "script&gt;" not in listed
    assert not Entry.objects.filter(kind="payload_opened").exists()
    answer = auditor.post(f"/rejected/{row.pk}/open/")
    assert "&lt;script&gt;" in text(answer)
    assert "<script>alert" not in text(answer)
    assert "no-store" in answer["Cache-Control"]
    stated = leaf.read(bytes(Entry.objects.get(kind="payload_opened").leaf)).statement
    assert stated["staff"] == "auditor"
    assert stated["body"] == {"commitment": row.raw.removeprefix("sealed:"), "kind": "rejected"}


def test_a_rejected_message_stands_in_the_log(seat: Seat) -> None:
    seat.send({"message": {"id": "m-1", "seq": 7, "words": "no form"}, "signature": "x", "payload": None})
    row, entry = RejectedMessage.objects.get(), Entry.objects.get(kind="message_rejected")
    assert entry.terminal == seat.terminal.pk
    stated = leaf.read(bytes(entry.leaf)).statement
    assert stated["body"] == {"reason": row.reason, "message_id": "m-1", "seq": 7, "raw": row.raw}
    assert "no form" not in row.raw
    assert "no form" in str(payloads.open_payload(Payload.objects.get(kind="rejected"))[1]["raw"])


def test_nobody_opens_the_messages_of_another_site(enter: Enter, seat: Seat, city: City) -> None:
    seat.send({"message": None, "signature": "x", "payload": None})
    row = RejectedMessage.objects.get()
    Staff.objects.filter(username="officer").update(site=city.sites[1])
    assert enter("officer").post(f"/rejected/{row.pk}/open/").status_code == 404
    assert enter("honcho-1").post(f"/rejected/{row.pk}/open/").status_code == 403
    assert not Entry.objects.filter(kind="payload_opened").exists()


def test_an_officer_of_one_site_sees_the_rejected_messages_of_that_site(enter: Enter, seat: Seat, city: City) -> None:
    seat.send({"message": None, "signature": "x", "payload": None})
    Staff.objects.filter(username="officer").update(site=city.sites[1])
    assert "ありません。" in text(enter("officer").get("/rejected/"))
    Staff.objects.filter(username="officer").update(site=city.sites[0])
    assert "MalformedMessage" in text(enter("officer").get("/rejected/"))


def test_a_revoked_machine_is_seen_on_the_board(enter: Enter, seat: Seat, staff: People) -> None:
    devices.revoke(terminal=seat.terminal, staff=staff("officer"), reason="なくした")
    assert "未登録" in text(enter("honcho-1").get("/sites/honcho/"))
