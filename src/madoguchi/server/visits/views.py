"""Pages of the counter: board, reception, slip, a visit, the public display, rejected messages."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.protocol import Permission, ProtocolError
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import needs, require, staff_of
from madoguchi.server.counters.models import HelpLine, ProcedureKind, Site
from madoguchi.server.errors import OfficeError
from madoguchi.server.ledger import payloads
from madoguchi.server.visits import live, selectors, services
from madoguchi.server.visits.forms import ReceptionForm
from madoguchi.server.visits.models import Visit
from madoguchi.server.visits.staff_acts import ACTS, Act

Values = dict[str, Any]


@require_GET
@needs(Permission.SEE_BOARD)
def sites(request: HttpRequest) -> HttpResponse:
    """Choose a site; somebody of one site is taken there."""
    staff = staff_of(request)
    if staff.site is not None:
        return redirect("board", staff.site.slug)
    return render(request, "visits/sites.html", {"sites": Site.objects.all()})


@require_GET
@needs(Permission.SEE_BOARD)
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """Waiting tickets and terminals of a site, live."""
    return _board(request, selectors.site_for(staff_of(request), slug), request.GET, None)


@require_GET
@needs(Permission.SEE_BOARD)
def board_live(request: HttpRequest, slug: str) -> HttpResponse:
    """The live part of the board. What is chosen comes along and stays chosen."""
    site = selectors.site_for(staff_of(request), slug)
    return live.answer(request, "visits/board_live.html", _board_values(request, site, request.GET))


@require_POST
@needs(Permission.CALL_TICKET)
def call(request: HttpRequest, slug: str) -> HttpResponse:
    """Call a ticket to a terminal. A refusal is shown on the board, with what was chosen still chosen."""
    staff = staff_of(request)
    site = selectors.site_for(staff, slug)
    ticket, terminal = _uuid(request.POST.get("ticket")), _uuid(request.POST.get("terminal"))
    if ticket is None or terminal is None:
        return _board(request, site, request.POST, "受付番号と端末を1つずつ選んでから、「呼ぶ」を押してください。")
    try:
        chosen = selectors.terminal_for(staff, terminal)
        visit = services.call(visit=selectors.visit_for(staff, ticket), terminal=chosen, staff=staff)
    except (OfficeError, ProtocolError) as refusal:
        return _board(request, site, request.POST, refusal.sentence)
    messages.success(request, f"{visit.ticket} を {chosen.name} に呼びました。")
    return redirect("board", site.slug)


def _board(request: HttpRequest, site: Site, chosen: Any, problem: str | None) -> HttpResponse:
    values = _board_values(request, site, chosen)
    address = reverse("board_live", args=[site.slug])
    values |= {"live": live.part(request, "visits/board_live.html", values, address), "problem": problem}
    return render(request, "visits/board.html", values, status=409 if problem else 200)


def _board_values(request: HttpRequest, site: Site, chosen: Any) -> Values:
    shown = selectors.board(site)
    return {
        "site": site,
        "board": shown,
        "ticket": chosen.get("ticket", ""),
        "terminal": chosen.get("terminal", ""),
        "today": clock.today(),
        "may_call": staff_of(request).may(Permission.CALL_TICKET),
    }


@require_http_methods(["GET", "POST"])
@needs(Permission.ISSUE_TICKET)
def reception(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose the procedure, ask the preflight questions, issue a ticket."""
    staff = staff_of(request)
    site = selectors.site_for(staff, slug)
    code = request.POST.get("procedure") or request.GET.get("procedure")
    if not code:
        offered = [kind for kind in ProcedureKind.objects.all() if kind.offered(clock.today())]
        return render(request, "visits/reception_procedure.html", {"site": site, "procedures": offered})
    procedure = get_object_or_404(ProcedureKind.objects.prefetch_related("bring"), code=code)
    form = ReceptionForm(procedure, request.POST or None)
    if request.method == "POST" and form.is_valid():
        advice = form.advice()
        if not advice or form.cleaned_data["told"]:
            key = form.cleaned_data["key"]
            visit = services.issue_ticket(site=site, procedure=procedure, preflight=form.record(), staff=staff, key=key)
            return redirect("slip", visit.pk)
        return _reception(request, site, form, advice)
    return _reception(request, site, form, ())


def _reception(request: HttpRequest, site: Site, form: ReceptionForm, advice: Any) -> HttpResponse:
    values = {"site": site, "procedure": form.procedure, "form": form, "advice": advice}
    values["help_lines"] = HelpLine.objects.all() if advice else ()
    return render(request, "visits/reception.html", values, status=400 if form.errors else 200)


