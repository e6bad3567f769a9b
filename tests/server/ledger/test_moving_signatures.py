"""An office from before there were payloads: its handwriting is moved, and opens only where it lies now."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django import DjangoDbBlocker

from madoguchi.evidence import sealed
from madoguchi.server import clock, keys
from madoguchi.server.ledger import payloads
from madoguchi.server.ledger.models import Payload
from postgres import Cluster
from server.databases import using
from server.ledger.keys_of_its_own import own_keys
from server.seat import DRAWING


@pytest.mark.slow
def test_signatures_become_payloads(
    postgres: Cluster | None, tmp_path: Path, django_db_blocker: DjangoDbBlocker, django_db_modify_db_settings: None
) -> None:
    assert django_db_modify_db_settings is None
    name = f"older_{uuid4().hex[:8]}" if postgres else str(tmp_path / "older.sqlite3")
    if postgres:
        postgres.create(name)
    with django_db_blocker.unblock(), own_keys(tmp_path / "state"), using(name):
        call_command("migrate", "visits", "0002", interactive=False, verbosity=0)
        visit, commitment = _signature(keys.key_bytes(tmp_path / "state" / "sealing.key"))
        call_command("migrate", interactive=False, verbosity=0)
        row = Payload.objects.get()
        assert (row.kind, row.visit, row.commitment) == ("signature", visit, commitment)
        assert payloads.open_payload(row)[1] == DRAWING
        assert "visits_signature" not in connection.introspection.table_names()


def _signature(key: bytes) -> tuple[object, str]:
    """A closed visit's signature, as it was written then."""
    old = MigrationExecutor(connection).loader.project_state([("visits", "0002_rules")]).apps
    site = old.get_model("counters", "Site").objects.create(name="架空", slug="a", ticket_letter="A")
    kind = old.get_model("counters", "ProcedureKind").objects.create(code="x", label="架空の手続")
    visit = old.get_model("visits", "Visit").objects.create(
        site=site, procedure=kind, day=clock.today(), number=1, ticket="A-001", state="waiting"
    )
    salt = sealed.new_salt()
    row = old.get_model("visits", "Signature")(visit=visit, commitment=sealed.commit(salt, DRAWING))
    plain = json.dumps({"salt": salt, "payload": DRAWING}).encode()
    row.sealed = sealed.seal(key, f"visits_signature|sealed|{row.id}", plain)
    row.save(force_insert=True)
    return visit.pk, row.commitment
