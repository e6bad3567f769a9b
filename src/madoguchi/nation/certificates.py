"""電子証明書の有効性確認: which person stands behind a certificate, as each service knows it at a moment.

Rules:
1. Only a registered certificate stands for a person; an unknown one is refused.
2. Renewal revokes the old certificate at once, everywhere.
3. The new one is known to a service only after that service's delay. Sources differ (one hour, a day, three days), so
   the delays are data that can be edited, never one constant.
4. When the status service does not answer, nothing is accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate

from madoguchi.nation.errors import (
    CertificateExpired,
    CertificateNotYetEffective,
    CertificateRevoked,
    CertificateStatusDown,
    CertificateUnknown,
)
from madoguchi.nation.faults import Faults
from madoguchi.nation.ground import Ground, operation


class Service(StrEnum):
    """Who asks. Each learns of new certificates in its own time."""

    POINTS_LOGIN = "points_login"
    POINTS_APPLICATION = "points_application"
    ACCOUNTS_LOGIN = "accounts_login"
    ACCOUNTS_REGISTRATION = "accounts_registration"


DEFAULT_DELAYS: Mapping[Service, timedelta] = {
    Service.POINTS_LOGIN: timedelta(0),
    Service.POINTS_APPLICATION: timedelta(hours=24),
    Service.ACCOUNTS_LOGIN: timedelta(0),
    Service.ACCOUNTS_REGISTRATION: timedelta(hours=1),
}
"""Start values only: the figures for the two writes are assumptions (public sources differ); edit `delays`."""


@dataclass(frozen=True, slots=True)
class _Entry:
    person: str
    since: datetime
    renewed: bool
    revoked: bool = False


class CertificateStatus:
    """The registry of user-authentication certificates. `delays` may be edited at any time."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.faults = Faults(sleep=ground.sleep, down=CertificateStatusDown)
        self.delays: dict[Service, timedelta] = dict(DEFAULT_DELAYS)
        self._entries: dict[bytes, _Entry] = {}

    def issue(self, person: str, certificate: Certificate) -> None:
        """Register a first certificate: long known everywhere. Replaces nothing."""
        with self.ground.lock:
            self._entries[_mark(certificate)] = _Entry(person, self.ground.now(), renewed=False)

    def renew(self, person: str, certificate: Certificate, at: datetime | None = None) -> None:
        """Revoke all earlier certificates of the person and register the new one, subject to the delays.

        `at`: when it was renewed, if not now.
        """
        with self.ground.lock:
            self.revoke(person)
            self._entries[_mark(certificate)] = _Entry(person, at or self.ground.now(), renewed=True)

    def revoke(self, person: str) -> None:
        """Revoke whatever the person holds, for example after the card was lost."""
        with self.ground.lock:
            for mark, entry in self._entries.items():
                if entry.person == person:
                    self._entries[mark] = replace(entry, revoked=True)

    @operation
    def check(self, service: Service, certificate: Certificate, at: datetime | None = None) -> str:
        """The person's id. `at`: default now.

        Raises `CertificateUnknown`, `CertificateRevoked`, `CertificateExpired`, `CertificateNotYetEffective`,
        `CertificateStatusDown`.
        """
        moment = at or self.ground.now()
        entry = self._entries.get(_mark(certificate))
        if entry is None:
            raise CertificateUnknown
        if entry.revoked:
            raise CertificateRevoked
        if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
            raise CertificateExpired
        effective = entry.since + self.delays[service] if entry.renewed else entry.since
        if moment < effective:
            raise CertificateNotYetEffective(effective)
        return entry.person

    def fault_down(self) -> None:
        """The status service does not answer until `clear_faults`."""
        self.faults.down = True

    def clear_faults(self) -> None:
        """Everything works again."""
        self.faults.clear()


def _mark(certificate: Certificate) -> bytes:
    return certificate.fingerprint(SHA256())
