"""The rules below the program, attacked with raw SQL. Runs on SQLite and on PostgreSQL."""

import re
from importlib import resources
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from madoguchi.protocol import VISIT_TABLE, EventKind, VisitState
from madoguchi.server.counters import devices
from madoguchi.server.counters.models import Terminal
from madoguchi.server.counters.seed import City
from madoguchi.server.visits import services
from madoguchi.server.visits.models import RejectedMessage, Visit, VisitEvent
from server.seat import People, Seat, serve, ticket

POSTGRES = "postgresql"
CHANGE = "UPDATE visits_visit SET {} WHERE id = %s"


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def key(row: Model) -> Any:
    """The primary key as the database holds it."""
    return row._meta.pk.get_db_prep_value(row.pk, connection)


def refused(rule: str, statement: str, *values: Any) -> None:
    """The database refuses the statement, and by this rule."""
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        sql(statement, *values)


def copy(row: Model, verb: str = "INSERT", **changes: Any) -> tuple[str, list[Any]]:
    """A statement that inserts a copy of the row with other values in some columns."""
    columns = [field.column for field in row._meta.concrete_fields if field.column != "id" or "id" in changes]
    sources = ["%s" if name in changes else f'"{name}"' for name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    values = [changes[name] for name in columns if name in changes]
    table = row._meta.db_table
    statement = f"{verb} INTO {table} ({names}) SELECT {', '.join(sources)} FROM {table} WHERE id = %s"  # noqa: S608
    return statement, [*values, key(row)]


@pytest.fixture
def called(seat: Seat, staff: People) -> Visit:
    visit = ticket(seat, staff("honcho-1"))
    return services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))


@pytest.fixture
def serving(seat: Seat, staff: People) -> Visit:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    visit.refresh_from_db()
    return visit


def bound(visit: Visit) -> VisitEvent:
    return visit.events.get(kind=EventKind.BIND_CARD.value)


def test_one_open_visit_per_terminal(seat: Seat, staff: People, called: Visit) -> None:
    other = ticket(seat, staff("honcho-1"))
    sql("UPDATE counters_terminal SET lease = lease + 1 WHERE id = %s", key(seat.terminal))
    refused(
        "visit_keeps_its_terminal|one_open_visit_per_terminal|terminal_id",
        "UPDATE visits_visit SET state = 'called', terminal_id = %s, lease = %s WHERE id = %s",
        key(seat.terminal),
        (called.lease or 0) + 1,
        key(other),
    )


def test_a_called_visit_holds_the_terminals_own_lease(seat: Seat, staff: People) -> None:
    other = ticket(seat, staff("honcho-1"))
    for lease in (-1, 0, 1, 7):
        if lease != Terminal.objects.get(pk=seat.terminal.pk).lease:
            refused(
                "visit_keeps_its_terminal",
                "UPDATE visits_visit SET state = 'called', terminal_id = %s, lease = %s WHERE id = %s",
                key(seat.terminal),
                lease,
                key(other),
            )


def test_a_ticket_is_unique_at_its_site_and_day(called: Visit) -> None:
    import uuid

    statement, values = copy(
        called,
        id=uuid.uuid4().hex if connection.vendor == "sqlite" else uuid.uuid4(),
        state="waiting",
        terminal_id=None,
        lease=None,
    )
    refused("ticket_once_per_site_and_day|visit_is_never_replaced", statement, *values)


@pytest.mark.parametrize("lease", [0, 2, None])
def test_a_terminals_event_carries_the_terminals_lease(serving: Visit, lease: int | None) -> None:
    statement, values = copy(bound(serving), lease=lease, seq=90, message_id="another")
    refused("event_of_terminal_has_the_lease", statement, *values)


def test_the_next_call_makes_the_lease_stale_in_the_database(seat: Seat, serving: Visit) -> None:
    statement, values = copy(bound(serving), seq=90, message_id="another", kind="curtain")
    with transaction.atomic():
        sql(statement, *values)
    sql("UPDATE counters_terminal SET lease = lease + 1 WHERE id = %s", key(seat.terminal))
    statement, values = copy(bound(serving), seq=91, message_id="a third", kind="curtain")
    refused("event_of_terminal_has_the_lease", statement, *values)


def test_an_event_comes_from_the_terminals_own_device(city: City, seat: Seat, serving: Visit, staff: People) -> None:
    other = Seat(city.terminals[1], seat._client)
    other.enrol()
    foreign = other.terminal.devices.get()
    statement, values = copy(bound(serving), device_id=foreign.pk, seq=90, message_id="another")
    refused("event_of_terminal_has_the_lease", statement, *values)
    devices.revoke(terminal=seat.terminal, staff=staff("officer"), reason="なくした")
    statement, values = copy(bound(serving), seq=90, message_id="another")
    refused("event_of_terminal_has_the_lease", statement, *values)


def test_what_only_a_terminal_can_see_is_not_written_by_others(serving: Visit) -> None:
    statement, values = copy(
        bound(serving), kind="wipe_proven", by="server", device_id=None, message_id=None, message=None, seq=90
    )
    refused("visit_event_seen_by_the_terminal", statement, *values)


