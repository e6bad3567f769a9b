"""Who the card is, without PIN and without a name."""

import hashlib
import hmac

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from madoguchi.card.applet import JpkiClient
from madoguchi.card.errors import TagKeyTooShort
from madoguchi.card.reader import Reader

_SHORTEST_KEY = 16


def card_tag(certificate: x509.Certificate, key: bytes) -> str:
    """Compute HMAC-SHA-256 of the SubjectPublicKeyInfo (DER) of the 利用者証明用 certificate: 64 hex digits.

    The public key, not the serial number: a renewed card has another tag. Raises `TagKeyTooShort` under 16 bytes.
    """
    if len(key) < _SHORTEST_KEY:
        raise TagKeyTooShort
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hmac.digest(key, public, hashlib.sha256).hex()


def read_card_tag(reader: Reader, key: bytes) -> str:
    """Read the tag of the card on `reader`, in one exclusive use, without PIN. Raises what reader and card raise."""
    with reader.connect() as connection:
        return card_tag(JpkiClient(connection).read_auth_certificate(), key)
