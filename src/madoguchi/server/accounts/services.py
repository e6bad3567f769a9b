"""Changes to staff. Whoever manages staff can only manage roles below their own reach."""

from django.db import transaction

from madoguchi.protocol import Permission, Role
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import require
from madoguchi.server.errors import Forbidden
from madoguchi.server.ledger import statements

MANAGES: dict[Role, tuple[Role, ...]] = {
    Role.CITY_OFFICER: (
        Role.SUPPORTER,
        Role.CONTRACTOR_MANAGER,
        Role.CITY_OFFICER,
        Role.CALL_CENTRE,
        Role.AUDITOR,
    ),
    Role.CONTRACTOR_MANAGER: (Role.SUPPORTER, Role.CALL_CENTRE),
}
"""Whose accounts a role manages: the contractor its own people, the city everyone (domain: supervision)."""


def manageable(staff: Staff) -> tuple[Role, ...]:
    """The roles whose accounts this person manages."""
    return MANAGES.get(staff.acts_as, ()) if staff.may(Permission.MANAGE_STAFF) else ()


@transaction.atomic
def save_staff(*, person: Staff, password: str | None, by: Staff) -> Staff:
    """Save a new or changed account. Raises `Forbidden` for a role that `by` does not manage, `NotYours`."""
    require(staff=by, permission=Permission.MANAGE_STAFF, site_id=person.site_id)
    if person.site_id is None and by.site_id is not None:
        raise Forbidden(f"{by.username} manages one site only")
    before = Staff.objects.select_for_update().filter(pk=person.pk).first()
    if before is not None:
        _may_manage(by, before)
        if before.username != person.username:
            raise Forbidden("a login name stays: the record names it")
    _may_manage(by, person)
    if password:
        person.set_password(password)
    person.save()
    statements.state(kind="staff_saved", body=_said_of(person, password=bool(password)), staff=by)
    return person


def _said_of(person: Staff, *, password: bool) -> dict[str, object]:
    """What the log is told of an account: never the name, never the password."""
    site = person.site.slug if person.site else None
    told = {"username": person.username, "role": person.role, "site": site, "active": person.is_active}
    return {**told, "password": password}


def _may_manage(by: Staff, person: Staff) -> None:
    if person.acts_as not in manageable(by):
        raise Forbidden(f"{by.username} does not manage {person.role}")
    if person.pk == by.pk and (person.role != by.role or not person.is_active):
        raise Forbidden("nobody takes away their own account")
