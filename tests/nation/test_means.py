"""Payment companies and banks."""

import pytest

from madoguchi.nation.bank import Account, AccountKind
from madoguchi.nation.errors import (
    AccountNotFound,
    AlreadyRegistered,
    PaymentIdUnknown,
    PaymentServiceUnknown,
    SiteDown,
    WrongSecurityCode,
)
from nation.town import Town


def test_the_company_knows_whose_means_it_is(town: Town) -> None:
    typed = town.means("B")
    assert town.nation.payments.verify(typed.service, typed.payment_id, typed.security_code).owner == "B"


@pytest.mark.parametrize(
    ("service", "payment_id", "code", "error"),
    [
        ("実在しないペイ", "KAKU-B-0001", "901", PaymentServiceUnknown),
        ("架空カード", "KAKU-B-9999", "901", PaymentIdUnknown),
        ("架空ペイ", "KAKU-B-0001", "901", PaymentIdUnknown),
        ("架空カード", "KAKU-B-0001", "902", WrongSecurityCode),
        ("架空カード", "KAKU-B-0001", "", WrongSecurityCode),
        ("架空カード", "KAKU-B-0001", "九〇一", WrongSecurityCode),
    ],
)
def test_a_means_is_refused_with_its_own_reason(
    town: Town, service: str, payment_id: str, code: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        town.nation.payments.verify(service, payment_id, code)


def test_a_means_is_taken_once_until_it_is_released(town: Town) -> None:
    payments, typed = town.nation.payments, town.means("B")
    means = payments.verify(typed.service, typed.payment_id, typed.security_code)
    assert not payments.stands(typed.service, typed.payment_id)
    payments.take(means, "A")
    assert payments.stands(typed.service, typed.payment_id)
    with pytest.raises(AlreadyRegistered):
        payments.take(means, "B")
    payments.release(typed.service, typed.payment_id)
    payments.take(means, "B")


def test_no_means_is_issued_by_a_company_that_is_not_there(town: Town) -> None:
    with pytest.raises(PaymentServiceUnknown):
        town.nation.payments.issue("A", "実在しないペイ", "1", "1")


def test_codes_stay_out_of_representations(town: Town) -> None:
    typed = town.means("B")
    means = town.nation.payments.verify(typed.service, typed.payment_id, typed.security_code)
    assert typed.security_code not in repr(typed)
    assert typed.security_code not in repr(means)


def test_the_bank_says_whether_an_account_exists_and_to_no_site_whose_it_is(town: Town) -> None:
    bank = town.nation.bank
    assert bank.exists(town.account("C"))
    assert not bank.exists(Account("9901", "101", AccountKind.ORDINARY, "9999999"))
    assert not bank.exists(Account("9901", "101", AccountKind.CURRENT, town.account("C").number))
    assert bank.owner(town.account("C")) == "C"


@pytest.mark.parametrize(("bank", "branch"), [("1234", "101"), ("9901", "201")])
def test_no_account_without_its_bank_and_branch(town: Town, bank: str, branch: str) -> None:
    with pytest.raises(AccountNotFound):
        town.nation.bank.open_account("A", Account(bank, branch, AccountKind.ORDINARY, "1234567"))


def test_an_account_is_shown_masked_and_in_full_only_to_be_confirmed(town: Town) -> None:
    bank, account = town.nation.bank, town.account("C")
    assert bank.label(account, masked=True) == "架空銀行 本店 普通 ****123"
    assert bank.label(account, masked=False) == "架空銀行 本店 普通 3000123"


def test_companies_and_banks_can_be_down(town: Town) -> None:
    town.nation.payments.fault_down()
    town.nation.bank.fault_down()
    with pytest.raises(SiteDown):
        town.nation.payments.stands("架空ペイ", "1")
    with pytest.raises(SiteDown):
        town.nation.bank.exists(town.account("A"))
    town.nation.clear_faults()
    assert town.nation.bank.exists(town.account("A"))
