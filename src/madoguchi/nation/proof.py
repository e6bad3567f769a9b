"""Checks a card's answer to a challenge, in this room's words."""

from cryptography.x509 import Certificate

from madoguchi.card import errors as card_errors
from madoguchi.card.proof import Act, Proof, check_proof
from madoguchi.nation.challenges import Answer, Challenge
from madoguchi.nation.errors import OtherCard, ProofInvalid, ProofMissing


def act_of(challenge: Challenge) -> Act:
    """What the card signs for this challenge."""
    return Act(challenge.nonce, challenge.origin, challenge.act, challenge.digest)


def check_signature(challenge: Challenge, answer: Answer, *, pinned: Certificate) -> None:
    """Raises `ProofMissing`, `ProofInvalid` or `OtherCard` unless the pinned card signed exactly this challenge."""
    if answer.signature is None:
        raise ProofMissing
    try:
        check_proof(Proof(answer.certificate, answer.signature), act_of(challenge), pinned=pinned)
    except card_errors.OtherCard as error:
        raise OtherCard from error
    except card_errors.ProofInvalid as error:
        raise ProofInvalid from error