@require_GET
@needs(Permission.SEE_VISIT)
def slip(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """The ticket to print and hand over."""
    visit = selectors.visit_for(staff_of(request), visit_id)
    return render(request, "visits/slip.html", {"visit": visit, "bring": visit.procedure.bring.all()})


@require_GET
@needs(Permission.SEE_VISIT)
def visit_page(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """A visit: where it stands, what can be done, its whole record."""
    return _visit(request, selectors.visit_for(staff_of(request), visit_id))


@require_GET
@needs(Permission.SEE_VISIT)
def visit_now(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """Where the visit stands, live.

    When other things can be done than before, the page is loaded anew, unless a form on it is open (`busy`): then a
    note says so, and what was typed stays.
    """
    staff = staff_of(request)
    visit = selectors.visit_for(staff, visit_id)
    moved = request.GET.get("stand", "") not in ("", _stand(visit, staff))
    if moved and "busy" not in request.GET:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return live.answer(request, "visits/visit_now.html", _visit_values(visit, staff) | {"moved": moved})


@require_GET
@needs(Permission.SEE_VISIT)
def visit_record(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """The record of the visit, live."""
    staff = staff_of(request)
    values = _visit_values(selectors.visit_for(staff, visit_id), staff)
    return live.answer(request, "visits/visit_record.html", values)


def visit_act(request: HttpRequest, visit_id: UUID, action: str) -> HttpResponse:
    """One of `ACTS` on a visit. A refusal is shown with what was typed."""
    act = ACTS[action]
    staff = staff_of(request)
    visit = selectors.visit_for(staff, visit_id)
    require(staff=staff, permission=act.permission, site_id=visit.site_id)
    form = act.fields(request.POST)
    if not form.is_valid():
        return _visit(request, visit, act, form)
    try:
        act.do(request, visit, staff, form.cleaned_data)
    except (OfficeError, ProtocolError) as refusal:
        return _visit(request, visit, act, form, refusal.sentence)
    messages.success(request, act.done)
    return redirect("visit", visit.pk)


def _visit(
    request: HttpRequest, visit: Visit, tried: Act | None = None, form: Any = None, problem: str | None = None
) -> HttpResponse:
    staff = staff_of(request)
    visit = selectors.visit_for(staff, visit.pk)
    values = _visit_values(visit, staff)
    allowed = selectors.actions(visit, staff)
    acts = [act for act in ACTS.values() if act.kind in allowed]
    values["acts"] = [(act, form if act is tried else act.fields()) for act in acts]
    values |= {"problem": problem, "tried": tried, "stand": _stand(visit, staff)}
    for name in ("now", "record"):
        address = reverse(f"visit_{name}", args=[visit.pk])
        values[name] = live.part(request, f"visits/visit_{name}.html", values, address)
    return render(request, "visits/visit.html", values, status=409 if problem else (400 if form else 200))


def _visit_values(visit: Visit, staff: Staff) -> Values:
    events = visit.events.select_related("staff").order_by("seq")
    return {"visit": visit, "site": visit.site, "events": events, "may_see_board": staff.may(Permission.SEE_BOARD)}


def _stand(visit: Visit, staff: Staff) -> str:
    """What the page's forms depend on."""
    return "-".join([visit.state, *(kind.value for kind in selectors.actions(visit, staff))])


@require_GET
@login_not_required
def display(request: HttpRequest, slug: str) -> HttpResponse:
    """The public call display of a site: numbers only, no login."""
    values = _display_values(get_object_or_404(Site, slug=slug))
    values["live"] = live.part(request, "visits/display_live.html", values, reverse("display_live", args=[slug]))
    return render(request, "visits/display.html", values)


@require_GET
@login_not_required
def display_live(request: HttpRequest, slug: str) -> HttpResponse:
    """The live part of the display."""
    return live.answer(request, "visits/display_live.html", _display_values(get_object_or_404(Site, slug=slug)))


def _display_values(site: Site) -> Values:
    today = [visit for visit in selectors.waiting(site) if visit.day == clock.today()]
    return {"site": site, "called": selectors.called(site), "waiting": today}


@require_GET
@needs(Permission.SEE_REJECTED)
def rejected(request: HttpRequest) -> HttpResponse:
    """Messages of terminals that changed nothing (I6)."""
    page = Paginator(selectors.rejected_for(staff_of(request)), 50).get_page(request.GET.get("page"))
    return render(request, "visits/rejected.html", {"page": page})


@require_POST
@never_cache
@needs(Permission.SEE_PAYLOADS)
def rejected_open(request: HttpRequest, pk: int) -> HttpResponse:
    """What was refused, as it came. It may hold handwriting: that it was opened is stated in the log."""
    staff = staff_of(request)
    row = get_object_or_404(selectors.rejected_for(staff), pk=pk)
    payload = payloads.find(row.raw)
    raw = None
    if payload is not None:
        raw = payloads.show(payload=payload, staff=staff, site_id=row.terminal.site_id)["raw"]
    return render(request, "visits/rejected_open.html", {"row": row, "raw": raw})


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def act_view(action: str) -> Any:
    """The address of one act: its permission can be read from the view."""
    permission = ACTS[action].permission

    @require_POST
    @needs(permission)
    def view(request: HttpRequest, visit_id: UUID) -> HttpResponse:
        return visit_act(request, visit_id, action)

    view.permission = permission  # type: ignore[attr-defined]  # read by the permission matrix
    return view
