import threading
from datetime import datetime, timedelta

import pytest

from madoguchi.nation.challenges import Answer, Returned
from madoguchi.nation.errors import (
    ApplicantMismatch,
    ApplicantUnread,
    CertificateNotYetEffective,
    InputMalformed,
    MeansTaken,
    NationError,
    NotLoggedIn,
    OtherCard,
    PaymentServiceUnknown,
    PersonHasService,
    ProgrammeEnded,
    ProofInvalid,
    ProofMissing,
    SessionExpired,
    WrongSecurityCode,
)
from madoguchi.nation.ground import TOKYO, Kind
from madoguchi.nation.points import Application
from madoguchi.nation.world import Behaviour
from nation.town import START, Town


def test_a_person_applies_with_the_own_means(any_town: Town) -> None:
    points = any_town.nation.points
    cookie = any_town.login(points, "A")
    any_town.apply(cookie, "A")
    record = points.own_page(cookie)
    assert record is not None
    assert (record.service, record.masked_id, record.at) == ("架空ペイ", "****0000", START)
    [registration] = any_town.nation.registrations
    assert (registration.kind, registration.of, registration.landed_on) == (Kind.PAYMENT_SERVICE, "A", "A")
    assert any_town.nation.misregistrations == []


def test_one_service_per_person_and_not_changeable(any_town: Town) -> None:
    points = any_town.nation.points
    any_town.nation.payments.issue("A", "架空カード", "SECOND", "1")
    cookie = any_town.login(points, "A")
    any_town.apply(cookie, "A")
    with pytest.raises(PersonHasService):
        points.may_apply(cookie)
    with pytest.raises(PersonHasService):
        points.register(cookie, Application("架空カード", "SECOND", "1"))
    assert any_town.reasons == [("already_registered", "A")] * 2
    assert not any_town.nation.payments.stands("架空カード", "SECOND")


def test_one_person_per_means(any_town: Town) -> None:
    points = any_town.nation.points
    cookie = any_town.login(points, "A")
    any_town.apply(cookie, "A")
    points.logout(cookie)
    other = any_town.login(points, "B")
    challenge = points.ask_register(other, any_town.means("A"))
    returned = None if challenge is None else any_town.answer(points, challenge, "B")
    with pytest.raises(MeansTaken):
        points.register(other, any_town.means("A"), returned)
    assert points.own_page(other) is None
    assert any_town.reasons == [("already_registered", "B")]


def test_the_programme_ends_with_its_last_day_in_japan(town: Town) -> None:
    points = town.nation.points
    town.clock.at = datetime(2023, 9, 30, 23, 30, tzinfo=TOKYO)
    cookie = town.login(points, "A")
    points.may_apply(cookie)
    town.clock.forward(minutes=30)
    with pytest.raises(ProgrammeEnded):
        town.apply(cookie, "A")
    points.programme_end += timedelta(days=1)
    town.apply(cookie, "A")


def test_renewed_yesterday_logs_in_but_cannot_finish_until_the_delay_has_passed(any_town: Town) -> None:
    points = any_town.nation.points
    any_town.nation.renew_certificate("A", any_town.cards["A"])
    any_town.clock.forward(hours=23, minutes=30)
    cookie = any_town.login(points, "A")
    with pytest.raises(CertificateNotYetEffective):
        any_town.apply(cookie, "A")
    assert any_town.reasons == [("certificate_not_yet_effective", "A")]
    any_town.clock.forward(minutes=30)
    any_town.apply(cookie, "A")
    assert any_town.landed == [("A", "A")]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"service": "実在しないペイ"}, PaymentServiceUnknown),
        ({"security_code": "000"}, WrongSecurityCode),
        ({"payment_id": ""}, InputMalformed),
        ({"payment_id": "x" * 33}, InputMalformed),
        ({"security_code": ""}, InputMalformed),
    ],
)
def test_wrong_input_writes_nothing(any_town: Town, change: dict[str, str], error: type[NationError]) -> None:
    points = any_town.nation.points
    cookie = any_town.login(points, "B")
    typed = any_town.means("B")
    wrong = Application(
        **({"service": typed.service, "payment_id": typed.payment_id, "security_code": typed.security_code} | change)
    )
    with pytest.raises(error):
        points.ask_register(cookie, wrong)
    assert points.own_page(cookie) is None
    assert any_town.nation.registrations == []


