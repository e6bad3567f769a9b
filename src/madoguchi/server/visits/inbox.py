"""What terminals report. Every message ends in a verdict; what changes nothing is kept as evidence (I6)."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import rfc8785
from django.conf import settings
from django.db import IntegrityError, transaction

from madoguchi.evidence import envelope
from madoguchi.evidence.errors import EvidenceError
from madoguchi.evidence.keys import public_from_text
from madoguchi.protocol import (
    TERMINAL_TABLE,
    Confirmation,
    EffectKind,
    Event,
    EventKind,
    IllegalTransition,
    MalformedMessage,
    Message,
    MissingEvidence,
    ProtocolError,
    StaleLease,
    TerminalState,
    Verdict,
    VisitState,
)
from madoguchi.server import clock
from madoguchi.server.counters import devices
from madoguchi.server.counters.models import Device, Terminal
from madoguchi.server.errors import (
    ClockFarOff,
    ForeignMessage,
    MessageIdReused,
    OfficeError,
    RuleBroken,
    TerminalInTraining,
    VisitUnknown,
)
from madoguchi.server.ledger import payloads, statements
from madoguchi.server.visits.models import RejectedMessage, Visit, VisitEvent
from madoguchi.server.visits.record import Report, record, record_office
from madoguchi.server.visits.transitions import apply, lock_terminal

Refusal = ProtocolError | OfficeError | EvidenceError

_TAG = re.compile(r"[0-9a-f]{64}")
_MAX_BODY = 16 * 1024
_A_TAG = "0" * 64
_YEARS = (2000, 2200)
_MOST_SEQ = 2**53
_SIGNED = (Confirmation.SIGNATURE, Confirmation.PROXY_SIGNATURE)
_REPORTED_STATE = {
    effect.event: TerminalState(row.target)
    for row in TERMINAL_TABLE
    for effect in row.effects
    if effect.kind is EffectKind.REPORT and effect.event is not None
}
"""What the terminal is in after it has reported an event, by its own table."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one message."""

    id: str
    verdict: Verdict
    reason: str | None = None
    sentence: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As the device API answers it."""
        return {"id": self.id, "verdict": self.verdict.value, "reason": self.reason, "sentence": self.sentence}


def receive_messages(*, device: Device, envelopes: Iterable[object]) -> list[Answer]:
    """Take each message in its own transaction, in the order given."""
    return [_receive(device, given) for given in envelopes]


@transaction.atomic
def _receive(device: Device, given: object) -> Answer:
    terminal = lock_terminal(device.terminal_id)
    try:
        report, payload = _checked(device, given)
        known = _known(report)
        if known is not None:
            return known
        # Outside the inner transaction: a number was used even when its message is refused.
        _note_number(report, terminal)
        with transaction.atomic():
            return _take(report, terminal, payload)
    except (ProtocolError, OfficeError, EvidenceError) as refusal:
        return _reject(device, given, refusal)
    except IntegrityError as error:
        return _reject(device, given, RuleBroken(str(error)))


def _take(report: Report, terminal: Terminal, payload: Any) -> Answer:
    _check_ready(report, terminal)
    if report.message.visit is None:
        _take_for_terminal(report, terminal)
    else:
        _take_for_visit(report, terminal, payload)
    _note_state(report, terminal)
    return Answer(report.message.id, Verdict.ACCEPTED)


def _checked(device: Device, given: object) -> tuple[Report, Any]:
    if not isinstance(given, dict) or set(given) != {"message", "signature", "payload"}:
        raise MalformedMessage("expected message, signature and payload")
    raw, signature = given["message"], given["signature"]
    if not isinstance(raw, dict) or not isinstance(signature, str):
        raise MalformedMessage("message or signature has the wrong type")
    _check_size(raw)
    envelope.verify(raw, signature, public_from_text(device.public_key))
    message = Message.from_json(raw)
    _check_fields(message)
    if message.terminal != str(device.terminal_id):
        raise ForeignMessage(message.terminal)
    return Report(device, message, signature), given["payload"]


def _check_size(raw: dict[str, Any]) -> None:
    try:
        text = envelope.canonical(raw)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise MalformedMessage("no canonical JSON") from error
    if len(text) > _MAX_BODY or b"\\u0000" in text:
        raise MalformedMessage("too long, or with a character that no text has")


def _check_fields(message: Message) -> None:
    """What the columns hold beyond the protocol's own checks: a tag is a hash, and pages can show every time."""
    tag = message.body.get("card_tag", _A_TAG)
    if not isinstance(tag, str) or not _TAG.fullmatch(tag):
        raise MalformedMessage("card_tag is not 64 hex digits")
    if not _YEARS[0] <= int(message.at[:4]) <= _YEARS[1]:
        raise MalformedMessage("a year that no counter has seen")


