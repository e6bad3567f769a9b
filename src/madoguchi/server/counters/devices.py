"""Machines enrolled as terminals: one-time codes, tokens, revocation. Codes and tokens are kept as hashes only."""

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from madoguchi.evidence.keys import public_from_text
from madoguchi.protocol import Permission
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import require
from madoguchi.server.counters.models import Device, DeviceToken, EnrolmentCode, Terminal
from madoguchi.server.errors import (
    EnrolmentExpired,
    EnrolmentUnknown,
    EnrolmentUsed,
    OldMachineUnclear,
    TokenRevoked,
    TokenUnknown,
)

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0/O, 1/I: it is read aloud and typed
_GROUPS, _GROUP = 3, 4


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a newly enrolled machine is told; the token is shown nowhere else."""

    device: Device
    token: str


@transaction.atomic
def issue_code(*, terminal: Terminal, staff: Staff, old_machine_off: bool = False) -> str:
    """A one-time enrolment code; earlier codes of the terminal end.

    `old_machine_off`: the officer has seen that the machine used so far is switched off. Needed while a visit stands
    on the terminal: a new machine can only prove that it is empty itself. Raises `OldMachineUnclear`.
    """
    from madoguchi.server.ledger import statements

    require(staff=staff, permission=Permission.ENROL_TERMINAL, site_id=terminal.site_id)
    held = Terminal.objects.select_for_update().get(pk=terminal.pk)
    if not old_machine_off and holds_a_visit(held):
        raise OldMachineUnclear(str(held))
    now = clock.now()
    EnrolmentCode.objects.filter(terminal=held, used_at__isnull=True, expires_at__gt=now).update(expires_at=now)
    text = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    EnrolmentCode.objects.create(
        terminal=held,
        digest=_code_digest(text),
        issued_by=staff.username,
        issued_at=now,
        expires_at=now + timedelta(minutes=settings.ENROLMENT_MINUTES),
    )
    body = {"old_machine_off": old_machine_off}
    statements.state(kind="code_issued", body=body, staff=staff, terminal=held)
    return text


@transaction.atomic
def enrol(*, code: str, public_key: str) -> Enrolled:
    """Turn a machine into the terminal's device; the machine before it is revoked.

    Raises `EnrolmentUnknown`, `EnrolmentUsed`, `EnrolmentExpired`, or `BadSignature` for a key that is none.
    """
    from madoguchi.server.visits.record import record_office

    public_from_text(public_key)
    found = _take_code(code)
    terminal = Terminal.objects.select_for_update().get(pk=found.terminal_id)
    Device.objects.filter(terminal=terminal, revoked_at__isnull=True).update(revoked_at=clock.now())
    device = Device.objects.create(terminal=terminal, public_key=public_key, enrolled_at=clock.now())
    record_office(kind="enrolled", terminal=terminal, body={"public_key": public_key, "code_by": found.issued_by})
    return Enrolled(device, _new_token(device))


def authenticate(*, token: str) -> Device:
    """The device that holds the token. Raises `TokenUnknown` or `TokenRevoked`."""
    found = DeviceToken.objects.select_related("device__terminal__site").filter(digest=_token_digest(token)).first()
    if found is None:
        raise TokenUnknown("no such token")
    if found.revoked_at or found.device.revoked_at:
        raise TokenRevoked(str(found.device))
    if found.first_used_at is None:
        _first_use(found)
    return found.device


@transaction.atomic
def roll_token(*, device: Device) -> str:
    """A new token. The one in use works until the new one is first used; new ones never used end now."""
    Device.objects.select_for_update().get(pk=device.pk)
    device.tokens.filter(first_used_at__isnull=True, revoked_at__isnull=True).update(revoked_at=clock.now())
    return _new_token(device)


@transaction.atomic
def revoke(*, terminal: Terminal, staff: Staff, reason: str) -> None:
    """Take the terminal's machine away from it: its next call is answered `TokenRevoked`."""
    from madoguchi.server.ledger import payloads

    require(staff=staff, permission=Permission.REVOKE_TERMINAL, site_id=terminal.site_id)
    _revoke(terminal=terminal, staff=staff, body={"reason": payloads.keep_words(reason)})


def retire(*, terminal: Terminal, staff: Staff) -> None:
    """After an attested wipe: the machine is gone and the terminal is out of service.

    Why stands in the attestation: words belong to one visit, and the same commitment stands in no other statement.
    """
    Terminal.objects.filter(pk=terminal.pk).update(in_service=False)
    _revoke(terminal=terminal, staff=staff, body={})


def holds_a_visit(terminal: Terminal) -> bool:
    """Whether a visit that is not closed stands on the terminal."""
    from madoguchi.server.visits.selectors import open_visit

    return open_visit(terminal) is not None


def _revoke(*, terminal: Terminal, staff: Staff, body: dict[str, str]) -> None:
    from madoguchi.server.visits.record import record_office

    Device.objects.filter(terminal=terminal, revoked_at__isnull=True).update(revoked_at=clock.now())
    record_office(kind="revoked", terminal=terminal, body=body, staff=staff)


def _take_code(code: str) -> EnrolmentCode:
    found = EnrolmentCode.objects.select_for_update().filter(digest=_code_digest(code)).first()
    if found is None:
        raise EnrolmentUnknown("no such code")
    if found.used_at:
        raise EnrolmentUsed(str(found))
    if found.expires_at <= clock.now():
        raise EnrolmentExpired(str(found))
    found.used_at = clock.now()
    found.save()
    return found


def _first_use(token: DeviceToken) -> None:
    with transaction.atomic():
        Device.objects.select_for_update().get(pk=token.device_id)
        token.first_used_at = clock.now()
        token.save(update_fields=["first_used_at"])
        older = DeviceToken.objects.filter(device=token.device, pk__lt=token.pk, revoked_at__isnull=True)
        older.update(revoked_at=clock.now())


def _new_token(device: Device) -> str:
    token = secrets.token_urlsafe(32)
    DeviceToken.objects.create(device=device, digest=_token_digest(token), made_at=clock.now())
    return token


def _code_digest(code: str) -> str:
    """Keyed: a code is short enough to be found from a plain hash while it is valid."""
    text = "".join(c for c in unicodedata.normalize("NFKC", code).upper() if c.isalnum())
    return salted_hmac("madoguchi.enrolment", text, algorithm="sha256").hexdigest()


def _token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def count_message(*, device: Device, seq: int) -> int:
    """Note the device's message number; returns the number that was expected."""
    expected = Device.objects.values_list("last_seq", flat=True).get(pk=device.pk) + 1
    Device.objects.filter(pk=device.pk, last_seq__lt=seq).update(last_seq=seq)
    return int(expected)
