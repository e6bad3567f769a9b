"""Visits: from the ticket to the closing."""

from django.apps import AppConfig


class VisitsConfig(AppConfig):
    """Reception, calling, confirming, the record."""

    name = "madoguchi.server.visits"
    label = "visits"
    verbose_name = "来庁・対応"
