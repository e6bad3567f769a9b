"""Personal contents: kept sealed, opened where they belong, never shown without a word in the log."""

import json
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from madoguchi.evidence import leaf, sealed
from madoguchi.evidence.envelope import canonical
from madoguchi.evidence.errors import CommitmentMismatch, SealBroken
from madoguchi.protocol import EventKind, InterruptReason, MissingEvidence, Outcome
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters import devices
from madoguchi.server.errors import Forbidden, NotYours
from madoguchi.server.ledger import payloads, types
from madoguchi.server.ledger.models import Entry, Erasure, Payload
from madoguchi.server.ledger.retention import RetentionUnknown
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit, VisitEvent
from server.seat import Enter, People, Seat, serve, text, ticket

WORDS = "名前を書いてはいけないのに書いた 架空太郎"

pytestmark = pytest.mark.django_db


def kept(content: dict[str, object] | None = None, kind: str = "words") -> Payload:
    commitment = payloads.keep(kind=kind, content=content or {"text": WORDS})
    return Payload.objects.get(commitment=commitment)


def test_what_is_kept_comes_back_and_fits_its_commitment() -> None:
    row = kept({"strokes": [[[1.5, 2, 0]]], "width": 3, "height": 4}, "signature")
    salt, content = payloads.open_payload(row)
    assert content == {"strokes": [[[1.5, 2, 0]]], "width": 3, "height": 4}
    assert sealed.commit(salt, content) == row.commitment
    assert row.erase_on.month == 4


def test_nothing_readable_stands_in_the_row() -> None:
    row = kept()
    stored = bytes(row.sealed) + bytes(row.wrapped) + row.commitment.encode()
    for form in (WORDS.encode(), json.dumps(WORDS).encode(), WORDS.encode("utf-16-le")):
        assert form not in stored
    assert kept().commitment != row.commitment, "the same words twice must not look alike"


def test_a_devices_commitment_is_checked() -> None:
    salt = sealed.new_salt()
    fitting = sealed.commit(salt, {"a": 1})
    assert payloads.keep(kind="signature", content={"a": 1}, salt=salt, commitment=fitting) == fitting
    with pytest.raises(CommitmentMismatch):
        payloads.keep(kind="signature", content={"a": 2}, salt=salt, commitment=fitting)
    with pytest.raises(ValueError, match="belong together"):
        payloads.keep(kind="signature", content={"a": 1}, salt=salt)
    with pytest.raises(IntegrityError), transaction.atomic():
        payloads.keep(kind="signature", content={"a": 1}, salt=salt, commitment=fitting)
    assert Payload.objects.count() == 1


def test_a_kind_without_a_retention_class_is_not_kept() -> None:
    with pytest.raises(RetentionUnknown):
        payloads.keep(kind="diary", content={"text": "x"})
    assert not Payload.objects.exists()


@pytest.mark.parametrize("nothing", ["", " ", "\u3000\n"])
def test_words_that_say_nothing_are_not_sealed(nothing: str) -> None:
    with pytest.raises(MissingEvidence):
        payloads.keep_words(nothing)
    assert not Payload.objects.exists()


@pytest.mark.parametrize("column", ["sealed", "wrapped", "both"])
def test_a_ciphertext_pasted_onto_another_row_does_not_open(column: str) -> None:
    one, other = kept(), kept({"text": "other"})
    if column != "wrapped":
        one.sealed = other.sealed
    if column != "sealed":
        one.wrapped = other.wrapped
    with pytest.raises(SealBroken):
        payloads.open_payload(one)


def test_a_row_that_took_over_the_others_number_does_not_fit_its_commitment() -> None:
    one, other = kept(), kept({"text": "other"})
    one.pk, one.sealed, one.wrapped = other.pk, other.sealed, other.wrapped
    with pytest.raises(CommitmentMismatch):
        payloads.open_payload(one)


