"""Installation, keys, clock, first and second start, seed, words, preflight: what stands around the services."""

import hashlib
import hmac
import multiprocessing
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test.utils import override_settings

from madoguchi.protocol import VISIT_TABLE, EventKind, InterruptReason, Permission, Role, VisitState
from madoguchi.protocol.roles import PERMISSIONS
from madoguchi.server import clock, errors, keys
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import require
from madoguchi.server.accounts.services import MANAGES
from madoguchi.server.config import Installation, database
from madoguchi.server.counters.models import BringItem, HelpLine, ProcedureKind, Site, Terminal
from madoguchi.server.counters.seed import ACCOUNT, PAYMENT, Addresses, City, seed_training_city
from madoguchi.server.ledger.types import LABELS
from madoguchi.server.visits import preflight, selectors
from madoguchi.server.visits.models import Visit
from madoguchi.server.visits.staff_acts import ACTS
from madoguchi.server.visits.words import event_in_words, proof_in_words

# Installation


def test_the_default_is_a_file_in_the_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADOGUCHI_STATE", "/srv/office")
    monkeypatch.delenv("MADOGUCHI_DATABASE_URL", raising=False)
    here = Installation().database()
    assert here["NAME"] == "/srv/office/madoguchi.sqlite3"
    assert here["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in here["OPTIONS"]["init_command"]


def test_postgresql_by_address() -> None:
    there = database("postgresql://me:a%40b@db.example:5433/office?sslmode=require")
    assert (there["USER"], there["PASSWORD"], there["HOST"], there["PORT"]) == ("me", "a@b", "db.example", "5433")
    assert (there["NAME"], there["OPTIONS"]) == ("office", {"sslmode": "require"})
    socket = database("postgresql://postgres@/office?host=/run/pg")
    assert (socket["HOST"], socket["NAME"], socket["USER"]) == ("/run/pg", "office", "postgres")


def test_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match="MADOGUCHI_DATABASE_URL"):
        database("mysql://x/y")


@pytest.mark.django_db
def test_the_connection_is_as_careful_as_the_settings_say() -> None:
    from django.db import connection

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            found = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "foreign_keys")}
        assert found == {"synchronous": 2, "foreign_keys": 1}
    else:
        assert connection.settings_dict["ENGINE"].endswith("postgresql")


# Keys


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "sealing.key"
    first = keys.key_bytes(path)
    assert keys.key_bytes(path) == first
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["sealing.key"]


@pytest.mark.parametrize("content", ["", "no key", "c2hvcnQ="])
def test_a_broken_key_is_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sealing.key"
    path.write_text(content)
    with pytest.raises(keys.KeyFileBroken):
        keys.key_bytes(path)
    assert path.read_text() == content


@pytest.mark.slow
def test_processes_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        made = pool.map(keys.key_bytes, [tmp_path / "server.key"] * 8)
        pool.close()
        pool.join()
    assert len(set(made)) == 1


def test_the_card_tags_key_stays_what_it_was_made_from_once(tmp_path: Path) -> None:
    sealing = keys.key_bytes(tmp_path / "sealing.key")
    tag = keys.card_tag_key(tmp_path / "card-tag.key")
    assert tag == hmac.digest(sealing, b"madoguchi card tag v1", hashlib.sha256)
    assert tag != sealing
    (tmp_path / "sealing.key").unlink()
    assert keys.card_tag_key(tmp_path / "card-tag.key") == tag


def test_a_new_office_draws_its_card_tag_key(tmp_path: Path) -> None:
    made = [keys.card_tag_key(tmp_path / name / "card-tag.key") for name in ("a", "b", "a")]
    assert made[0] == made[2] != made[1]
    assert stat.S_IMODE((tmp_path / "a" / "card-tag.key").stat().st_mode) == 0o600


@pytest.mark.slow
def test_importing_the_settings_makes_no_file(tmp_path: Path) -> None:
    program = "import django; from django.conf import settings; django.setup(); print(settings.STATE_DIR)"
    environment = os.environ | {"MADOGUCHI_STATE": "state", "DJANGO_SETTINGS_MODULE": "madoguchi.server.settings"}
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, env=environment, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


