"""What terminals report: stale, doubled, reordered, forged; each gets a verdict and nothing is lost."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from madoguchi.evidence import envelope, sealed
from madoguchi.evidence.keys import public_from_text
from madoguchi.protocol import EventKind, VisitState
from madoguchi.server import clock, keys
from madoguchi.server.counters import devices
from madoguchi.server.counters.models import Device, Site, Terminal
from madoguchi.server.counters.seed import City
from madoguchi.server.ledger import payloads
from madoguchi.server.ledger.models import Payload
from madoguchi.server.visits import services
from madoguchi.server.visits.models import RejectedMessage, Visit, VisitEvent
from madoguchi.server.visits.record import content
from server.seat import DRAWING, TAG, Json, People, Seat, serve, state, ticket


def test_a_stale_lease_changes_nothing_and_is_kept(seat: Seat, staff: People, called: Visit) -> None:
    old = seat.held
    services.return_to_queue(visit=called, staff=staff("honcho-1"), reason="いない")
    services.call(visit=called, terminal=seat.terminal, staff=staff("honcho-1"))
    seat.held = old
    events = VisitEvent.objects.count()
    answer = seat.bind()
    assert (answer["verdict"], answer["reason"]) == ("rejected", "StaleLease")
    assert state(called) == VisitState.CALLED
    assert VisitEvent.objects.count() == events
    kept = RejectedMessage.objects.get()
    assert kept.reason == "StaleLease"
    raw = payloads.find(kept.raw)
    assert raw is not None
    assert raw.visit == called.pk
    assert json.loads(payloads.open_payload(raw)[1]["raw"])["message"]["lease"] == 1
    assert kept.sentence == answer["sentence"]


def test_an_old_visit_is_not_touched_after_its_terminal_has_moved_on(seat: Seat, staff: People, called: Visit) -> None:
    old = seat.held
    services.return_to_queue(visit=called, staff=staff("honcho-1"), reason="いない")
    second = ticket(seat, staff("honcho-1"))
    services.call(visit=second, terminal=seat.terminal, staff=staff("honcho-1"))
    seat.held = old
    assert seat.bind()["reason"] == "StaleLease"
    assert seat.end()["reason"] == "StaleLease"
    assert (state(called), state(second)) == ("waiting", "called")


def test_a_lease_of_another_terminal_with_the_same_number_is_stale(
    city: City, seat: Seat, staff: People, called: Visit
) -> None:
    """Leases count per terminal: visit, terminal and lease have to fit together."""
    other = Seat(city.terminals[1], seat._client)
    other.enrol()
    other.poll()
    second = ticket(seat, staff("honcho-1"))
    services.call(visit=second, terminal=other.terminal, staff=staff("honcho-1"))
    assert second.lease == called.lease or Visit.objects.get(pk=second.pk).lease == called.lease
    answer = seat.report(EventKind.BIND_CARD, {"card_tag": TAG}, visit=str(second.pk))
    assert answer["reason"] == "StaleLease"
    assert state(second) == "called"


def test_a_message_that_comes_twice_counts_once(seat: Seat, called: Visit) -> None:
    message = seat.message(EventKind.BIND_CARD, {"card_tag": TAG})
    assert [seat.send(message)[0]["verdict"] for _ in range(3)] == ["accepted", "duplicate", "duplicate"]
    assert [answer["verdict"] for answer in seat.send(message, message)] == ["duplicate", "duplicate"]
    assert called.events.filter(kind="bind_card").count() == 1


def test_a_rejected_message_that_comes_twice_is_kept_once(seat: Seat, serving: Visit) -> None:
    message = seat.message(EventKind.WIPE_PROVEN, {"proof": {"space": "none"}})
    first, second = seat.send(message)[0], seat.send(message)[0]
    assert first == second
    assert (first["verdict"], first["reason"]) == ("rejected", "IllegalTransition")
    assert RejectedMessage.objects.count() == 1
    assert state(serving) == "serving"


def test_a_rejection_stands_even_when_the_message_would_fit_later(seat: Seat, serving: Visit) -> None:
    message = seat.message(EventKind.WIPE_PROVEN, {"proof": {"space": "none"}})
    seat.send(message)
    seat.end()
    assert seat.send(message)[0]["verdict"] == "rejected"
    assert state(serving) == "ending"


def test_a_doubled_bind_opens_nothing_once_the_visit_has_ended(seat: Seat, called: Visit) -> None:
    message = seat.message(EventKind.BIND_CARD, {"card_tag": TAG})
    seat.send(message)
    seat.end()
    answer = seat.send(message)[0]
    assert (answer["verdict"], answer["reason"]) == ("rejected", "StaleLease")
    assert state(called) == "ending"


def test_an_id_used_again_with_other_content_is_refused(seat: Seat, serving: Visit) -> None:
    first = seat.message(EventKind.CURTAIN)
    seat.send(first)
    forged = seat.message(EventKind.END, {"cause": "finish"}, id=first["message"]["id"])
    assert seat.send(forged)[0]["reason"] == "MessageIdReused"
    assert state(serving) == "serving"


def test_reordered_messages_end_in_a_state_that_the_rules_know(seat: Seat, serving: Visit) -> None:
    end = seat.message(EventKind.END, {"cause": "finish"})
    wipe = seat.message(EventKind.WIPE_PROVEN, {"proof": {"space": "none"}})
    verdicts = [seat.send(one)[0]["verdict"] for one in (wipe, end)]
    assert verdicts == ["rejected", "accepted"]
    assert state(serving) == "ending"
    assert seat.wipe()["verdict"] == "accepted"
    kinds = list(seat.terminal.events.filter(visit=None).values_list("kind", flat=True))
    assert kinds.count("sequence_gap") == 1
    assert "sequence_back" not in kinds[: kinds.index("sequence_gap")]


def test_a_gap_in_the_numbers_is_recorded_and_the_message_taken(seat: Seat, serving: Visit) -> None:
    seat.seq += 3
    assert seat.end()["verdict"] == "accepted"
    gap = seat.terminal.events.get(kind="sequence_gap")
    assert gap.body == {"expected": 2, "got": 5}
    late = seat.report(EventKind.CURTAIN, seq=3)
    assert late["reason"] == "IllegalTransition"
    assert state(serving) == "ending"


def test_a_refused_message_has_used_its_number_too(seat: Seat, serving: Visit) -> None:
    assert seat.wipe()["verdict"] == "rejected"
    assert seat.end()["verdict"] == "accepted"
    assert not seat.terminal.events.filter(kind="sequence_gap").exists()
    assert state(serving) == "ending"


def test_a_training_terminal_binds_no_card_where_citizens_are_served(seat: Seat, called: Visit) -> None:
    Site.objects.filter(pk=called.site_id).update(training=False)
    answer = seat.report(EventKind.BIND_CARD, {"card_tag": TAG}, training=True)
    assert (answer["verdict"], answer["reason"]) == ("rejected", "TerminalInTraining")
    assert state(called) == "called"
    assert seat.bind()["verdict"] == "accepted"


def test_a_foreign_device_changes_nothing(city: City, seat: Seat, serving: Visit) -> None:
    other = Seat(city.terminals[1], seat._client)
    other.enrol()
    other.held = seat.held
    assert other.end()["reason"] == "StaleLease"
    assert (
        other.report(EventKind.END, {"cause": "finish"}, terminal=str(seat.terminal.pk))["reason"] == "ForeignMessage"
    )
    assert state(serving) == "serving"
    assert RejectedMessage.objects.filter(terminal=other.terminal).count() == 2


def test_a_message_signed_by_another_key_is_refused(seat: Seat, serving: Visit) -> None:
    forged = seat.message(EventKind.END, {"cause": "finish"})
    forged["signature"] = envelope.sign(forged["message"], Ed25519PrivateKey.generate())
    assert seat.send(forged)[0]["reason"] == "BadSignature"
    changed = seat.message(EventKind.END, {"cause": "finish"})
    changed["message"]["body"]["cause"] = "card_gone"
    assert seat.send(changed)[0]["reason"] == "BadSignature"
    assert state(serving) == "serving"


def test_an_unknown_visit_is_refused(seat: Seat) -> None:
    for visit in (str(uuid.uuid4()), "no number"):
        assert seat.report(EventKind.END, {"cause": "finish"}, visit=visit, lease=1)["reason"] == "VisitUnknown"


@pytest.mark.parametrize("off", [timedelta(minutes=6), -timedelta(minutes=6), timedelta(days=400)])
def test_a_clock_far_off_binds_no_card(seat: Seat, called: Visit, off: timedelta) -> None:
    at = (clock.now() + off).isoformat()
    answer = seat.report(EventKind.BIND_CARD, {"card_tag": TAG}, at=at)
    assert (answer["verdict"], answer["reason"]) == ("rejected", "ClockFarOff")
    assert "時計" in answer["sentence"]
    assert state(called) == "called"
    assert seat.bind()["verdict"] == "accepted"


def test_other_messages_are_taken_late_with_the_difference_recorded(seat: Seat, serving: Visit) -> None:
    at = (clock.now() - timedelta(hours=3)).isoformat()
    assert seat.report(EventKind.END, {"cause": "idle"}, at=at)["verdict"] == "accepted"
    assert serving.events.get(kind="end").skew == pytest.approx(-3 * 3600, abs=60)


def test_another_card_does_not_lift_the_curtain(seat: Seat, serving: Visit) -> None:
    seat.report(EventKind.CURTAIN)
    assert seat.report(EventKind.UNCURTAIN, {"card_tag": "cd" * 32})["verdict"] == "rejected"
    assert seat.report(EventKind.UNCURTAIN, {"card_tag": TAG})["verdict"] == "accepted"
    serving.refresh_from_db()
    assert serving.card_tag == TAG


def test_the_signature_is_sealed_apart(seat: Seat, serving: Visit) -> None:
    seat.end()
    seat.wipe()
    seat.sign()
    row = Payload.objects.get(visit=serving.pk)
    assert row.kind == "signature"
    salt, drawing = payloads.open_payload(row)
    assert drawing == DRAWING
    sealed.check_commitment(row.commitment, salt, drawing)
    assert serving.events.get(kind="confirm").body["confirmation"]["commitment"] == row.commitment
    assert b"strokes" not in bytes(row.sealed)
    assert "strokes" not in json.dumps(list(serving.events.values_list("body", "message")))


@pytest.mark.usefixtures("serving")
def test_a_signature_is_not_given_twice(seat: Seat, staff: People) -> None:
    """The same salt and strokes again, for another visit: the commitment stands for one content of one person."""
    salt = sealed.new_salt()
    body = confirmation(sealed.commit(salt, DRAWING))
    given = {"salt": salt, "payload": DRAWING}
    seat.end()
    seat.wipe()
    assert seat.report(EventKind.CONFIRM, body, given)["verdict"] == "accepted"
    other = ticket(seat, staff("honcho-1"))
    serve(seat, other, staff("honcho-1"))
    seat.end()
    seat.wipe()
    assert seat.report(EventKind.CONFIRM, body, given)["reason"] == "RuleBroken"
    assert state(other) == "confirming"


def confirmation(commitment: str = "x") -> Json:
    return {"confirmation": {"kind": "signature", "commitment": commitment, "own_name": "own"}, "outcome": "completed"}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (None, "MissingEvidence"),
        ({}, "MissingEvidence"),
        ({"salt": "AA==", "payload": DRAWING}, "CommitmentMismatch"),
        ({"salt": "?", "payload": DRAWING}, "CommitmentMismatch"),
        ({"salt": "AA==", "payload": {"strokes": [], "width": 1, "height": 1}}, "MissingEvidence"),
        ({"salt": "AA==", "payload": {"strokes": [[1]]}}, "MalformedMessage"),
        ({"salt": 3, "payload": DRAWING}, "MalformedMessage"),
        ({"salt": "AA==", "payload": DRAWING | {"strokes": "a" * 9}}, "MalformedMessage"),
        ({"salt": "AA==", "payload": DRAWING | {"strokes": [[2**70]]}}, "MalformedMessage"),
    ],
)
def test_a_signature_that_is_not_the_signed_one_closes_nothing(
    seat: Seat, serving: Visit, payload: Any, reason: str
) -> None:
    seat.end()
    seat.wipe()
    assert seat.report(EventKind.CONFIRM, confirmation(), payload)["reason"] == reason
    assert state(serving) == "confirming"
    assert not Payload.objects.filter(kind="signature").exists()
    assert seat.sign()["verdict"] == "accepted"


def test_a_payload_with_a_spoken_confirmation_is_refused(seat: Seat, serving: Visit) -> None:
    seat.end()
    seat.wipe()
    body = {
        "confirmation": {"kind": "spoken", "staff_1": "a", "staff_2": "b", "own_name": "own"},
        "outcome": "completed",
    }
    assert seat.report(EventKind.CONFIRM, body, {"salt": "AA==", "payload": DRAWING})["reason"] == "MalformedMessage"
    assert seat.report(EventKind.CONFIRM, body)["verdict"] == "accepted"
    assert state(serving) == "closed"


def test_a_second_confirmation_changes_nothing(seat: Seat, serving: Visit) -> None:
    seat.end()
    seat.wipe()
    seat.sign()
    assert seat.sign("abandoned", "left_seat")["verdict"] == "rejected"
    serving.refresh_from_db()
    assert serving.outcome == "completed"


def test_a_sweep_belongs_to_the_terminal(seat: Seat) -> None:
    nowhere = {"visit": None, "lease": None}
    assert seat.report(EventKind.SWEEP_PROVEN, {"proof": {"space": "none"}}, **nowhere)["verdict"] == "accepted"
    assert seat.report(EventKind.SWEEP_PROVEN, {}, **nowhere)["reason"] == "MissingEvidence"
    assert seat.report(EventKind.WIPE_FAILED, {}, **nowhere)["reason"] == "MissingEvidence"
    assert Terminal.objects.get(pk=seat.terminal.pk).quarantined is False


def test_every_event_can_be_checked_again(seat: Seat, serving: Visit) -> None:
    """Devices sign what they report, the server signs what staff and it do."""
    seat.end()
    seat.wipe()
    seat.sign()
    server = keys.signing_key(settings.SERVER_KEY_FILE).public_key()
    for event in VisitEvent.objects.all():
        if event.device is None:
            envelope.verify(content(event), event.signature, server)
        else:
            assert event.message is not None
            envelope.verify(event.message, event.signature, public_from_text(event.device.public_key))
    assert serving.events.count() == 7


def test_training_stands_in_the_record(seat: Seat, called: Visit) -> None:
    seat.report(EventKind.BIND_CARD, {"card_tag": TAG}, training=True)
    assert called.events.get(kind="bind_card").training is True
    assert Terminal.objects.get(pk=seat.terminal.pk).training is True


def test_a_revoked_device_reports_nothing(seat: Seat, serving: Visit, staff: People) -> None:
    devices.revoke(terminal=seat.terminal, staff=staff("officer"), reason="疑わしい")
    status, answer = seat.post("messages", {"messages": [seat.message(EventKind.END, {"cause": "finish"})]})
    assert (status, answer["reason"]) == (401, "TokenRevoked")
    assert state(serving) == "serving"
    assert Device.objects.get(terminal=seat.terminal).revoked_at is not None
