"""Eight at once: the same terminal, the same ticket, or both. One wins, the others are told why."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO
from uuid import uuid4

import pytest
from django.db import IntegrityError, connections, transaction
from django.test import Client

from madoguchi.protocol import EventKind, ProtocolError
from madoguchi.server import clock
from madoguchi.server.accounts.models import Staff
from madoguchi.server.counters.models import Device, Terminal
from madoguchi.server.counters.seed import City, seed_training_city
from madoguchi.server.errors import OfficeError
from madoguchi.server.visits import services
from madoguchi.server.visits.models import Visit, VisitEvent
from server.databases import Fresh
from server.seat import TAG, Seat, ticket
from server.test_rules import copy, sql

CLIENTS, ROUNDS = 8, 20
Call = tuple[Visit, Terminal]
Contest = Callable[[list[Call]], list[str]]

pytestmark = pytest.mark.slow


@pytest.fixture
def hall(fresh: Fresh) -> City:
    """A committed city whose first site has eight terminals that are ready."""
    assert fresh.url
    city = seed_training_city(password="counter-practice-1", payment_until=None)
    site = city.sites[0]
    for number in range(4, CLIENTS + 1):
        Terminal.objects.create(site=site, name=f"端末{number}")
    for terminal in site.terminals.all():
        Device.objects.create(terminal=terminal, public_key=f"key of {terminal.pk}")
    return city


def tickets(city: City, count: int) -> list[Visit]:
    officer = Staff.objects.get(username="officer")
    return [
        services.issue_ticket(
            site=city.sites[0], procedure=city.procedures[1], preflight={"pin_known": "yes"}, staff=officer
        )
        for _ in range(count)
    ]


def setup_round(city: City, contest: str) -> list[Call]:
    """What each of the eight calls."""
    city.sites[0].terminals.update(last_seen=clock.now())
    terminals = list(city.sites[0].terminals.all())
    waiting = tickets(city, CLIENTS if contest == "one terminal" else 1)
    return [
        (waiting[n % len(waiting)], terminals[n] if contest == "one ticket" else terminals[0]) for n in range(CLIENTS)
    ]


def clean_up(city: City) -> None:
    officer = Staff.objects.get(username="officer")
    for visit in Visit.objects.filter(site=city.sites[0], state__in=["waiting", "called"]):
        services.withdraw(visit=visit, staff=officer, reason="次の回")


@contextmanager
def threads(_fresh: Fresh) -> Iterator[Contest]:
    """Eight threads, each with a connection of its own."""
    barrier = threading.Barrier(CLIENTS)
    officer = Staff.objects.get(username="officer")

    def one(call: Call) -> str:
        barrier.wait()
        try:
            services.call(visit=call[0], terminal=call[1], staff=officer)
        except (OfficeError, ProtocolError) as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "won"

    with ThreadPoolExecutor(CLIENTS) as pool:
        yield lambda calls: list(pool.map(one, calls))


def line_of(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


@contextmanager
def processes(fresh: Fresh) -> Iterator[Contest]:
    """Eight processes, as several web processes would be."""
    program = [sys.executable, str(Path(__file__).with_name("contender.py"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    running = [subprocess.Popen(program, text=True, env=fresh.environment, **pipes) for _ in range(CLIENTS)]  # type: ignore[call-overload]

    def contest(calls: list[Call]) -> list[str]:
        moment = time.time() + 0.15
        for process, (visit, terminal) in zip(running, calls, strict=True):
            process.stdin.write(f"{visit.pk} {terminal.pk} officer {moment}\n")
            process.stdin.flush()
        return [line_of(process.stdout) for process in running]

    try:
        assert [line_of(process.stdout) for process in running] == ["ready"] * CLIENTS
        yield contest
    finally:
        for process in running:
            process.stdin.close()
            process.wait(20)
            process.stdout.close()


REASONS = {
    "both": {"TerminalBusy", "TicketTaken"},
    "one terminal": {"TerminalBusy"},
    "one ticket": {"TicketTaken"},
}


@pytest.mark.parametrize("clients", [threads, processes])
def test_eight_at_once_and_one_wins(hall: City, fresh: Fresh, clients: Callable[..., Contest]) -> None:
    leases = {terminal.pk: terminal.lease for terminal in hall.sites[0].terminals.all()}
    with clients(fresh) as race:  # type: ignore[attr-defined]
        for contest in list(REASONS) * ROUNDS:
            calls = setup_round(hall, contest)
            won = one_wins(calls, race(calls), REASONS[contest])
            assert won.terminal_id is not None
            leases[won.terminal_id] += 1
            assert won.lease == leases[won.terminal_id]
            clean_up(hall)
    granted = {terminal.pk: terminal.lease for terminal in hall.sites[0].terminals.all()}
    assert granted == leases, "a refused call takes no lease"


def test_the_database_alone_lets_one_win(hall: City, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the program's own gate asleep: the constraints refuse what it would have let through."""
    monkeypatch.setattr(services, "why_not_ready", lambda *_args, **_words: None)
    with threads(fresh) as race:
        for _ in range(ROUNDS):
            calls = setup_round(hall, "one terminal")
            one_wins(calls, race(calls), {"TerminalBusy"})
            clean_up(hall)


