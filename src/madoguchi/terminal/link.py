"""The way to the server: one HTTP call per method, every failure a named error, nothing remembered but the token."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx

from madoguchi.protocol import Assignment, MalformedMessage, Verdict
from madoguchi.terminal.enrol import Credentials
from madoguchi.terminal.errors import ServerRefused, ServerUnreachable, TokenRevoked
from madoguchi.terminal.journal import Outbound

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """What the server holds for this terminal. `cleared`: an officer has lifted the quarantine."""

    server_time: datetime
    assignment: Assignment | None
    cleared: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one message."""

    id: str
    verdict: Verdict
    reason: str
    sentence: str


class Link(Protocol):
    """What the agent needs of the server.

    Every call may raise `ServerUnreachable`, `ServerRefused`, `TokenRevoked` or `MalformedMessage`.
    """

    def poll(self, report: Mapping[str, Any]) -> PollAnswer:
        """Tell the terminal's state and ask what the server holds for it."""
        ...

    def send(self, outbounds: Sequence[Outbound]) -> list[Answer]:
        """Deliver messages in order; one answer for each, in the same order."""
        ...

    def roll_token(self) -> None:
        """Get a new token, keep it, use it from now on."""
        ...


class HttpLink:
    """The device API over HTTP. `client` carries time-outs and transport; `save` keeps rolled credentials."""

    def __init__(
        self,
        *,
        base_url: str,
        credentials: Credentials,
        client: httpx.Client,
        save: Callable[[Credentials], None] | None = None,
    ) -> None:
        self._base = base_url.rstrip("/") + "/api/device/"
        self._client = client
        self._save = save
        self.credentials = credentials

    def poll(self, report: Mapping[str, Any]) -> PollAnswer:
        """See `Link.poll`."""
        data = self._post("poll", report)
        try:
            given = data["assignment"]
            moment = datetime.fromisoformat(data["server_time"])
            moment.utctimetuple()
            assignment = None if given is None else Assignment.from_json(given)
            return PollAnswer(_aware(moment), assignment, data["cleared"] is True)
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedMessage(f"poll: {type(error).__name__}") from error

    def send(self, outbounds: Sequence[Outbound]) -> list[Answer]:
        """See `Link.send`."""
        envelopes = [_envelope(outbound) for outbound in outbounds]
        data = self._post("messages", {"messages": envelopes})
        try:
            rows = data["verdicts"]
            return [_answer(row, outbound) for row, outbound in zip(rows, outbounds, strict=True)]
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedMessage(f"messages: {type(error).__name__}") from error

    def roll_token(self) -> None:
        """See `Link.roll_token`. The old token works until the new one is used: a crash in between locks no one out."""
        data = self._post("token", {})
        token = data.get("token")
        if not isinstance(token, str) or not token:
            raise MalformedMessage("token: missing")
        rolled = self.credentials.with_token(token, datetime.now(UTC))
        if self._save is not None:
            self._save(rolled)
        self.credentials = rolled

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        token = self.credentials.token
        try:
            return _read(self._send(path, body, token))
        except TokenRevoked:
            if self.credentials.token == token:
                raise
            # another thread has rolled the token while this request was on its way
            return _read(self._send(path, body, self.credentials.token))

    def _send(self, path: str, body: Mapping[str, Any], token: str) -> httpx.Response:
        headers = {"Authorization": f"Device {token}"}
        try:
            return self._client.post(self._base + path, json=dict(body), headers=headers)
        except httpx.HTTPError as error:
            raise ServerUnreachable(type(error).__name__, sent=not isinstance(error, _NEVER_LEFT)) from error


def _read(response: httpx.Response) -> dict[str, Any]:
    try:
        data = response.json()
    except ValueError:
        data = None
    # without our own JSON the answer comes from something between us and the server: it decides nothing
    if not isinstance(data, dict) or response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise ServerUnreachable(f"HTTP {response.status_code}")
    if response.status_code == httpx.codes.OK:
        return data
    return _refuse(response.status_code, data)


def _refuse(status: int, data: Mapping[str, Any]) -> dict[str, Any]:
    reason = data.get("reason")
    if not isinstance(reason, str) or status == httpx.codes.TOO_MANY_REQUESTS:
        raise ServerUnreachable(f"HTTP {status}")
    if status == httpx.codes.UNAUTHORIZED:
        raise TokenRevoked(reason)
    raise ServerRefused(status, reason, str(data.get("sentence") or ""))


def _envelope(outbound: Outbound) -> dict[str, Any]:
    return {"message": outbound.message.to_json(), "signature": outbound.signature, "payload": outbound.payload}


def _answer(row: Mapping[str, Any], outbound: Outbound) -> Answer:
    # a message that the server could not even parse is answered without its id
    if row["id"] not in (outbound.message.id, ""):
        raise ValueError("verdict for another message")
    return Answer(
        outbound.message.id, Verdict(row["verdict"]), str(row.get("reason") or ""), str(row.get("sentence") or "")
    )


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment
