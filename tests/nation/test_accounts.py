from dataclasses import replace
from datetime import timedelta

import pytest

from madoguchi.card import Attributes, Sex
from madoguchi.nation.accounts import AccountApplication, Write, normal_kana, normal_number
from madoguchi.nation.bank import Account, AccountKind
from madoguchi.nation.card_use import use_card
from madoguchi.nation.challenges import Answer, Returned
from madoguchi.nation.errors import (
    AccountNotFound,
    CertificateNotYetEffective,
    ConsentMissing,
    HistoryEntryInUse,
    HistoryEntryUnknown,
    InputMalformed,
    NationError,
    NothingRegistered,
    OtherCard,
    PersonHasAccount,
    ProofInvalid,
    ProofMissing,
    SecondReadMismatch,
    SecondReadMissing,
)
from madoguchi.nation.ground import Kind
from madoguchi.nation.world import Behaviour
from nation.town import KANA, NAMES, START, Town

WRITES = [Write.REGISTER, Write.CHANGE, Write.DELETE]


def test_a_person_registers_the_own_account(any_town: Town) -> None:
    accounts = any_town.nation.accounts
    cookie = any_town.login(accounts, "C")
    any_town.register(cookie, "C")
    page = accounts.own_page(cookie)
    assert page.current is not None
    assert (page.current.account, page.current.name, page.current.kana) == (
        any_town.account("C"),
        NAMES["C"],
        KANA["C"],
    )
    [registration] = any_town.nation.registrations
    assert (registration.kind, registration.of, registration.landed_on) == (Kind.PUBLIC_MONEY_ACCOUNT, "C", "C")


def test_it_takes_days_until_it_is_shown_as_registered_but_blocks_at_once(town: Town) -> None:
    accounts = town.nation.accounts
    cookie = town.login(accounts, "C")
    town.register(cookie, "C")
    assert accounts.own_page(cookie).processing
    with pytest.raises(PersonHasAccount):
        accounts.may_register(cookie)
    town.clock.forward(days=3)
    assert not accounts.own_page(town.login(accounts, "C")).processing


def test_the_second_read_fills_the_name(town: Town) -> None:
    accounts = town.nation.accounts
    cookie = town.login(accounts, "C")
    town.read_face(cookie, "C")
    assert accounts.me(cookie).draft["face"].name == NAMES["C"]


def test_without_second_read_or_consent_nothing_is_registered(any_town: Town) -> None:
    accounts = any_town.nation.accounts
    cookie = any_town.login(accounts, "C")
    with pytest.raises(SecondReadMissing):
        accounts.write(cookie, Write.REGISTER, any_town.typed("C"))
    any_town.read_face(cookie, "C")
    with pytest.raises(ConsentMissing):
        accounts.write(cookie, Write.REGISTER, replace(any_town.typed("C"), consent=False))
    with pytest.raises(ConsentMissing):
        accounts.write(cookie, Write.REGISTER, None)
    assert any_town.nation.registrations == []


def test_a_second_read_without_the_face_is_none(town: Town) -> None:
    accounts = town.nation.accounts
    cookie = town.login(accounts, "C")
    challenge = accounts.ask_second_read(cookie)
    ticket = accounts.answer(challenge.id, Answer(town.cards["C"].auth_certificate))
    with pytest.raises(SecondReadMissing):
        accounts.second_read(cookie, Returned(challenge.id, ticket))


def test_the_bank_is_asked_whether_the_account_exists_not_whose_it_is(town: Town) -> None:
    cookie = town.login(town.nation.accounts, "C")
    town.read_face(cookie, "C")
    missing = Account("9901", "101", AccountKind.ORDINARY, "9999999")
    with pytest.raises(AccountNotFound):
        town.nation.accounts.write(cookie, Write.REGISTER, AccountApplication(missing, KANA["C"], consent=True))
    town.write(cookie, Write.REGISTER, town.typed("D"), "C")
    assert town.landed == [("D", "C")]


