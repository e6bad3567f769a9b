"""総務省コールセンター and デジタル庁, and the seed's correction path through them."""

import pytest

from madoguchi.nation.accounts import Write
from madoguchi.nation.desks import Desk, RequestState
from madoguchi.nation.errors import PersonUnknown, RequestClosed, RequestUnknown, SiteDown
from nation.town import KANA, START, Town


def wrong_service(town: Town) -> None:
    town.apply(town.login(town.nation.points, "A"), "B")


def wrong_account(town: Town) -> None:
    town.register(town.login(town.nation.accounts, "C"), "D")


def test_the_call_centre_says_which_registration_stands(town: Town) -> None:
    wrong_service(town)
    wrong_account(town)
    soumu, typed = town.nation.soumu, town.means("B")
    assert soumu.service_stands(typed.service, typed.payment_id)
    assert soumu.which_service("B") is None
    service = soumu.which_service("A")
    assert service is not None
    assert service.payment_id == typed.payment_id
    current = soumu.which_account("C").current
    assert current is not None
    assert current.account == town.account("D")


def test_case_1_is_put_right(town: Town) -> None:
    wrong_service(town)
    request = town.nation.soumu.ask_delete_service("A")
    assert request.state is RequestState.RECEIVED
    [done] = town.nation.soumu.work()
    assert (done.id, done.state, done.closed_at) == (request.id, RequestState.DONE, START)
    for letter in "AB":
        town.apply(town.login(town.nation.points, letter), letter)
    assert town.landed == [("B", "A"), ("A", "A"), ("B", "B")]


def test_case_2_is_put_right_with_its_long_tail(town: Town) -> None:
    nation = town.nation
    wrong_account(town)
    town.clock.forward(days=1)
    nation.soumu.ask_correct_account("C", town.account("C"), KANA["C"])
    nation.soumu.work()
    town.clock.forward(days=2)
    town.register(town.login(nation.accounts, "D"), "D")
    request = nation.digital.ask_delete_history("C", 1)
    town.clock.forward(days=12)
    assert nation.digital.work() == []
    assert nation.digital.get(request.id).state is RequestState.ACTING
    assert len(nation.accounts.standing("C").history) == 2
    town.clock.forward(days=1)
    [notice] = nation.digital.work()
    assert nation.digital.notices() == [notice]
    assert notice.state is RequestState.DONE
    assert [entry.account for entry in nation.accounts.standing("C").history] == [town.account("C")]
    assert town.landed == [("D", "C"), ("C", "C"), ("D", "D")]


def test_c_may_also_correct_the_own_account_on_the_site(town: Town) -> None:
    wrong_account(town)
    town.register(town.login(town.nation.accounts, "C"), "C", write=Write.CHANGE)
    assert town.landed == [("D", "C"), ("C", "C")]


def test_what_cannot_be_done_is_reported_back_with_the_reason(town: Town) -> None:
    wrong_account(town)
    soumu, digital = town.nation.soumu, town.nation.digital
    nothing = soumu.finish(soumu.ask_delete_service("A").id)
    in_use = digital.finish(digital.ask_delete_history("C", 1).id)
    unknown = digital.finish(digital.ask_delete_history("D", 1).id)
    assert [(r.state, r.reason) for r in (nothing, in_use, unknown)] == [
        (RequestState.REFUSED, "nothing_registered"),
        (RequestState.REFUSED, "history_entry_in_use"),
        (RequestState.REFUSED, "history_entry_unknown"),
    ]


def test_requests_about_nobody_are_not_taken(town: Town) -> None:
    with pytest.raises(PersonUnknown):
        town.nation.soumu.ask_delete_service("X")
    with pytest.raises(PersonUnknown):
        town.nation.soumu.which_service("X")
    assert town.nation.soumu.requests() == []


def test_a_closed_request_is_never_acted_on_again(town: Town) -> None:
    wrong_service(town)
    soumu = town.nation.soumu
    request = soumu.ask_delete_service("A")
    soumu.begin(request.id)
    soumu.finish(request.id)
    town.apply(town.login(town.nation.points, "A"), "A")
    for act in (soumu.begin, soumu.finish, lambda i: soumu.refuse(i, "")):
        with pytest.raises(RequestClosed):
            act(request.id)
    assert soumu.work() == []
    assert soumu.which_service("A") is not None


def test_a_desk_can_refuse_by_hand(town: Town) -> None:
    wrong_service(town)
    soumu = town.nation.soumu
    refused = soumu.refuse(soumu.ask_delete_service("A").id, "本人の確認がない")
    assert (refused.state, refused.reason) == (RequestState.REFUSED, "本人の確認がない")
    assert soumu.which_service("A") is not None


def test_fault_slow(town: Town) -> None:
    wrong_service(town)
    soumu = town.nation.soumu
    soumu.fault_slow(2)
    soumu.ask_delete_service("A")
    soumu.clear_faults()
    assert soumu.work() == []
    town.clock.forward(days=2)
    assert len(soumu.work()) == 1


def test_fault_refuse(town: Town) -> None:
    wrong_service(town)
    soumu = town.nation.soumu
    soumu.fault_refuse("対象外")
    refused = soumu.finish(soumu.ask_delete_service("A").id)
    assert (refused.state, refused.reason) == (RequestState.REFUSED, "対象外")
    soumu.clear_faults()
    assert soumu.finish(soumu.ask_delete_service("A").id).state is RequestState.DONE


def test_fault_lose_acknowledges_and_forgets(town: Town) -> None:
    wrong_service(town)
    soumu = town.nation.soumu
    soumu.fault_lose()
    lost = soumu.ask_delete_service("A")
    assert lost.state is RequestState.RECEIVED
    with pytest.raises(RequestUnknown):
        soumu.get(lost.id)
    soumu.clear_faults()
    again = soumu.ask_delete_service("A")
    assert again.id != lost.id
    assert soumu.work() == [soumu.get(again.id)]


@pytest.mark.parametrize("name", ["soumu", "digital"])
def test_fault_down(town: Town, name: str) -> None:
    desk: Desk = getattr(town.nation, name)
    desk.fault_down()
    with pytest.raises(SiteDown):
        desk.requests()
    town.nation.clear_faults()
    assert desk.requests() == []


def test_no_full_account_number_stands_in_a_request(town: Town) -> None:
    request = town.nation.soumu.ask_correct_account("C", town.account("C"), KANA["C"])
    assert town.account("C").number not in repr(request)
    assert "****123" in request.what
