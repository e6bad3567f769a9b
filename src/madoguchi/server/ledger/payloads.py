"""Personal contents: sealed when they are kept, opened on request, found by the commitment that stands in the log."""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from madoguchi.evidence import sealed
from madoguchi.evidence.envelope import canonical
from madoguchi.evidence.errors import EvidenceError
from madoguchi.protocol import MissingEvidence, Permission
from madoguchi.server import clock, keyring
from madoguchi.server.accounts.models import Staff
from madoguchi.server.accounts.permissions import require
from madoguchi.server.ledger import retention, statements
from madoguchi.server.ledger.models import Erasure, Payload
from madoguchi.server.ledger.types import TOKEN

ERASED = "(消去済み)"
UNREADABLE = "(開けません。管理者に知らせてください)"
_PREFIX = "sealed:"
_LOCK = 0x6D61646F_6B6579
"""Key of the advisory lock: those who seal share it, whoever destroys a wrapping key holds it alone."""

_ID_BYTES, _KEY_BYTES = 8, 32


class PayloadLost(EvidenceError):
    """A commitment without a content, although nothing says that it was erased."""

    sentence = "内容が見つかりません。消去の記録もありません。市の担当者と監査担当に知らせてください。"


def keep(
    *,
    kind: str,
    content: Mapping[str, Any],
    visit: UUID | None = None,
    salt: str | None = None,
    commitment: str | None = None,
) -> str:
    """Seal and store a content in the caller's transaction; its commitment.

    `salt`, `commitment`: what a device has committed to, both or neither. Raises `CommitmentMismatch` when they do not
    fit, `ValueError` for what JSON cannot hold, `RetentionUnknown` for a kind that is no retention class.
    """
    if (salt is None) != (commitment is None):
        raise ValueError("salt and commitment belong together")
    chosen = sealed.new_salt() if salt is None else salt
    if commitment is None:
        commitment = sealed.commit(chosen, content)
    else:
        sealed.check_commitment(commitment, chosen, content)
    plain = json.dumps({"salt": chosen, "content": dict(content)}).encode()
    return _store(kind, visit, commitment, plain)


def keep_words(text: str, *, visit: UUID | None = None) -> str:
    """Seal words that staff typed; the token that stands for them. Raises `MissingEvidence` if they say nothing."""
    if not text.strip():
        raise MissingEvidence("words that say nothing")
    return token(keep(kind="words", content={"text": text}, visit=visit))


def keep_raw(text: str, *, visit: UUID | None = None) -> str:
    """Seal a refused message as it came; the token that stands for it."""
    return token(keep(kind="rejected", content={"raw": text}, visit=visit))


def token(commitment: str) -> str:
    """What stands in a statement for the content with this commitment."""
    return _PREFIX + commitment


def find(token: str) -> Payload | None:
    """The payload that a token stands for; None: erased. Raises `PayloadLost`, `ValueError` for what is no token."""
    if not TOKEN.fullmatch(token):
        raise ValueError("not a token")
    commitment = token.removeprefix(_PREFIX)
    payload = Payload.objects.filter(commitment=commitment).first()
    if payload is None and not Erasure.objects.filter(commitment=commitment).exists():
        raise PayloadLost(commitment)
    return payload


def words(token: str) -> str | None:
    """The words that a token stands for; None: erased. Other contents are not shown this way.

    Raises what `find` and `open_payload` raise.
    """
    payload = find(token)
    if payload is None:
        return None
    if payload.kind != "words":
        raise ValueError("not words")
    return str(open_payload(payload)[1]["text"])


def readable(value: object) -> str:
    """Words for a page: those of a token, `ERASED`, `UNREADABLE`; what is no token stays as it is."""
    if not isinstance(value, str) or not TOKEN.fullmatch(value):
        return str(value)
    try:
        found = words(value)
    except (EvidenceError, ValueError):
        return UNREADABLE
    return ERASED if found is None else found