def _known(report: Report) -> Answer | None:
    """The verdict given before, for a message that comes again."""
    message = report.message
    event = VisitEvent.objects.filter(device=report.device, message_id=message.id).first()
    if event is not None:
        if event.signature != report.signature:
            raise MessageIdReused(message.id)
        _check_still_bound(event)
        return Answer(message.id, Verdict.DUPLICATE)
    past = RejectedMessage.objects.filter(
        device=report.device, message_id=message.id, signature=report.signature
    ).first()
    return Answer(message.id, Verdict.REJECTED, past.reason, past.sentence) if past else None


def _check_still_bound(event: VisitEvent) -> None:
    """A box may be opened on `duplicate`: only while the visit is still being served under that lease."""
    if event.kind != EventKind.BIND_CARD or event.visit is None:
        return
    if event.visit.state != VisitState.SERVING or event.visit.lease != event.lease:
        raise StaleLease(f"{event.visit} is no longer served under lease {event.lease}")


def _note_number(report: Report, terminal: Terminal) -> None:
    seq = report.message.seq
    expected = devices.count_message(device=report.device, seq=seq)
    if seq != expected:
        kind = "sequence_gap" if seq > expected else "sequence_back"
        record_office(kind=kind, terminal=terminal, body={"expected": expected, "got": seq})


def _check_ready(report: Report, terminal: Terminal) -> None:
    """Messages from the outbox may be old; a card is bound now, by a real terminal, or not at all."""
    if report.message.kind is not EventKind.BIND_CARD:
        return
    off = (report.at - clock.now()).total_seconds()
    if abs(off) > settings.CLOCK_LIMIT:
        raise ClockFarOff(f"{off:.0f} s")
    if report.message.training and not terminal.site.training:
        raise TerminalInTraining(str(terminal))


def _take_for_terminal(report: Report, terminal: Terminal) -> None:
    demanded = "proof" if report.message.kind is EventKind.SWEEP_PROVEN else "failure"
    if not report.message.body.get(demanded):
        raise MissingEvidence(f"{report.message.kind} lacks {demanded}")
    record(event=_event(report), terminal=terminal, report=report)


def _take_for_visit(report: Report, terminal: Terminal, payload: Any) -> None:
    try:
        with transaction.atomic():
            visit = _visit_of(report, terminal)
            if report.message.kind is EventKind.CONFIRM:
                _keep_signature(report, visit, payload)
            apply(visit=visit, event=_event(report), report=report)
    except (IllegalTransition, StaleLease):
        if not _concerns_quarantine(report, terminal):
            raise
        # The visit has gone its way, but what the machine says of its own wipe still holds for the terminal.
        record(event=_event(report), terminal=terminal, report=report)


def _concerns_quarantine(report: Report, terminal: Terminal) -> bool:
    kind = report.message.kind
    wipe = kind is EventKind.WIPE_FAILED or (kind is EventKind.WIPE_PROVEN and terminal.quarantined)
    return wipe and report.message.lease == terminal.lease


def _visit_of(report: Report, terminal: Terminal) -> Visit:
    try:
        key = UUID(report.message.visit or "")
    except ValueError as error:
        raise VisitUnknown("no visit number") from error
    visit = Visit.objects.select_for_update(of=("self",)).select_related("site").filter(pk=key).first()
    if visit is None:
        raise VisitUnknown(str(key))
    if visit.terminal_id != terminal.pk:
        raise StaleLease(f"{visit} does not stand on {terminal}")
    return visit


def _event(report: Report) -> Event:
    return report.message.event()


def _keep_signature(report: Report, visit: Visit, payload: Any) -> None:
    """Seal the handwriting that the signed message has committed to."""
    given = report.message.body.get("confirmation")
    if not isinstance(given, dict) or given.get("kind") not in _SIGNED:
        if payload is not None:
            raise MalformedMessage("a payload without a signature")
        return
    salt, drawing = _drawing(payload)
    commitment = str(given.get("commitment"))
    try:
        payloads.keep(kind="signature", content=drawing, visit=visit.pk, salt=salt, commitment=commitment)
    except (ValueError, rfc8785.CanonicalizationError) as error:
        raise MalformedMessage("salt or drawing cannot be read") from error


def _drawing(payload: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(payload, dict) or set(payload) != {"salt", "payload"}:
        raise MissingEvidence("the signature itself is missing")
    salt, drawing = payload["salt"], payload["payload"]
    if not isinstance(salt, str) or not isinstance(drawing, dict) or set(drawing) != {"strokes", "width", "height"}:
        raise MalformedMessage("salt or drawing has the wrong form")
    if not isinstance(drawing["strokes"], list):
        raise MalformedMessage("strokes are no list")
    if not any(drawing["strokes"]):
        raise MissingEvidence("an empty signature")
    return salt, drawing


def _note_state(report: Report, terminal: Terminal) -> None:
    """The terminal's state by its own table, and the quarantine that depends on the proofs."""
    kind = report.message.kind
    fresh = Terminal.objects.get(pk=terminal.pk)
    fresh.state = _REPORTED_STATE.get(kind, TerminalState(fresh.state)).value
    if kind is EventKind.WIPE_FAILED:
        fresh.quarantined, fresh.cleared = True, False
    elif kind in (EventKind.WIPE_PROVEN, EventKind.SWEEP_PROVEN) and fresh.cleared:
        fresh.quarantined = fresh.cleared = False
    fresh.last_seen, fresh.training = clock.now(), report.message.training
    fresh.save(update_fields=["state", "quarantined", "cleared", "last_seen", "training"])


def _reject(device: Device, given: object, refusal: Refusal) -> Answer:
    message = given.get("message") if isinstance(given, dict) else None
    signature = given.get("signature") if isinstance(given, dict) else None
    said = message if isinstance(message, dict) else {}
    number = _plain(said.get("id"), 64)
    # The raw envelope may hold handwriting: it is sealed, the rows that stay hold its token.
    visit = _visit_number(said)
    raw = payloads.keep_raw(_raw(given), visit=visit)
    RejectedMessage.objects.create(
        device=device,
        terminal_id=device.terminal_id,
        message_id=number,
        raw=raw,
        signature=_plain(signature, 200),
        reason=refusal.code,
        sentence=refusal.sentence,
        received_at=clock.now(),
    )
    body = {"reason": refusal.code, "message_id": number, "raw": raw} | _seq(said)
    statements.state(kind="message_rejected", body=body, terminal=device.terminal_id, visit=visit)
    return Answer(number, Verdict.REJECTED, refusal.code, refusal.sentence)


def _visit_number(said: dict[str, Any]) -> UUID | None:
    """Whose turn the message names: what belongs to a person is erased with the rest of that visit."""
    try:
        return UUID(_plain(said.get("visit"), 36))
    except ValueError:
        return None


def _seq(said: dict[str, Any]) -> dict[str, int]:
    seq = said.get("seq")
    return {"seq": seq} if isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq < _MOST_SEQ else {}


def _plain(value: object, longest: int) -> str:
    """Text that every database and page can hold, or nothing: the raw envelope is kept anyway."""
    fits = isinstance(value, str) and len(value) <= longest and value.isascii() and value.isprintable()
    return str(value) if fits else ""


def _raw(given: object) -> str:
    try:
        return json.dumps(given)
    except RecursionError:
        return '"(nested too deeply to be kept)"'
