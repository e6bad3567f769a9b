"""Accounts: staff and what they may do."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Staff, roles, logins."""

    name = "madoguchi.server.accounts"
    label = "accounts"
    verbose_name = "係員"
