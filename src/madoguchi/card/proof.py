"""Proof of possession: a fresh signature of the card over exactly what is to be written.

The rules (docs/adr/0003-proof-of-possession.md):
1. What is signed is {nonce, origin, act, digest}, canonical JSON (RFC 8785), and nothing else.
2. The PIN is asked for this one use, goes straight to the card, and is kept nowhere.
3. The card must be the one pinned at log-in, byte for byte of its certificate; any other is `OtherCard`.
4. Whoever checks compares with the act *it* made: its own nonce, used once, its own digest of its own data.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from madoguchi.card.applet import JpkiClient
from madoguchi.card.errors import ActMalformed, OtherCard, ProofInvalid
from madoguchi.card.reader import Reader


@dataclass(frozen=True, slots=True)
class Act:
    """What the card is asked to vouch for.

    `nonce`: the site's, used once. `origin`: the site, as the card client saw it. `act`: what is done, a word of the
    site's. `digest`: `digest_of` what is written. Raises `ActMalformed` for anything but non-empty texts.
    """

    nonce: str
    origin: str
    act: str
    digest: str

    def __post_init__(self) -> None:
        if not all(isinstance(value, str) and value for value in asdict(self).values()):
            raise ActMalformed
        self.canonical()

    def canonical(self) -> bytes:
        """Return the bytes that are signed."""
        return _canonical(asdict(self))


@dataclass(frozen=True, slots=True)
class Proof:
    """The card's certificate and its signature over the act."""

    certificate: x509.Certificate
    signature: bytes

    def to_json(self) -> dict[str, str]:
        """`{"certificate", "signature"}`, both base64 (the certificate as DER)."""
        return {
            "certificate": base64.b64encode(_der(self.certificate)).decode(),
            "signature": base64.b64encode(self.signature).decode(),
        }

    @classmethod
    def from_json(cls, data: object) -> "Proof":
        """Inverse of `to_json`. Raises `ProofInvalid` for anything else."""
        if not isinstance(data, Mapping) or set(data) != {field.name for field in fields(cls)}:
            raise ProofInvalid("not of the agreed form")
        try:
            certificate = base64.b64decode(data["certificate"], validate=True)
            signature = base64.b64decode(data["signature"], validate=True)
            return cls(x509.load_der_x509_certificate(certificate), signature)
        except (ValueError, TypeError, binascii.Error) as error:
            raise ProofInvalid("not of the agreed form") from error


def digest_of(data: Mapping[str, Any]) -> str:
    """Hash the canonical JSON of what is written: SHA-256, hex. Raises `ActMalformed` for what JSON cannot hold."""
    return hashlib.sha256(_canonical(data)).hexdigest()


def prove(reader: Reader, pin: str, act: Act, *, pinned: x509.Certificate | None = None) -> Proof:
    """Sign `act` with the card on `reader`, in one exclusive use.

    With `pinned`, another card raises `OtherCard` before the PIN is sent: nobody else's tries are used up. Raises
    whatever reader, card and PIN can raise; then nothing was signed that anybody could use.
    """
    with reader.connect() as connection:
        client = JpkiClient(connection)
        certificate = client.read_auth_certificate()
        if pinned is not None:
            _check_same(certificate, pinned)
        client.verify_auth_pin(pin)
        return Proof(certificate, client.sign_auth(act.canonical()))


def check_proof(proof: Proof, act: Act, *, pinned: x509.Certificate) -> None:
    """Raise `OtherCard` or `ProofInvalid` unless the pinned card signed exactly `act`.

    The caller makes `act` itself, from its own records, and uses up the nonce whatever comes out.
    """
    _check_same(proof.certificate, pinned)
    key = pinned.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(proof.signature, act.canonical(), padding.PKCS1v15(), SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(proof.signature, act.canonical(), ec.ECDSA(SHA384()))
        else:
            raise ProofInvalid("a key of an unknown kind")
    except InvalidSignature as error:
        raise ProofInvalid("the signature does not fit") from error


def _check_same(certificate: x509.Certificate, pinned: x509.Certificate) -> None:
    if _der(certificate) != _der(pinned):
        raise OtherCard


def _canonical(data: Mapping[str, Any]) -> bytes:
    try:
        return rfc8785.dumps(dict(data))
    except (rfc8785.CanonicalizationError, ValueError) as error:
        raise ActMalformed from error


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