@pytest.mark.parametrize(
    ("kana", "number", "field"),
    [
        ("架空 三枝", "3000123", "kana"),
        ("", "3000123", "kana"),
        ("カクウ  ミエ", "3000123", "kana"),
        ("カクウ ミエ", "300012", "number"),
        ("カクウ ミエ", "30001234", "number"),
        ("カクウ ミエ", "\uff13000123", "number"),
        ("カクウ ミエ", "300012a", "number"),
    ],
)
def test_malformed_input_names_the_field(town: Town, kana: str, number: str, field: str) -> None:
    cookie = town.login(town.nation.accounts, "C")
    town.read_face(cookie, "C")
    typed = AccountApplication(Account("9901", "101", AccountKind.ORDINARY, number), kana, consent=True)
    with pytest.raises(InputMalformed) as caught:
        town.nation.accounts.write(cookie, Write.REGISTER, typed)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "typed", ["カクウ ミエ", "かくう みえ", "カクウ\u3000ミエ", "\uff76\uff78\uff73 \uff90\uff74", " カクウ   ミエ "]
)
def test_whatever_kana_is_typed_becomes_one_form(typed: str) -> None:
    assert normal_kana(typed) == "カクウ ミエ"


def test_full_width_digits_are_digits() -> None:
    assert normal_number("\uff11\uff12\uff13\uff14567") == "1234567"


def test_one_account_per_person(any_town: Town) -> None:
    accounts = any_town.nation.accounts
    cookie = any_town.login(accounts, "C")
    any_town.register(cookie, "C")
    with pytest.raises(PersonHasAccount):
        any_town.register(cookie, "C")
    assert len(any_town.nation.registrations) == 1
    assert any_town.reasons == [("already_registered", "C")]


def test_change_and_delete_leave_a_history(any_town: Town) -> None:
    accounts = any_town.nation.accounts
    other = any_town.nation.bank.open_account("C", Account("9902", "201", AccountKind.SAVINGS, "7654321"))
    cookie = any_town.login(accounts, "C")
    any_town.register(cookie, "C")
    any_town.read_face(cookie, "C")
    any_town.write(cookie, Write.CHANGE, AccountApplication(other, KANA["C"], consent=True), "C")
    any_town.write(cookie, Write.DELETE, None, "C")
    page = accounts.own_page(cookie)
    assert page.current is None
    assert [(entry.number, entry.account) for entry in page.history] == [(1, any_town.account("C")), (2, other)]
    any_town.register(cookie, "C")
    assert [entry.number for entry in accounts.own_page(cookie).history] == [1, 2, 3]


def test_there_must_be_something_to_change_or_delete(any_town: Town) -> None:
    accounts = any_town.nation.accounts
    cookie = any_town.login(accounts, "C")
    any_town.read_face(cookie, "C")
    with pytest.raises(NothingRegistered):
        accounts.may_change(cookie)
    for write, typed in ((Write.CHANGE, any_town.typed("C")), (Write.DELETE, None)):
        with pytest.raises(NothingRegistered):
            accounts.write(cookie, write, typed)


def test_a_new_certificate_is_not_known_here_for_a_while_either(town: Town) -> None:
    town.nation.renew_certificate("C", town.cards["C"])
    cookie = town.login(town.nation.accounts, "C")
    with pytest.raises(CertificateNotYetEffective):
        town.register(cookie, "C")
    town.clock.forward(minutes=59)
    with pytest.raises(CertificateNotYetEffective):
        town.register(cookie, "C")
    town.clock.forward(minutes=1)
    town.register(cookie, "C")


# --- the incident and what each behaviour makes of it --------------------------------------------------------------