def one_wins(calls: list[Call], answers: list[str], reasons: set[str]) -> Visit:
    assert answers.count("won") == 1, answers
    assert set(answers) - {"won"} <= reasons, answers
    visit, terminal = calls[answers.index("won")]
    visit.refresh_from_db()
    assert (visit.state, visit.terminal_id) == ("called", terminal.pk)
    assert Visit.objects.filter(state="called").count() == 1
    assert visit.events.filter(kind="call").count() == 1
    return visit


def test_eight_receptions_at_once_give_eight_numbers(hall: City) -> None:
    def one(_: int) -> list[int]:
        try:
            return [visit.number for visit in tickets(hall, 5)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLIENTS) as pool:
        numbers = sorted(number for some in pool.map(one, range(CLIENTS)) for number in some)
    assert numbers == list(range(1, CLIENTS * 5 + 1))


def test_a_card_and_a_new_call_at_once(hall: City) -> None:
    """Either the card was first and the visit goes on, or the call was first and the card's message is stale."""
    officer = Staff.objects.get(username="officer")
    seat = Seat(hall.sites[0].terminals.all()[0], Client())
    seat.enrol()
    seen = set()
    for number in range(ROUNDS):
        seat.poll()
        first, second = tickets(hall, 2)
        services.call(visit=first, terminal=seat.terminal, staff=officer)
        seat.poll()
        bind = seat.message(EventKind.BIND_CARD, {"card_tag": TAG})
        barrier = threading.Barrier(2)

        def card(bind: dict[str, object] = bind, barrier: threading.Barrier = barrier) -> str:
            barrier.wait()
            try:
                return str(seat.send(bind)[0]["verdict"])
            finally:
                connections.close_all()

        def staff(first: Visit = first, second: Visit = second, barrier: threading.Barrier = barrier) -> str:
            barrier.wait()
            try:
                services.return_to_queue(visit=first, staff=officer, reason="いない")
                services.call(visit=second, terminal=seat.terminal, staff=officer)
            except (OfficeError, ProtocolError) as refusal:
                return refusal.code
            finally:
                connections.close_all()
            return "called"

        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(card), pool.submit(staff)] if number % 2 else [pool.submit(staff), pool.submit(card)]
            results = {job.result() for job in jobs}
        assert results in ({"accepted", "IllegalTransition"}, {"rejected", "called"}), results
        seen |= results
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, second.state) in (("serving", "waiting"), ("waiting", "called"))
        finish(seat, first)
        clean_up(hall)
    assert seen