@pytest.mark.parametrize("column", ["sealed", "wrapped"])
@pytest.mark.parametrize("at", [0, 10, -1])
def test_a_changed_byte_does_not_open(column: str, at: int) -> None:
    row = kept()
    raw = bytearray(getattr(row, column))
    raw[at] ^= 1
    setattr(row, column, bytes(raw))
    if column == "wrapped":
        Payload.objects.filter(pk=row.pk).update(wrapped=row.wrapped)
    with pytest.raises(SealBroken):
        payloads.open_payload(row)


def test_tokens_say_their_words_until_they_are_erased() -> None:
    token = payloads.keep_words(WORDS)
    assert types.TOKEN.fullmatch(token)
    assert payloads.words(token) == payloads.readable(token) == WORDS
    row = Payload.objects.get()
    Erasure.objects.create(
        payload=row.pk, kind=row.kind, commitment=row.commitment, stored_at=row.stored_at, reason="due"
    )
    row.delete()
    assert payloads.words(token) is None
    assert payloads.readable(token) == payloads.ERASED
    assert payloads.readable("ふつうの言葉") == "ふつうの言葉"


def test_a_content_that_vanished_without_an_erasure_is_not_called_erased() -> None:
    token = "sealed:" + sealed.commit(sealed.new_salt(), {"text": "x"})
    with pytest.raises(payloads.PayloadLost):
        payloads.words(token)
    assert payloads.readable(token) == payloads.UNREADABLE


def test_handwriting_is_not_read_as_words() -> None:
    row = kept({"text": "strokes"}, "signature")
    with pytest.raises(ValueError, match="not words"):
        payloads.words(payloads.token(row.commitment))
    assert payloads.readable(payloads.token(row.commitment)) == payloads.UNREADABLE


def test_showing_a_content_is_stated_with_who_and_which(city: object, staff: People) -> None:
    assert city
    row = kept(kind="signature")
    assert payloads.show(payload=row, staff=staff("auditor")) == {"text": WORDS}
    said = leaf.read(bytes(Entry.objects.get(kind="payload_opened").leaf)).statement
    assert said["staff"] == "auditor"
    assert said["body"] == {"commitment": row.commitment, "kind": "signature"}


def test_who_may_not_see_contents_opens_none(seat: Seat, staff: People) -> None:
    row = kept(kind="signature")
    with pytest.raises(Forbidden):
        payloads.show(payload=row, staff=staff("honcho-1"))
    Staff.objects.filter(username="officer").update(site=seat.terminal.site)
    elsewhere = seat.terminal.site_id + 1
    with pytest.raises(NotYours):
        payloads.show(payload=row, staff=staff("officer"), site_id=elsewhere)
    assert not Entry.objects.filter(kind="payload_opened").exists()


def test_what_cannot_be_opened_is_not_stated_as_opened(city: object, staff: People) -> None:
    assert city
    row = kept(kind="signature")
    row.sealed = b"x" * 60
    with pytest.raises(SealBroken):
        payloads.show(payload=row, staff=staff("auditor"))
    assert not Entry.objects.filter(kind="payload_opened").exists()


def test_what_is_disclosed_can_be_checked_outside() -> None:
    rows = [kept(), kept({"b": 1, "a": "é"}, "rejected")]
    for row, line in zip(rows, payloads.disclose(rows), strict=True):
        content = json.loads(line["payload"])
        assert line["payload"].encode() == canonical(content)
        sealed.check_commitment(line["commitment"], line["salt"], content)
        assert (line["kind"], line["commitment"]) == (row.kind, row.commitment)


# Where staff type words


def said_of(rows: object) -> str:
    return json.dumps(list(rows), ensure_ascii=False, default=str)  # type: ignore[call-overload]


