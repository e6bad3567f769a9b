"""架空の訓練都市: made-up people with cards, PINs, payment IDs and bank accounts, for training and `script/server`.

Nobody here exists. PINs stand here in plain text because they open nothing but practice cards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from madoguchi.card import CertificateAuthority, Holder, Pins, Sex, VirtualCard, practice_keys
from madoguchi.nation.bank import Account, AccountKind
from madoguchi.nation.ground import Behaviour
from madoguchi.nation.points import PROGRAMME_END
from madoguchi.nation.world import Nation

_SIGN_PIN = "KAKU1234"
_OLDER_THAN_TODAY = timedelta(days=400)
_PRACTICE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Citizen:
    """One made-up person and what they know by heart. `renewed_ago`: the certificate was renewed so long ago."""

    letter: str
    holder: Holder
    auth_pin: str
    text_pin: str
    service: str
    payment_id: str
    security_code: str
    account: Account
    renewed_ago: timedelta | None = None

    @property
    def label(self) -> str:
        """「市民A」."""
        return f"市民{self.letter}"


def _citizen(
    letter: str, name: str, kana: str, birth: date, sex: Sex, service: str, bank: str, ago: timedelta | None = None
) -> Citizen:
    number = ord(letter) - ord("A") + 1
    branch = {"9901": "101", "9902": "201", "9903": "301"}[bank]
    return Citizen(
        letter=letter,
        holder=Holder(name, kana, f"架空県架空市架空町{number}番地", birth, sex),
        auth_pin=f"{number}00{number}",
        text_pin=f"{number}11{number}",
        service=service,
        payment_id=f"KAKU-{number}00{number}-000{number}",
        security_code=f"{number}20{number}",
        account=Account(bank, branch, AccountKind.ORDINARY, f"{number}00000{number}"),
        renewed_ago=ago,
    )


CITIZENS: tuple[Citizen, ...] = (
    _citizen("A", "架空 一郎", "カクウ イチロウ", date(1948, 4, 3), Sex.MALE, "架空ペイ", "9901", timedelta(hours=20)),
    _citizen("B", "見本 花子", "ミホン ハナコ", date(1952, 11, 20), Sex.FEMALE, "架空カード", "9901"),
    _citizen("C", "架空 三枝", "カクウ ミエ", date(1957, 7, 7), Sex.FEMALE, "架空ペイ", "9902"),
    _citizen("D", "例示 四郎", "レイジ シロウ", date(1943, 1, 31), Sex.MALE, "架空マート電子マネー", "9903"),
    _citizen("E", "試験 いつき", "シケン イツキ", date(1990, 9, 9), Sex.FEMALE, "架空交通ICカード", "9901"),
    _citizen("F", "見本 六太", "ミホン ロクタ", date(1985, 6, 16), Sex.MALE, "架空ペイ", "9902"),
    _citizen("G", "見本 奈々", "ミホン ナナ", date(1987, 2, 28), Sex.FEMALE, "架空カード", "9902"),
    _citizen("H", "例示 八重", "レイジ ヤエ", date(1936, 8, 8), Sex.FEMALE, "架空マート電子マネー", "9903"),
)
"""F and G are a couple (the same bank); A's certificate has just been renewed."""


@dataclass(frozen=True, slots=True)
class TrainingCity:
    """A nation with the training city's people. `cards` and `citizens`: by label (「市民A」)."""

    nation: Nation
    cards: Mapping[str, VirtualCard]
    citizens: Mapping[str, Citizen]

    def crib_sheet(self) -> str:
        """What a newcomer types, as plain text."""
        lines = ["訓練用カード(すべて架空)  Training cards, all made up", ""]
        for citizen in self.citizens.values():
            lines += [*_crib(self.nation, citizen), ""]
        return "\n".join(lines)


def make_training_city(*, clock: Callable[[], datetime], behaviour: Behaviour = Behaviour.Y2022) -> TrainingCity:
    """The made-up city as it is at `clock()`. Certificates were issued 400 days before.

    The points programme, which ended in 2023, is open for another year: it is practised here.
    """
    now = clock()
    nation = Nation(clock=clock, behaviour=behaviour, authority=CertificateAuthority.create(now - _OLDER_THAN_TODAY))
    nation.points.programme_end = max(PROGRAMME_END, (now + _PRACTICE).date())
    cards = {citizen.label: _enrol(nation, citizen, now) for citizen in CITIZENS}
    return TrainingCity(nation, cards, {citizen.label: citizen for citizen in CITIZENS})


def _enrol(nation: Nation, citizen: Citizen, now: datetime) -> VirtualCard:
    pins = Pins(auth=citizen.auth_pin, text=citizen.text_pin, basic=citizen.auth_pin, sign=_SIGN_PIN)
    keys = practice_keys(citizen.letter)
    card = VirtualCard.make(citizen.holder, pins, nation.authority, now - _OLDER_THAN_TODAY, keys=keys)
    nation.enrol_person(citizen.letter, citizen.holder, card)
    nation.payments.issue(citizen.letter, citizen.service, citizen.payment_id, citizen.security_code)
    nation.bank.open_account(citizen.letter, citizen.account)
    if citizen.renewed_ago is not None:
        nation.renew_certificate(citizen.letter, card, now - citizen.renewed_ago)
    return card


def _crib(nation: Nation, citizen: Citizen) -> list[str]:
    note = "(電子証明書を更新したばかり)" if citizen.renewed_ago else ""
    return [
        f"{citizen.label}  {citizen.holder.name}{note}",
        f"  暗証番号: 利用者証明用 {citizen.auth_pin} / 券面事項入力補助用 {citizen.text_pin}",
        f"  決済サービス: {citizen.service}  ID {citizen.payment_id}  セキュリティコード {citizen.security_code}",
        f"  口座: {nation.bank.label(citizen.account, masked=False)}  名義 {citizen.holder.kana}",
    ]
