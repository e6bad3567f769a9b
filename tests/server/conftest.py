"""The office's tests run on SQLite or PostgreSQL: MADOGUCHI_TEST_DATABASE=sqlite|postgres."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client

from madoguchi.server.accounts.models import Staff
from madoguchi.server.config import database
from madoguchi.server.counters.models import ProcedureKind, Site, Terminal
from madoguchi.server.counters.seed import PROCEDURES, City, Login, seed_training_city
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from postgres import Cluster, cluster
from server.databases import Fresh, fresh_database, make_template
from server.seat import Enter, People, Seat, serve, ticket

PASSWORD = "counter-practice-1"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster | None]:
    """The cluster of this session, when PostgreSQL is asked for."""
    if os.environ.get("MADOGUCHI_TEST_DATABASE", "sqlite") != "postgres":
        yield None
        return
    with cluster() as running:
        yield running


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres: Cluster | None) -> None:
    """Choose the database before Django connects; each xdist worker has a cluster or a memory of its own."""
    url = postgres.url("postgres") if postgres else "sqlite:///unused"
    chosen = django_settings.DATABASES["default"]
    chosen.update(database(url) | {"CONN_MAX_AGE": 0})
    if "default" in connections:
        del connections["default"]


@pytest.fixture(scope="session", autouse=True)
def office_settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys in a temporary folder, passwords hashed fast."""
    state: Path = tmp_path_factory.mktemp("state")
    django_settings.STATE_DIR = state
    django_settings.SECRET_KEY = "for tests only"
    django_settings.WRAPPING_KEYS_DIR = state / "wrapping"
    django_settings.CARD_TAG_KEY_FILE = state / "card-tag.key"
    django_settings.SERVER_KEY_FILE = state / "server.key"
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return state


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None,  # noqa: ARG001 - the usual one first
    django_db_blocker: Any,
    office_settings: Path,  # noqa: ARG001 - passwords are hashed fast
) -> None:
    """The training city stands before the first test; what a test changes is rolled back."""
    with django_db_blocker.unblock():
        seed_training_city(password=PASSWORD, payment_until=None)


@pytest.fixture
def city(db: None) -> City:  # noqa: ARG001 - asks for the database
    """The training city, all logins with the same password, the payment programme open."""
    codes = [data["code"] for data in PROCEDURES]
    return City(
        sites=list(Site.objects.all()),
        terminals=list(Terminal.objects.select_related("site")),
        procedures=[ProcedureKind.objects.get(code=code) for code in codes],
        logins=[Login(staff.username, PASSWORD, staff.role, str(staff.site)) for staff in Staff.objects.all()],
    )


@pytest.fixture
def staff(city: City) -> People:  # noqa: ARG001 - plants the city
    """Staff by login name."""
    return lambda username: Staff.objects.get(username=username)


@pytest.fixture
def seat(city: City, client: Client) -> Seat:
    """An enrolled terminal of the first site that has just said that it is locked."""
    made = Seat(city.terminals[0], client)
    made.enrol()
    made.poll()
    return made


@pytest.fixture
def enter(city: City) -> Enter:
    """A client that is logged in as somebody of the training city."""
    assert city.logins

    def made(username: str) -> Client:
        client = Client()
        staff = Staff.objects.get(username=username)
        client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return made


@pytest.fixture
def confirming(seat: Seat, staff: People) -> Visit:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    seat.wipe()
    visit.refresh_from_db()
    return visit


@pytest.fixture(scope="session")
def template(
    django_db_modify_db_settings: None,  # noqa: ARG001 - chooses the database
    django_db_blocker: Any,
    postgres: Cluster | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A migrated database to copy from."""
    with django_db_blocker.unblock():
        return make_template(postgres, tmp_path_factory.mktemp("template"))


@pytest.fixture
def fresh(template: str, django_db_blocker: Any, postgres: Cluster | None, tmp_path: Path) -> Iterator[Fresh]:
    """A committed database of this test's own, for several connections and processes at once."""
    with django_db_blocker.unblock(), fresh_database(postgres, template, tmp_path) as made:
        yield made


@pytest.fixture
def called(seat: Seat, staff: People) -> Visit:
    """Called to the seat; no card yet."""
    visit = ticket(seat, staff("honcho-1"))
    services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
    seat.poll()
    visit.refresh_from_db()
    return visit


@pytest.fixture
def serving(seat: Seat, called: Visit) -> Visit:
    """With its card at the seat."""
    seat.bind()
    called.refresh_from_db()
    return called
