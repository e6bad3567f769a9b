"""総務省コールセンター and デジタル庁 as desks: they take requests, act on them, and report back.

Rules:
1. A request is received, then acted on, then done or refused with a reason. A closed request is never acted on again.
2. The call centre answers whether and which registration stands, deletes a payment service from a person, and
   corrects an account. デジタル庁 deletes entries from the account history; nobody else can.
3. A desk works by the clock (`work`), each request when it is due, or by hand (`begin`, `finish`, `refuse`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from madoguchi.nation.accounts import AccountRegistry, OwnPage
from madoguchi.nation.bank import Account
from madoguchi.nation.errors import NationError, RequestClosed, RequestUnknown
from madoguchi.nation.faults import Faults
from madoguchi.nation.ground import Ground, operation
from madoguchi.nation.points import PaymentRegistration, PointsSite


class RequestState(StrEnum):
    """Where a request stands; `label` is the Japanese word on screens."""

    RECEIVED = "received"
    ACTING = "acting"
    DONE = "done"
    REFUSED = "refused"

    @property
    def label(self) -> str:
        """Japanese label."""
        return {"received": "受付済み", "acting": "処理中", "done": "完了", "refused": "お断り"}[self.value]


class RequestKind(StrEnum):
    """What is asked for; `label` is the Japanese word on screens."""

    DELETE_SERVICE = "delete_service"
    CORRECT_ACCOUNT = "correct_account"
    DELETE_HISTORY = "delete_history"

    @property
    def label(self) -> str:
        """Japanese label."""
        return {
            "delete_service": "決済サービスの削除",
            "correct_account": "公金受取口座の訂正",
            "delete_history": "口座の履歴の削除",
        }[self.value]


OPEN = frozenset({RequestState.RECEIVED, RequestState.ACTING})


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a desk. `what`: a line for screens, without full numbers. `reason`: why it was refused."""

    id: str
    kind: RequestKind
    person: str
    what: str
    received_at: datetime
    due_at: datetime
    state: RequestState = RequestState.RECEIVED
    reason: str | None = None
    closed_at: datetime | None = None


class Desk:
    """What both desks have in common. `days`: how long a request takes, editable."""

    name: ClassVar[str]
    title: ClassVar[str]
    days: float

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.faults = Faults(sleep=ground.sleep)
        self._requests: dict[str, Request] = {}
        self._jobs: dict[str, Callable[[], object]] = {}
        self._count = 0
        self._forget_faults()

    @operation
    def requests(self) -> list[Request]:
        """All requests, in order of receipt."""
        return list(self._requests.values())

    @operation
    def get(self, request: str) -> Request:
        """One request. Raises `RequestUnknown`."""
        return self._find(request)

    @operation
    def notices(self) -> list[Request]:
        """What the desk has reported back: the closed requests, in order of closing."""
        closed = [request for request in self._requests.values() if request.closed_at is not None]
        return sorted(closed, key=lambda request: request.closed_at or request.received_at)

    @operation
    def begin(self, request: str) -> Request:
        """Somebody at the desk takes it up. Raises `RequestUnknown`, `RequestClosed`."""
        return self._put(self._open(request), state=RequestState.ACTING)

    @operation
    def finish(self, request: str) -> Request:
        """Act and report back; refused with the reason where the act is not possible. Raises as `begin`."""
        return self._finish(self._open(request))

    @operation
    def refuse(self, request: str, reason: str) -> Request:
        """Refuse with a reason and report back. Raises as `begin`."""
        return self._close(self._open(request), RequestState.REFUSED, reason)

    @operation
    def work(self) -> list[Request]:
        """Do what is due by the clock; return the requests closed now."""
        now, closed = self.ground.now(), []
        for request in list(self._requests.values()):
            if request.state not in OPEN:
                continue
            if request.due_at <= now:
                closed.append(self._finish(request))
            else:
                self._put(request, state=RequestState.ACTING)
        return closed

    def fault_down(self) -> None:
        """The desk does not answer until `clear_faults`."""
        self.faults.down = True

    def fault_slow(self, days: float) -> None:
        """Requests received from now on take `days` longer."""
        self._slow_days = days

    def fault_refuse(self, reason: str) -> None:
        """Every request acted on from now is refused with this reason."""
        self._refuse_reason = reason

    def fault_lose(self) -> None:
        """Requests received from now on are acknowledged and then lost."""
        self._lose = True

    def clear_faults(self) -> None:
        """Everything works again. What was lost stays lost."""
        self.faults.clear()
        self._forget_faults()

    def _forget_faults(self) -> None:
        self._slow_days = 0.0
        self._refuse_reason = ""
        self._lose = False

    def _receive(self, kind: RequestKind, person: str, what: str, job: Callable[[], object]) -> Request:
        self.ground.holder(person)
        self._count += 1
        now = self.ground.now()
        due = now + timedelta(days=self.days + self._slow_days)
        request = Request(f"{self.name}-{self._count:04d}", kind, person, what, now, due)
        if not self._lose:
            self._requests[request.id] = request
            self._jobs[request.id] = job
        return request

    def _find(self, request: str) -> Request:
        try:
            return self._requests[request]
        except KeyError as error:
            raise RequestUnknown(request) from error

    def _open(self, request: str) -> Request:
        found = self._find(request)
        if found.state not in OPEN:
            raise RequestClosed(request)
        return found

    def _finish(self, request: Request) -> Request:
        if self._refuse_reason:
            return self._close(request, RequestState.REFUSED, self._refuse_reason)
        try:
            self._jobs[request.id]()
        except NationError as error:
            return self._close(request, RequestState.REFUSED, error.code)
        return self._close(request, RequestState.DONE, None)

    def _close(self, request: Request, state: RequestState, reason: str | None) -> Request:
        del self._jobs[request.id]
        return self._put(replace(request, closed_at=self.ground.now(), reason=reason), state=state)

    def _put(self, request: Request, *, state: RequestState) -> Request:
        self._requests[request.id] = replace(request, state=state)
        return self._requests[request.id]


