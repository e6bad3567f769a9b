"""The device API (docs/architecture.md). Devices only; every refusal is `{"reason", "sentence"}`."""

import base64
from typing import Annotated, Any, cast

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field

from madoguchi.evidence.errors import EvidenceError
from madoguchi.protocol import ProtocolError, TerminalState
from madoguchi.server import keys
from madoguchi.server.counters import devices
from madoguchi.server.counters.models import Device
from madoguchi.server.errors import MalformedRequest, OfficeError, TokenUnknown
from madoguchi.server.visits.inbox import receive_messages
from madoguchi.server.visits.link import poll

MAX_MESSAGES = 200


def _text(value: object) -> str:
    """A time is written out: a bare number would be taken for seconds since 1970."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


class Strict(Schema):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class EnrolIn(Strict):
    """`public_key`: the device's Ed25519 key, base64 of the 32 raw bytes."""

    code: str = Field(max_length=40)
    public_key: str = Field(max_length=64)


class Nothing(Strict):
    """`{}`."""


class PollIn(Strict):
    """What the terminal says of itself. `clock`: RFC 3339 with offset, the terminal's time."""

    state: TerminalState = Field(strict=False)
    visit: str | None = Field(max_length=64)
    lease: int | None
    clock: Annotated[AwareDatetime, BeforeValidator(_text)] = Field(strict=False)
    training: bool
    version: str = Field(max_length=40)


class MessagesIn(Strict):
    """Signed messages; each is checked by itself, so that a broken one does not hold up the others."""

    messages: list[Any] = Field(max_length=MAX_MESSAGES)


def device_auth(request: HttpRequest) -> Device:
    """`Authorization: Device <token>`. Raises `TokenUnknown`, `TokenRevoked`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Device" or not token:
        raise TokenUnknown("no token")
    return devices.authenticate(token=token.strip())


api = NinjaAPI(title="madoguchi devices", docs_url=None, openapi_url=None, auth=device_auth, urls_namespace="device")


def _device(request: HttpRequest) -> Device:
    return cast(Device, request.auth)  # type: ignore[attr-defined]  # set by ninja from device_auth


@api.post("enrol", auth=None)
def enrol(request: HttpRequest, data: EnrolIn) -> dict[str, str]:  # noqa: ARG001 - ninja's signature
    """Turn a machine into a terminal with a one-time code."""
    made = devices.enrol(code=data.code, public_key=data.public_key)
    terminal = made.device.terminal
    tag_key = keys.card_tag_key(settings.CARD_TAG_KEY_FILE)
    return {
        "terminal": str(terminal.pk),
        "name": terminal.name,
        "site": terminal.site.name,
        "token": made.token,
        "tag_key": base64.b64encode(tag_key).decode(),
    }


@api.post("token")
def token(request: HttpRequest, data: Nothing) -> dict[str, str]:  # noqa: ARG001 - ninja checks the body by it
    """A new token; the old one works until the new one is first used."""
    return {"token": devices.roll_token(device=_device(request))}


@api.post("poll")
def poll_(request: HttpRequest, data: PollIn) -> dict[str, Any]:
    """What the server holds for the terminal."""
    held = poll(
        device=_device(request),
        state=data.state,
        clock_at=data.clock,
        training=data.training,
        version=data.version,
    )
    return {
        "server_time": held.server_time.isoformat(),
        "assignment": held.assignment.to_json() if held.assignment else None,
        "cleared": held.cleared,
    }


@api.post("messages")
def messages(request: HttpRequest, data: MessagesIn) -> dict[str, Any]:
    """Verdicts on signed messages, in the order given."""
    answers = receive_messages(device=_device(request), envelopes=data.messages)
    return {"verdicts": [answer.to_json() for answer in answers]}


def _refused(request: HttpRequest, code: str, sentence: str, status: int) -> HttpResponse:
    return api.create_response(request, {"reason": code, "sentence": sentence}, status=status)


@api.exception_handler(OfficeError)
def _office_error(request: HttpRequest, error: OfficeError) -> HttpResponse:
    return _refused(request, error.code, error.sentence, error.status)


@api.exception_handler(ProtocolError)
@api.exception_handler(EvidenceError)
def _room_error(request: HttpRequest, error: ProtocolError | EvidenceError) -> HttpResponse:
    return _refused(request, error.code, error.sentence, 400)


@api.exception_handler(ValidationError)
@api.exception_handler(HttpError)
@api.exception_handler(SuspiciousOperation)
def _malformed(request: HttpRequest, error: Exception) -> HttpResponse:
    return _office_error(request, MalformedRequest(str(error)))


@api.exception_handler(AuthenticationError)
def _nobody(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return _office_error(request, TokenUnknown("no token"))
