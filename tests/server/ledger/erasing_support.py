"""What the tests of erasing share: a stock of sealed contents, and what opens."""

from uuid import UUID, uuid4

from django.db import transaction

from madoguchi.evidence import leaf
from madoguchi.evidence.errors import SealBroken
from madoguchi.evidence.sealed import unseal
from madoguchi.server import keyring
from madoguchi.server.ledger import erasing, payloads
from madoguchi.server.ledger.erasing import Reason
from madoguchi.server.ledger.models import Entry, Payload
from server.seat import Json

PERSON, OTHER = uuid4(), uuid4()


def stock(visit: UUID = PERSON, count: int = 3) -> list[str]:
    """So many contents of a visit; their commitments."""
    kinds = ("signature", "words", "rejected")
    with transaction.atomic():
        return [payloads.keep(kind=kinds[n % 3], content={"text": f"{visit} {n}"}, visit=visit) for n in range(count)]


def erase_person(**more: object) -> erasing.Report:
    """Erase all contents of one visit."""
    return erasing.erase(chosen=erasing.of_visit(PERSON), reason=Reason.REQUEST, **more)  # type: ignore[arg-type]


def all_open() -> int:
    """Every content that is left opens; how many."""
    return len([payloads.open_payload(row) for row in Payload.objects.all()])


def stated(kind: str) -> list[Json]:
    """The statements of a kind, in order."""
    rows = Entry.objects.filter(kind=kind).order_by("pk")
    return [dict(leaf.read(bytes(row.leaf)).statement) for row in rows]


def opens_with(keys: list[bytes], number: UUID, wrapped: bytes, content: bytes) -> bool:
    """Whether a copy of a row can be opened by whoever has these wrapping keys."""
    for key in keys:
        try:
            own = unseal(key, payloads.place(number, "wrapped"), wrapped)
            unseal(own, payloads.place(number, "sealed"), content)
        except SealBroken:
            continue
        return True
    return False


def key_bytes() -> list[bytes]:
    """The wrapping keys that are there now."""
    return [key.key for key in keyring.read()]
