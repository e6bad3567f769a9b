"""Changes to the editable data of the counters."""

from typing import TypeVar

from django.db import models, transaction
from django.forms import BaseInlineFormSet, ModelForm

from madoguchi.protocol import Permission
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import require
from madoguchi.server.counters import devices
from madoguchi.server.counters.models import Terminal
from madoguchi.server.errors import TerminalBusy
from madoguchi.server.ledger import statements

Row = TypeVar("Row", bound=models.Model)


@transaction.atomic
def save(*, form: "ModelForm[Row]", staff: Staff, lines: "BaseInlineFormSet | None" = None) -> Row:  # type: ignore[type-arg]  # the stub's three parameters add nothing here
    """Save a valid form of counter data, with its lines. Raises `Forbidden`, `NotYours`."""
    require(staff=staff, permission=Permission.EDIT_COUNTERS, site_id=_site_of(form.instance))
    row = form.save()
    if lines is not None:
        lines.instance = row
        lines.save()
    _state(form, row, staff)
    return row


@transaction.atomic
def save_terminal(*, form: "ModelForm[Terminal]", staff: Staff) -> Terminal:
    """Save a terminal's name and place; putting it in or out of service is recorded."""
    from madoguchi.server.visits.record import record_office

    new = form.instance._state.adding
    before = None if new else Terminal.objects.select_for_update().get(pk=form.instance.pk)
    require(staff=staff, permission=Permission.EDIT_COUNTERS, site_id=form.cleaned_data["site"].pk)
    if before is not None:
        require(staff=staff, permission=Permission.EDIT_COUNTERS, site_id=before.site_id)
        if before.site_id != form.cleaned_data["site"].pk and devices.holds_a_visit(before):
            raise TerminalBusy(str(before))
    terminal = form.save(commit=False)
    # Only these: what the terminal says of itself may have changed since the form was read.
    terminal.save() if new else terminal.save(update_fields=["site", "name", "in_service"])
    if before is not None and before.in_service != terminal.in_service:
        kind = "in_service" if terminal.in_service else "out_of_service"
        record_office(kind=kind, terminal=terminal, body={}, staff=staff)
    _state(form, terminal, staff)
    return terminal


def _state(form: "ModelForm[Row]", row: Row, staff: Staff) -> None:
    """What kind of data, which row, which fields: their contents stand in the tables."""
    body = {"what": row._meta.model_name, "key": str(row.pk), "changed": sorted(form.changed_data)}
    statements.state(kind="counter_saved", body=body, staff=staff)


def _site_of(row: models.Model) -> int | None:
    return None if row.pk is None else getattr(row, "site_id", None)
