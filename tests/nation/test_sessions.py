"""Sessions and challenges of a site."""

import pytest

from madoguchi.nation.card_use import use_card
from madoguchi.nation.challenges import Answer, CardUse, Returned
from madoguchi.nation.errors import (
    CertificateUnknown,
    ChallengeCancelled,
    ChallengeExpired,
    ChallengeUnknown,
    NotLoggedIn,
    ProofInvalid,
    ProofMissing,
    SessionExpired,
)
from nation.town import Town


def test_the_shortcut_continues_a_live_session(any_town: Town) -> None:
    points = any_town.nation.points
    cookie = any_town.login(points, "A")
    assert points.open(cookie).person == "A"
    assert points.me(points.open(cookie).cookie).person == "A"


def test_without_a_live_session_the_shortcut_opens_an_empty_one(town: Town) -> None:
    points = town.nation.points
    for cookie in (None, "", "guessed"):
        session = points.open(cookie)
        assert session.person is None
        assert session.cookie != cookie
        with pytest.raises(NotLoggedIn):
            points.me(session.cookie)


def test_reading_another_card_in_a_live_session_does_not_replace_the_person(any_town: Town) -> None:
    points = any_town.nation.points
    cookie = any_town.login(points, "A")
    assert any_town.login(points, "B", cookie) == cookie
    assert points.me(cookie).person == "A"


def test_a_session_lives_for_an_hour_after_its_last_use(town: Town) -> None:
    points = town.nation.points
    cookie = town.login(points, "A")
    for _ in range(3):
        town.clock.forward(minutes=59)
        assert points.me(cookie).person == "A"
    town.clock.forward(minutes=60)
    with pytest.raises(SessionExpired):
        points.me(cookie)
    assert points.open(cookie).person is None


def test_logging_out_really_ends_the_session(any_town: Town) -> None:
    points = any_town.nation.points
    cookie = any_town.login(points, "A")
    points.logout(cookie)
    with pytest.raises(SessionExpired):
        points.me(cookie)
    assert points.live_sessions() == 0
    points.logout(cookie)


def test_a_cookie_planted_before_login_is_worth_nothing_after_it(town: Town) -> None:
    points = town.nation.points
    planted = points.open(None).cookie
    cookie = town.login(points, "A", planted)
    assert cookie != planted
    with pytest.raises(SessionExpired):
        points.me(planted)


def test_sessions_of_the_two_sites_have_nothing_to_do_with_each_other(town: Town) -> None:
    cookie = town.login(town.nation.points, "A")
    with pytest.raises(SessionExpired):
        town.nation.accounts.me(cookie)


def test_login_needs_a_card_that_stands_for_a_person(town: Town) -> None:
    points = town.nation.points
    town.cards["A"].renew(town.nation.authority, town.clock())  # nobody told the status service
    with pytest.raises(CertificateUnknown):
        town.login(points, "A")
    assert town.reasons == [("certificate_unknown", None)]


def test_a_certificate_alone_does_not_log_in(town: Town) -> None:
    points = town.nation.points
    cookie = points.open(None).cookie
    challenge = points.ask_login(cookie)
    ticket = points.answer(challenge.id, Answer(town.cards["A"].auth_certificate))
    with pytest.raises(ProofMissing):
        points.login(cookie, Returned(challenge.id, ticket))


def test_a_signature_for_another_challenge_does_not_log_in(town: Town) -> None:
    points = town.nation.points
    cookie = points.open(None).cookie
    first, second = points.ask_login(cookie), points.ask_login(cookie)
    town.put("A")
    ticket = points.answer(second.id, use_card(town.reader, first, town.pin("A")))
    with pytest.raises(ProofInvalid):
        points.login(cookie, Returned(second.id, ticket))