# Clock


def test_the_clock_can_be_set_and_comes_back() -> None:
    midnight = datetime(2022, 8, 16, 15, 0, tzinfo=UTC)
    with clock.running_on(lambda: midnight):
        assert clock.now() == midnight
        assert clock.today() == date(2022, 8, 17)
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 60


# Start


@pytest.mark.slow
def test_the_second_start_has_nothing_to_do(tmp_path: Path) -> None:
    program = "from madoguchi.server.prepare import prepare; print(prepare())"
    environment = os.environ | {"MADOGUCHI_STATE": str(tmp_path / "state")}
    environment.pop("MADOGUCHI_DATABASE_URL", None)

    def start() -> tuple[str, float]:
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            check=True,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip(), time.monotonic() - begun

    assert start()[0] == "True"
    answer, seconds = start()
    assert answer == "False"
    assert seconds < 10
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


@override_settings(
    ALLOWED_HOSTS=["window.example"],
    SECRET_KEY="k" * 25 + "random-Enough-25-characters!",
    SECURE_SSL_REDIRECT=True,
    SECURE_HSTS_SECONDS=1,
    SECURE_HSTS_INCLUDE_SUBDOMAINS=True,
    SECURE_HSTS_PRELOAD=True,
    SESSION_COOKIE_SECURE=True,
    CSRF_COOKIE_SECURE=True,
)
def test_the_deployment_check_finds_nothing() -> None:
    call_command("check", deploy=True, fail_level="WARNING")


# Seed


@pytest.fixture
def bare(db: None) -> None:  # noqa: ARG001 - asks for the database
    """An office in which nothing has been planted yet."""
    for model in (Staff, Terminal, BringItem, ProcedureKind, HelpLine, Site):
        model.objects.all().delete()


@pytest.mark.usefixtures("bare")
def test_the_training_city_is_planted_once() -> None:
    first = seed_training_city()
    second = seed_training_city()
    assert (Site.objects.count(), Terminal.objects.count()) == (3, 7)
    assert [site.name for site in first.sites] == ["本庁舎", "都南総合支所", "玉山総合事務所"]
    assert [Terminal.objects.filter(site=site).count() for site in first.sites] == [3, 2, 2]
    assert HelpLine.objects.filter(number="0120-95-0178").count() == 3
    assert ProcedureKind.objects.get(code=PAYMENT).active_until == date(2023, 9, 30)
    assert {login.role for login in first.logins} == {role.label for role in MANAGES[Role.CITY_OFFICER]}
    assert all(login.password for login in first.logins)
    assert not any(login.password for login in second.logins)
    for login in first.logins:
        staff = Staff.objects.get(username=login.username)
        assert staff.training
        assert staff.check_password(login.password)


@pytest.mark.usefixtures("bare")
def test_addresses_are_set_anew_and_peoples_changes_stay() -> None:
    def where(port: int) -> dict[str, Addresses]:
        base = f"http://127.0.0.1:{port}"
        return {ACCOUNT: Addresses(f"{base}/", f"{base}/logout", (base, "http://127.0.0.1:9"))}

    seed_training_city(addresses=where(8001))
    ProcedureKind.objects.filter(code=ACCOUNT).update(label="直した名前")
    seed_training_city(addresses=where(8002))
    kind = ProcedureKind.objects.get(code=ACCOUNT)
    assert (kind.label, kind.start_url) == ("直した名前", "http://127.0.0.1:8002/")
    assert kind.origins() == ("http://127.0.0.1:8002", "http://127.0.0.1:9")


@pytest.mark.usefixtures("bare")
def test_only_training_logins_get_a_new_password() -> None:
    seed_training_city()
    Staff.objects.filter(username="officer").update(training=False)
    seed_training_city(password="another-password-9")
    assert Staff.objects.get(username="honcho-1").check_password("another-password-9")
    assert not Staff.objects.get(username="officer").check_password("another-password-9")


# Permissions