def test_a_message_is_kept_once(serving: Visit) -> None:
    statement, values = copy(bound(serving), seq=90)
    refused("message_kept_once|event_is_never_replaced", statement, *values)
    statement, values = copy(bound(serving), message_id="another")
    refused("visit_event_numbered_once|event_is_never_replaced", statement, *values)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE visits_visitevent SET body = '{}'",
        "UPDATE visits_visitevent SET kind = kind",
        "UPDATE visits_visitevent SET visit_id = NULL",
        "DELETE FROM visits_visitevent",
    ],
)
def test_events_are_append_only(serving: Visit, statement: str) -> None:
    before = serving.events.count()
    refused("event_is_never_(changed|deleted)", statement)
    assert serving.events.count() == before


@pytest.mark.parametrize(
    "statement",
    ["UPDATE visits_rejectedmessage SET raw = ''", "DELETE FROM visits_rejectedmessage"],
)
def test_rejected_messages_are_append_only(seat: Seat, serving: Visit, statement: str) -> None:
    assert seat.report(EventKind.END, {"cause": "finish"}, lease=(serving.lease or 0) - 1)["verdict"] == "rejected"
    refused("rejected_is_never_(changed|deleted)", statement)
    assert RejectedMessage.objects.count() == 1


def test_no_table_of_the_record_is_emptied_at_once(seat: Seat, serving: Visit) -> None:
    seat.report(EventKind.END, {"cause": "finish"}, lease=(serving.lease or 0) + 1)
    empty = "TRUNCATE {} CASCADE" if connection.vendor == POSTGRES else "DELETE FROM {} WHERE true"
    sql("SET CONSTRAINTS ALL IMMEDIATE" if connection.vendor == POSTGRES else "SELECT 1")
    for table in ("visits_visitevent", "visits_rejectedmessage", "visits_visit"):
        refused("is_never_(truncated|deleted)", empty.format(table))
    assert Visit.objects.filter(pk=serving.pk).exists()


def test_replacing_is_not_a_way_around(seat: Seat, staff: People, serving: Visit) -> None:
    """SQLite's REPLACE deletes without asking the DELETE triggers; PostgreSQL's nearest is ON CONFLICT DO UPDATE."""
    event = bound(serving)
    if connection.vendor == POSTGRES:
        statement, values = copy(event, id=event.pk, seq=90, message_id="another", kind="curtain")
        refused("event_is_never_changed", f"{statement} ON CONFLICT (id) DO UPDATE SET kind = 'curtain'", *values)
        return
    replace = "INSERT OR REPLACE"
    for changes in ({"id": event.pk, "seq": 90, "message_id": "x"}, {"seq": 90}, {"message_id": "x"}):
        statement, values = copy(event, replace, kind="curtain", **changes)
        refused("event_is_never_replaced", statement, *values)
    statement, values = copy(
        serving, replace, id=key(serving), state="waiting", terminal_id=None, lease=None, card_tag=None
    )
    refused("visit_is_never_replaced", statement, *values)
    statement, values = copy(
        serving, replace, id="0" * 32, state="waiting", terminal_id=None, lease=None, card_tag=None
    )
    refused("visit_is_never_replaced", statement, *values)
    other = ticket(seat, staff("honcho-1"))
    sql("UPDATE counters_terminal SET lease = lease + 1 WHERE id = %s", key(seat.terminal))
    refused(
        "visit_keeps_its_terminal",
        "UPDATE OR REPLACE visits_visit SET state = 'called', terminal_id = %s, lease = 2 WHERE id = %s",
        key(seat.terminal),
        key(other),
    )
    assert bound(serving).kind == "bind_card"


CLOSE = (
    "UPDATE visits_visit SET state = 'closed', cause = 'finish', proof = '{\"a\": 1}', confirmation = '{\"a\": 1}',"
    " outcome = 'completed', closed_at = created_at WHERE id = %s"
)


def test_a_visit_is_not_closed_without_proof_and_confirmation(seat: Seat, serving: Visit) -> None:
    refused("visit_(follows_the_table|has_its_chain)", CLOSE, key(serving))
    seat.end()
    refused("visit_(follows_the_table|has_its_chain)", CLOSE, key(serving))
    refused(
        "visit_has_its_chain",
        "UPDATE visits_visit SET state = 'confirming', proof = '{\"a\": 1}' WHERE id = %s",
        key(serving),
    )
    seat.wipe()
    refused("visit_has_its_chain", CLOSE, key(serving))
    refused(
        "visit_confirmed_before_closed|visit_has_its_chain",
        "UPDATE visits_visit SET state = 'closed' WHERE id = %s",
        key(serving),
    )