def open_payload(payload: Payload) -> tuple[str, dict[str, Any]]:
    """Salt and content. Raises `SealBroken`, `CommitmentMismatch`.

    Opens for the program. To show it to somebody use `show`, to give it away `disclose`: both are stated in the log.
    """
    key = _row_key(payload)
    held = json.loads(sealed.unseal(key, place(payload.pk, "sealed"), bytes(payload.sealed)))
    sealed.check_commitment(payload.commitment, held["salt"], held["content"])
    return held["salt"], held["content"]


@transaction.atomic
def show(*, payload: Payload, staff: Staff, site_id: int | None = None) -> dict[str, Any]:
    """The content, for a person; that they opened it is stated in the log. `site_id`: whose content it is.

    Raises `Forbidden`, `NotYours`, and what `open_payload` raises.
    """
    require(staff=staff, permission=Permission.SEE_PAYLOADS, site_id=site_id)
    body = {"commitment": payload.commitment, "kind": payload.kind}
    statements.state(kind="payload_opened", body=body, staff=staff, visit=payload.visit)
    return open_payload(payload)[1]


def disclose(payloads: Iterable[Payload]) -> Iterator[dict[str, str]]:
    """Lines of `payloads.jsonl` (docs/evidence.md). Whoever exports states `evidence_exported`, with their number."""
    for payload in payloads:
        salt, content = open_payload(payload)
        said = canonical(content).decode()
        yield {"commitment": payload.commitment, "kind": payload.kind, "payload": said, "salt": salt}


def erased(commitments: Iterable[str]) -> Iterator[dict[str, str]]:
    """Lines of `erasures.jsonl` for those of the commitments that were erased."""
    for row in Erasure.objects.filter(commitment__in=list(commitments)).order_by("pk"):
        moment = row.erased_at.isoformat(timespec="microseconds")
        yield {"commitment": row.commitment, "kind": row.kind, "erased_at": moment, "reason": row.reason}


def place(payload: UUID, column: str) -> str:
    """Table, column and row: a ciphertext pasted elsewhere does not open."""
    return f"ledger_payload|{column}|{payload}"


def hold_keys(*, alone: bool) -> None:
    """Until the transaction ends no wrapping key is destroyed (shared) or used (`alone`).

    On SQLite the transaction holds the only write lock already (BEGIN IMMEDIATE).
    """
    if connection.vendor == "postgresql":
        shared = "" if alone else "_shared"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_xact_lock{shared}(%s)", [_LOCK])


def rewrap(payload: Payload, key: keyring.WrappingKey) -> bytes:
    """The row's own key under another wrapping key. Raises `SealBroken`."""
    return sealed.seal(key.key, place(payload.pk, "wrapped"), _row_key(payload))


@transaction.atomic
def _store(kind: str, visit: UUID | None, commitment: str, plain: bytes) -> str:
    hold_keys(alone=False)
    wrapping, own, row = keyring.current(), secrets.token_bytes(_KEY_BYTES), uuid4()
    now = clock.now()
    Payload.objects.create(
        id=row,
        kind=kind,
        visit=visit,
        commitment=commitment,
        sealed=sealed.seal(own, place(row, "sealed"), plain),
        wrapped=sealed.seal(wrapping.key, place(row, "wrapped"), own),
        stored_at=now,
        erase_on=retention.erase_on(timezone.localdate(now), kind, settings.RETENTION_YEARS),
    )
    return commitment


def _row_key(payload: Payload) -> bytes:
    try:
        return _unwrap(payload)
    except keyring.WrappingKeyMissing as error:
        # Read before the key was changed and opened after it.
        fresh = Payload.objects.filter(pk=payload.pk).values_list("wrapped", flat=True).first()
        if fresh is None:
            raise error
        payload.wrapped = fresh
        return _unwrap(payload)


def _unwrap(payload: Payload) -> bytes:
    wrapped = bytes(payload.wrapped)
    key = keyring.find(wrapped[:_ID_BYTES])
    return sealed.unseal(key.key, place(payload.pk, "wrapped"), wrapped)
