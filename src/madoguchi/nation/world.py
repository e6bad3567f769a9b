"""`Nation`: all simulated national systems in memory, and the list of what really happened."""

import time
from collections.abc import Callable
from datetime import datetime

from madoguchi.card import CertificateAuthority, Holder, VirtualCard
from madoguchi.nation.accounts import AccountRegistry
from madoguchi.nation.bank import Banks
from madoguchi.nation.certificates import CertificateStatus
from madoguchi.nation.desks import CallCentre, DigitalAgency
from madoguchi.nation.ground import Behaviour, Ground, Kind, Refusal, Registration
from madoguchi.nation.payments import PaymentCompanies
from madoguchi.nation.points import PointsSite

__all__ = ["Behaviour", "Kind", "Nation", "Refusal", "Registration"]


class Nation:
    """Everything in memory.

    `clock` gives aware times. `authority` issues the cards' certificates. `behaviour` may be changed at any time.
    `sleep` serves the fault "slow".
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        behaviour: Behaviour,
        authority: CertificateAuthority,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        ground = Ground(clock=clock, behaviour=behaviour, sleep=sleep)
        self.ground = ground
        self.authority = authority
        self.certificates = CertificateStatus(ground)
        self.payments = PaymentCompanies(ground)
        self.bank = Banks(ground)
        self.points = PointsSite(ground, self.certificates, self.payments)
        self.accounts = AccountRegistry(ground, self.certificates, self.bank)
        self.soumu = CallCentre(ground, self.points, self.accounts)
        self.digital = DigitalAgency(ground, self.accounts)

    @property
    def behaviour(self) -> Behaviour:
        """Which year's rules the sites follow."""
        return self.ground.behaviour

    @behaviour.setter
    def behaviour(self, value: Behaviour) -> None:
        with self.ground.lock:
            self.ground.behaviour = value

    @property
    def people(self) -> dict[str, Holder]:
        """Everybody enrolled, by id."""
        with self.ground.lock:
            return dict(self.ground.people)

    @property
    def registrations(self) -> list[Registration]:
        """Every write that happened, in order; deletions take nothing out."""
        with self.ground.lock:
            return list(self.ground.registrations)

    @property
    def misregistrations(self) -> list[Registration]:
        """Writes that landed on another person's record."""
        return [entry for entry in self.registrations if entry.of != entry.landed_on]

    @property
    def refusals(self) -> list[Refusal]:
        """Every refusal, in order."""
        with self.ground.lock:
            return list(self.ground.refusals)

    def enrol_person(self, person: str, holder: Holder, card: VirtualCard) -> None:
        """Register a person and the certificate on their card, as long known everywhere."""
        with self.ground.lock:
            self.ground.people[person] = holder
            self.certificates.issue(person, card.auth_certificate)

    def renew_certificate(self, person: str, card: VirtualCard, at: datetime | None = None) -> None:
        """Renew the certificates on the card: old ones revoked, new ones known after each service's delay.

        `at`: when it was done, if not now. Raises `PersonUnknown`.
        """
        with self.ground.lock:
            self.ground.holder(person)
            card.renew(self.authority, at or self.ground.now())
            self.certificates.renew(person, card.auth_certificate, at)

    def clear_faults(self) -> None:
        """Every system works again."""
        for system in (
            self.certificates,
            self.payments,
            self.bank,
            self.points,
            self.accounts,
            self.soumu,
            self.digital,
        ):
            system.clear_faults()
