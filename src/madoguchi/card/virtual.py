"""The virtual card: answers APDUs as a My Number Card does, with made-up keys, certificates and people.

Where no public description says what the real card does, the answer here is an assumption and marked so.
"""

from collections.abc import Callable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from madoguchi.card import tlv
from madoguchi.card.apdu import ATR, JPKI_AID, SHORT_LE, TEXT_AID, Command, Ins, JpkiFile, Status, TextFile, TextTag
from madoguchi.card.authority import CertificateAuthority
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


class VirtualCard:
    """A card. Not thread-safe: the reader gives it to one user at a time."""

    atr = ATR

    def __init__(self, applications: dict[bytes, Application], holder: Holder | None = None) -> None:
        self._applications = applications
        self._pins = [file for files in applications.values() for file in files.values() if isinstance(file, PinObject)]
        self.holder = holder
        self.kind: KeyKind | None = None
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
        """A card with both certificates. `keys`: given ones instead of fresh ones (`practice_keys` is quick)."""
        card = cls.without_certificates(holder, pins)
        card.kind = kind
        card.renew(authority, now, keys=keys)
        return card

    @classmethod
    def without_certificates(cls, holder: Holder, pins: Pins) -> "VirtualCard":
        """A My Number Card on which no certificates were issued: PINs and text, but no keys (assumption: no files)."""
        _check_pins(pins)
        auth, sign = PinObject(pins.auth, _SHORT_TRIES), PinObject(pins.sign, _SIGN_TRIES)
        jpki: dict[int, CardFile] = {
            JpkiFile.LABEL: DataFile(_LABEL),
            JpkiFile.AUTH_PIN: auth,
            JpkiFile.SIGN_PIN: sign,
        }
        return cls({JPKI_AID: jpki, TEXT_AID: _text_application(holder, pins)}, holder)

    @classmethod
    def foreign(cls) -> "VirtualCard":
        """Some other card: the ATR says nothing, no application is found."""
        return cls({})

    def renew(self, authority: CertificateAuthority, now: datetime, *, keys: CardKeys | None = None) -> None:
        """New keys and certificates; PINs and their counters stay (assumption). Every earlier pin on them is void."""
        if self.holder is None or self.kind is None:
            raise ValueError("a card without certificates cannot renew them")
        keys = keys or generate_keys(self.kind)
        jpki = self._applications[JPKI_AID]
        auth_pin, sign_pin = jpki[JpkiFile.AUTH_PIN], jpki[JpkiFile.SIGN_PIN]
        assert isinstance(auth_pin, PinObject) and isinstance(sign_pin, PinObject)
        self.power_off()
        root = DataFile(_der(authority.certificate))
        self.auth_certificate = authority.issue_auth(keys.auth.public_key(), self.holder, now)
        self.sign_certificate = authority.issue_sign(keys.sign.public_key(), self.holder, now)
        self._applications[JPKI_AID] = {
            **jpki,
            JpkiFile.AUTH_AUTHORITY: root,
            JpkiFile.SIGN_AUTHORITY: root,
            JpkiFile.AUTH_CERTIFICATE: DataFile(_der(self.auth_certificate)),
            JpkiFile.SIGN_CERTIFICATE: DataFile(_der(self.sign_certificate), sign_pin),
            JpkiFile.AUTH_KEY: KeyObject(keys.auth, auth_pin),
            JpkiFile.SIGN_KEY: KeyObject(keys.sign, sign_pin),
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
        if not command.data or command.le is None:
            return b"", Status.WRONG_LENGTH
        return _signature(self._file.key, command.data)


_INSTRUCTIONS: dict[int, tuple[int, Callable[[VirtualCard, Command], Answer]]] = {
    Ins.SELECT: (0x00, VirtualCard._select),
    Ins.VERIFY: (0x00, VirtualCard._verify),
    Ins.READ_BINARY: (0x00, VirtualCard._read),
    Ins.SIGN: (0x80, VirtualCard._sign),
}


def _part(content: bytes, offset: int, le: int) -> Answer:
    """Le of all zeros: whatever there is. A stated length beyond the end: what there is, with a warning (ISO 7816-4)."""
    if offset > len(content):
        return b"", Status.WRONG_OFFSET
    part = content[offset : offset + le]
    cut = len(part) < le and le not in (SHORT_LE, 256 * SHORT_LE)
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
    attributes = {
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