def test_a_proof_ends_when_a_later_wipe_fails(seat: Seat, serving: Visit) -> None:
    seat.end()
    seat.wipe()
    assert seat.report(EventKind.WIPE_FAILED, {"failure": "still there"})["verdict"] == "accepted"
    serving.refresh_from_db()
    assert (serving.state, serving.proof) == ("ending", None)
    refused(
        "visit_has_its_chain",
        "UPDATE visits_visit SET state = 'confirming', proof = '{\"a\": 1}' WHERE id = %s",
        key(serving),
    )


def test_a_visit_is_not_served_without_its_card_event(called: Visit) -> None:
    refused(
        "visit_has_its_chain",
        "UPDATE visits_visit SET state = 'serving', card_tag = 'x' WHERE id = %s",
        key(called),
    )
    refused(
        "visit_has_its_chain", "UPDATE visits_visit SET state = 'ending', cause = 'finish' WHERE id = %s", key(called)
    )


def test_columns_that_a_state_needs_are_checked(seat: Seat, serving: Visit) -> None:
    refused(
        "visit_state_known|visit_follows_the_table",
        "UPDATE visits_visit SET state = 'gone' WHERE id = %s",
        key(serving),
    )
    seat.end()
    refused("visit_ended_has_cause", "UPDATE visits_visit SET cause = 'because' WHERE id = %s", key(serving))
    seat.wipe()
    refused("visit_wiped_before_confirming", "UPDATE visits_visit SET proof = NULL WHERE id = %s", key(serving))


@pytest.mark.parametrize(
    "change",
    [
        "terminal_id = NULL, lease = NULL",
        "lease = lease + 1",
        "card_tag = 'another'",
        "number = 900",
        "day = '2020-01-01'",
    ],
)
def test_an_open_visit_keeps_what_it_holds(serving: Visit, change: str) -> None:
    refused("visit_keeps_its_(terminal|card|ticket)", CHANGE.format(change), key(serving))


def test_a_finished_visit_is_never_touched_again(seat: Seat, serving: Visit, staff: People) -> None:
    seat.end()
    seat.wipe()
    seat.sign()
    gone = ticket(seat, staff("honcho-1"))
    services.withdraw(visit=gone, staff=staff("honcho-1"), reason="帰られた")
    for visit in (serving, gone):
        for change in ("reason = 'x'", "state = 'waiting'", "outcome = 'abandoned'"):
            refused(
                "visit_(final_is_final|follows_the_table)",
                CHANGE.format(change),
                key(visit),
            )


def test_visits_begin_waiting_and_are_never_deleted(serving: Visit) -> None:
    new = "f" * 32 if connection.vendor == "sqlite" else "f" * 8 + "-ffff-ffff-ffff-" + "f" * 12
    statement, values = copy(serving, id=new, number=90)
    refused("visit_begins_waiting", statement, *values)
    refused("visit_is_never_deleted", "DELETE FROM visits_visit")


@pytest.mark.usefixtures("called")
def test_a_lease_only_grows(seat: Seat) -> None:
    refused(
        "terminal_lease_only_grows", "UPDATE counters_terminal SET lease = lease - 1 WHERE id = %s", key(seat.terminal)
    )


def test_one_device_per_terminal(seat: Seat) -> None:
    statement, values = copy(seat.terminal.devices.get(), public_key="x")
    refused("one_device_per_terminal|counters_device.terminal_id", statement, *values)


def rules_text(vendor: str, app: str = "visits") -> str:
    return (resources.files(f"madoguchi.server.{app}") / "sql" / f"rules_{vendor}.sql").read_text()


def rules(vendor: str) -> set[str]:
    """The names of all rules of all apps."""
    return {
        name for app in ("visits", "ledger") for name in re.findall(r"CREATE TRIGGER (\w+)", rules_text(vendor, app))
    }


@pytest.mark.django_db
def test_every_rule_stands_in_the_database() -> None:
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
        if connection.vendor == POSTGRES
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        assert {name for (name,) in cursor.fetchall()} == rules(connection.vendor)


@pytest.mark.parametrize("vendor", ["sqlite", POSTGRES])
def test_the_rules_know_the_same_steps_as_the_protocol(vendor: str) -> None:
    written = set(re.findall(r"'(\w+>\w+)'", rules_text(vendor)))
    table = {f"{row.source}>{row.target}" for row in VISIT_TABLE if row.source not in (None, row.target)}
    assert written == table


def test_both_databases_hold_the_same_rules() -> None:
    """Replacing and ids out of order are a matter of SQLite, truncating and transactions one of PostgreSQL."""
    names = {vendor: rules(vendor) for vendor in ("sqlite", POSTGRES)}
    own = re.compile(r"_is_never_(replaced|truncated)$|^entry_(comes_last|names_its_transaction)$")
    common = {vendor: {name for name in found if not own.search(name)} for vendor, found in names.items()}
    assert common["sqlite"] == common[POSTGRES]


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0, stdout=StringIO())


def test_states_without_a_terminal_are_the_ones_the_constraint_names() -> None:
    from madoguchi.protocol.states import OCCUPYING
    from madoguchi.server.visits import models

    assert sorted(models._OPEN) == sorted(state.value for state in OCCUPYING)
    assert VisitState.WAITING not in OCCUPYING
