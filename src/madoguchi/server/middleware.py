"""Turns named refusals into pages, so that no view has to."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from madoguchi.evidence.errors import EvidenceError
from madoguchi.protocol import ProtocolError
from madoguchi.server.errors import OfficeError


class RefusalMiddleware:
    """Answers `OfficeError`, `ProtocolError` and `EvidenceError` with a page that says what to do next."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page of a refusal; other exceptions stay errors."""
        if not isinstance(error, OfficeError | ProtocolError | EvidenceError):
            return None
        # Evidence that does not hold is nobody's wrong click: it is logged like a defect.
        status = getattr(error, "status", 500 if isinstance(error, EvidenceError) else 409)
        return render(request, "office/refused.html", {"sentence": error.sentence, "code": error.code}, status=status)
