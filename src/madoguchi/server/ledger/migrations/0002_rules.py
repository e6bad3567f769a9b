"""The rules below the program: triggers for SQLite and for PostgreSQL (docs/adr/0013)."""

from pathlib import Path
from typing import Any

from django.db import migrations

_SQL = Path(__file__).parent.parent / "sql"


def install(_apps: Any, editor: Any) -> None:
    for statement in (_SQL / f"rules_{editor.connection.vendor}.sql").read_text().split("-- next\n"):
        editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    # No way back: a database that has lost its rules must not look like one that has them.
    operations = [migrations.RunPython(install)]
