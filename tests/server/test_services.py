"""The counter's work through the services, with a terminal that speaks the device API."""

from datetime import date, timedelta

import pytest

from madoguchi.protocol import (
    EventKind,
    IllegalTransition,
    InterruptReason,
    MissingEvidence,
    NotAllowed,
    Outcome,
    OwnName,
    TerminalState,
    VisitState,
)
from madoguchi.server import clock, errors
from madoguchi.server.counters.models import ProcedureKind, Site, Terminal
from madoguchi.server.counters.seed import City
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit
from server.seat import People, Seat, serve, ticket


def kinds(visit: Visit) -> list[str]:
    return list(visit.events.values_list("kind", flat=True))


def test_a_completed_visit_leaves_its_whole_chain(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    seat.wipe()
    assert seat.sign()["verdict"] == "accepted"
    visit.refresh_from_db()
    assert visit.state == VisitState.CLOSED
    assert visit.outcome == Outcome.COMPLETED
    assert kinds(visit) == ["issue", "call", "bind_card", "end", "wipe_proven", "confirm", "close"]
    assert list(visit.events.values_list("seq", flat=True)) == list(range(1, 8))
    assert visit.closed_at is not None


def test_an_interrupted_visit_passes_the_same_gate(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    seat.wipe()
    assert seat.sign("interrupted")["reason"] == "MissingEvidence"
    assert seat.sign("interrupted", "no_account_data")["verdict"] == "accepted"
    visit.refresh_from_db()
    assert (visit.outcome, visit.reason) == ("interrupted", "no_account_data")


@pytest.mark.parametrize("upto", ["call", "bind", "end", "wipe"])
def test_nobody_is_called_before_the_last_visit_is_closed(seat: Seat, staff: People, upto: str) -> None:
    supporter = staff("honcho-1")
    first, second = ticket(seat, supporter), ticket(seat, supporter)
    services.call(visit=first, terminal=seat.terminal, staff=supporter)
    seat.poll()
    for name in ("bind", "end", "wipe")[: ("call", "bind", "end", "wipe").index(upto)]:
        getattr(seat, name)()
    seat.poll()
    lease = Terminal.objects.get(pk=seat.terminal.pk).lease
    with pytest.raises(errors.TerminalBusy):
        services.call(visit=second, terminal=seat.terminal, staff=supporter)
    assert Terminal.objects.get(pk=seat.terminal.pk).lease == lease
    second.refresh_from_db()
    assert second.state == VisitState.WAITING


def test_each_call_takes_the_next_lease(seat: Seat, staff: People) -> None:
    supporter = staff("honcho-1")
    visit = ticket(seat, supporter)
    leases = []
    for _ in range(3):
        leases.append(services.call(visit=visit, terminal=seat.terminal, staff=supporter).lease)
        services.return_to_queue(visit=visit, staff=supporter, reason="いない")
    assert leases == [1, 2, 3]
    visit.refresh_from_db()
    assert (visit.state, visit.terminal_id, visit.lease) == ("waiting", None, None)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"in_service": False}, errors.TerminalOutOfService),
        ({"quarantined": True}, errors.TerminalQuarantined),
        ({"state": TerminalState.ENDING.value}, errors.TerminalNotReady),
        ({"state": TerminalState.WAITING_CARD.value}, errors.TerminalNotReady),
        ({"last_seen": None}, errors.TerminalSilent),
    ],
)
def test_every_refusal_of_the_gate_has_a_name(
    seat: Seat, staff: People, change: dict[str, object], refusal: type[errors.OfficeError]
) -> None:
    visit = ticket(seat, staff("honcho-1"))
    Terminal.objects.filter(pk=seat.terminal.pk).update(**change)
    with pytest.raises(refusal) as caught:
        services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
    assert type(caught.value) is refusal
    assert caught.value.sentence.endswith("。")