def test_2022_the_next_persons_account_lands_on_the_person_still_logged_in(town: Town) -> None:
    accounts = town.nation.accounts
    left_behind = town.login(accounts, "C")
    town.clock.forward(minutes=30)
    going_on = town.login(accounts, "D", left_behind)
    town.register(going_on, "D")
    assert town.landed == [("D", "C")]
    current = accounts.standing("C").current
    assert current is not None
    assert (current.name, current.kana, current.account) == (NAMES["D"], KANA["D"], town.account("D"))
    assert town.nation.refusals == [], "nobody noticed"
    town.clock.forward(days=1)
    with pytest.raises(PersonHasAccount):
        accounts.may_register(town.login(accounts, "C"))


@pytest.mark.parametrize("behaviour", [Behaviour.Y2023, Behaviour.PROOF])
def test_later_the_second_read_is_compared_with_the_person_logged_in(behaviour: Behaviour) -> None:
    town = Town(behaviour)
    left_behind = town.login(town.nation.accounts, "C")
    with pytest.raises(SecondReadMismatch):
        town.register(left_behind, "D")
    assert town.nation.registrations == []
    assert town.reasons == [("second_read_mismatch", "C")]


@pytest.mark.parametrize("behaviour", [Behaviour.Y2023, Behaviour.PROOF])
def test_a_mismatched_second_read_also_voids_the_one_before_it(behaviour: Behaviour) -> None:
    """C had read the own card and left; D's is refused: D cannot go on under C's earlier read."""
    town = Town(behaviour)
    accounts = town.nation.accounts
    left_behind = town.login(accounts, "C")
    town.read_face(left_behind, "C")
    with pytest.raises(SecondReadMismatch):
        town.read_face(left_behind, "D")
    with pytest.raises(SecondReadMissing):
        accounts.write(left_behind, Write.REGISTER, town.typed("D"))
    assert town.nation.registrations == []


def test_2023_someone_who_goes_on_after_the_second_read_is_not_stopped(town2023: Town) -> None:
    accounts = town2023.nation.accounts
    left_behind = town2023.login(accounts, "C")
    town2023.read_face(left_behind, "C")
    town2023.write(left_behind, Write.REGISTER, town2023.typed("D"), "D")
    assert town2023.landed == [("D", "C")]


def test_proof_someone_who_goes_on_after_the_second_read_is_stopped(proof_town: Town) -> None:
    accounts = proof_town.nation.accounts
    left_behind = proof_town.login(accounts, "C")
    proof_town.read_face(left_behind, "C")
    with pytest.raises(OtherCard):
        proof_town.write(left_behind, Write.REGISTER, proof_town.typed("D"), "D")
    assert proof_town.nation.registrations == []
    assert proof_town.reasons == [("other_card", "C")]


def test_the_certificate_and_the_face_of_the_second_read_must_both_be_the_persons(town2023: Town) -> None:
    accounts = town2023.nation.accounts
    cookie = town2023.login(accounts, "C")
    holder = town2023.nation.people["C"]
    face_of_c = Attributes(holder.name, holder.address, holder.birth, Sex.UNKNOWN)
    namesake = replace(face_of_c, birth=holder.birth + timedelta(days=1))
    for card, face in (("D", face_of_c), ("C", namesake), ("C", replace(face_of_c, name=NAMES["D"]))):
        challenge = accounts.ask_second_read(cookie)
        ticket = accounts.answer(challenge.id, Answer(town2023.cards[card].auth_certificate, attributes=face))
        with pytest.raises(SecondReadMismatch):
            accounts.second_read(cookie, Returned(challenge.id, ticket))


@pytest.mark.parametrize("write", WRITES)
def test_proof_every_write_needs_the_pinned_card(proof_town: Town, write: Write) -> None:
    accounts = proof_town.nation.accounts
    cookie = proof_town.login(accounts, "C")
    if write is not Write.REGISTER:
        proof_town.register(cookie, "C")
    done = proof_town.landed
    before = accounts.standing("C")
    proof_town.read_face(cookie, "C")
    typed = None if write is Write.DELETE else proof_town.typed("D")
    with pytest.raises(ProofMissing):
        accounts.write(cookie, write, typed)
    with pytest.raises(OtherCard):
        proof_town.write(cookie, write, typed, "D")
    assert accounts.standing("C") == before
    assert proof_town.landed == done
    proof_town.write(cookie, write, typed, "C")
    assert accounts.standing("C") != before


