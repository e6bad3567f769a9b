"""What the points site and the account registry share: sessions, card login, log-out, faults, refusals kept.

Rules of a session, in every year:
1. Opening the site continues the live session behind the cookie.
2. Reading another card in a live session of a person does not replace the person (the trap of August 2022; no later
   year is known to have changed it).
3. The certificate read at login is pinned to the session.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from cryptography.x509 import Certificate

from madoguchi.nation.certificates import CertificateStatus, Service
from madoguchi.nation.challenges import Answer, CardUse, Challenge, Challenges, Returned, Summary, summary_digest
from madoguchi.nation.errors import LogoutFailed, NationError, ProofInvalid, ProofMissing
from madoguchi.nation.faults import Faults
from madoguchi.nation.ground import Behaviour, Ground, Refusal, operation
from madoguchi.nation.proof import check_signature
from madoguchi.nation.sessions import Session, Sessions

LOGIN = "login"


class Site:
    """A national site. Operations take the browser's cookie value; `origin` is set when the site is mounted."""

    name: ClassVar[str]
    title: ClassVar[str]
    login_service: ClassVar[Service]
    write_use: ClassVar[dict[Behaviour, CardUse | None]]
    """What a write asks of the card, by behaviour."""

    def __init__(self, ground: Ground, certificates: CertificateStatus) -> None:
        self.ground = ground
        self.faults = Faults(sleep=ground.sleep)
        self.origin = f"https://{self.name}.nation.invalid"
        self._certificates = certificates
        self._sessions = Sessions(now=ground.now)
        self._challenges = Challenges(now=ground.now)

    @operation
    def open(self, cookie: str | None) -> Session:
        """The prepared shortcut: continues the live session, or starts a new one without a person."""
        return self._sessions.open(cookie)

    @operation
    def me(self, cookie: str | None) -> Session:
        """The session of the person logged in. Raises `SessionExpired`, `NotLoggedIn`."""
        return self._sessions.logged_in(cookie)

    @operation
    def keep(self, cookie: str | None, /, **typed: object) -> Session:
        """Keep what was typed on this page for the next ones. Raises as `me`."""
        return self._sessions.draft(self._sessions.logged_in(cookie), **typed)

    @operation
    def ask_login(self, cookie: str | None) -> Challenge:
        """Ask the card to log in. Raises `SessionExpired`."""
        session = self._sessions.live(cookie)
        return self._ask(session, LOGIN, CardUse.PROVE, (("サイト", self.title), ("すること", "ログイン")))

    @operation
    def login(self, cookie: str | None, returned: Returned) -> Session:
        """Log in with the card's signature. A live session of a person is continued unchanged (rule 2).

        Raises `SessionExpired`, challenge and certificate errors, `ProofInvalid`.
        """
        session = self._sessions.live(cookie)
        with self._refusals(session):
            challenge, answer = self._challenges.take(returned, cookie=session.cookie, act=LOGIN)
            check_signature(challenge, answer, pinned=answer.certificate)
            person = self._certificates.check(self.login_service, answer.certificate)
            if session.person is not None:
                return session
            return self._sessions.bind(session, person=person, certificate=answer.certificate)

    @operation
    def logout(self, cookie: str | None) -> None:
        """End the session. Ending none is no error. Raises `LogoutFailed` under that fault."""
        if self.faults.logout_fails:
            raise LogoutFailed
        self._sessions.close(cookie)

    @operation
    def live_sessions(self) -> int:
        """How many sessions live (for tests and the observer)."""
        return self._sessions.count()

    @operation
    def act_of(self, cookie: str | None, challenge: str) -> str:
        """What the browser's own challenge is for. Raises `SessionExpired`, `ChallengeUnknown`, `ChallengeExpired`."""
        return self._challenges.act(challenge, self._sessions.live(cookie).cookie)

    @operation
    def fetch(self, challenge: str) -> Challenge:
        """Back channel: what the card client asks for. Raises `ChallengeUnknown`, `ChallengeExpired`."""
        return self._challenges.fetch(challenge)

    @operation
    def answer(self, challenge: str, answer: Answer) -> str:
        """Back channel: the card's answer; returns the ticket for the client's browser. Raises as `fetch`."""
        return self._challenges.answer(challenge, answer)

    def person_name(self, session: Session) -> str | None:
        """The name shown as「ログイン中の人」."""
        return None if session.person is None else self.ground.holder(session.person).name

    def fault_down(self) -> None:
        """The site does not answer until `clear_faults`."""
        self.faults.down = True

    def fault_slow(self, seconds: float) -> None:
        """Every operation takes `seconds` longer until `clear_faults`."""
        self.faults.slow_seconds = seconds

    def fault_logout_fails(self) -> None:
        """Log-out raises `LogoutFailed` and the session lives on, until `clear_faults`."""
        self.faults.logout_fails = True

    def clear_faults(self) -> None:
        """Everything works again."""
        self.faults.clear()

    def _ask(self, session: Session, act: str, use: CardUse, summary: Summary) -> Challenge:
        return self._challenges.ask(cookie=session.cookie, origin=self.origin, act=act, use=use, summary=summary)

    def _ask_for_write(self, session: Session, act: str, summary: Summary) -> Challenge | None:
        use = self.write_use[self.ground.behaviour]
        return None if use is None else self._ask(session, act, use, summary)

    def _take_for(self, session: Session, act: str, summary: Summary, returned: Returned) -> tuple[Challenge, Answer]:
        """The answer to a challenge for exactly this content. Raises `ProofInvalid` when the content changed since."""
        challenge, answer = self._challenges.take(returned, cookie=session.cookie, act=act)
        if challenge.digest != summary_digest(act, summary):
            raise ProofInvalid
        return challenge, answer

    def _require_proof(self, session: Session, act: str, summary: Summary, returned: Returned | None) -> None:
        """Raises `ProofMissing`, `ProofInvalid`, `OtherCard` unless the pinned card signed exactly this."""
        if returned is None or session.certificate is None:
            raise ProofMissing
        challenge, answer = self._take_for(session, act, summary, returned)
        check_signature(challenge, answer, pinned=session.certificate)

    @contextmanager
    def _refusals(self, session: Session) -> Iterator[None]:
        try:
            yield
        except NationError as error:
            self.ground.refusals.append(Refusal(self.name, error.code, self.ground.now(), session.person))
            raise


def same_person(
    certificates: CertificateStatus, certificate: Certificate, service: Service, person: str | None
) -> bool:
    """Whether the certificate stands for `person`. Raises certificate errors."""
    return certificates.check(service, certificate) == person
