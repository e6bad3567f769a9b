"""公金受取口座の登録サイト (架空): one own-name account per person, and a history.

Rules:
1. Two card reads and two PINs: the login, and a second read with the card-face PIN that fills in the name.
2. The kana name is typed by hand. The bank is asked whether the account exists, not whose it is.
3. Registration takes several days to be shown as registered; it blocks another one at once.
4. One account per person ("already_registered"); it can be changed and deleted.
5. Every account that stood is kept in the history. The site has no way to delete from it; only デジタル庁 does.
6. 2022: the second read is not compared with the person logged in. 2023: it is (name, birth date and certificate).
   proof: besides, register, change and delete carry a signature of the card pinned at login.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

import jaconv

from madoguchi.card import Attributes
from madoguchi.nation.bank import Account, Banks
from madoguchi.nation.certificates import CertificateStatus, Service
from madoguchi.nation.challenges import Answer, CardUse, Challenge, Returned, Summary
from madoguchi.nation.errors import (
    AccountNotFound,
    ConsentMissing,
    HistoryEntryInUse,
    HistoryEntryUnknown,
    InputMalformed,
    NothingRegistered,
    PersonHasAccount,
    SecondReadMismatch,
    SecondReadMissing,
)
from madoguchi.nation.ground import Behaviour, Ground, Kind, operation
from madoguchi.nation.sessions import Session
from madoguchi.nation.site import Site, same_person

SECOND_READ = "accounts.second_read"
DAYS_UNTIL_REGISTERED = timedelta(days=3)
"""「数日」 until the status is registered: an assumption, editable as `days_until_registered`."""

KANA = re.compile(r"[ァ-ヴー]+( [ァ-ヴー]+)*")
NUMBER = re.compile(r"[0-9]{7}")


class Write(StrEnum):
    """What is written; the value is the act that a card signs. `label` is the Japanese word on screens."""

    REGISTER = "accounts.register"
    CHANGE = "accounts.change"
    DELETE = "accounts.delete"

    @property
    def label(self) -> str:
        """Japanese label."""
        return {
            Write.REGISTER: "公金受取口座の登録",
            Write.CHANGE: "公金受取口座の変更",
            Write.DELETE: "公金受取口座の削除",
        }[self]


@dataclass(frozen=True, slots=True)
class AccountApplication:
    """What the person typed. `kana`: 口座名義カナ, as `normal_kana` gives it."""

    account: Account
    kana: str
    consent: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One account that stood on a person's record. `number` counts the person's entries from 1."""

    number: int
    account: Account
    name: str
    kana: str
    at: datetime
    registered_from: datetime


@dataclass(frozen=True, slots=True)
class OwnPage:
    """What the person logged in may see of the own record."""

    current: Entry | None
    processing: bool
    history: tuple[Entry, ...]


