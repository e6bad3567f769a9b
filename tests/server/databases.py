"""Real, committed databases of a test's own: the append-only rules forbid cleaning up after a test."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from postgres import Cluster


@dataclass(frozen=True)
class Fresh:
    """Where the copy lives; `environment` lets another process open the same office."""

    url: str
    environment: dict[str, str]


@contextmanager
def using(name: str) -> Iterator[None]:
    """Point Django to the database `name`; whatever connection stood before comes back afterwards."""
    usual = getattr(connections._connections, "default", None)  # type: ignore[attr-defined]  # not made for nothing
    before = connections.settings["default"]["NAME"]
    if usual is not None:
        del connections["default"]
    connections.settings["default"]["NAME"] = name
    try:
        yield
    finally:
        from madoguchi.server.ledger import group  # models: only once Django is ready

        group.close_shared()  # its thread has a connection of its own
        connections["default"].close()
        del connections["default"]
        connections.settings["default"]["NAME"] = before
        if usual is not None:
            connections["default"] = usual


def make_template(postgres: Cluster | None, folder: Path) -> str:
    """A migrated database to copy from: its name, for SQLite its path."""
    name = "template_office" if postgres else str(folder / "template.sqlite3")
    if postgres:
        _direct(postgres, f'CREATE DATABASE "{name}"')
    with using(name):
        call_command("migrate", interactive=False, verbosity=0)
    return name


@contextmanager
def fresh_database(postgres: Cluster | None, template: str, folder: Path) -> Iterator[Fresh]:
    """Copy the template and point Django to the copy."""
    if postgres is None:
        path = folder / "office.sqlite3"
        shutil.copy(template, path)
        with using(str(path)):
            yield _fresh(f"sqlite:///{path}")
        return
    name = f"fresh_{uuid.uuid4().hex[:8]}"
    _direct(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        with using(name):
            yield _fresh(postgres.url(name))
    finally:
        _direct(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


def _fresh(url: str) -> Fresh:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "madoguchi.server.settings",
        "MADOGUCHI_DATABASE_URL": url,
        "MADOGUCHI_STATE": str(settings.STATE_DIR),
        "MADOGUCHI_SECRET_KEY": str(settings.SECRET_KEY),
    }
    return Fresh(url, environment)


def _direct(postgres: Cluster, statement: str) -> None:
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())


def beside(work: Callable[[], Any]) -> Any:
    """Use the database in a thread of its own: playwright runs an event loop in this one."""

    def run() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()
