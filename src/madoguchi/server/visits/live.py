"""Live parts of pages: asked for every two seconds, sent again only when something has changed."""

import hashlib
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

_SPACE = re.compile(r"\s+")


def part(request: HttpRequest, template: str, values: dict[str, Any], address: str) -> dict[str, str]:
    """The part for the page that holds it: its HTML, the digest of that, and where to ask for it again."""
    html = render_to_string(template, values, request)
    digest = hashlib.sha256(_SPACE.sub(" ", html).encode()).hexdigest()[:16]
    return {"html": html, "digest": digest, "address": address}


def answer(request: HttpRequest, template: str, values: dict[str, Any]) -> HttpResponse:
    """The part, or 204 when the asking page shows it already: what is being chosen there stays chosen."""
    made = part(request, template, values, request.path)
    if request.GET.get("seen") == made["digest"]:
        return HttpResponse(status=204)
    # `stand`: what the rest of the page was made for; it has not been sent again.
    shown = {"live": made, "stand": request.GET.get("stand", "")}
    return HttpResponse(render_to_string("office/live.html", shown, request))
