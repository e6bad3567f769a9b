"""The virtual card: answers APDUs as a My Number Card does, with made-up keys, certificates and people.

Where no public description says what the real card does, the answer here is an assumption and marked so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from madoguchi.card import tlv
from madoguchi.card.apdu import (
    ATR,
    EXTENDED_LE,
    JPKI_AID,
    SHORT_LE,
    TEXT_AID,
    Command,
    Ins,
    JpkiFile,
    Status,
    TextFile,
    TextTag,
)
from madoguchi.card.authority import CertificateAuthority
from madoguchi.card.errors import AppletMissing, CertificateMissing
from madoguchi.card.files import Application, CardFile, DataFile, KeyObject, PinObject
from madoguchi.card.holder import FOUR_DIGITS, SIGN_PIN, Holder, Pins
from madoguchi.card.keys import CardKeys, KeyKind, PrivateKey, generate_keys

_LABEL = b"JPKIAPICCTOKEN2"
_SHORT_TRIES = 3
_SIGN_TRIES = 5
_BY_AID = 0x04
_BY_FILE = 0x02
_NO_ANSWER = 0x0C
_SIGN_P1, _CURRENT = 0x00, 0x80
_PADDING = 11

Answer = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whom the card was issued to, and what stays on it when certificates are renewed."""

    holder: Holder
    kind: KeyKind
    auth_pin: PinObject
    sign_pin: PinObject

    @classmethod
    def of(cls, holder: Holder, kind: KeyKind, pins: Pins) -> "_Owner":
        _check_pins(pins)
        return cls(holder, kind, PinObject(pins.auth, _SHORT_TRIES), PinObject(pins.sign, _SIGN_TRIES))

    def files(self) -> dict[int, CardFile]:
        """Return what the JPKI application holds without certificates (assumption: no files for them at all)."""
        return {
            JpkiFile.LABEL: DataFile(_LABEL),
            JpkiFile.AUTH_PIN: self.auth_pin,
            JpkiFile.SIGN_PIN: self.sign_pin,
        }


class VirtualCard:
    """A card. Not thread-safe: the reader gives it to one user at a time."""

    atr = ATR

    def __init__(self, applications: dict[bytes, Application], owner: _Owner | None = None) -> None:
        """Made by `make`, `without_certificates` or `foreign`."""
        self._applications = applications
        self._pins = [file for files in applications.values() for file in files.values() if isinstance(file, PinObject)]
        self._owner = owner
        self._certificates: tuple[x509.Certificate, x509.Certificate] | None = None
        self.power_off()

    @classmethod
    def make(
        cls,
        holder: Holder,
        pins: Pins,
        authority: CertificateAuthority,
        now: datetime,
        kind: KeyKind = KeyKind.RSA2048,
        *,
        keys: CardKeys | None = None,
    ) -> "VirtualCard":
        """Make a card with both certificates. `keys`: given ones instead of fresh ones (`practice_keys` is quick)."""
        card = cls.without_certificates(holder, pins, kind)
        card.renew(authority, now, keys=keys)
        return card

    @classmethod
    def without_certificates(cls, holder: Holder, pins: Pins, kind: KeyKind = KeyKind.RSA2048) -> "VirtualCard":
        """Make a My Number Card on which certificates were not issued (or have been removed): PINs and text only."""
        owner = _Owner.of(holder, kind, pins)
        return cls({JPKI_AID: owner.files(), TEXT_AID: _text_application(holder, pins)}, owner)

    @classmethod
    def foreign(cls) -> "VirtualCard":
        """Make some other card: the ATR says nothing, no application is found."""
        return cls({})

    @property
    def auth_certificate(self) -> x509.Certificate:
        """The 利用者証明用 certificate now on the card. Raises `CertificateMissing`."""
        return self._certificate(0)

    @property
    def sign_certificate(self) -> x509.Certificate:
        """The 署名用 certificate now on the card. Raises `CertificateMissing`."""
        return self._certificate(1)

    def renew(self, authority: CertificateAuthority, now: datetime, *, keys: CardKeys | None = None) -> None:
        """Put new keys and certificates on the card; PINs and their counters stay (assumption).

        Every pinned certificate and every card tag of before is void. Raises `AppletMissing` for a foreign card.
        """
        if self._owner is None:
            raise AppletMissing
        owner, keys = self._owner, keys or generate_keys(self._owner.kind)
        auth = authority.issue_auth(keys.auth.public_key(), owner.holder, now)
        sign = authority.issue_sign(keys.sign.public_key(), owner.holder, now)
        root = DataFile(_der(authority.certificate))
        self.power_off()
        self._certificates = auth, sign
        self._applications[JPKI_AID] = owner.files() | {
            JpkiFile.AUTH_AUTHORITY: root,
            JpkiFile.SIGN_AUTHORITY: root,
            JpkiFile.AUTH_CERTIFICATE: DataFile(_der(auth)),
            JpkiFile.SIGN_CERTIFICATE: DataFile(_der(sign), owner.sign_pin),
            JpkiFile.AUTH_KEY: KeyObject(keys.auth, owner.auth_pin),
            JpkiFile.SIGN_KEY: KeyObject(keys.sign, owner.sign_pin),
        }

    def power_off(self) -> None:
        """Forget the selection and every verified PIN; the counters stay."""
        self._application: Application | None = None
        self._file: CardFile | None = None
        for pin in self._pins:
            pin.verified = False

    def transmit(self, apdu: bytes) -> Answer:
        """Answer one command. Order of refusals: length, instruction, class, parameters, state."""
        try:
            command = Command.parse(apdu)
        except ValueError:
            return b"", Status.WRONG_LENGTH
        known = _INSTRUCTIONS.get(command.ins)
        if known is None:
            return b"", Status.UNKNOWN_INSTRUCTION
        cla, handler = known
        if command.cla != cla:
            return b"", Status.WRONG_CLASS
        data, status = handler(self, command)
        return data, int(status)

    def _certificate(self, which: int) -> x509.Certificate:
        if self._certificates is None:
            raise CertificateMissing
        return self._certificates[which]

    def _select(self, command: Command) -> Answer:
        if command.p2 != _NO_ANSWER or command.p1 not in (_BY_AID, _BY_FILE):
            return b"", Status.WRONG_PARAMETERS
        if command.p1 == _BY_AID:
            return self._select_application(command.data)
        if len(command.data) != 2:
            return b"", Status.WRONG_LENGTH
        file = (self._application or {}).get(int.from_bytes(command.data, "big"))
        if file is None:
            return b"", Status.FILE_NOT_FOUND
        self._file = file
        return b"", Status.OK

    def _select_application(self, aid: bytes) -> Answer:
        application = self._applications.get(aid)
        if application is None:
            return b"", Status.FILE_NOT_FOUND
        self._application, self._file = application, None
        return b"", Status.OK

    def _verify(self, command: Command) -> Answer:
        if (command.p1, command.p2) != (0x00, _CURRENT):
            return b"", Status.WRONG_PARAMETERS
        if not isinstance(self._file, PinObject):
            return b"", Status.KEY_NOT_FOUND
        if not command.data:
            return b"", self._file.tries_status()
        return b"", self._file.enter(command.data)

    def _read(self, command: Command) -> Answer:
        file = self._file
        if command.data or command.le is None:
            return b"", Status.WRONG_LENGTH
        if command.p1 & 0x80:
            return b"", Status.WRONG_PARAMETERS  # short file identifiers are not used on this card (assumption)
        if file is None:
            return b"", Status.NO_FILE_SELECTED
        if not isinstance(file, DataFile):
            return b"", Status.NOT_TRANSPARENT
        if file.pin is not None and not file.pin.verified:
            return b"", Status.PIN_NEEDED
        return _part(file.content, command.p1 << 8 | command.p2, command.le)

    def _sign(self, command: Command) -> Answer:
        if (command.p1, command.p2) != (_SIGN_P1, _CURRENT):
            return b"", Status.WRONG_PARAMETERS
        if not isinstance(self._file, KeyObject):
            return b"", Status.KEY_NOT_FOUND
        if not self._file.pin.verified:
            return b"", Status.PIN_NEEDED
        if not command.data:
            return b"", Status.WRONG_LENGTH
        return _signature(self._file.key, command.data)


