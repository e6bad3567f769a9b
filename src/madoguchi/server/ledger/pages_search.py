"""Search in the log: by what the database has an index for, newest first, a page at a time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import rfc8785
from django.db.models import BinaryField, F, Func, IntegerField, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import Site
from madoguchi.server.ledger import pages
from madoguchi.server.ledger.models import Entry
from madoguchi.server.visits.models import Visit

PAGE = 50
TICKET = re.compile(r"([A-Z])-?([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results. `older`: number of the last entry, if there are more behind it."""

    steps: list[pages.Step]
    tickets: dict[Any, str]
    older: int | None


def search(staff: Staff, wanted: Mapping[str, Any], before: int | None = None) -> Found:
    """The entries that `SearchForm` asks for, as far as they exist for this person; `before`: older than this one."""
    rows = _older(_chosen(staff, wanted), before)
    entries = list(rows.order_by("-at", "-pk")[: PAGE + 1])
    more, entries = len(entries) > PAGE, entries[:PAGE]
    steps = pages.Checker().steps(pages.placed(entries))
    visits = Visit.objects.filter(pk__in={row.visit for row in entries if row.visit})
    return Found(steps, dict(visits.values_list("pk", "ticket")), entries[-1].pk if more else None)


def day_begins(day: date) -> datetime:
    """Midnight at the counter."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _chosen(staff: Staff, wanted: Mapping[str, Any]) -> QuerySet[Entry]:
    """Period, terminal and visit lead over indexes; kind and staff only leave out rows of what those have found."""
    begin, end = wanted["begin"], wanted["end"]
    rows = pages.visible(staff).filter(at__gte=day_begins(begin), at__lt=day_begins(end + timedelta(days=1)))
    if wanted.get("terminal"):
        rows = rows.filter(terminal=wanted["terminal"].pk)
    if wanted.get("ticket"):
        rows = rows.filter(visit__in=_visits(wanted["ticket"], begin, end))
    if wanted.get("kind"):
        rows = rows.filter(kind=wanted["kind"])
    if wanted.get("staff"):
        rows = rows.filter(_stated_by(wanted["staff"].username))
    return rows


def _visits(ticket: str, begin: date, end: date) -> list[Any]:
    """Visits with this ticket number that came within a week before the end of the period, or in it."""
    found = TICKET.fullmatch(ticket)
    if found is None:
        return []
    sites = Site.objects.filter(ticket_letter=found[1]).values("pk")
    days = (begin - timedelta(days=7), end)
    return list(
        Visit.objects.filter(site__in=sites, day__range=days, number=int(found[2])).values_list("pk", flat=True)
    )


def _older(rows: QuerySet[Entry], before: int | None) -> QuerySet[Entry]:
    last = Entry.objects.filter(pk=before).only("at").first() if before is not None else None
    return rows if last is None else rows.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))


def _stated_by(username: str) -> GreaterThan:
    """Whether the entry's bytes name the person: canonical JSON writes a name and its text in one way only."""
    named = b'"staff":' + rfc8785.dumps(username)
    return GreaterThan(_Where(F("leaf"), Value(named, output_field=BinaryField())), 0)


class _Where(Func):
    """At which byte something begins, 0 for nowhere."""

    function = "INSTR"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        """`strpos` knows no bytes, `POSITION … IN` does."""
        haystack, needle = self.get_source_expressions()
        turned = _Where(needle, haystack)
        return super(_Where, turned).as_sql(
            compiler, connection, function="POSITION", arg_joiner=" IN ", template="%(function)s(%(expressions)s)"
        )