def test_who_holds_a_permission_is_the_protocols_matter(city: City) -> None:
    for permission, roles in PERMISSIONS.items():
        for staff in Staff.objects.all():
            if staff.acts_as in roles:
                require(staff=staff, permission=permission)
            else:
                with pytest.raises(errors.Forbidden):
                    require(staff=staff, permission=permission)
    supporter = Staff.objects.get(username="honcho-1")
    with pytest.raises(errors.NotYours):
        require(staff=supporter, permission=Permission.SEE_BOARD, site_id=city.sites[1].pk)


def test_managing_staff_is_for_the_roles_the_protocol_names() -> None:
    assert set(MANAGES) == PERMISSIONS[Permission.MANAGE_STAFF]


def test_every_act_of_staff_on_a_visit_has_a_page() -> None:
    """An event that a role of the counter may cause and that no page offers would be a dead end."""
    elsewhere = {EventKind.ISSUE, EventKind.CALL, EventKind.CLEAR}
    by_staff = {row.event for row in VISIT_TABLE if row.who & PERMISSIONS[Permission.SEE_VISIT]}
    assert {act.kind for act in ACTS.values()} == by_staff - elsewhere


# Errors


def test_every_refusal_says_what_to_do_next() -> None:
    def family(kind: type[errors.OfficeError]) -> list[type[errors.OfficeError]]:
        return [kind, *(one for child in kind.__subclasses__() for one in family(child))]

    kinds = family(errors.OfficeError)
    assert len({kind.__name__ for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert kind.sentence.endswith("。"), kind
        assert kind.status in (400, 401, 403, 404, 409, 413, 500, 503), kind
        assert kind().code == kind.__name__


# Words


@pytest.mark.parametrize("body", [{}, {"proof": 3}, {"proof": {}}, {"confirmation": 3}, {"confirmation": {"kind": []}}])
def test_odd_bodies_do_not_break_a_page(body: dict[str, object]) -> None:
    for kind in LABELS:
        event_in_words(kind, body)
    assert proof_in_words(None) == []
    assert proof_in_words({"training": True}) == ["訓練用の端末です。本物の消去の証明ではありません。"]
    assert "残り" in proof_in_words({"leftovers": 2})[0]


# Preflight


@pytest.fixture
def account(city: City) -> ProcedureKind:
    return city.procedures[1]


Advise = Callable[..., tuple[preflight.Advice, ...]]


@pytest.mark.parametrize(
    ("answers", "reasons"),
    [
        ({"certificate_renewed": "no", "pin_known": "yes", "own_name": "yes"}, []),
        ({"certificate_renewed": "yes"}, [InterruptReason.CERTIFICATE_RENEWED]),
        ({"certificate_renewed": "unknown"}, [InterruptReason.CERTIFICATE_RENEWED]),
        ({"pin_known": "unknown", "own_name": "no"}, [InterruptReason.PIN_LOCKED, InterruptReason.MISSING_INFORMATION]),
    ],
)
def test_answers_mean_something(
    account: ProcedureKind, answers: dict[str, str], reasons: list[InterruptReason]
) -> None:
    told = preflight.advice(procedure=account, answers=answers, missing=[])
    assert [line.reason for line in told] == reasons


def test_the_waiting_time_is_the_procedures_own(account: ProcedureKind) -> None:
    account.wait_after_renewal = "約3日"
    told = preflight.advice(procedure=account, answers={"certificate_renewed": "yes"}, missing=[])
    assert "約3日" in told[0].text


def test_only_what_is_needed_is_asked_and_missed(account: ProcedureKind) -> None:
    account.needs_own_name = False
    assert [question.name for question in preflight.questions(account)] == ["certificate_renewed", "pin_known"]
    items = list(account.bring.all())
    items[0].required = False
    told = preflight.advice(procedure=account, answers={"own_name": "no"}, missing=items[:2])
    assert [line.text for line in told] == [f"「{items[1].label}」がないと、最後までできません。"]


def test_actions_follow_the_table(city: City) -> None:
    """Whatever is offered, `step` would take it from this role in this state, and the other way round."""
    for staff in Staff.objects.all():
        for state in VisitState:
            offered = set(selectors.actions(Visit(state=state.value), staff))
            rows = {row.event for row in VISIT_TABLE if row.source == state and staff.acts_as in row.who}
            assert offered == rows & {act.kind for act in ACTS.values()}
    assert city.sites
