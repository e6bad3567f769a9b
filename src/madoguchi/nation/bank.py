"""架空の銀行: made-up banks, branches and accounts.

Rules:
1. An account is named by bank, branch, kind and number.
2. The registry asks whether such an account exists, never whose it is (as the real check did).
3. The bank knows whose it is; `owner` is for the observer's list of what really happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from madoguchi.nation.errors import AccountNotFound
from madoguchi.nation.faults import Faults
from madoguchi.nation.ground import Ground, operation


class AccountKind(StrEnum):
    """預金種目. The values are the words on screens."""

    ORDINARY = "普通"
    CURRENT = "当座"
    SAVINGS = "貯蓄"


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account: bank code 4 digits, branch code 3 digits, number 7 digits."""

    bank: str
    branch: str
    kind: AccountKind
    number: str

    @property
    def masked(self) -> str:
        """The number as own pages show it: the last three digits."""
        return "****" + self.number[-3:]


@dataclass(frozen=True, slots=True)
class Bank:
    """A made-up bank: its name, and its branches by code."""

    name: str
    branches: Mapping[str, str]


DEFAULT_BANKS: Mapping[str, Bank] = {
    "9901": Bank("架空銀行", {"101": "本店", "102": "駅前支店", "103": "城下支店"}),
    "9902": Bank("架空みらい信用金庫", {"201": "本店", "202": "北支店"}),
    "9903": Bank("架空農業協同組合", {"301": "本所", "302": "東支所"}),
}


class Banks:
    """All made-up banks in one object. `banks`: by code, editable."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.faults = Faults(sleep=ground.sleep)
        self.banks: dict[str, Bank] = dict(DEFAULT_BANKS)
        self._accounts: dict[Account, str] = {}

    def open_account(self, owner: str, account: Account) -> Account:
        """A person opens an account. Raises `AccountNotFound` for a bank or branch that is not there."""
        with self.ground.lock:
            if account.bank not in self.banks or account.branch not in self.banks[account.bank].branches:
                raise AccountNotFound
            self._accounts[account] = owner
            return account

    @operation
    def exists(self, account: Account) -> bool:
        """Whether there is such an account."""
        return account in self._accounts

    def owner(self, account: Account) -> str:
        """Whose account it is: for the observer only, never for a site. Raises `AccountNotFound`."""
        with self.ground.lock:
            try:
                return self._accounts[account]
            except KeyError as error:
                raise AccountNotFound from error

    def label(self, account: Account, *, masked: bool) -> str:
        """「架空銀行 本店 普通 ****567」, or with the whole number where it is to be confirmed."""
        number = account.masked if masked else account.number
        bank = self.banks.get(account.bank, Bank(account.bank, {}))
        branch = bank.branches.get(account.branch, account.branch)
        return f"{bank.name} {branch} {account.kind} {number}"

    def fault_down(self) -> None:
        """The banks do not answer until `clear_faults`."""
        self.faults.down = True

    def clear_faults(self) -> None:
        """Everything works again."""
        self.faults.clear()
