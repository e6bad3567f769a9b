"""Every address of the office."""

from django.urls import path

from madoguchi.server.api.routes import api

urlpatterns = [
    path("api/device/", api.urls),
]
