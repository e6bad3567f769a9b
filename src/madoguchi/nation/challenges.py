"""Card requests of a site: what the card is asked to do, for which browser, and the one answer.

Rules:
1. A challenge belongs to the browser session that started it; another session cannot take its answer.
2. It is fetched and answered by the card client over the back channel. It is answered once.
3. The answer yields a ticket that only the client's browser gets. Taking the answer needs session and ticket both: a
   challenge started in one browser and answered in another is worth nothing.
4. It dies five minutes after it was made, when taken, or when given up.
5. What the person sees is what is signed: the digest covers the very lines that the client shows.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from cryptography.x509 import Certificate

from madoguchi.card.applet import Attributes
from madoguchi.card.proof import digest_of
from madoguchi.nation.errors import ChallengeCancelled, ChallengeExpired, ChallengeUnknown

LIFE = timedelta(minutes=5)

Summary = tuple[tuple[str, str], ...]
"""Lines of (label, value) in the order in which they are shown."""


class CardUse(StrEnum):
    """What the client does with the card.

    `PROVE`: signs with the user-authentication PIN. `FACE`: reads the four attributes with the card-face PIN, and the
    certificate. `READ`: reads the certificate, without a PIN; that shows which card lies there, not who sits there.
    """

    PROVE = "prove"
    FACE = "face"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Challenge:
    """One card request. `digest`: `summary_digest(act, summary)`, hex."""

    id: str
    nonce: str
    origin: str
    act: str
    digest: str
    use: CardUse
    summary: Summary


@dataclass(frozen=True, slots=True)
class Answer:
    """What the card gave. Which fields are set depends on `Challenge.use`."""

    certificate: Certificate
    signature: bytes | None = None
    attributes: Attributes | None = None


class Returned(NamedTuple):
    """What the browser brings back from the card client."""

    challenge: str
    ticket: str


@dataclass(frozen=True, slots=True)
class _Open:
    challenge: Challenge
    cookie: str
    made_at: datetime
    answer: Answer | None = None
    ticket: str | None = None


def summary_digest(act: str, summary: Summary) -> str:
    """Digest of the act and the lines that are shown; site and card client each compute it."""
    return digest_of({"act": act, "summary": [list(line) for line in summary]})


class Challenges:
    """All open challenges of one site. The site holds the lock."""

    def __init__(self, *, now: Callable[[], datetime], life: timedelta = LIFE) -> None:
        self._now = now
        self._life = life
        self._open: dict[str, _Open] = {}

    def ask(self, *, cookie: str, origin: str, act: str, use: CardUse, summary: Summary) -> Challenge:
        """A fresh challenge for the session behind `cookie`."""
        self._forget_old()
        identity, nonce = secrets.token_urlsafe(24), secrets.token_hex(32)
        challenge = Challenge(identity, nonce, origin, act, summary_digest(act, summary), use, summary)
        self._open[identity] = _Open(challenge, cookie, self._now())
        return challenge

    def fetch(self, identity: str) -> Challenge:
        """For the card client. Raises `ChallengeUnknown` (also when answered), `ChallengeExpired`."""
        found = self._find(identity)
        if found.answer is not None:
            raise ChallengeUnknown
        return found.challenge

    def answer(self, identity: str, answer: Answer) -> str:
        """The card client's answer; returns the ticket for its browser. Raises as `fetch`: no second answer."""
        self.fetch(identity)
        ticket = secrets.token_urlsafe(24)
        self._open[identity] = replace(self._open[identity], answer=answer, ticket=ticket)
        return ticket

    def act(self, identity: str, cookie: str) -> str:
        """What the session's challenge is for. Raises `ChallengeUnknown` (also for another session's)."""
        return self._own(identity, cookie).challenge.act

    def take(self, returned: Returned, *, cookie: str, act: str) -> tuple[Challenge, Answer]:
        """The challenge and its answer; the challenge is dead from here on, whatever follows.

        Raises `ChallengeUnknown` (never made, taken, another session's, another act, wrong ticket),
        `ChallengeExpired`, `ChallengeCancelled` (unanswered).
        """
        found = self._own(returned.challenge, cookie)
        del self._open[returned.challenge]
        if found.answer is None or found.ticket is None:
            raise ChallengeCancelled
        if found.challenge.act != act or not hmac.compare_digest(found.ticket.encode(), returned.ticket.encode()):
            raise ChallengeUnknown
        return found.challenge, found.answer

    def _own(self, identity: str, cookie: str) -> _Open:
        found = self._find(identity)
        if not hmac.compare_digest(found.cookie.encode(), cookie.encode()):
            raise ChallengeUnknown
        return found

    def _find(self, identity: str) -> _Open:
        found = self._open.get(identity)
        if found is None:
            raise ChallengeUnknown
        if self._now() - found.made_at >= self._life:
            del self._open[identity]
            raise ChallengeExpired
        return found

    def _forget_old(self) -> None:
        oldest = self._now() - 2 * self._life  # kept a while, so that a late answer is told that it is late
        for identity in [i for i, o in self._open.items() if o.made_at < oldest]:
            del self._open[identity]