def test_no_words_of_staff_stand_in_the_record(seat: Seat, staff: People, enter: Enter) -> None:
    one, officer = staff("honcho-1"), staff("officer")
    visit = ticket(seat, one)
    services.call(visit=visit, terminal=seat.terminal, staff=one)
    services.return_to_queue(visit=visit, staff=one, reason=WORDS)
    serve(seat, visit, one)
    services.ask_end(visit=visit, staff=one, reason=WORDS)
    seat.end("server_said")
    seat.report(EventKind.WIPE_FAILED, {"failure": "mount"})
    services.clear_quarantine(terminal=seat.terminal, staff=officer, reason=WORDS)
    services.attest_wipe(visit=visit, staff=officer, proof=WORDS, reason=WORDS)
    services.confirm_absent(
        visit=visit, staff=one, why=WORDS, outcome=Outcome.ABANDONED, reason=InterruptReason.LEFT_SEAT
    )
    other = ticket(seat, one)
    services.withdraw(visit=other, staff=one, reason=WORDS)
    devices.revoke(terminal=seat.terminal, staff=officer, reason=WORDS)
    record = said_of(VisitEvent.objects.values_list("body", "message"))
    record += said_of(Visit.objects.values_list("reason", "proof", "confirmation"))
    record += "".join(bytes(raw).decode() for raw in Entry.objects.values_list("leaf", flat=True))
    assert "架空太郎" not in record
    assert "\\u67b6" not in record
    assert Payload.objects.filter(visit=visit.pk, kind="words").count() == 6
    assert Payload.objects.filter(visit=other.pk).count() == 1
    assert Payload.objects.filter(visit=None).count() == 1
    shown = text(enter("officer").get(f"/visits/{visit.pk}/"))
    assert shown.count(WORDS) == 6
    assert "sealed:" not in shown
    assert not Entry.objects.filter(kind="payload_opened").exists()


@pytest.mark.parametrize("nothing", ["", "  "])
def test_empty_words_change_nothing(seat: Seat, staff: People, nothing: str) -> None:
    one, officer = staff("honcho-1"), staff("officer")
    visit = ticket(seat, one)
    with pytest.raises(MissingEvidence):
        services.withdraw(visit=visit, staff=one, reason=nothing)
    with pytest.raises(MissingEvidence):
        devices.revoke(terminal=seat.terminal, staff=officer, reason=nothing)
    visit.refresh_from_db()
    assert visit.state == "waiting"
    assert not Payload.objects.exists()
    assert seat.terminal.devices.filter(revoked_at=None).exists()


def test_a_refused_act_keeps_no_words(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    services.withdraw(visit=visit, staff=staff("honcho-1"), reason=WORDS)
    client_error = pytest.raises(Exception, match="withdrawn")
    with client_error:
        services.withdraw(visit=visit, staff=staff("honcho-1"), reason="もう一度")
    assert Payload.objects.count() == 1


def test_a_refused_message_belongs_to_the_visit_it_names(seat: Seat) -> None:
    visit = uuid4()
    for name, expected in ((str(visit), visit), ("x" * 36, None), (7, None), (None, None)):
        seat.send({"message": {"visit": name}, "signature": "x", "payload": None})
        newest = Payload.objects.order_by("-stored_at").first()
        assert newest is not None
        assert newest.visit == expected
        assert newest.kind == "rejected"


@pytest.mark.parametrize("raw", [{"message": {"a": "\ud800"}}, {"a": 2**80, "b": [1.5, None, "é"]}, 3, None, "x"])
def test_every_raw_message_is_kept_as_it_came(seat: Seat, raw: object) -> None:
    seat.send(raw)  # type: ignore[arg-type]  # that is the point
    held = payloads.open_payload(Payload.objects.get(kind="rejected"))[1]["raw"]
    assert json.loads(held) == raw


def test_the_database_lets_nobody_swap_contents() -> None:
    one = kept()
    with pytest.raises(IntegrityError), transaction.atomic():
        Payload.objects.filter(pk=one.pk).update(sealed=b"x")
    with pytest.raises(IntegrityError), transaction.atomic():
        Payload.objects.filter(pk=one.pk).delete()
    assert payloads.open_payload(one)[1] == {"text": WORDS}
