"""Live parts of pages: asked for every two seconds, sent again only when something has changed."""

import hashlib
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

_SPACE = re.compile(r"\s+")


def digest(html: str) -> str:
    """What the page sends back to say what it shows."""
    return hashlib.sha256(_SPACE.sub(" ", html).encode()).hexdigest()[:16]


def part(request: HttpRequest, template: str, values: dict[str, Any]) -> dict[str, str]:
    """The part as HTML with its digest, for the page that holds it."""
    html = render_to_string(template, values, request)
    return {"html": html, "digest": digest(html)}


def answer(request: HttpRequest, template: str, values: dict[str, Any]) -> HttpResponse:
    """The part, or 204 when the asking page shows it already: what is being chosen there stays chosen."""
    made = part(request, template, values)
    if request.GET.get("seen") == made["digest"]:
        return HttpResponse(status=204)
    return HttpResponse(render_to_string("office/live.html", {"live": made, "address": request.path}, request))
