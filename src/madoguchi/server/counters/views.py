"""Pages for the counters' data and for terminals."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.protocol import Permission, TerminalState
from madoguchi.server.accounts.permissions import needs, require, staff_of
from madoguchi.server.counters import devices, forms
from madoguchi.server.counters.models import HelpLine, ProcedureKind, Site, Terminal
from madoguchi.server.counters.services import save, save_terminal
from madoguchi.server.errors import OfficeError
from madoguchi.server.visits import selectors, services
from madoguchi.server.visits.forms import ReasonForm


@require_GET
@needs(Permission.SEE_COUNTERS)
def overview(request: HttpRequest) -> HttpResponse:
    """All editable data of the counters."""
    values = {
        "sites": Site.objects.all(),
        "procedures": ProcedureKind.objects.prefetch_related("bring"),
        "help_lines": HelpLine.objects.all(),
    }
    return render(request, "counters/overview.html", values)


@require_http_methods(["GET", "POST"])
@needs(Permission.EDIT_COUNTERS)
def site_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new or changed site."""
    row = get_object_or_404(Site, pk=pk) if pk else None
    require(staff=staff_of(request), permission=Permission.EDIT_COUNTERS, site_id=pk)
    return _edit(request, forms.SiteForm(request.POST or None, instance=row), "拠点")


@require_http_methods(["GET", "POST"])
@needs(Permission.EDIT_COUNTERS)
def procedure_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new or changed procedure with its bring list."""
    row = get_object_or_404(ProcedureKind, pk=pk) if pk else None
    form = forms.ProcedureForm(request.POST or None, instance=row)
    lines = forms.BringFormSet(request.POST or None, instance=row, prefix="bring")
    return _edit(request, form, "手続", lines)


@require_http_methods(["GET", "POST"])
@needs(Permission.EDIT_COUNTERS)
def help_line_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new or changed help line."""
    row = get_object_or_404(HelpLine, pk=pk) if pk else None
    return _edit(request, forms.HelpLineForm(request.POST or None, instance=row), "問い合わせ先")


def _edit(request: HttpRequest, form: Any, title: str, lines: Any = None) -> HttpResponse:
    if request.method == "POST" and form.is_valid() and (lines is None or lines.is_valid()):
        row = save(form=form, staff=staff_of(request), lines=lines)
        messages.success(request, f"{title}「{row}」を保存しました。")
        return redirect("counters")
    wrong = bool(form.errors) or bool(lines is not None and lines.is_bound and not lines.is_valid())
    values = {"form": form, "lines": lines, "title": title, "back": "counters", "new": form.instance.pk is None}
    return render(request, "counters/edit.html", values, status=400 if wrong else 200)


@require_GET
@needs(Permission.SEE_COUNTERS)
def terminals(request: HttpRequest) -> HttpResponse:
    """The terminals that the person sees."""
    staff = staff_of(request)
    rows = Terminal.objects.all() if staff.site_id is None else Terminal.objects.filter(site_id=staff.site_id)
    return render(request, "counters/terminals.html", {"seats": selectors.seats(rows)})


@require_http_methods(["GET", "POST"])
@needs(Permission.EDIT_COUNTERS)
def terminal_edit(request: HttpRequest, pk: UUID | None = None) -> HttpResponse:
    """A new or changed terminal."""
    staff = staff_of(request)
    row = selectors.terminal_for(staff, pk) if pk else None
    form = forms.TerminalForm(request.POST or None, instance=row, staff=staff)
    if request.method == "POST" and form.is_valid():
        terminal = save_terminal(form=form, staff=staff)
        messages.success(request, f"端末「{terminal}」を保存しました。")
        return redirect("terminal", terminal.pk)
    values = {"form": form, "title": "端末", "back": "terminals", "new": row is None}
    return render(request, "counters/edit.html", values, status=400 if form.errors else 200)


@require_GET
@needs(Permission.SEE_COUNTERS)
def terminal_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A terminal: its state, its record, what an officer can do."""
    return _terminal(request, pk)


@never_cache
@require_POST
@needs(Permission.ENROL_TERMINAL)
def terminal_enrol(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A one-time code, shown on this page only."""
    staff = staff_of(request)
    terminal = selectors.terminal_for(staff, pk)
    off = request.POST.get("old_machine_off") == "on"
    try:
        code = devices.issue_code(terminal=terminal, staff=staff, old_machine_off=off)
    except OfficeError as refusal:
        return _terminal(request, pk, problem=refusal.sentence)
    return _terminal(request, pk, code=code)


@require_POST
@needs(Permission.REVOKE_TERMINAL)
def terminal_revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take the machine away from the terminal."""
    staff = staff_of(request)
    terminal = selectors.terminal_for(staff, pk)
    form = ReasonForm(request.POST, prefix="revoke")
    if not form.is_valid():
        return _terminal(request, pk, revoke=form)
    devices.revoke(terminal=terminal, staff=staff, reason=form.cleaned_data["reason"])
    messages.success(request, "登録を取り消しました。この機械は、もうサーバーにつながりません。")
    return redirect("terminal", pk)


@require_POST
@needs(Permission.CLEAR_QUARANTINE)
def terminal_clear(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Allow a quarantined terminal to wipe again."""
    staff = staff_of(request)
    terminal = selectors.terminal_for(staff, pk)
    form = ReasonForm(request.POST, prefix="clear")
    if not form.is_valid():
        return _terminal(request, pk, clear=form)
    try:
        services.clear_quarantine(terminal=terminal, staff=staff, reason=form.cleaned_data["reason"])
    except OfficeError as refusal:
        return _terminal(request, pk, clear=form, problem=refusal.sentence)
    messages.success(request, "再消去を許可しました。消去が証明されると、使えるようになります。")
    return redirect("terminal", pk)


def _terminal(request: HttpRequest, pk: UUID, **given: Any) -> HttpResponse:
    terminal = selectors.terminal_for(staff_of(request), pk)
    seat = selectors.seats(Terminal.objects.filter(pk=terminal.pk))[0]
    refused = given.get("problem") or given.get("revoke") or given.get("clear")
    values = {
        "seat": seat,
        "stopped": seat.terminal.quarantined or seat.terminal.state == TerminalState.QUARANTINED,
        "device": terminal.devices.filter(revoked_at__isnull=True).first(),
        "events": terminal.events.filter(visit__isnull=True).select_related("staff").order_by("-pk")[:50],
        "enrol": forms.EnrolForm(),
        "revoke": ReasonForm(prefix="revoke"),
        "clear": ReasonForm(prefix="clear"),
    }
    return render(request, "counters/terminal.html", values | given, status=400 if refused else 200)
