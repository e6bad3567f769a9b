"""What is printed: the citizen's receipt, the daily report."""

from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from madoguchi.protocol import Permission
from madoguchi.server import clock
from madoguchi.server.accounts.permissions import needs, staff_of
from madoguchi.server.errors import NotYours
from madoguchi.server.ledger import pages_papers
from madoguchi.server.ledger.forms import DailyForm
from madoguchi.server.visits.selectors import site_for, visit_for


@require_GET
@never_cache
@needs(Permission.SEE_VISIT)
def receipt(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """The citizen's receipt of a closed visit. Raises `NotClosed`."""
    found = pages_papers.receipt(visit_for(staff_of(request), visit_id))
    return render(request, "ledger/receipt.html", {"receipt": found, "visit": found.visit, "site": found.visit.site})


@require_GET
@needs(Permission.SEE_VISIT)
def daily_choose(request: HttpRequest) -> HttpResponse:
    """Choose the site and the day of a daily report."""
    form = DailyForm(staff_of(request), request.GET if "site" in request.GET else None)
    if form.is_bound and form.is_valid():
        return redirect("daily", form.cleaned_data["site"].slug, form.cleaned_data["day"].isoformat())
    return render(request, "ledger/daily_choose.html", {"form": form}, status=400 if form.errors else 200)


@require_GET
@never_cache
@needs(Permission.SEE_VISIT)
def daily(request: HttpRequest, slug: str, day: str) -> HttpResponse:
    """A site's day. Days to come do not exist yet."""
    site, chosen = site_for(staff_of(request), slug), _day(day)
    if chosen is None or chosen > clock.today():
        raise NotYours(day)
    values = {"daily": pages_papers.daily(site, chosen), "site": site, "printed": clock.now()}
    return render(request, "ledger/daily.html", values | {"today": chosen == clock.today()})


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
