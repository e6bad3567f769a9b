"""What the card client does with the card on the reader. A PIN goes straight to the card and is kept nowhere."""

from madoguchi.card import CardError, JpkiClient, JpkiPin, Reader, TextClient, prove
from madoguchi.nation.challenges import Answer, CardUse, Challenge
from madoguchi.nation.proof import act_of


def use_card(reader: Reader, challenge: Challenge, pin: str) -> Answer:
    """Answer a challenge with the card that lies there, in one exclusive use. Raises `CardError`.

    `pin` is not looked at where the challenge needs none.
    """
    if challenge.use is CardUse.PROVE:
        proof = prove(reader, pin, act_of(challenge))
        return Answer(proof.certificate, proof.signature)
    with reader.connect() as connection:
        certificate = JpkiClient(connection).read_auth_certificate()
        if challenge.use is CardUse.READ:
            return Answer(certificate)
        return Answer(certificate, attributes=TextClient(connection).attributes(pin))


def tries_left(reader: Reader, use: CardUse) -> int | None:
    """Tries before the PIN locks, 0: locked. None: not known now (no card, in use), or no PIN is needed."""
    if use is CardUse.READ:
        return None
    try:
        with reader.connect() as connection:
            if use is CardUse.FACE:
                return TextClient(connection).tries_left()
            return JpkiClient(connection).tries_left(JpkiPin.AUTH)
    except CardError:
        return None
