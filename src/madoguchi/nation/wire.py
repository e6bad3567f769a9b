"""Challenges and answers as JSON on the back channel between site and card client. Anything else is refused."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_der_x509_certificate

from madoguchi.card import Attributes, Sex
from madoguchi.nation.challenges import Answer, CardUse, Challenge, summary_digest
from madoguchi.nation.errors import AnswerMalformed, ChallengeForged


def challenge_to_json(challenge: Challenge) -> dict[str, Any]:
    """What the card client fetches."""
    return asdict(challenge) | {"use": challenge.use.value, "summary": [list(line) for line in challenge.summary]}


def challenge_from_json(data: object, *, origin: str) -> Challenge:
    """Inverse of `challenge_to_json`.

    Raises `ChallengeForged` unless it names `origin` and its digest fits the lines that will be shown.
    """
    try:
        given = _object(data, {f.name for f in fields(Challenge)})
        summary = tuple((str(label), str(value)) for label, value in given["summary"])
        challenge = Challenge(**{**given, "use": CardUse(given["use"]), "summary": summary})
        fits = challenge.digest == summary_digest(challenge.act, summary)
    except (TypeError, ValueError) as error:
        raise ChallengeForged from error
    if not fits or challenge.origin != origin:
        raise ChallengeForged
    return challenge


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """What the card client posts."""
    face = answer.attributes
    return {
        "certificate": _text(answer.certificate.public_bytes(Encoding.DER)),
        "signature": None if answer.signature is None else _text(answer.signature),
        "attributes": None if face is None else asdict(face) | {"birth": face.birth.isoformat(), "sex": face.sex.value},
    }


def answer_from_json(data: object) -> Answer:
    """Inverse of `answer_to_json`. Raises `AnswerMalformed`."""
    try:
        given = _object(data, {f.name for f in fields(Answer)})
        signature = given["signature"]
        return Answer(
            _certificate(given["certificate"]),
            None if signature is None else base64.b64decode(signature, validate=True),
            _attributes(given["attributes"]),
        )
    except (TypeError, ValueError, binascii.Error) as error:
        raise AnswerMalformed from error


def _certificate(text: Any) -> Certificate:
    return load_der_x509_certificate(base64.b64decode(text, validate=True))


def _attributes(data: object) -> Attributes | None:
    if data is None:
        return None
    given = _object(data, {f.name for f in fields(Attributes)})
    birth, sex = date.fromisoformat(given["birth"]), Sex(given["sex"])
    return Attributes(str(given["name"]), str(given["address"]), birth, sex)


def _object(data: object, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping) or set(data) != names:
        raise ValueError(f"expected an object with {', '.join(sorted(names))}")
    return data


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
