"""Makes the office ready to run: settings, database, static files."""

import os

import django


def setup() -> None:
    """Load Django for use outside a web process. Safe to call twice."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madoguchi.server.settings")
    django.setup()


def prepare() -> bool:
    """Bring the database to the newest form. Returns whether anything had to be done; the second start is fast."""
    setup()
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    _make_folder(connection.settings_dict)
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", interactive=False, verbosity=0)
    return True


def _make_folder(database: dict[str, object]) -> None:
    if database["ENGINE"] == "django.db.backends.sqlite3":
        folder = os.path.dirname(str(database["NAME"]))
        os.makedirs(folder or ".", mode=0o700, exist_ok=True)
