"""The app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Evidence."""

    name = "madoguchi.server.ledger"
    verbose_name = "証拠"
