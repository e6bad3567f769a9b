"""Counters: sites, terminals, procedures."""

from django.apps import AppConfig


class CountersConfig(AppConfig):
    """The editable data of the counters."""

    name = "madoguchi.server.counters"
    label = "counters"
    verbose_name = "窓口"
