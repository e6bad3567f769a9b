"""What the tests of the evidence pages share: visits in all states, a superuser, and an eye for QR codes."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

import zxingcpp
from django.db import connection
from django.test import Client
from django.urls import reverse

from madoguchi.protocol import EventKind
from madoguchi.server.accounts.models import Staff
from madoguchi.server.ledger import integrator, log
from madoguchi.server.ledger.models import Entry
from madoguchi.server.visits.models import Visit
from server.seat import Seat, serve, text, ticket

_SCALE = 3


def closed_visit(seat: Seat, staff: Staff) -> Visit:
    """A visit from reception to the citizen's signature, in the log with a checkpoint."""
    visit = ticket(seat, staff)
    serve(seat, visit, staff)
    seat.end()
    seat.wipe()
    assert seat.sign()["verdict"] == "accepted"
    integrator.settle()
    visit.refresh_from_db()
    assert visit.state == "closed"
    return visit


def place_of(visit: Visit, kind: EventKind) -> int:
    """Where the visit's entry of this kind stands."""
    (place,) = [place for place, row in log.entries_of_visit(visit.pk) if row.kind == kind and place is not None]
    return place


def entry_of(visit: Visit, kind: EventKind) -> int:
    """The entry's id."""
    (found,) = [row.pk for _, row in log.entries_of_visit(visit.pk) if row.kind == kind]
    return int(found)


def superuser(statement: str, *values: Any) -> None:
    """One statement past all rules, within the test's own transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute(statement, values)
        assert cursor.rowcount
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = origin")


def seen(client: Client, name: str, *arguments: Any, status: int = 200, query: Mapping[str, Any] | None = None) -> str:
    """The page at an address, as text with its marks."""
    answer = client.get(reverse(name, args=arguments), dict(query or {}))
    assert answer.status_code == status, answer
    return unescape(text(answer))


def links(page: str) -> list[tuple[str, str]]:
    """(label, state) of a chain's links."""
    found = re.findall(r'<li class="link link-(\w+)">(.*?)</li>', page, re.DOTALL)
    return [(" ".join(re.sub(r"<.*?>", " ", inner).split()), state) for state, inner in found]


def decoded(page: str) -> str:
    """What a reader reads from the page's QR code: the SVG is drawn, and looked at."""
    (svg,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    grid = _drawn(svg)
    rows = [bytes(value for value in row for _ in range(_SCALE)) for row in grid for _ in range(_SCALE)]
    picture = memoryview(b"".join(rows)).cast("B", shape=[len(rows), len(rows[0])])
    (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)


def printed(page: str) -> str:
    """The note beside the QR code."""
    (note,) = re.findall(r'<pre class="note-text">(.*?)</pre>', page, re.DOTALL)
    return str(note)


def _drawn(svg: str) -> list[bytearray]:
    """The modules: 255 for light, 0 for dark. The drawing is one path of moves and horizontal lines."""
    root = ET.fromstring(svg)  # noqa: S314 - made by our own page
    _, _, width, height = (int(one) for one in root.attrib["viewBox"].split())
    grid = [bytearray(b"\xff" * width) for _ in range(height)]
    (path,) = [one for one in root.iter() if one.attrib.get("stroke") == "#000"]
    x, y = 0.0, 0.0
    for command, given in re.findall(r"([Mmh])([-0-9. ]+)", path.attrib["d"]):
        numbers = [float(one) for one in re.findall(r"-?[0-9.]+", given)]
        if command == "h":
            row = grid[int(y)]
            row[int(x) : int(x + numbers[0])] = bytes(int(numbers[0]))
            x += numbers[0]
        else:
            x, y = (numbers[0], numbers[1]) if command == "M" else (x + numbers[0], y + numbers[1])
    return grid


def change(visit: Visit, kind: EventKind, old: bytes, new: bytes) -> None:
    """Change bytes of a stored entry."""
    row = Entry.objects.get(pk=entry_of(visit, kind))
    stored = bytes(row.leaf)
    assert old in stored
    superuser("UPDATE ledger_entry SET leaf = %s WHERE id = %s", stored.replace(old, new), row.pk)
