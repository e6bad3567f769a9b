"""Clients of the card's applications: SELECT, VERIFY, READ BINARY, COMPUTE DIGITAL SIGNATURE; one error per status."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from madoguchi.card import tlv
from madoguchi.card.apdu import (
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
from madoguchi.card.errors import (
    AppletMissing,
    AttributesMalformed,
    CardTrouble,
    CertificateMissing,
    KeyMissing,
    PinLocked,
    PinMalformed,
    PinNeeded,
    PinWrong,
)
from madoguchi.card.holder import FOUR_DIGITS, SIGN_PIN, Sex
from madoguchi.card.keys import PublicKey
from madoguchi.card.reader import Connection

_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017, section 9.2, note 1
_HEADER = 6
_LONGEST = 0x7FFF


class _PinSpec(NamedTuple):
    file: int
    form: re.Pattern[str]


class JpkiPin(Enum):
    """The two PINs of the JPKI application."""

    AUTH = _PinSpec(JpkiFile.AUTH_PIN, FOUR_DIGITS)
    SIGN = _PinSpec(JpkiFile.SIGN_PIN, SIGN_PIN)


_TEXT_PIN = _PinSpec(TextFile.PIN, FOUR_DIGITS)


@dataclass(frozen=True, slots=True)
class Attributes:
    """The four attributes, as written on the card. A real person's: kept out of every `repr`."""

    name: str = field(repr=False)
    address: str = field(repr=False)
    birth: date = field(repr=False)
    sex: Sex = field(repr=False)


class _Client:
    """What both applications have in common."""

    def __init__(self, connection: Connection, aid: bytes) -> None:
        """Select the application. Raises `AppletMissing`."""
        self._connection = connection
        _, status = self._send(Command(0x00, Ins.SELECT, 0x04, 0x0C, aid))
        if status == Status.FILE_NOT_FOUND:
            raise AppletMissing(aid.hex())
        _check(status)

    def _send(self, command: Command) -> tuple[bytes, int]:
        return self._connection.transmit(command.encode())

    def _select(self, file: int) -> None:
        _, status = self._send(Command(0x00, Ins.SELECT, 0x02, 0x0C, file.to_bytes(2, "big")))
        _check(status)

    def _tries_left(self, pin: _PinSpec) -> int:
        self._select(pin.file)
        _, status = self._send(Command(0x00, Ins.VERIFY, 0x00, 0x80))
        if status in _LOCKED:
            return 0
        if status & 0xFFF0 != Status.TRIES:
            raise CardTrouble(status)
        return status & 0x0F

    def _verify(self, pin: _PinSpec, given: str) -> None:
        if not pin.form.fullmatch(given):
            raise PinMalformed
        self._select(pin.file)
        _, status = self._send(Command(0x00, Ins.VERIFY, 0x00, 0x80, given.encode()))
        _check(status)

    def _read(self) -> bytes:
        """Return the selected file's first TLV object, whole. Raises `ValueError` when the file holds none."""
        content = self._read_part(0, _HEADER)
        total = tlv.total_length(content)
        if total > _LONGEST:
            raise ValueError("longer than offsets reach")
        while len(content) < total:
            content += self._read_part(len(content), min(SHORT_LE, total - len(content)))
        return content[:total]

    def _read_part(self, offset: int, count: int) -> bytes:
        data, status = self._send(Command(0x00, Ins.READ_BINARY, offset >> 8, offset & 0xFF, le=count))
        if status != Status.END_OF_FILE:
            _check(status)
        if not data:
            raise ValueError("the file ends early")
        return data


class JpkiClient(_Client):
    """公的個人認証: certificates, PINs and signatures."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, JPKI_AID)
        self._auth_certificate: x509.Certificate | None = None

    def read_auth_certificate(self) -> x509.Certificate:
        """Read the 利用者証明用 certificate, without PIN. Raises `CertificateMissing`."""
        if self._auth_certificate is None:
            self._auth_certificate = self._certificate(JpkiFile.AUTH_CERTIFICATE)
        return self._auth_certificate

    def read_sign_certificate(self, pin: str) -> x509.Certificate:
        """Read the 署名用 certificate, which the card gives out only after its PIN.

        Raises `CertificateMissing`, and as `verify_auth_pin` does.
        """
        self._verify(JpkiPin.SIGN.value, pin)
        return self._certificate(JpkiFile.SIGN_CERTIFICATE)

    def tries_left(self, pin: JpkiPin) -> int:
        """Ask how many tries are left before the PIN locks; asking costs none. 0: locked."""
        return self._tries_left(pin.value)

    def verify_auth_pin(self, pin: str) -> None:
        """Open the auth key until power-off. Raises `PinMalformed` (no try used up), `PinWrong` or `PinLocked`."""
        self._verify(JpkiPin.AUTH.value, pin)

    def sign_auth(self, data: bytes) -> bytes:
        """Sign `data` (hashed here: SHA-256 for RSA, SHA-384 for P-384). Raises `PinNeeded`."""
        to_sign = _to_sign(self.read_auth_certificate(), data)
        self._select(JpkiFile.AUTH_KEY)
        signature, status = self._send(Command(0x80, Ins.SIGN, 0x00, 0x80, to_sign, SHORT_LE))
        _check(status)
        return signature

    def _certificate(self, file: JpkiFile) -> x509.Certificate:
        try:
            self._select(file)
            content = self._read()
            return x509.load_der_x509_certificate(content)
        except CardTrouble as error:
            if error.status != Status.FILE_NOT_FOUND:
                raise
            raise CertificateMissing(file.name) from error
        except ValueError as error:
            raise CertificateMissing(file.name) from error


class TextClient(_Client):
    """券面事項入力補助: the four attributes as text."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, TEXT_AID)

    def tries_left(self) -> int:
        """Ask how many tries are left before the PIN locks; asking costs none. 0: locked."""
        return self._tries_left(_TEXT_PIN)

    def attributes(self, pin: str) -> Attributes:
        """Read the four. Raises `PinMalformed`, `PinWrong`, `PinLocked`, `AttributesMalformed`."""
        self._verify(_TEXT_PIN, pin)
        self._select(TextFile.ATTRIBUTES)
        try:
            fields = tlv.decode(tlv.decode(self._read())[TextTag.ATTRIBUTES])
            return Attributes(
                name=fields[TextTag.NAME].decode(),
                address=fields[TextTag.ADDRESS].decode(),
                birth=datetime.strptime(fields[TextTag.BIRTH].decode(), "%Y%m%d").date(),  # noqa: DTZ007  # a day
                sex=Sex(fields[TextTag.SEX].decode()),
            )
        except (ValueError, KeyError) as error:
            raise AttributesMalformed from error


_LOCKED = frozenset({Status.TRIES, Status.PIN_BLOCKED, Status.PIN_BLOCKED_ISO})


def _check(status: int) -> None:
    """One named error for each status word that is not a success."""
    if status == Status.OK:
        return
    if status in _LOCKED:
        raise PinLocked
    if status & 0xFFF0 == Status.TRIES:
        raise PinWrong(status & 0x0F)
    if status == Status.PIN_NEEDED:
        raise PinNeeded
    if status == Status.KEY_NOT_FOUND:
        raise KeyMissing
    raise CardTrouble(status)


def _to_sign(certificate: x509.Certificate, data: bytes) -> bytes:
    key: PublicKey | object = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return _SHA256_DIGEST_INFO + hashlib.sha256(data).digest()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return hashlib.sha384(data).digest()
    raise CertificateMissing("a key of an unknown kind")
