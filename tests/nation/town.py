"""A small made-up town for the tests: four people with cards, means and accounts, and a clock that stands still."""

import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from madoguchi.card import CertificateAuthority, Holder, KeyKind, MemoryReader, Pins, Sex, VirtualCard, practice_keys
from madoguchi.nation.accounts import AccountApplication, Write
from madoguchi.nation.bank import Account, AccountKind
from madoguchi.nation.card_use import use_card
from madoguchi.nation.challenges import CardUse, Challenge, Returned
from madoguchi.nation.ground import TOKYO
from madoguchi.nation.points import Application
from madoguchi.nation.site import Site
from madoguchi.nation.world import Behaviour, Nation

START = datetime(2022, 8, 17, 9, 0, tzinfo=TOKYO)
LETTERS = "ABCD"
NAMES = {"A": "架空 一郎", "B": "見本 花子", "C": "架空 三枝", "D": "例示 四郎"}
KANA = {"A": "カクウ イチロウ", "B": "ミホン ハナコ", "C": "カクウ ミエ", "D": "レイジ シロウ"}


@dataclass
class Clock:
    """A clock that only the test moves. `lag`: seconds for which each look gives way to other threads."""

    at: datetime = START
    lag: float = 0.0

    def __call__(self) -> datetime:
        if self.lag:
            time.sleep(self.lag)
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class Town:
    """The nation and what its people hold in their hands."""

    behaviour: Behaviour = Behaviour.Y2022
    clock: Clock = field(default_factory=Clock)
    slept: list[float] = field(default_factory=list)
    reader: MemoryReader = field(default_factory=lambda: MemoryReader("読み取り機(試験)"))

    def __post_init__(self) -> None:
        issued = self.clock() - timedelta(days=300)
        authority = CertificateAuthority.create(issued)
        self.nation = Nation(
            clock=self.clock, behaviour=self.behaviour, authority=authority, sleep=lambda s: self.slept.append(s)
        )
        self.cards = {letter: self._enrol(letter, issued) for letter in LETTERS}

    def _enrol(self, letter: str, issued: datetime) -> VirtualCard:
        holder = Holder(NAMES[letter], KANA[letter], "架空県架空市1-1", date(1950, 1, ord(letter) - 60), Sex.UNKNOWN)
        pins = Pins(self.pin(letter), self.face_pin(letter), "0000", "KAKU1234")
        keys = practice_keys(letter, KeyKind.P384)
        card = VirtualCard.make(holder, pins, self.nation.authority, issued, KeyKind.P384, keys=keys)
        self.nation.enrol_person(letter, holder, card)
        means = self.means(letter)
        self.nation.payments.issue(letter, means.service, means.payment_id, means.security_code)
        self.nation.bank.open_account(letter, self.account(letter))
        return card

    @staticmethod
    def pin(letter: str) -> str:
        return f"{LETTERS.index(letter) + 1}001"

    @staticmethod
    def face_pin(letter: str) -> str:
        return f"{LETTERS.index(letter) + 1}111"

    @staticmethod
    def means(letter: str) -> Application:
        service = "架空ペイ" if letter in "AC" else "架空カード"
        return Application(service, f"KAKU-{letter}-000{LETTERS.index(letter)}", f"90{LETTERS.index(letter)}")

    @staticmethod
    def account(letter: str) -> Account:
        return Account("9901", "101", AccountKind.ORDINARY, f"{LETTERS.index(letter) + 1}000123")

    def typed(self, letter: str) -> AccountApplication:
        return AccountApplication(self.account(letter), KANA[letter], consent=True)

    def put(self, letter: str | None) -> None:
        """This card, and no other, lies on the reader."""
        self.reader.remove()
        if letter is not None:
            self.reader.insert(self.cards[letter])

    def answer(self, site: Site, challenge: Challenge, letter: str) -> Returned:
        """The person uses their own card and PIN at the card client."""
        self.put(letter)
        pin = self.face_pin(letter) if challenge.use is CardUse.FACE else self.pin(letter)
        return Returned(challenge.id, site.answer(challenge.id, use_card(self.reader, challenge, pin)))

    def login(self, site: Site, letter: str, cookie: str | None = None) -> str:
        """The person opens the shortcut and logs in; returns the cookie value afterwards."""
        opened = site.open(cookie).cookie
        return site.login(opened, self.answer(site, site.ask_login(opened), letter)).cookie

    def apply(self, cookie: str, letter: str, card: str | None = None) -> None:
        """`letter` applies in the session behind `cookie`; `card` lies on the reader (default: the own one)."""
        points = self.nation.points
        challenge = points.ask_register(cookie, self.means(letter))
        returned = None if challenge is None else self.answer(points, challenge, card or letter)
        points.register(cookie, self.means(letter), returned)

    def read_face(self, cookie: str, letter: str) -> None:
        """`letter` reads the own card a second time."""
        accounts = self.nation.accounts
        accounts.second_read(cookie, self.answer(accounts, accounts.ask_second_read(cookie), letter))

    def register(self, cookie: str, letter: str, card: str | None = None, write: Write = Write.REGISTER) -> None:
        """`letter` registers the own account in the session behind `cookie`, with a second read before."""
        self.read_face(cookie, card or letter)
        self.write(cookie, write, self.typed(letter), card or letter)

    def write(self, cookie: str, write: Write, application: AccountApplication | None, card: str) -> None:
        """The last step of a registration, change or deletion."""
        accounts = self.nation.accounts
        challenge = accounts.ask_write(cookie, write, application)
        returned = None if challenge is None else self.answer(accounts, challenge, card)
        accounts.write(cookie, write, application, returned)

    @property
    def landed(self) -> list[tuple[str, str]]:
        """(whose means it is, on whose record it landed), in order."""
        return [(entry.of, entry.landed_on) for entry in self.nation.registrations]

    @property
    def reasons(self) -> list[tuple[str, str | None]]:
        """(reason, who was logged in) of every refusal, in order."""
        return [(refusal.reason, refusal.logged_in) for refusal in self.nation.refusals]
