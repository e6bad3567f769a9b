"""Who a card belongs to, and the four PINs that go with it."""

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

FOUR_DIGITS = re.compile(r"[0-9]{4}")
"""Form of every PIN but the signing one."""
SIGN_PIN = re.compile(r"[A-Z0-9]{6,16}")
"""Form of the signing PIN: cards know capital letters only."""


class Sex(StrEnum):
    """The codes that certificates and card-face text use."""

    MALE = "1"
    FEMALE = "2"
    UNKNOWN = "3"

    @property
    def label(self) -> str:
        """Japanese label."""
        return {"1": "男", "2": "女", "3": "不明"}[self.value]


@dataclass(frozen=True, slots=True)
class Holder:
    """A made-up (架空) person. `name` and `address` as on the card, `kana` as in the register."""

    name: str
    kana: str
    address: str
    birth: date
    sex: Sex


@dataclass(frozen=True, slots=True)
class Pins:
    """PINs of a practice card, as set at the municipality. Only the virtual card ever holds them.

    `auth` (利用者証明用), `text` (券面事項入力補助用), `basic` (住民基本台帳用): 4 digits.
    `sign` (署名用): 6 to 16 capital letters and digits.
    `basic` opens nothing here: its application answers only municipal systems.
    """

    auth: str = field(repr=False)
    text: str = field(repr=False)
    basic: str = field(repr=False)
    sign: str = field(repr=False)