class AccountRegistry(Site):
    """The registry. `days_until_registered` may be edited."""

    name = "accounts"
    title = "公金受取口座の登録サイト(架空)"
    login_service = Service.ACCOUNTS_LOGIN
    write_use: ClassVar[dict[Behaviour, CardUse | None]] = {
        Behaviour.Y2022: None,
        Behaviour.Y2023: None,
        Behaviour.PROOF: CardUse.PROVE,
    }

    def __init__(self, ground: Ground, certificates: CertificateStatus, banks: Banks) -> None:
        super().__init__(ground, certificates)
        self.banks = banks
        self.days_until_registered = DAYS_UNTIL_REGISTERED
        self._current: dict[str, Entry] = {}
        self._history: dict[str, list[Entry]] = {}
        self._entries: dict[str, int] = {}

    @operation
    def own_page(self, cookie: str | None) -> OwnPage:
        """The record of the person logged in. Raises `SessionExpired`, `NotLoggedIn`."""
        return self.standing(self._sessions.logged_in(cookie).who)

    @operation
    def may_register(self, cookie: str | None) -> Session:
        """The first page of a registration. Raises `PersonHasAccount`, and as `own_page`."""
        return self._may(cookie, Write.REGISTER)

    @operation
    def may_change(self, cookie: str | None) -> Session:
        """The first page of a change or deletion. Raises `NothingRegistered`, and as `own_page`."""
        return self._may(cookie, Write.CHANGE)

    @operation
    def ask_second_read(self, cookie: str | None) -> Challenge:
        """Ask for the card-face read that fills in the name. Raises as `own_page`."""
        session = self._sessions.draft(self._sessions.logged_in(cookie), face=None)
        summary = (("サイト", self.title), ("すること", "氏名などの読み取り"))
        return self._ask(session, SECOND_READ, CardUse.FACE, summary)

    @operation
    def second_read(self, cookie: str | None, returned: Returned) -> Attributes:
        """Fill in what the card says. Raises `SecondReadMissing`; from 2023 on `SecondReadMismatch`."""
        session = self._sessions.logged_in(cookie)
        with self._refusals(session):
            _, answer = self._challenges.take(returned, cookie=session.cookie, act=SECOND_READ)
            if answer.attributes is None:
                raise SecondReadMissing
            if self.ground.behaviour is not Behaviour.Y2022:
                self._compare(session, answer, answer.attributes)
            self._sessions.draft(session, face=answer.attributes)
            return answer.attributes

    @operation
    def ask_write(self, cookie: str | None, write: Write, application: AccountApplication | None) -> Challenge | None:
        """What the card must do before `write`; None when this behaviour asks nothing of it.

        Raises as `write`, but for what only the card can tell: nobody types a PIN in vain.
        """
        session = self._sessions.logged_in(cookie)
        with self._refusals(session):
            self._check(session, write, application)
            return self._ask_for_write(session, write, self._summary(session, write, application))

    @operation
    def write(
        self,
        cookie: str | None,
        write: Write,
        application: AccountApplication | None,
        returned: Returned | None = None,
    ) -> OwnPage:
        """Register, change, or delete (then `application` is None) on the record of the person logged in.

        Raises `PersonHasAccount`, `NothingRegistered`, `SecondReadMissing`, `ConsentMissing`, `InputMalformed`,
        `AccountNotFound`, certificate errors; proof: `ProofMissing`, `ProofInvalid`, `OtherCard`.
        """
        session = self._sessions.logged_in(cookie)
        with self._refusals(session):
            self._check(session, write, application)
            if self.ground.behaviour is Behaviour.PROOF:
                self._require_proof(session, write, self._summary(session, write, application), returned)
            self._perform(session, application)
        return self.standing(session.who)

    def standing(self, person: str) -> OwnPage:
        """A person's record: for the own page, the desks and the observer."""
        with self.ground.lock:
            current = self._current.get(person)
            processing = current is not None and self.ground.now() < current.registered_from
            return OwnPage(current, processing, tuple(self._history.get(person, ())))

    def correct(self, person: str, account: Account, kana: str) -> Entry:
        """Put another account in the place of the one that stands: the call centre's door.

        Raises `NothingRegistered`, `AccountNotFound`.
        """
        with self.ground.lock:
            if person not in self._current:
                raise NothingRegistered
            if not self.banks.exists(account):
                raise AccountNotFound
            return self._set(person, account, self.ground.holder(person).name, kana)

    def erase_history(self, person: str, number: int) -> None:
        """Take one past entry out of the history: the door of デジタル庁, and of nobody else.

        Raises `HistoryEntryUnknown`, `HistoryEntryInUse`.
        """
        with self.ground.lock:
            current = self._current.get(person)
            if current is not None and current.number == number:
                raise HistoryEntryInUse
            kept = [entry for entry in self._history.get(person, []) if entry.number != number]
            if len(kept) == len(self._history.get(person, [])):
                raise HistoryEntryUnknown
            self._history[person] = kept

    def _may(self, cookie: str | None, write: Write) -> Session:
        session = self._sessions.logged_in(cookie)
        with self._refusals(session):
            self._check_standing(session, write)
            return session

    def _check_standing(self, session: Session, write: Write) -> None:
        stands = session.who in self._current
        if write is Write.REGISTER and stands:
            raise PersonHasAccount
        if write is not Write.REGISTER and not stands:
            raise NothingRegistered

    def _compare(self, session: Session, answer: Answer, face: Attributes) -> None:
        holder = self.ground.holder(session.who)
        same_card = same_person(self._certificates, answer.certificate, self.login_service, session.person)
        if not same_card or (face.name, face.birth) != (holder.name, holder.birth):
            raise SecondReadMismatch

    def _check(self, session: Session, write: Write, application: AccountApplication | None) -> None:
        self._check_standing(session, write)
        self._certificates.check(Service.ACCOUNTS_REGISTRATION, session.pinned)
        if write is Write.DELETE:
            return
        if session.draft.get("face") is None:
            raise SecondReadMissing
        if application is None or not application.consent:
            raise ConsentMissing
        check_form(application)
        if not self.banks.exists(application.account):
            raise AccountNotFound

    def _perform(self, session: Session, application: AccountApplication | None) -> None:
        face: Any = session.draft.get("face")
        self._sessions.forget_draft(session)
        if application is None:
            del self._current[session.who]
        else:
            self._set(session.who, application.account, face.name, application.kana)

    def _set(self, person: str, account: Account, name: str, kana: str) -> Entry:
        now = self.ground.now()
        number = self._entries[person] = self._entries.get(person, 0) + 1
        entry = Entry(number, account, name, kana, now, now + self.days_until_registered)
        self._current[person] = entry
        self._history.setdefault(person, []).append(entry)
        self.ground.record(Kind.PUBLIC_MONEY_ACCOUNT, of=self.banks.owner(account), landed_on=person)
        return entry

    def _summary(self, session: Session, write: Write, application: AccountApplication | None) -> Summary:
        head = (("すること", write.label), ("登録される人", self.ground.holder(session.who).name))
        if application is None:
            return (*head, ("削除する口座", self._label(self._current[session.who])))
        account = self.banks.label(application.account, masked=False)
        return (*head, ("口座", account), ("口座名義カナ", application.kana))

    def _label(self, entry: Entry) -> str:
        return f"{self.banks.label(entry.account, masked=True)} (履歴 {entry.number} 番)"


def check_form(application: AccountApplication) -> None:
    """Raises `InputMalformed` naming the field."""
    if not KANA.fullmatch(application.kana):
        raise InputMalformed("kana", "口座名義は、カタカナで、姓と名の間を空けて入力してください。")
    if not NUMBER.fullmatch(application.account.number):
        raise InputMalformed("number", "口座番号は、数字7けたで入力してください。足りないときは前に0を付けます。")


def normal_kana(text: str) -> str:
    """Full-width katakana with one blank between the parts, from whatever kana was typed."""
    return " ".join(jaconv.hira2kata(jaconv.h2z(text)).split())


def normal_number(text: str) -> str:
    """ASCII digits, from full-width ones too."""
    return jaconv.z2h(text, kana=False, ascii=False, digit=True)
