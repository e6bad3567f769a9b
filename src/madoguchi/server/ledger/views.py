"""Pages of the evidence: overview, verify now, search, a visit's chain, an entry, checkpoints, export."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.evidence import keys
from madoguchi.evidence.errors import BadSignature, EvidenceError
from madoguchi.evidence.leaf import Leaf
from madoguchi.protocol import Permission
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import needs, require, staff_of
from madoguchi.server.errors import Forbidden, NotYours, OfficeError
from madoguchi.server.ledger import anchor, log, pages, pages_contents, pages_search, payloads
from madoguchi.server.ledger.audit import audit
from madoguchi.server.ledger.export import Scope, export_zip, workroom
from madoguchi.server.ledger.findings import Fault, Finding, Findings
from madoguchi.server.ledger.forms import AnchorForm, ExportForm, RangeExportForm, SearchForm
from madoguchi.server.ledger.models import Checkpoint, Erasure, Payload
from madoguchi.server.ledger.pages_chain import chain
from madoguchi.server.ledger.pages_marks import mark
from madoguchi.server.ledger.signer import verifier
from madoguchi.server.visits.models import Visit
from madoguchi.server.visits.selectors import visit_for

MOST_TO_VERIFY = 50_000
"""Entries that a page checks while somebody waits for it."""

_LAST, _PAGE = 5, 50
_ENTRY = re.compile(r"記録 (\d+)\b")


@require_GET
@needs(Permission.SEE_EVIDENCE)
def overview(request: HttpRequest) -> HttpResponse:
    """How many entries there are, the newest checkpoint, and the ways on. It says nothing of any site."""
    newest = pages.newest()
    values = {
        "size": log.size(),
        "newest": newest,
        "mark": mark(newest),
        "verifier": verifier().text(),
        "last": Checkpoint.objects.order_by("-size")[:_LAST],
        "whole": staff_of(request).site_id is None,
    }
    return render(request, "ledger/overview.html", values)


@require_http_methods(["GET", "POST"])
@needs(Permission.SEE_EVIDENCE)
def verify(request: HttpRequest) -> HttpResponse:
    """Check the whole log now. What is found may concern any site: for people of all sites only."""
    _of_all_sites(staff_of(request))
    size = log.size()
    too_many = size > MOST_TO_VERIFY
    found = audit() if request.method == "POST" and not too_many else None
    values = {"size": size, "most": MOST_TO_VERIFY, "too_many": too_many, "found": found, "at": clock.now()}
    return render(request, "ledger/verify.html", values | {"kinds": _by_kind(found) if found else []})


def _by_kind(found: Findings) -> list[tuple[str, int, list[tuple[str, int | None]]]]:
    """(sentence, how many, the first places with the entry that a link leads to) of each fault."""
    return [
        (fault.sentence, number, [(one.place, _entry_at(one)) for one in found.found if one.fault is fault])
        for fault, number in found.counts.items()
    ]


def _entry_at(finding: Finding) -> int | None:
    """The entry that a finding names, while it is there to be looked at."""
    named = _ENTRY.match(finding.place)
    return int(named[1]) if named and finding.fault not in (Fault.ENTRY_GONE, Fault.PLACE_GONE) else None


@require_GET
@needs(Permission.SEE_EVIDENCE)
def search(request: HttpRequest) -> HttpResponse:
    """Entries by day, ticket, kind, terminal, staff, or place."""
    staff, today = staff_of(request), clock.today()
    form = SearchForm(staff, request.GET if "begin" in request.GET else {"begin": today, "end": today})
    found = None
    if form.is_valid():
        if form.cleaned_data["position"] is not None:
            return redirect("evidence_entry", form.cleaned_data["position"])
        found = pages_search.search(staff, form.cleaned_data, _number(request.GET.get("before")))
    kept = request.GET.copy()
    kept.pop("before", None)
    values = {"form": form, "found": found, "kept": kept.urlencode(), "first": "before" not in request.GET}
    return render(request, "ledger/search.html", values, status=400 if form.errors else 200)


@require_GET
@needs(Permission.SEE_EVIDENCE)
def visit(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """The chain of a visit, checked while the page is made."""
    staff = staff_of(request)
    found = visit_for(staff, visit_id)
    return render(request, "ledger/visit.html", {"chain": chain(found, staff), "visit": found, "form": ExportForm()})


@require_GET
@needs(Permission.SEE_EVIDENCE)
def entry(request: HttpRequest, position: int) -> HttpResponse:
    """One entry with everything that proves it."""
    found = pages.entry_at(staff_of(request), position)
    checker = pages.Checker()
    step = checker.steps([(position, found)])[0]
    values = {
        "step": step,
        "newest": checker.newest,
        "statement": _pretty(step.leaf) if step.leaf else "",
        "fingerprint": _fingerprint(step.leaf.key) if step.leaf else "",
        "leaf_hash": step.proof.leaf.hex() if step.proof else "",
        "visit": Visit.objects.filter(pk=found.visit).first() if found.visit else None,
    }
    return render(request, "ledger/entry.html", values)


def _pretty(leaf: Leaf) -> str:
    """The statement for people; nested too deeply for that, as it was signed."""
    try:
        return json.dumps(leaf.statement, ensure_ascii=False, indent=2)
    except RecursionError:
        return leaf.said.decode(errors="replace")


@require_GET
@needs(Permission.SEE_EVIDENCE)
def checkpoints(request: HttpRequest) -> HttpResponse:
    """Every checkpoint, newest first, a page at a time."""
    before = _number(request.GET.get("before"))
    rows = Checkpoint.objects.order_by("-size")
    found = list((rows if before is None else rows.filter(size__lt=before))[: _PAGE + 1])
    older = found[_PAGE - 1].size if len(found) > _PAGE else None
    values = {"page": found[:_PAGE], "older": older, "first": before is None, "verifier": verifier().text()}
    return render(request, "ledger/checkpoints.html", values)


@require_GET
@needs(Permission.SEE_EVIDENCE)
def checkpoint_note(request: HttpRequest, size: int) -> HttpResponse:  # noqa: ARG001 - a view
    """A checkpoint as a file. Raises `LogEmpty` for a size that has none."""
    found = log.checkpoint_at(size)
    headers = {"Content-Disposition": f'attachment; filename="checkpoint-{size}.note"'}
    return HttpResponse(found.note, content_type="text/plain; charset=utf-8", headers=headers)


@require_http_methods(["GET", "POST"])
@needs(Permission.SEE_EVIDENCE)
def compare(request: HttpRequest) -> HttpResponse:
    """Compare an old checkpoint with the log. That it was compared is stated in the log."""
    form = AnchorForm(request.POST, request.FILES) if request.method == "POST" else AnchorForm()
    compared = None
    if request.method == "POST" and form.is_valid():
        try:
            compared = anchor.compare(form.cleaned_data["text"], staff=staff_of(request))
        except EvidenceError as refusal:
            form.add_error(None, refusal.sentence)
    status = 400 if form.errors else 200
    return render(request, "ledger/anchor.html", {"form": form, "compared": compared}, status=status)


@never_cache
@require_POST
@needs(Permission.SEE_PAYLOADS)
def payload(request: HttpRequest, payload_id: UUID) -> HttpResponse:
    """Open a sealed content; that it was opened, and by whom, is stated in the log."""
    staff = staff_of(request)
    found = Payload.objects.filter(pk=payload_id).first()
    gone = Erasure.objects.filter(payload=payload_id).first() if found is None else None
    row = found or gone
    if row is None:
        raise NotYours(str(payload_id))
    owner = Visit.objects.select_related("site").filter(pk=row.visit).first() if row.visit else None
    if owner is None and staff.site_id is not None:
        raise NotYours(str(payload_id))
    if owner is not None:
        require(staff=staff, permission=Permission.SEE_PAYLOADS, site_id=owner.site_id)
    with _refusals():
        content = payloads.show(payload=found, staff=staff) if found else None
    shown = pages_contents.shown(found.kind, content) if found and content is not None else None
    values = {"payload": found, "gone": gone, "shown": shown, "visit": owner}
    return render(request, "ledger/payload.html", values)


@require_http_methods(["GET", "POST"])
@needs(Permission.EXPORT_EVIDENCE)
def export(request: HttpRequest) -> HttpResponseBase:
    """The whole log or a period as a zip. It holds every site: for people of all sites only."""
    staff = staff_of(request)
    _of_all_sites(staff)
    form = RangeExportForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        return _download(_scope(data), staff, name=data["what"], disclose=data["disclose"])
    return render(request, "ledger/export.html", {"form": form}, status=400 if form.errors else 200)


def _scope(data: dict[str, Any]) -> Scope:
    if data["what"] == "whole":
        return Scope.whole()
    begin, end = data["begin"], data["end"] + timedelta(days=1)
    return Scope.period(pages_search.day_begins(begin), pages_search.day_begins(end))


@require_POST
@needs(Permission.EXPORT_EVIDENCE)
def export_visit(request: HttpRequest, visit_id: UUID) -> HttpResponseBase:
    """One visit as a zip."""
    staff = staff_of(request)
    found = visit_for(staff, visit_id)
    form = ExportForm(request.POST)
    disclose = form.is_valid() and form.cleaned_data["disclose"]
    label = f"{found.day:%Y-%m-%d} {found.ticket}"
    scope = Scope.of_visits([found.pk], label)
    return _download(scope, staff, name=f"{found.day:%Y%m%d}-{found.ticket}", disclose=disclose)


def _download(scope: Scope, staff: Staff, *, name: str, disclose: bool) -> FileResponse:
    """The zip. Its file has no name any more when the first byte goes out: nothing is left, whatever happens then."""
    with workroom() as folder, _refusals():
        path = folder / "bundle.zip"
        export_zip(path, scope=scope, staff=staff, disclose=disclose)
        file = path.open("rb")
    moment = f"{timezone.localtime(clock.now()):%Y%m%d-%H%M}"
    answer = FileResponse(file, as_attachment=True, filename=f"evidence-{name}-{moment}.zip")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _of_all_sites(staff: Staff) -> None:
    if staff.site_id is not None:
        raise Forbidden(f"{staff.username} is of one site", sentence=_ALL_SITES)


_ALL_SITES = (
    "この画面は全拠点の記録に関わるため、拠点を限られた人は使えません。"
    "すべての拠点を受け持つ市職員か監査担当に頼んでください。"
)


@contextmanager
def _refusals() -> Iterator[None]:
    """What the evidence refuses becomes a page with its sentence."""
    try:
        yield
    except EvidenceError as refusal:
        raise OfficeError(refusal.code, sentence=refusal.sentence) from refusal


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _fingerprint(key: str) -> str:
    try:
        return keys.fingerprint(key)
    except (BadSignature, ValueError):
        return ""
