"""Readers, the card's applications, proof of possession, and a virtual card with its test authority.

Start with `reader` (what a reader is), then `proof` (why a write needs the card).
"""

from madoguchi.card.applet import Attributes, JpkiClient, JpkiPin, TextClient
from madoguchi.card.authority import CertificateAuthority
from madoguchi.card.errors import (
    ActMalformed,
    AppletMissing,
    AttributesMalformed,
    CardError,
    CardInUse,
    CardRemoved,
    CardSilent,
    CardTrouble,
    CertificateMissing,
    CertificateUntrusted,
    KeyMissing,
    NoCard,
    OtherCard,
    PinLocked,
    PinMalformed,
    PinNeeded,
    PinWrong,
    ProofInvalid,
    ReaderAmbiguous,
    ReaderLost,
    ReaderNotFound,
    RequestRefused,
    ServiceMissing,
    SlotTaken,
    SocketTaken,
    TagKeyTooShort,
    UnknownCard,
)
from madoguchi.card.holder import Holder, Pins, Sex
from madoguchi.card.keys import CardKeys, KeyKind, practice_keys
from madoguchi.card.memory import MemoryReader
from madoguchi.card.proof import Act, Proof, check_proof, digest_of, prove
from madoguchi.card.reader import Card, Connection, Reader, ReaderState
from madoguchi.card.server import ReaderServer
from madoguchi.card.shelf import Shelf, SocketReader
from madoguchi.card.tag import card_tag, read_card_tag
from madoguchi.card.virtual import VirtualCard

__all__ = [
    "Act",
    "ActMalformed",
    "AppletMissing",
    "Attributes",
    "AttributesMalformed",
    "Card",
    "CardError",
    "CardInUse",
    "CardKeys",
    "CardRemoved",
    "CardSilent",
    "CardTrouble",
    "CertificateAuthority",
    "CertificateMissing",
    "CertificateUntrusted",
    "Connection",
    "Holder",
    "JpkiClient",
    "JpkiPin",
    "KeyKind",
    "KeyMissing",
    "MemoryReader",
    "NoCard",
    "OtherCard",
    "PinLocked",
    "PinMalformed",
    "PinNeeded",
    "PinWrong",
    "Pins",
    "Proof",
    "ProofInvalid",
    "Reader",
    "ReaderAmbiguous",
    "ReaderLost",
    "ReaderNotFound",
    "ReaderServer",
    "ReaderState",
    "RequestRefused",
    "ServiceMissing",
    "Sex",
    "Shelf",
    "SlotTaken",
    "SocketReader",
    "SocketTaken",
    "TagKeyTooShort",
    "TextClient",
    "UnknownCard",
    "VirtualCard",
    "card_tag",
    "check_proof",
    "digest_of",
    "practice_keys",
    "prove",
    "read_card_tag",
]
