"""Takes a bundle (docs/evidence.md) out of the office: the whole log, a period, a visit, the visits of an incident."""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from madoguchi.evidence import bundle
from madoguchi.protocol import Permission
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import require
from madoguchi.server.ledger import integrator, log, payloads, statements, store
from madoguchi.server.ledger.models import Erasure, Payload, Stamp
from madoguchi.server.ledger.signer import verifier
from madoguchi.server.ledger.types import LABELS

_PAGE = 500
_NAMED = re.compile(rb'(?:sealed:|"commitment":")([A-Za-z0-9+/]{43}=)')
_ENROLLED = "enrolled"
_OLD = 3600
"""Seconds after which nobody is writing into a folder of an export any more."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a bundle is about. `begin`, `end`: by the server's clock, `end` not included. `label`: for people."""

    kind: str
    begin: datetime | None = None
    end: datetime | None = None
    visits: tuple[UUID, ...] = ()
    label: str = ""

    @classmethod
    def whole(cls) -> "Scope":
        """Everything."""
        return cls(bundle.WHOLE)

    @classmethod
    def period(cls, begin: datetime, end: datetime) -> "Scope":
        """What was received from `begin` up to but not with `end`."""
        return cls("period", begin, end)

    @classmethod
    def of_visits(cls, visits: Sequence[UUID], label: str = "") -> "Scope":
        """One visit, or those of an incident."""
        return cls("visit" if len(visits) == 1 else "incident", visits=tuple(visits), label=label)

    def to_json(self) -> dict[str, Any]:
        """As it stands in the bundle."""
        said: dict[str, Any] = {"kind": self.kind}
        if self.begin is not None and self.end is not None:
            said |= {"begin": self.begin.isoformat(), "end": self.end.isoformat()}
        if self.visits:
            said |= {"visits": [str(visit) for visit in self.visits]}
        return said | ({"label": self.label} if self.label else {})


def export(
    folder: Path, *, scope: Scope, staff: Staff | None = None, disclose: bool = False, anchors: Sequence[str] = ()
) -> bundle.Written:
    """Write the bundle into `folder`, which must not exist, and state so in the log. `staff` None: the command line.

    `disclose`: with the personal contents of the scope. `anchors`: older checkpoints (notes) to be compared. Raises
    `Forbidden`, `LogBroken`, `LogEmpty`, and what `bundle.write` raises.
    """
    _check_may(staff, disclose=disclose)
    newest = integrator.settle()
    named = _Named()
    written = bundle.write(
        folder,
        scope=scope.to_json(),
        log_key=verifier().text(),
        labels=LABELS,
        made_at=clock.now().isoformat(timespec="seconds"),
        checkpoint_note=newest.note,
        entries=named.watch(entries(scope, newest.size)),
        read_tile=log.read_tile,
        payloads=named.disclosed() if disclose else (),
        erasures=named.erased(),
        anchors=anchors,
        stamps=_stamps(newest.size),
    )
    body = {"scope": scope.to_json(), "size": newest.size, "entries": written.entries, "payloads": written.payloads}
    statements.state(kind="evidence_exported", body=body, staff=staff)
    return written


def export_zip(
    path: Path, *, scope: Scope, staff: Staff | None = None, disclose: bool = False, anchors: Sequence[str] = ()
) -> bundle.Written:
    """The same as one zip at `path`. Raises as `export`."""
    with workroom() as room:
        folder = room / "bundle"
        written = export(folder, scope=scope, staff=staff, disclose=disclose, anchors=anchors)
        bundle.pack(folder, path)
    return written


@contextmanager
def workroom() -> Iterator[Path]:
    """A folder that goes when the block ends; that of a killed process when the next is made, an hour later."""
    above = Path(settings.STATE_DIR) / "exports"
    above.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in above.iterdir():
        if time.time() - old.stat().st_mtime > _OLD:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=above) as made:
        yield Path(made)


def entries(scope: Scope, size: int) -> Iterator[tuple[int, bytes]]:
    """(position, bytes) of the scope in the log of `size` entries, ascending.

    With a part of the log go the enrolments of its terminals: they say whose keys signed.
    """
    if scope.kind == bundle.WHOLE:
        yield from log.entries(0, size)
        return
    chosen, values = _chosen(scope)
    if not chosen:
        return
    statement = (
        "SELECT p.position, e.leaf FROM ledger_entry e JOIN ledger_position p ON p.entry = e.id"  # noqa: S608
        f" WHERE p.position < %s AND (({chosen}) OR (e.kind = %s AND e.terminal IN"
        f" (SELECT e.terminal FROM ledger_entry e WHERE {chosen}))) ORDER BY p.position"
    )
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, [size, *values, _ENROLLED, *values])
        while rows := cursor.fetchmany(_PAGE):
            yield from ((position, bytes(leaf)) for position, leaf in rows)


def _chosen(scope: Scope) -> tuple[str, list[Any]]:
    if scope.begin is not None and scope.end is not None:
        moments = [connection.ops.adapt_datetimefield_value(moment) for moment in (scope.begin, scope.end)]
        return "e.at >= %s AND e.at < %s", moments
    keys = [store.key(visit) for visit in scope.visits]
    return (f"e.visit IN ({', '.join(['%s'] * len(keys))})" if keys else ""), keys


class _Named:
    """The commitments that pass by in entries: contents go with the statement that names them, with no other."""

    def __init__(self) -> None:
        self._found: set[str] = set()

    def watch(self, passing: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """Pass entries on and remember what they name."""
        for position, leaf in passing:
            self._found.update(match.decode() for match in _NAMED.findall(leaf))
            yield position, leaf

    def disclosed(self) -> Iterator[bundle.Disclosed]:
        """The contents that are there."""
        for part in self._parts():
            rows = list(Payload.objects.filter(commitment__in=part).order_by("commitment"))
            for row, line in zip(rows, payloads.disclose(rows), strict=True):
                yield bundle.Disclosed(visit=_text(row.visit), **line)

    def erased(self) -> Iterator[bundle.Erased]:
        """Those that are no longer there."""
        for part in self._parts():
            for row in Erasure.objects.filter(commitment__in=part).order_by("commitment"):
                moment = row.erased_at.isoformat(timespec="seconds")
                yield bundle.Erased(_text(row.visit), row.commitment, row.kind, moment, row.reason)

    def _parts(self) -> Iterator[list[str]]:
        found = sorted(self._found)
        for first in range(0, len(found), _PAGE):
            yield found[first : first + _PAGE]


def _stamps(size: int) -> Iterator[tuple[int, bytes]]:
    for stamp in Stamp.objects.filter(checkpoint_id__lte=size).order_by("checkpoint_id"):
        yield stamp.checkpoint_id, bytes(stamp.token)


def _text(visit: UUID | None) -> str | None:
    return str(visit) if visit else None


def _check_may(staff: Staff | None, *, disclose: bool) -> None:
    if staff is None:
        return
    require(staff=staff, permission=Permission.EXPORT_EVIDENCE)
    if disclose:
        require(staff=staff, permission=Permission.SEE_PAYLOADS)
