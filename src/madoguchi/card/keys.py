"""Key pairs of cards and of the test authority: RSA-2048 of today's cards, P-384 of the next generation's."""

from enum import StrEnum
from functools import cache
from typing import NamedTuple, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_RSA_EXPONENT = 65537
_RSA_BITS = 2048


class KeyKind(StrEnum):
    """Which generation of card."""

    RSA2048 = "rsa2048"
    P384 = "p384"


class CardKeys(NamedTuple):
    """The two key pairs on a card."""

    auth: PrivateKey
    sign: PrivateKey


def generate_key(kind: KeyKind) -> PrivateKey:
    """Make a fresh key (RSA: some 30 ms on the average, with a long tail)."""
    if kind is KeyKind.P384:
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(public_exponent=_RSA_EXPONENT, key_size=_RSA_BITS)


def generate_keys(kind: KeyKind) -> CardKeys:
    """Make two fresh keys."""
    return CardKeys(generate_key(kind), generate_key(kind))


@cache
def practice_keys(
    label: str,  # noqa: ARG001 # the key of the cache
    kind: KeyKind = KeyKind.RSA2048,
) -> CardKeys:
    """Keep two keys for each label as long as this process lives, so that tests need not wait for fresh ones.

    Different labels never share a key: two people's practice cards stay distinguishable.
    """
    return generate_keys(kind)