def test_a_signature_of_a_card_under_another_certificate_does_not_log_in(town: Town) -> None:
    points = town.nation.points
    cookie = points.open(None).cookie
    challenge = points.ask_login(cookie)
    town.put("A")
    answer = use_card(town.reader, challenge, town.pin("A"))
    forged = Answer(town.cards["B"].auth_certificate, answer.signature)
    with pytest.raises(ProofInvalid):
        points.login(cookie, Returned(challenge.id, points.answer(challenge.id, forged)))


def test_a_challenge_is_answered_once(town: Town) -> None:
    points = town.nation.points
    challenge = points.ask_login(points.open(None).cookie)
    town.answer(points, challenge, "A")
    with pytest.raises(ChallengeUnknown):
        points.fetch(challenge.id)
    with pytest.raises(ChallengeUnknown):
        town.answer(points, challenge, "B")


def test_a_taken_challenge_is_dead(town: Town) -> None:
    points = town.nation.points
    cookie = points.open(None).cookie
    returned = town.answer(points, points.ask_login(cookie), "A")
    points.login(cookie, returned)
    with pytest.raises(SessionExpired):
        points.login(cookie, returned)


def test_a_challenge_taken_in_a_live_session_is_dead_too(town: Town) -> None:
    points = town.nation.points
    cookie = town.login(points, "A")
    returned = town.answer(points, points.ask_login(cookie), "A")
    points.login(cookie, returned)
    with pytest.raises(ChallengeUnknown):
        points.login(cookie, returned)


def test_only_the_browser_that_asked_can_use_the_answer(town: Town) -> None:
    points = town.nation.points
    mine, yours = points.open(None).cookie, points.open(None).cookie
    returned = town.answer(points, points.ask_login(mine), "A")
    with pytest.raises(ChallengeUnknown):
        points.login(yours, returned)
    assert points.login(mine, returned).person == "A"


def test_an_answer_given_in_another_browser_is_worth_nothing(town: Town) -> None:
    """Somebody starts a login and gets the victim to use the card: they have the session, not the ticket."""
    points = town.nation.points
    attacker = points.open(None).cookie
    challenge = points.ask_login(attacker)
    town.answer(points, challenge, "A")
    with pytest.raises(ChallengeUnknown):
        points.login(attacker, Returned(challenge.id, "guessed"))


def test_a_challenge_dies_after_five_minutes_at_every_step(town: Town) -> None:
    points = town.nation.points
    cookie = points.open(None).cookie
    unanswered, answered = points.ask_login(cookie), points.ask_login(cookie)
    returned = town.answer(points, answered, "A")
    town.clock.forward(minutes=5)
    with pytest.raises(ChallengeExpired):
        points.fetch(unanswered.id)
    with pytest.raises(ChallengeExpired):
        points.login(cookie, returned)


def test_giving_up_the_card_read_kills_the_challenge(town: Town) -> None:
    points = town.nation.points
    cookie = points.open(None).cookie
    challenge = points.ask_login(cookie)
    with pytest.raises(ChallengeCancelled):
        points.login(cookie, Returned(challenge.id, ""))
    with pytest.raises(ChallengeUnknown):
        town.answer(points, challenge, "A")


def test_the_answer_to_one_act_serves_no_other(town: Town) -> None:
    accounts = town.nation.accounts
    cookie = town.login(accounts, "A")
    returned = town.answer(accounts, accounts.ask_second_read(cookie), "A")
    with pytest.raises(ChallengeUnknown):
        accounts.login(cookie, returned)


def test_old_challenges_are_forgotten(town: Town) -> None:
    points = town.nation.points
    cookie = points.open(None).cookie
    old = points.ask_login(cookie)
    town.clock.forward(minutes=30)
    points.ask_login(cookie)
    with pytest.raises(ChallengeUnknown):
        points.fetch(old.id)


def test_what_the_challenge_asks_of_the_card(town: Town) -> None:
    points = town.nation.points
    challenge = points.ask_login(points.open(None).cookie)
    assert challenge.use is CardUse.PROVE
    assert challenge.origin == points.origin
    assert ("すること", "ログイン") in challenge.summary
