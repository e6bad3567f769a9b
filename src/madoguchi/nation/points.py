"""マイナポイントの申込みサイト (架空): a payment service is chosen for the person logged in.

Rules:
1. One service per person, one person per means; both refused as "already_registered"; not changeable.
2. The programme ends on a date (30 September 2023 in Asia/Tokyo; editable).
3. The certificate of the person logged in must be effective for applications (not only for login).
4. The site knows the ID and the security code, never whose means it is.
5. 2022: whoever sits there applies for the person logged in. 2023: the card on the reader is read without a PIN and
   must be that person's. proof: that person's card signs the application, with the PIN asked for it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar

from madoguchi.nation.certificates import CertificateStatus, Service
from madoguchi.nation.challenges import CardUse, Challenge, Returned, Summary
from madoguchi.nation.errors import (
    ApplicantMismatch,
    ApplicantUnread,
    InputMalformed,
    NothingRegistered,
    PersonHasService,
    ProgrammeEnded,
)
from madoguchi.nation.ground import Behaviour, Ground, Kind, operation
from madoguchi.nation.payments import Means, PaymentCompanies
from madoguchi.nation.sessions import Session
from madoguchi.nation.site import Site, same_person

REGISTER = "points.register"
PROGRAMME_END = date(2023, 9, 30)
MAX_INPUT = 32


@dataclass(frozen=True, slots=True)
class Application:
    """What the person typed."""

    service: str
    payment_id: str
    security_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaymentRegistration:
    """A payment service on a person's record."""

    service: str
    payment_id: str
    at: datetime

    @property
    def masked_id(self) -> str:
        """The ID as own pages show it: at most the last four characters."""
        return "****" + self.payment_id[-min(4, len(self.payment_id) // 2) :]


class PointsSite(Site):
    """The points site. `programme_end` (inclusive) may be edited."""

    name = "points"
    title = "マイナポイント申込みサイト(架空)"
    login_service = Service.POINTS_LOGIN
    write_use: ClassVar[dict[Behaviour, CardUse | None]] = {
        Behaviour.Y2022: None,
        Behaviour.Y2023: CardUse.READ,
        Behaviour.PROOF: CardUse.PROVE,
    }

    def __init__(self, ground: Ground, certificates: CertificateStatus, payments: PaymentCompanies) -> None:
        super().__init__(ground, certificates)
        self.payments = payments
        self.programme_end = PROGRAMME_END
        self._records: dict[str, PaymentRegistration] = {}

    @operation
    def own_page(self, cookie: str | None) -> PaymentRegistration | None:
        """What stands on the record of the person logged in. Raises `SessionExpired`, `NotLoggedIn`."""
        return self._records.get(self._sessions.logged_in(cookie).who)

    @operation
    def may_apply(self, cookie: str | None) -> Session:
        """The first page of an application. Raises `ProgrammeEnded`, `PersonHasService`, and as `own_page`."""
        session = self._sessions.logged_in(cookie)
        with self._refusals(session):
            self._check_open(session)
            return session

    @operation
    def ask_register(self, cookie: str | None, application: Application) -> Challenge | None:
        """What the card must do before `register`; None when this behaviour asks nothing of it.

        Raises as `register`, but for what only the card can tell and for `MeansTaken`: nobody types a PIN in vain.
        """
        session = self._sessions.logged_in(cookie)
        with self._refusals(session):
            self._check_open(session)
            self._check_effective(session)
            self._verify(application)
            return self._ask_for_write(session, REGISTER, self._summary(session, application))

    @operation
    def register(
        self, cookie: str | None, application: Application, returned: Returned | None = None
    ) -> PaymentRegistration:
        """Write the payment service to the record of the person logged in.

        Raises `ProgrammeEnded`, `PersonHasService`, certificate errors, `InputMalformed`, payment errors,
        `MeansTaken`; 2023: `ApplicantUnread`, `ApplicantMismatch`; proof: `ProofMissing`, `ProofInvalid`, `OtherCard`.
        """
        session = self._sessions.logged_in(cookie)
        with self._refusals(session):
            self._check_open(session)
            self._check_effective(session)
            self._check_applicant(session, application, returned)
            return self._write(session, application)

    def standing(self, person: str) -> PaymentRegistration | None:
        """What stands on a person's record: for the call centre and the observer."""
        with self.ground.lock:
            return self._records.get(person)

    def delete(self, person: str) -> PaymentRegistration:
        """Take the service off a person's record: the call centre's door. Raises `NothingRegistered`."""
        with self.ground.lock:
            if person not in self._records:
                raise NothingRegistered
            gone = self._records[person]
            self.payments.release(gone.service, gone.payment_id)
            del self._records[person]
            return gone

    def _check_open(self, session: Session) -> None:
        if self.ground.now().date() > self.programme_end:
            raise ProgrammeEnded
        if session.person in self._records:
            raise PersonHasService

    def _check_effective(self, session: Session) -> None:
        self._certificates.check(Service.POINTS_APPLICATION, session.pinned)

    def _verify(self, application: Application) -> Means:
        check_form(application)
        return self.payments.verify(application.service, application.payment_id, application.security_code)

    def _check_applicant(self, session: Session, application: Application, returned: Returned | None) -> None:
        summary = self._summary(session, application)
        if self.ground.behaviour is Behaviour.PROOF:
            self._require_proof(session, REGISTER, summary, returned)
        elif self.ground.behaviour is Behaviour.Y2023:
            if returned is None:
                raise ApplicantUnread
            _, answer = self._take_for(session, REGISTER, summary, returned)
            if not same_person(self._certificates, answer.certificate, self.login_service, session.person):
                raise ApplicantMismatch

    def _write(self, session: Session, application: Application) -> PaymentRegistration:
        person, means = session.who, self._verify(application)
        self.payments.take(means, person)
        written = PaymentRegistration(application.service, application.payment_id, self.ground.now())
        self._records[person] = written
        self._sessions.forget_draft(session)
        self.ground.record(Kind.PAYMENT_SERVICE, of=means.owner, landed_on=person)
        return written

    def _summary(self, session: Session, application: Application) -> Summary:
        return (
            ("すること", "決済サービスの登録"),
            ("登録される人", self.ground.holder(session.who).name),
            ("決済サービス", application.service),
            ("決済サービスID", application.payment_id),
        )


def check_form(application: Application) -> None:
    """Raises `InputMalformed` naming the field."""
    if not 0 < len(application.payment_id) <= MAX_INPUT:
        raise InputMalformed("payment_id", "決済サービスIDを入力してください。")
    if not 0 < len(application.security_code) <= MAX_INPUT:
        raise InputMalformed("security_code", "セキュリティコードを入力してください。")
