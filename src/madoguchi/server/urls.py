"""Every address of the office."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, path

from madoguchi.server.api.routes import api


def _devices_only() -> tuple[list[Any], str, str]:
    """Devices show a token instead of a login: the API checks it for every address but the enrolment."""
    patterns, app, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            login_not_required(pattern.callback)
    return patterns, app, namespace


urlpatterns = [
    path("api/device/", _devices_only()),
]