def test_a_terminal_without_a_machine_is_not_called_to(city: City, seat: Seat, staff: People) -> None:
    with pytest.raises(errors.TerminalNotEnrolled):
        services.call(visit=ticket(seat, staff("honcho-1")), terminal=city.terminals[1], staff=staff("honcho-1"))


def test_a_training_terminal_is_not_called_to_where_citizens_are_served(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    seat.poll(training=True)
    Site.objects.filter(pk=visit.site_id).update(training=False)
    with pytest.raises(errors.TerminalInTraining):
        services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
    Site.objects.filter(pk=visit.site_id).update(training=True)
    services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))


def test_a_machine_that_still_serves_was_not_taken_away(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.poll(TerminalState.OPEN)
    attest = {"visit": visit, "staff": staff("officer"), "proof": "電源を切った", "reason": "連絡がない"}
    with pytest.raises(errors.TerminalStillSpeaks):
        services.attest_wipe(**attest)  # type: ignore[arg-type]
    later = clock.now() + timedelta(minutes=2)
    with clock.running_on(lambda: later):
        services.attest_wipe(**attest)  # type: ignore[arg-type]
    visit.refresh_from_db()
    assert (visit.state, visit.cause) == ("confirming", "server_said")
    status, answer = seat.post("messages", {"messages": [seat.message(EventKind.END, {"cause": "idle"})]})
    assert (status, answer["reason"]) == (401, "TokenRevoked")


def test_a_taken_ticket_has_a_reason(city: City, seat: Seat, staff: People) -> None:
    other = Seat(city.terminals[1], seat._client)
    other.enrol()
    other.poll()
    visit = ticket(seat, staff("honcho-1"))
    services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
    with pytest.raises(errors.TicketTaken):
        services.call(visit=visit, terminal=other.terminal, staff=staff("honcho-2"))
    assert Terminal.objects.get(pk=other.terminal.pk).lease == 0


def test_ticket_and_terminal_stand_at_the_same_site(city: City, seat: Seat, staff: People) -> None:
    far = services.issue_ticket(
        site=city.sites[1], procedure=city.procedures[1], preflight={"pin_known": "yes"}, staff=staff("officer")
    )
    with pytest.raises(errors.OtherSite):
        services.call(visit=far, terminal=seat.terminal, staff=staff("officer"))
    with pytest.raises(errors.NotYours):
        services.call(visit=far, terminal=seat.terminal, staff=staff("honcho-1"))


def test_tickets_count_per_site_and_day(city: City, staff: People) -> None:
    def issue(place: int) -> str:
        return services.issue_ticket(
            site=city.sites[place],
            procedure=city.procedures[1],
            preflight={"pin_known": "yes"},
            staff=staff("officer"),
        ).ticket

    assert [issue(0), issue(0), issue(1), issue(0)] == ["A-001", "A-002", "B-001", "A-003"]


def test_a_programme_that_has_ended_is_not_offered(city: City, staff: People) -> None:
    ProcedureKind.objects.filter(code="payment_service").update(active_until=date(2023, 9, 30))
    with pytest.raises(errors.ProcedureNotOffered):
        services.issue_ticket(
            site=city.sites[0],
            procedure=ProcedureKind.objects.get(code="payment_service"),
            preflight={"pin_known": "yes"},
            staff=staff("honcho-1"),
        )


def test_withdrawing_frees_the_terminal_but_ends_the_ticket(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    services.call(visit=visit, terminal=seat.terminal, staff=staff("honcho-1"))
    services.withdraw(visit=visit, staff=staff("honcho-1"), reason="帰られた")
    seat.poll()
    assert seat.held is None
    with pytest.raises(IllegalTransition):
        services.return_to_queue(visit=visit, staff=staff("honcho-1"), reason="間違い")
    services.call(visit=ticket(seat, staff("honcho-1")), terminal=seat.terminal, staff=staff("honcho-1"))


def test_a_visit_that_has_begun_cannot_be_withdrawn(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    for act in (services.withdraw, services.return_to_queue):
        with pytest.raises(IllegalTransition):
            act(visit=visit, staff=staff("honcho-1"), reason="間違い")


def test_asking_for_the_end_reaches_the_terminal(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    assert seat.poll(TerminalState.OPEN)["assignment"]["end_asked"] is False
    services.ask_end(visit=visit, staff=staff("honcho-1"), reason="閉館")
    assert seat.poll(TerminalState.OPEN)["assignment"]["end_asked"] is True
    seat.end("server_said")
    visit.refresh_from_db()
    assert (visit.state, visit.cause, visit.end_asked) == ("ending", "server_said", False)


def test_two_staff_confirm_for_a_citizen_who_cannot_sign(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    spoken = {"visit": visit, "staff": staff("honcho-1"), "outcome": Outcome.COMPLETED, "reason": None}
    with pytest.raises(IllegalTransition):
        services.confirm_spoken(second=staff("honcho-2"), **spoken)  # type: ignore[arg-type]
    seat.wipe()
    with pytest.raises(errors.SameStaffTwice):
        services.confirm_spoken(second=staff("honcho-1"), **spoken)  # type: ignore[arg-type]
    with pytest.raises(errors.NotYours):
        services.confirm_spoken(second=staff("tonan-1"), **spoken)  # type: ignore[arg-type]
    with pytest.raises(MissingEvidence):
        services.confirm_spoken(second=staff("honcho-2"), **spoken)  # type: ignore[arg-type]
    services.confirm_spoken(second=staff("honcho-2"), own_name=OwnName.OWN, **spoken)  # type: ignore[arg-type]
    visit.refresh_from_db()
    assert visit.state == VisitState.CLOSED
    named = {"staff_1": "honcho-1", "staff_2": "honcho-2", "own_name": "own"}
    assert visit.confirmation == {"kind": "spoken", **named}


def test_an_absent_citizen_needs_a_reason(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end("card_gone")
    seat.wipe()
    with pytest.raises(MissingEvidence):
        services.confirm_absent(
            visit=visit, staff=staff("honcho-1"), why=" ", outcome=Outcome.ABANDONED, reason=InterruptReason.LEFT_SEAT
        )
    with pytest.raises(MissingEvidence):
        services.confirm_absent(
            visit=visit, staff=staff("honcho-1"), why="離席", outcome=Outcome.ABANDONED, reason=None
        )
    services.confirm_absent(
        visit=visit, staff=staff("honcho-1"), why="離席", outcome=Outcome.ABANDONED, reason=InterruptReason.LEFT_SEAT
    )
    visit.refresh_from_db()
    assert (visit.state, visit.outcome, visit.reason) == ("closed", "abandoned", "left_seat")


def test_roles_are_held_in_the_services_too(seat: Seat, staff: People) -> None:
    visit = ticket(seat, staff("honcho-1"))
    with pytest.raises(errors.Forbidden):
        services.call(visit=visit, terminal=seat.terminal, staff=staff("auditor"))
    with pytest.raises(errors.Forbidden):
        services.clear_quarantine(terminal=seat.terminal, staff=staff("honcho-1"), reason="")
    with pytest.raises((errors.Forbidden, NotAllowed)):
        services.withdraw(visit=visit, staff=staff("callcentre"), reason="x")


def failed_wipe(seat: Seat, staff: People) -> Visit:
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    assert seat.report(EventKind.WIPE_FAILED, {"failure": "processes left"})["verdict"] == "accepted"
    seat.poll(TerminalState.QUARANTINED)
    return visit


def test_a_failed_wipe_stops_the_terminal_until_an_officer_and_a_proof(seat: Seat, staff: People) -> None:
    visit = failed_wipe(seat, staff)
    with pytest.raises(errors.TerminalQuarantined):
        services.call(visit=ticket(seat, staff("honcho-1")), terminal=seat.terminal, staff=staff("honcho-1"))
    services.clear_quarantine(terminal=seat.terminal, staff=staff("officer"), reason="電源を入れ直した")
    terminal = Terminal.objects.get(pk=seat.terminal.pk)
    assert (terminal.quarantined, terminal.cleared) == (True, True)
    assert seat.poll(TerminalState.QUARANTINED)["cleared"] is True
    seat.wipe()
    terminal.refresh_from_db()
    assert (terminal.quarantined, terminal.cleared, terminal.state) == (False, False, "confirming")
    assert seat.sign()["verdict"] == "accepted"
    visit.refresh_from_db()
    assert kinds(visit)[-6:] == ["end", "wipe_failed", "clear", "wipe_proven", "confirm", "close"]


def test_a_second_failure_needs_a_second_clearing(seat: Seat, staff: People) -> None:
    failed_wipe(seat, staff)
    services.clear_quarantine(terminal=seat.terminal, staff=staff("officer"), reason="もう一度")
    seat.report(EventKind.WIPE_FAILED, {"failure": "still there"})
    assert seat.poll(TerminalState.QUARANTINED)["cleared"] is False
    seat.wipe()
    assert Terminal.objects.get(pk=seat.terminal.pk).quarantined is True


def test_a_sweep_after_a_failure_is_the_proof_even_when_cleared_later(seat: Seat, staff: People) -> None:
    nowhere = {"visit": None, "lease": None}
    seat.report(EventKind.WIPE_FAILED, {"failure": "left over"}, **nowhere)
    assert Terminal.objects.get(pk=seat.terminal.pk).quarantined is True
    seat.report(EventKind.SWEEP_PROVEN, {"proof": {"space": "none"}}, **nowhere)
    assert Terminal.objects.get(pk=seat.terminal.pk).quarantined is True
    services.clear_quarantine(terminal=seat.terminal, staff=staff("officer"), reason="確認した")
    assert Terminal.objects.get(pk=seat.terminal.pk).quarantined is False
    with pytest.raises(errors.NothingToClear):
        services.clear_quarantine(terminal=seat.terminal, staff=staff("officer"), reason="もう一度")


def test_a_failed_wipe_counts_even_when_the_visit_is_closed_already(seat: Seat, staff: People) -> None:
    """The terminal restarted while confirming; meanwhile staff closed the visit."""
    visit = ticket(seat, staff("honcho-1"))
    serve(seat, visit, staff("honcho-1"))
    seat.end()
    seat.wipe()
    services.confirm_absent(
        visit=visit, staff=staff("honcho-1"), why="離席", outcome=Outcome.ABANDONED, reason=InterruptReason.LEFT_SEAT
    )
    assert seat.report(EventKind.WIPE_FAILED, {"failure": "left over"})["verdict"] == "accepted"
    assert Terminal.objects.get(pk=seat.terminal.pk).quarantined is True
    services.clear_quarantine(terminal=seat.terminal, staff=staff("officer"), reason="確認した")
    assert seat.wipe()["verdict"] == "accepted"
    assert Terminal.objects.get(pk=seat.terminal.pk).quarantined is False
    assert kinds(visit)[-1] == "close"


def test_attesting_takes_the_machine_away(seat: Seat, staff: People) -> None:
    visit = failed_wipe(seat, staff)
    with pytest.raises(errors.Forbidden):
        services.attest_wipe(visit=visit, staff=staff("manager"), proof="撤去", reason="故障")
    services.attest_wipe(visit=visit, staff=staff("officer"), proof="電源を切り、記憶装置を外した", reason="故障")
    status, answer = seat.post("poll", {})
    assert (status, answer["reason"]) == (401, "TokenRevoked")
    assert Terminal.objects.get(pk=seat.terminal.pk).in_service is False
    services.confirm_absent(
        visit=visit, staff=staff("honcho-1"), why="故障", outcome=Outcome.ABANDONED, reason=InterruptReason.OTHER
    )
    visit.refresh_from_db()
    assert visit.state == VisitState.CLOSED
