"""A checkpoint on paper: its note as text, and the same text as a QR code."""

import base64
from dataclasses import dataclass
from datetime import datetime

import segno
from django.utils.safestring import SafeString, mark_safe

from madoguchi.server.ledger import pages
from madoguchi.server.ledger.models import Checkpoint


@dataclass(frozen=True, slots=True)
class Mark:
    """What leaves the house. `qr`: an SVG element that holds exactly `note`."""

    size: int
    root: str
    at: datetime
    note: str
    qr: SafeString


def mark(found: pages.Newest) -> Mark | None:
    """The newest checkpoint; None where there is none that this office has signed."""
    if found.checkpoint is None or found.said is None:
        return None
    return _mark(found.checkpoint, found.said.root)


def _mark(checkpoint: Checkpoint, root: bytes) -> Mark:
    text = checkpoint.note
    return Mark(checkpoint.size, base64.b64encode(root).decode(), checkpoint.at, text, qr(text))


def qr(text: str) -> SafeString:
    """The QR code of a text: SVG without size, style or script, so that the page's policy and style sheet hold."""
    code = segno.make_qr(text, error="m", encoding="utf-8")
    drawn = code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff", svgclass="qr-code", lineclass=None)
    return mark_safe(drawn)  # noqa: S308 - drawn by segno: numbers and colours only
