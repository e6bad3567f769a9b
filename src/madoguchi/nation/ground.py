"""What all simulated systems stand on: clock, lock, behaviour, people, and the list of what really happened."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar
from zoneinfo import ZoneInfo

from madoguchi.card.holder import Holder
from madoguchi.nation.errors import PersonUnknown
from madoguchi.nation.faults import Faults

TOKYO = ZoneInfo("Asia/Tokyo")

P = ParamSpec("P")
R = TypeVar("R")


class Behaviour(StrEnum):
    """Which year's rules the sites follow.

    `Y2022`: nobody compares the card on the reader with the person logged in. `Y2023`: the applicant's card and the
    second read are compared. `PROOF`: besides, every write carries a signature of the card pinned at login.
    In all three, reading another card does not replace a live session.
    """

    Y2022 = "2022"
    Y2023 = "2023"
    PROOF = "proof"


class Kind(StrEnum):
    """What is registered."""

    PAYMENT_SERVICE = "payment_service"
    PUBLIC_MONEY_ACCOUNT = "public_money_account"


@dataclass(frozen=True, slots=True)
class Registration:
    """One write that happened.

    `of`: the person to whom the means belongs, as the payment company or the bank knows. `landed_on`: the person in
    whose record the site wrote it. Where they differ, it is a misregistration.
    """

    kind: Kind
    of: str
    landed_on: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal. The site knows who is logged in, not who sits there. `reason` is `NationError.code`."""

    site: str
    reason: str
    at: datetime
    logged_in: str | None


class Ground:
    """Shared by all systems of one nation. One lock for all of them: no operation sees another half done."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        behaviour: Behaviour,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self.sleep = sleep
        self.behaviour = behaviour
        self.lock = threading.RLock()
        self.people: dict[str, Holder] = {}
        self.registrations: list[Registration] = []
        self.refusals: list[Refusal] = []

    def now(self) -> datetime:
        """The injected clock's time, in Asia/Tokyo. Raises ValueError for a clock without an offset."""
        moment = self._clock()
        if moment.tzinfo is None:
            raise ValueError("the clock must give aware times")
        return moment.astimezone(TOKYO)

    def holder(self, person: str) -> Holder:
        """The person's data. Raises `PersonUnknown`."""
        try:
            return self.people[person]
        except KeyError as error:
            raise PersonUnknown(person) from error

    def record(self, kind: Kind, *, of: str, landed_on: str) -> None:
        """Append what was just written. Nothing is ever taken out: a deletion does not undo what happened."""
        self.registrations.append(Registration(kind, of, landed_on, self.now()))


class System(Protocol):
    """Anything with a door that faults can shut."""

    ground: Ground
    faults: Faults


S = TypeVar("S", bound=System)


def operation(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Marks a public operation: meets the faults first (a slow site does not hold the lock), then runs alone."""

    @wraps(method)
    def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.faults.meet()
        with self.ground.lock:
            return method(self, *args, **kwargs)

    return run
