"""RFC 3161 time stamps: somebody outside the house states when a checkpoint existed. Optional; nothing waits for it."""

import urllib.request
from pathlib import Path
from urllib.error import URLError

from cryptography import x509
from django.conf import settings
from rfc3161_client import (
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from madoguchi.server import clock
from madoguchi.server.errors import OfficeError
from madoguchi.server.ledger import integrator
from madoguchi.server.ledger.models import Stamp

_LIMIT = 20
"""Seconds to wait for the authority."""
_LONGEST = 100_000


class NotStamped(OfficeError):
    """No time stamp was given, or one that does not verify. Nothing was stored."""

    sentence = (
        "タイムスタンプを受け取れませんでした。MADOGUCHI_TIMESTAMP_URL と MADOGUCHI_TIMESTAMP_ROOTS の設定と、"
        "ネットワークを確かめてから、もう一度実行してください。"
    )


def stamp() -> Stamp:
    """Have the newest checkpoint stamped, once. Raises `NotStamped`, `LogBroken`, `LogEmpty`."""
    newest = integrator.settle()
    known = Stamp.objects.filter(checkpoint=newest).first()
    if known is not None:
        return known
    token = ask(settings.TIMESTAMP_URL, settings.TIMESTAMP_ROOTS, newest.note.encode())
    return Stamp.objects.create(checkpoint=newest, token=token, at=clock.now())


def ask(url: str, roots: Path | None, said: bytes) -> bytes:
    """The authority's answer (DER) over `said`, verified against the certificates in `roots` (PEM).

    Raises `NotStamped`, also for an answer that is BER but not DER.
    """
    if not url.startswith(("https://", "http://")) or roots is None:
        raise NotStamped("no authority is set")
    request = TimestampRequestBuilder().data(said).build()
    headers = {"Content-Type": "application/timestamp-query"}
    try:
        question = urllib.request.Request(url, request.as_bytes(), headers)  # noqa: S310 - checked above
        with urllib.request.urlopen(question, timeout=_LIMIT) as answer:  # noqa: S310 - see above
            token = bytes(answer.read(_LONGEST))
        response = decode_timestamp_response(token)
        builder = VerifierBuilder.from_request(request)
        for certificate in x509.load_pem_x509_certificates(roots.read_bytes()):
            builder = builder.add_root_certificate(certificate)
        _check_granted(response)
        builder.build().verify_message(response, said)
    except (URLError, OSError, ValueError, VerificationError) as error:
        raise NotStamped(str(error)) from error
    return token


def _check_granted(response: TimeStampResponse) -> None:
    if response.status not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
        raise NotStamped(f"refused with status {response.status}")
