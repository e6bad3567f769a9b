"""Fixtures of the whole: one office and one zygote per test session, a terminal per test."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from madoguchi.card import CertificateAuthority
from madoguchi.nation.run import Config, serve
from madoguchi.nation.world import Behaviour, Nation
from postgres import Cluster, cluster
from whole.helpers import Helper, environment
from whole.office import Office, database_name, office
from whole.stack import Counter, counter
from whole.tally import PROPERTY, Tally


@pytest.fixture(scope="session")
def whole_cluster() -> Iterator[Cluster | None]:
    """The PostgreSQL of this session, when MADOGUCHI_TEST_DATABASE=postgres asks for it."""
    if os.environ.get("MADOGUCHI_TEST_DATABASE", "sqlite") != "postgres":
        yield None
        return
    with cluster() as running:
        yield running


def new_database(cluster: Cluster | None) -> str:
    """Address of an empty database; the empty text means: SQLite in the office's own folder."""
    if cluster is None:
        return ""
    name = database_name()
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as direct:
        direct.execute(f'CREATE DATABASE "{name}"'.encode())
    return cluster.url(name)


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The account registry's address: a real site for the browsers that are real."""
    now = datetime.now(UTC)
    nation = Nation(clock=lambda: now, behaviour=Behaviour.Y2022, authority=CertificateAuthority.create(now))
    with serve(nation, Config(card_client_url="http://127.0.0.1:9")) as running:
        yield running.accounts_url


@pytest.fixture(scope="session")
def shared_office(whole_cluster: Cluster | None, site: str) -> Iterator[Office]:
    """One office for all tests: each brings a terminal of its own, and leaves the server running or not."""
    with office(database_url=new_database(whole_cluster), site=site) as made:
        yield made


@pytest.fixture
def running_office(shared_office: Office) -> Office:
    """The office, its server running."""
    shared_office.start()
    return shared_office


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helper]:
    """The process that agents are forked from."""
    folder: Path = tmp_path_factory.mktemp("zygote")
    with Helper("whole.zygote", log=folder / "log", env=environment()) as made:
        yield made


@pytest.fixture
def seat(running_office: Office, zygote: Helper) -> Iterator[Counter]:
    """An enrolled terminal without an agent yet."""
    with counter(running_office, zygote) as made:
        yield made


@pytest.fixture
def chromium_seat(running_office: Office, zygote: Helper) -> Iterator[Counter]:
    """The same with the real browser in its boxes."""
    with counter(running_office, zygote, chromium=True) as made:
        yield made


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Iterator[Tally]:
    """What this test kills; handed to the session's summary, whatever became of the test."""
    made = Tally()
    yield made
    record_property(PROPERTY, made.to_json())


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for all kills of the session, by place, and how long boxes outlived their agents."""
    from whole.tally import summary

    reports = [report for found in terminalreporter.stats.values() for report in found]
    ended = [report for report in reports if getattr(report, "when", "") == "teardown"]
    for line in summary([dict(report.user_properties) for report in ended]):
        terminalreporter.write_line(line)
