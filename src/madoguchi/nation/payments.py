"""架空のキャッシュレス決済サービス: made-up payment companies, their IDs and security codes.

Rules:
1. A means is known by service and payment service ID (決済サービスID) and proven by its security code.
2. A means stands for points on one person only; taking it twice is refused.
3. The company knows whose means it is. The points site is not told.
"""

import hmac
from dataclasses import dataclass, field

from madoguchi.nation.errors import MeansTaken, PaymentIdUnknown, PaymentServiceUnknown, WrongSecurityCode
from madoguchi.nation.faults import Faults
from madoguchi.nation.ground import Ground, operation

DEFAULT_SERVICES = ("架空ペイ", "架空カード", "架空交通ICカード", "架空マート電子マネー")
"""Services that take part. All made up."""


@dataclass(frozen=True, slots=True)
class Means:
    """One payment means, as its company knows it."""

    service: str
    payment_id: str
    owner: str
    security_code: str = field(repr=False)


class PaymentCompanies:
    """All made-up payment companies in one object. `services`: their names, editable."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.faults = Faults(sleep=ground.sleep)
        self.services: list[str] = list(DEFAULT_SERVICES)
        self._means: dict[tuple[str, str], Means] = {}
        self._taken: dict[tuple[str, str], str] = {}

    def issue(self, owner: str, service: str, payment_id: str, security_code: str) -> Means:
        """A person gets a means. Raises `PaymentServiceUnknown`."""
        with self.ground.lock:
            self.check_service(service)
            means = Means(service, payment_id, owner, security_code)
            self._means[service, payment_id] = means
            return means

    @operation
    def verify(self, service: str, payment_id: str, security_code: str) -> Means:
        """The means. Raises `PaymentServiceUnknown`, `PaymentIdUnknown`, `WrongSecurityCode`."""
        self.check_service(service)
        means = self._means.get((service, payment_id))
        if means is None:
            raise PaymentIdUnknown
        if not hmac.compare_digest(means.security_code.encode(), security_code.encode()):
            raise WrongSecurityCode
        return means

    @operation
    def take(self, means: Means, person: str) -> None:
        """Mark the means as standing on the person's record. Raises `MeansTaken` if it stands anywhere."""
        key = (means.service, means.payment_id)
        if key in self._taken:
            raise MeansTaken
        self._taken[key] = person

    @operation
    def release(self, service: str, payment_id: str) -> None:
        """The means is free again (deletion by the call centre). Freeing a free one is no error."""
        self._taken.pop((service, payment_id), None)

    @operation
    def stands(self, service: str, payment_id: str) -> bool:
        """Whether the means stands on anybody's record; on whose is not told."""
        return (service, payment_id) in self._taken

    def fault_down(self) -> None:
        """The companies do not answer until `clear_faults`."""
        self.faults.down = True

    def clear_faults(self) -> None:
        """Everything works again."""
        self.faults.clear()

    def check_service(self, service: str) -> None:
        """Raises `PaymentServiceUnknown`."""
        if service not in self.services:
            raise PaymentServiceUnknown(service)