class CallCentre(Desk):
    """総務省コールセンター (架空). Acts at once unless slow."""

    name = "soumu"
    title = "総務省コールセンター(架空)"
    days = 0.0

    def __init__(self, ground: Ground, points: PointsSite, accounts: AccountRegistry) -> None:
        super().__init__(ground)
        self._points = points
        self._accounts = accounts

    @operation
    def which_service(self, person: str) -> PaymentRegistration | None:
        """Which payment service stands on a person's record. Raises `PersonUnknown`."""
        self.ground.holder(person)
        return self._points.standing(person)

    @operation
    def service_stands(self, service: str, payment_id: str) -> bool:
        """Whether a means stands on anybody's record; on whose, the call centre does not say."""
        return self._points.payments.stands(service, payment_id)

    @operation
    def which_account(self, person: str) -> OwnPage:
        """What stands on a person's record. Raises `PersonUnknown`."""
        self.ground.holder(person)
        return self._accounts.standing(person)

    @operation
    def ask_delete_service(self, person: str) -> Request:
        """Ask to take the payment service off a person's record. Raises `PersonUnknown`."""
        what = "登録されている決済サービスを削除する"
        return self._receive(RequestKind.DELETE_SERVICE, person, what, lambda: self._points.delete(person))

    @operation
    def ask_correct_account(self, person: str, account: Account, kana: str) -> Request:
        """Ask to put the person's own account in the place of the one that stands. Raises `PersonUnknown`."""
        what = f"{self._accounts.banks.label(account, masked=True)} に訂正する"
        return self._receive(
            RequestKind.CORRECT_ACCOUNT, person, what, lambda: self._accounts.correct(person, account, kana)
        )


class DigitalAgency(Desk):
    """デジタル庁 (架空). A history deletion took 13 days in September 2022."""

    name = "digital"
    title = "デジタル庁(架空)"
    days = 13.0

    def __init__(self, ground: Ground, accounts: AccountRegistry) -> None:
        super().__init__(ground)
        self._accounts = accounts

    @operation
    def ask_delete_history(self, person: str, number: int) -> Request:
        """Ask to take one past entry out of a person's account history. Raises `PersonUnknown`."""
        what = f"履歴の {number} 番を削除する"
        return self._receive(
            RequestKind.DELETE_HISTORY, person, what, lambda: self._accounts.erase_history(person, number)
        )
