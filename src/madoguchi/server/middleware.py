"""Turns named refusals into pages, so that no view has to."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from madoguchi.protocol import ProtocolError
from madoguchi.server.errors import OfficeError


class RefusalMiddleware:
    """Answers `OfficeError` and `ProtocolError` with a page that says what to do next."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page of a refusal; other exceptions stay errors."""
        if not isinstance(error, OfficeError | ProtocolError):
            return None
        status = error.status if isinstance(error, OfficeError) else 409
        return render(request, "office/refused.html", {"sentence": error.sentence, "code": error.code}, status=status)