def test_proof_the_signature_covers_account_kana_and_act(proof_town: Town) -> None:
    accounts = proof_town.nation.accounts
    cookie = proof_town.login(accounts, "C")
    proof_town.read_face(cookie, "C")
    signed = proof_town.typed("C")
    for written in (proof_town.typed("D"), replace(signed, kana="カクウ サブロウ")):
        challenge = accounts.ask_write(cookie, Write.REGISTER, signed)
        assert challenge is not None
        returned = proof_town.answer(accounts, challenge, "C")
        with pytest.raises(ProofInvalid):
            accounts.write(cookie, Write.REGISTER, written, returned)
    challenge = accounts.ask_write(cookie, Write.REGISTER, signed)
    assert challenge is not None
    returned = proof_town.answer(accounts, challenge, "C")
    proof_town.write(cookie, Write.REGISTER, signed, "C")
    with pytest.raises(NationError):
        accounts.write(cookie, Write.CHANGE, signed, returned)
    assert len(proof_town.nation.registrations) == 1


def test_proof_a_signature_of_the_other_site_is_worth_nothing(proof_town: Town) -> None:
    points, accounts = proof_town.nation.points, proof_town.nation.accounts
    points_cookie, cookie = proof_town.login(points, "C"), proof_town.login(accounts, "C")
    proof_town.read_face(cookie, "C")
    elsewhere = points.ask_register(points_cookie, proof_town.means("C"))
    here = accounts.ask_write(cookie, Write.REGISTER, proof_town.typed("C"))
    assert elsewhere is not None
    assert here is not None
    proof_town.put("C")
    ticket = accounts.answer(here.id, use_card(proof_town.reader, elsewhere, proof_town.pin("C")))
    with pytest.raises(ProofInvalid):
        accounts.write(cookie, Write.REGISTER, proof_town.typed("C"), Returned(here.id, ticket))


# --- doors of the desks --------------------------------------------------------------------------------------------


def test_a_correction_replaces_the_account_and_keeps_the_wrong_one_in_the_history(town: Town) -> None:
    accounts = town.nation.accounts
    town.register(town.login(accounts, "C"), "D")
    entry = accounts.correct("C", town.account("C"), KANA["C"])
    page = accounts.standing("C")
    assert page.current == entry
    assert (entry.name, entry.kana, entry.at) == (NAMES["C"], KANA["C"], START)
    assert [old.account for old in page.history] == [town.account("D"), town.account("C")]
    assert town.landed == [("D", "C"), ("C", "C")]


def test_nothing_to_correct_and_no_such_account(town: Town) -> None:
    accounts = town.nation.accounts
    with pytest.raises(NothingRegistered):
        accounts.correct("C", town.account("C"), KANA["C"])
    town.register(town.login(accounts, "C"), "D")
    with pytest.raises(AccountNotFound):
        accounts.correct("C", Account("9901", "101", AccountKind.ORDINARY, "0000000"), KANA["C"])
    current = accounts.standing("C").current
    assert current is not None
    assert current.account == town.account("D")


def test_only_past_entries_leave_the_history(town: Town) -> None:
    accounts = town.nation.accounts
    town.register(town.login(accounts, "C"), "D")
    with pytest.raises(HistoryEntryInUse):
        accounts.erase_history("C", 1)
    accounts.correct("C", town.account("C"), KANA["C"])
    with pytest.raises(HistoryEntryUnknown):
        accounts.erase_history("C", 7)
    accounts.erase_history("C", 1)
    assert [entry.number for entry in accounts.standing("C").history] == [2]
    with pytest.raises(HistoryEntryUnknown):
        accounts.erase_history("C", 1)
    assert town.landed == [("D", "C"), ("C", "C")]