def test_a_call_and_a_withdrawal_at_once(hall: City) -> None:
    """Each does all or nothing, both say why; no deadlock, whoever is first."""
    officer = Staff.objects.get(username="officer")
    terminal = hall.sites[0].terminals.all()[0]

    def act(work: Callable[[], object], barrier: threading.Barrier) -> str:
        barrier.wait()
        try:
            work()
        except (OfficeError, ProtocolError) as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "done"

    for _ in range(ROUNDS):
        hall.sites[0].terminals.update(last_seen=clock.now())
        visit = tickets(hall, 1)[0]
        barrier = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            called = pool.submit(act, partial(services.call, visit=visit, terminal=terminal, staff=officer), barrier)
            gone = pool.submit(act, partial(services.withdraw, visit=visit, staff=officer, reason="x"), barrier)
            answers = (called.result(), gone.result())
        visit.refresh_from_db()
        assert answers in (("done", "done"), ("TicketTaken", "done"), ("done", "MovedOn")), answers
        assert visit.state == ("called" if answers[1] == "MovedOn" else "withdrawn")
        clean_up(hall)


def test_a_form_sent_eight_times_at_once_gives_one_ticket(hall: City) -> None:
    officer, key = Staff.objects.get(username="officer"), uuid4()
    barrier = threading.Barrier(CLIENTS)

    def one(_: int) -> str:
        barrier.wait()
        try:
            return services.issue_ticket(
                site=hall.sites[0], procedure=hall.procedures[1], preflight={"a": 1}, staff=officer, key=key
            ).ticket
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert set(pool.map(one, range(CLIENTS))) == {"A-001"}
    assert Visit.objects.get().events.count() == 1
    assert tickets(hall, 1)[0].ticket == "A-002"


def finish(seat: Seat, visit: Visit) -> None:
    if visit.state == "serving":
        seat.end()
        seat.wipe()
        seat.sign()


def test_a_stale_insert_waits_for_the_call_and_is_then_refused(hall: City) -> None:
    """Past every check of the program: raw SQL, while a call that grants the next lease is not committed yet."""
    officer = Staff.objects.get(username="officer")
    seat = Seat(hall.sites[0].terminals.all()[0], Client())
    seat.enrol()
    seat.poll()
    visit = ticket(seat, officer)
    services.call(visit=visit, terminal=seat.terminal, staff=officer)
    seat.poll()
    seat.bind()
    event = VisitEvent.objects.get(kind="bind_card")
    statement, values = copy(event, kind="curtain", seq=90, message_id="stale")
    begun, outcome = threading.Event(), []

    def stale() -> None:
        begun.set()
        try:
            sql(statement, *values)
            outcome.append("written")
        except IntegrityError as error:
            outcome.append(str(error))
        finally:
            connections.close_all()

    writer = threading.Thread(target=stale)
    with transaction.atomic():
        services._grant_lease(seat.terminal)
        writer.start()
        begun.wait()
        writer.join(0.3)
        assert writer.is_alive(), "the write did not wait for the call"
    writer.join(30)
    assert len(outcome) == 1
    assert "event_of_terminal_has_the_lease" in outcome[0]


def test_a_code_enrols_one_machine_of_eight(hall: City) -> None:
    from madoguchi.evidence.keys import public_text
    from madoguchi.server.counters import devices

    terminal = hall.sites[0].terminals.all()[0]
    code = devices.issue_code(terminal=terminal, staff=Staff.objects.get(username="officer"))
    barrier = threading.Barrier(CLIENTS)

    def one(_: int) -> str:
        key = Seat(terminal, Client()).key
        barrier.wait()
        try:
            devices.enrol(code=code, public_key=public_text(key))
        except OfficeError as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "enrolled"

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(one, range(CLIENTS)))
    assert sorted(answers) == ["EnrolmentUsed"] * (CLIENTS - 1) + ["enrolled"]
    assert terminal.devices.filter(revoked_at=None).count() == 1
