"""A real, committed copy of the migrated database: the append-only rules forbid cleaning up after a test."""

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection, connections

from postgres import Cluster


@dataclass(frozen=True)
class Fresh:
    """Where the copy lives; `environment` lets another process open the same office."""

    url: str
    environment: dict[str, str]


@contextmanager
def fresh_database(postgres: Cluster | None, folder: Path) -> Iterator[Fresh]:
    """Copy the migrated test database and point Django to the copy."""
    url, name = _copy_postgres(postgres) if postgres else _copy_sqlite(folder)
    usual, before = connections["default"], connections.settings["default"]["NAME"]
    del connections["default"]
    connections.settings["default"]["NAME"] = name
    try:
        yield Fresh(url, _environment(url))
    finally:
        connections["default"].close()
        connections["default"] = usual
        connections.settings["default"]["NAME"] = before
        if postgres:
            with psycopg.connect(postgres.url("postgres"), autocommit=True) as direct:
                direct.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _environment(url: str) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "madoguchi.server.settings",
        "MADOGUCHI_DATABASE_URL": url,
        "MADOGUCHI_STATE": str(settings.STATE_DIR),
        "MADOGUCHI_SECRET_KEY": str(settings.SECRET_KEY),
    }


def _copy_sqlite(folder: Path) -> tuple[str, str]:
    path = folder / "office.sqlite3"
    connection.ensure_connection()
    with sqlite3.connect(path) as target:
        connection.connection.backup(target)
    target.close()
    return f"sqlite:///{path}", str(path)


def _copy_postgres(postgres: Cluster) -> tuple[str, str]:
    name = f"fresh_{uuid.uuid4().hex[:8]}"
    template = connection.settings_dict["NAME"]
    connection.close()
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as direct:
        direct.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    return postgres.url(name), name