def test_nobody_applies_without_a_login(any_town: Town) -> None:
    points = any_town.nation.points
    cookie = points.open(None).cookie
    with pytest.raises(NotLoggedIn):
        any_town.apply(cookie, "A")
    with pytest.raises(SessionExpired):
        points.register("guessed", any_town.means("A"))
    assert any_town.nation.registrations == []


# --- the incident and what each behaviour makes of it --------------------------------------------------------------


def test_2022_the_next_persons_means_lands_on_the_person_still_logged_in(town: Town) -> None:
    points = town.nation.points
    left_behind = town.login(points, "A")
    town.clock.forward(minutes=20)
    going_on = town.login(points, "B", left_behind)
    town.apply(going_on, "B")
    assert town.landed == [("B", "A")]
    assert town.nation.misregistrations == town.nation.registrations
    points.logout(going_on)
    own = town.login(points, "B")
    with pytest.raises(MeansTaken):
        town.apply(own, "B")
    back = town.login(points, "A", None)
    with pytest.raises(PersonHasService):
        town.apply(back, "A")
    assert town.reasons == [("already_registered", "B"), ("already_registered", "A")]


def test_2023_the_next_persons_card_is_not_the_one_logged_in(town2023: Town) -> None:
    left_behind = town2023.login(town2023.nation.points, "A")
    with pytest.raises(ApplicantMismatch):
        town2023.apply(left_behind, "B")
    assert town2023.nation.registrations == []
    assert town2023.reasons == [("applicant_mismatch", "A")]


def test_2023_a_card_forgotten_on_the_reader_still_lets_it_happen(town2023: Town) -> None:
    left_behind = town2023.login(town2023.nation.points, "A")
    town2023.apply(left_behind, "B", card="A")
    assert town2023.landed == [("B", "A")]


def test_2023_no_application_without_reading_a_card(town2023: Town) -> None:
    cookie = town2023.login(town2023.nation.points, "A")
    with pytest.raises(ApplicantUnread):
        town2023.nation.points.register(cookie, town2023.means("A"))


def test_proof_the_next_persons_card_signs_in_vain(proof_town: Town) -> None:
    left_behind = proof_town.login(proof_town.nation.points, "A")
    with pytest.raises(OtherCard):
        proof_town.apply(left_behind, "B")
    assert proof_town.nation.registrations == []
    assert proof_town.reasons == [("other_card", "A")]


def test_proof_nothing_is_written_without_a_signature(proof_town: Town) -> None:
    points = proof_town.nation.points
    cookie = proof_town.login(points, "A")
    with pytest.raises(ProofMissing):
        points.register(cookie, proof_town.means("A"))
    challenge = points.ask_register(cookie, proof_town.means("A"))
    assert challenge is not None
    unsigned = points.answer(challenge.id, Answer(proof_town.cards["A"].auth_certificate))
    with pytest.raises(ProofMissing):
        points.register(cookie, proof_town.means("A"), Returned(challenge.id, unsigned))
    assert proof_town.nation.registrations == []


@pytest.mark.parametrize("behaviour", [Behaviour.Y2023, Behaviour.PROOF])
def test_what_was_confirmed_at_the_card_is_what_is_written(behaviour: Behaviour) -> None:
    """A's card confirmed A's means; then somebody typed B's in another window of the same session."""
    town = Town(behaviour)
    points = town.nation.points
    cookie = town.login(points, "A")
    challenge = points.ask_register(cookie, town.means("A"))
    assert challenge is not None
    returned = town.answer(points, challenge, "A")
    with pytest.raises(ProofInvalid):
        points.register(cookie, town.means("B"), returned)
    assert town.nation.registrations == []