_INSTRUCTIONS: dict[int, tuple[int, Callable[[VirtualCard, Command], Answer]]] = {
    Ins.SELECT: (0x00, VirtualCard._select),
    Ins.VERIFY: (0x00, VirtualCard._verify),
    Ins.READ_BINARY: (0x00, VirtualCard._read),
    Ins.SIGN: (0x80, VirtualCard._sign),
}


def _part(content: bytes, offset: int, le: int) -> Answer:
    """Le of all zeros asks for whatever there is; a stated length beyond the end brings a warning (ISO 7816-4)."""
    if offset > len(content):
        return b"", Status.WRONG_OFFSET
    part = content[offset : offset + le]
    cut = len(part) < le and le not in (SHORT_LE, EXTENDED_LE)
    return part, Status.END_OF_FILE if cut else Status.OK


def _signature(key: PrivateKey, data: bytes) -> Answer:
    """RSA: PKCS #1 v1.5 around whatever DigestInfo is given. P-384: ECDSA over a raw SHA-384 digest, DER.

    Assumption: no public description says how next-generation cards sign.
    """
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if len(data) != SHA384.digest_size:
            return b"", Status.WRONG_LENGTH
        return key.sign(data, ec.ECDSA(Prehashed(SHA384()))), Status.OK
    if len(data) > key.key_size // 8 - _PADDING:
        return b"", Status.WRONG_LENGTH
    return key.sign(data, padding.PKCS1v15(), NoDigestInfo()), Status.OK


def _text_application(holder: Holder, pins: Pins) -> Application:
    attributes: dict[int, bytes] = {
        TextTag.NAME: holder.name.encode(),
        TextTag.ADDRESS: holder.address.encode(),
        TextTag.BIRTH: f"{holder.birth:%Y%m%d}".encode(),
        TextTag.SEX: holder.sex.value.encode(),
    }
    pin = PinObject(pins.text, _SHORT_TRIES)
    content = tlv.encode(TextTag.ATTRIBUTES, tlv.encode_all(attributes))
    return {TextFile.PIN: pin, TextFile.ATTRIBUTES: DataFile(content, pin)}


def _check_pins(pins: Pins) -> None:
    for pin in (pins.auth, pins.text, pins.basic):
        if not FOUR_DIGITS.fullmatch(pin):
            raise ValueError("a PIN is not four digits")
    if not SIGN_PIN.fullmatch(pins.sign):
        raise ValueError("the signing PIN is not 6 to 16 capital letters and digits")


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
