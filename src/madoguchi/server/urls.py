"""Every address of the office."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from madoguchi.server.accounts import views as accounts
from madoguchi.server.api.routes import api
from madoguchi.server.counters import views as counters
from madoguchi.server.ledger import views as ledger
from madoguchi.server.ledger import views_papers as papers
from madoguchi.server.visits import views as visits
from madoguchi.server.visits.staff_acts import ACTS

handler400 = "madoguchi.server.views.unreadable"
handler403 = "madoguchi.server.views.forbidden"
handler404 = "madoguchi.server.views.not_found"
handler500 = "madoguchi.server.views.broken"


def _devices_only() -> tuple[list[Any], str, str]:
    """Devices show a token instead of a login: the API checks it for every address but the enrolment."""
    patterns, app, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            login_not_required(pattern.callback)
    return patterns, app, namespace


urlpatterns = [
    path("", accounts.home, name="home"),
    path("login/", accounts.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", accounts.PasswordChange.as_view(), name="password"),
    path("staff/", accounts.staff_list, name="staff"),
    path("staff/new/", accounts.staff_edit, name="staff_new"),
    path("staff/<int:pk>/", accounts.staff_edit, name="staff_edit"),
    path("sites/", visits.sites, name="sites"),
    path("sites/<slug:slug>/", visits.board, name="board"),
    path("sites/<slug:slug>/live/", visits.board_live, name="board_live"),
    path("sites/<slug:slug>/call/", visits.call, name="call"),
    path("sites/<slug:slug>/reception/", visits.reception, name="reception"),
    path("display/<slug:slug>/", visits.display, name="display"),
    path("display/<slug:slug>/live/", visits.display_live, name="display_live"),
    path("visits/<uuid:visit_id>/", visits.visit_page, name="visit"),
    path("visits/<uuid:visit_id>/now/", visits.visit_now, name="visit_now"),
    path("visits/<uuid:visit_id>/record/", visits.visit_record, name="visit_record"),
    path("visits/<uuid:visit_id>/slip/", visits.slip, name="slip"),
    path("visits/<uuid:visit_id>/receipt/", papers.receipt, name="receipt"),
    *(path(f"visits/<uuid:visit_id>/{act}/", visits.act_view(act), name=f"visit_{act}") for act in ACTS),
    path("rejected/", visits.rejected, name="rejected"),
    path("rejected/<int:pk>/open/", visits.rejected_open, name="rejected_open"),
    path("evidence/", ledger.overview, name="evidence"),
    path("evidence/verify/", ledger.verify, name="evidence_verify"),
    path("evidence/search/", ledger.search, name="evidence_search"),
    path("evidence/visits/<uuid:visit_id>/", ledger.visit, name="evidence_visit"),
    path("evidence/visits/<uuid:visit_id>/export/", ledger.export_visit, name="evidence_visit_export"),
    path("evidence/entries/<int:position>/", ledger.entry, name="evidence_entry"),
    path("evidence/checkpoints/", ledger.checkpoints, name="evidence_checkpoints"),
    path("evidence/checkpoints/<int:size>.note", ledger.checkpoint_note, name="evidence_note"),
    path("evidence/anchor/", ledger.compare, name="evidence_anchor"),
    path("evidence/payloads/<uuid:payload_id>/", ledger.payload, name="evidence_payload"),
    path("evidence/export/", ledger.export, name="evidence_export"),
    path("evidence/daily/", papers.daily_choose, name="daily_choose"),
    path("evidence/daily/<slug:slug>/<str:day>/", papers.daily, name="daily"),
    path("counters/", counters.overview, name="counters"),
    path("counters/sites/new/", counters.site_edit, name="site_new"),
    path("counters/sites/<int:pk>/", counters.site_edit, name="site_edit"),
    path("counters/procedures/new/", counters.procedure_edit, name="procedure_new"),
    path("counters/procedures/<int:pk>/", counters.procedure_edit, name="procedure_edit"),
    path("counters/help-lines/new/", counters.help_line_edit, name="help_line_new"),
    path("counters/help-lines/<int:pk>/", counters.help_line_edit, name="help_line_edit"),
    path("terminals/", counters.terminals, name="terminals"),
    path("terminals/new/", counters.terminal_edit, name="terminal_new"),
    path("terminals/<uuid:pk>/", counters.terminal_page, name="terminal"),
    path("terminals/<uuid:pk>/edit/", counters.terminal_edit, name="terminal_edit"),
    path("terminals/<uuid:pk>/enrol/", counters.terminal_enrol, name="terminal_enrol"),
    path("terminals/<uuid:pk>/revoke/", counters.terminal_revoke, name="terminal_revoke"),
    path("terminals/<uuid:pk>/clear/", counters.terminal_clear, name="terminal_clear"),
    path("api/device/", _devices_only()),
]
