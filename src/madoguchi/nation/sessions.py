"""Browser sessions of a site: they live by the cookie and die after an hour without use.

Rules: a session belongs to the browser, not to whoever sits before it. Login gives the session a new cookie value, so
that a value planted before the login is worth nothing after it.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.x509 import Certificate

from madoguchi.nation.errors import NotLoggedIn, SessionExpired

IDLE = timedelta(hours=1)
"""マイナポータルの無操作ログアウト: one hour."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session as it is now. `certificate` is pinned at login. `draft`: what was typed on earlier pages."""

    cookie: str
    last_seen: datetime
    person: str | None = None
    certificate: Certificate | None = None
    draft: Mapping[str, Any] = field(default_factory=dict)

    @property
    def who(self) -> str:
        """The id of the person logged in. Raises `NotLoggedIn`."""
        if self.person is None:
            raise NotLoggedIn
        return self.person

    @property
    def pinned(self) -> Certificate:
        """The certificate read at login. Raises `NotLoggedIn`."""
        if self.certificate is None:
            raise NotLoggedIn
        return self.certificate


class Sessions:
    """All sessions of one site. The site holds the lock."""

    def __init__(self, *, now: Callable[[], datetime], idle: timedelta = IDLE) -> None:
        self._now = now
        self._idle = idle
        self._by_cookie: dict[str, Session] = {}

    def open(self, cookie: str | None) -> Session:
        """Continue the live session behind the cookie, or start a new one without a person."""
        self._purge()
        if cookie is not None and cookie in self._by_cookie:
            return self._keep(self._by_cookie[cookie])
        return self._keep(Session(secrets.token_urlsafe(24), self._now()))

    def live(self, cookie: str | None) -> Session:
        """The live session. Raises `SessionExpired`."""
        self._purge()
        if cookie is None or cookie not in self._by_cookie:
            raise SessionExpired
        return self._keep(self._by_cookie[cookie])

    def logged_in(self, cookie: str | None) -> Session:
        """The live session of a person. Raises `SessionExpired`, `NotLoggedIn`."""
        session = self.live(cookie)
        if session.person is None:
            raise NotLoggedIn
        return session

    def bind(self, session: Session, *, person: str, certificate: Certificate) -> Session:
        """The person has logged in: a new cookie value, an empty draft."""
        self.close(session.cookie)
        return self._keep(Session(secrets.token_urlsafe(24), self._now(), person, certificate))

    def draft(self, session: Session, **changes: Any) -> Session:
        """Keep what was typed. `None` drops a field. Raises `SessionExpired`."""
        current = self.live(session.cookie)
        merged = {**current.draft, **changes}
        return self._keep(replace(current, draft={k: v for k, v in merged.items() if v is not None}))

    def forget_draft(self, session: Session) -> Session:
        """Drop everything typed. Raises `SessionExpired`."""
        return self._keep(replace(self.live(session.cookie), draft={}))

    def close(self, cookie: str | None) -> None:
        """End the session for good; ending none is no error."""
        if cookie is not None:
            self._by_cookie.pop(cookie, None)

    def count(self) -> int:
        """How many sessions live."""
        self._purge()
        return len(self._by_cookie)

    def _keep(self, session: Session) -> Session:
        kept = replace(session, last_seen=self._now())
        self._by_cookie[kept.cookie] = kept
        return kept

    def _purge(self) -> None:
        oldest = self._now() - self._idle
        for cookie in [c for c, s in self._by_cookie.items() if s.last_seen <= oldest]:
            del self._by_cookie[cookie]