def test_proof_is_asked_for_each_write_anew(proof_town: Town) -> None:
    points = proof_town.nation.points
    cookie = proof_town.login(points, "A")
    challenge = points.ask_register(cookie, proof_town.means("A"))
    assert challenge is not None
    returned = proof_town.answer(points, challenge, "A")
    points.register(cookie, proof_town.means("A"), returned)
    points.delete("A")
    with pytest.raises(NationError):
        points.register(cookie, proof_town.means("A"), returned)
    assert proof_town.landed == [("A", "A")]


def test_proof_a_card_renewed_since_login_is_another_card(proof_town: Town) -> None:
    points = proof_town.nation.points
    points_cookie = proof_town.login(points, "A")
    challenge = points.ask_register(points_cookie, proof_town.means("A"))
    assert challenge is not None
    proof_town.cards["A"].renew(proof_town.nation.authority, proof_town.clock())
    returned = proof_town.answer(points, challenge, "A")
    with pytest.raises(OtherCard):
        points.register(points_cookie, proof_town.means("A"), returned)


def test_a_refusal_after_the_card_read_leaves_nothing_half_done(any_town: Town) -> None:
    points = any_town.nation.points
    cookie = any_town.login(points, "B")
    challenge = points.ask_register(cookie, any_town.means("B"))
    returned = None if challenge is None else any_town.answer(points, challenge, "B")
    any_town.nation.payments.fault_down()
    with pytest.raises(NationError):
        points.register(cookie, any_town.means("B"), returned)
    any_town.nation.clear_faults()
    assert points.own_page(cookie) is None
    typed = any_town.means("B")
    assert not any_town.nation.payments.stands(typed.service, typed.payment_id)
    any_town.apply(cookie, "B")
    assert any_town.landed == [("B", "B")]


def test_what_was_typed_is_forgotten_once_it_is_written(town: Town) -> None:
    points = town.nation.points
    cookie = town.login(points, "A")
    points.keep(cookie, service="架空ペイ", security_code="900")
    town.apply(cookie, "A")
    assert points.me(cookie).draft == {}


def test_deleting_frees_person_and_means_but_what_happened_stays(town: Town) -> None:
    points = town.nation.points
    cookie = town.login(points, "A")
    town.apply(cookie, "B")
    points.delete("A")
    town.apply(cookie, "A")
    town.apply(town.login(points, "B"), "B")
    assert town.landed == [("B", "A"), ("A", "A"), ("B", "B")]


def test_many_threads_at_once_one_means_lands_once() -> None:
    town = Town()
    points = town.nation.points
    cookies = [town.login(points, letter) for letter in "ABCD"] * 4
    barrier, refused = threading.Barrier(len(cookies)), []

    def try_it(cookie: str) -> None:
        barrier.wait()
        try:
            points.register(cookie, town.means("B"))
        except NationError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=try_it, args=(cookie,)) for cookie in cookies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(town.nation.registrations) == 1
    assert refused == ["already_registered"] * (len(cookies) - 1)


def test_the_behaviour_can_be_switched_while_people_are_at_it(town: Town) -> None:
    points = town.nation.points
    cookie = town.login(points, "A")
    town.nation.behaviour = Behaviour.PROOF
    with pytest.raises(ProofMissing):
        points.register(cookie, town.means("B"))
    town.nation.behaviour = Behaviour.Y2022
    points.register(cookie, town.means("B"))
    assert town.landed == [("B", "A")]


def test_many_windows_at_once_one_service_per_person() -> None:
    """The clock gives way to other threads at every look, between check and write: only the lock helps."""
    town = Town()
    points = town.nation.points
    cookie = town.login(points, "A")
    codes = [f"M{number}" for number in range(8)]
    for code in codes:
        town.nation.payments.issue("A", "架空カード", code, "1")
    town.clock.lag = 0.001
    barrier, refused = threading.Barrier(len(codes)), []

    def try_it(code: str) -> None:
        barrier.wait()
        try:
            points.register(cookie, Application("架空カード", code, "1"))
        except NationError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=try_it, args=(code,)) for code in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(town.nation.registrations) == 1
    assert refused == ["already_registered"] * (len(codes) - 1)
    assert sum(town.nation.payments.stands("架空カード", code) for code in codes) == 1
