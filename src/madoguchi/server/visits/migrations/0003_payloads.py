"""Handwriting moves to the ledger's payloads; the table of its own goes."""

import json
import secrets
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import migrations
from django.utils import timezone

from madoguchi.evidence import sealed
from madoguchi.server import keyring, keys
from madoguchi.server.ledger import retention


def move(apps: Any, _editor: Any) -> None:
    """Open every signature under the old key and seal it as a payload. Raises `SealBroken`: then nothing has moved."""
    rows = apps.get_model("visits", "Signature").objects.order_by("stored_at")
    payload = apps.get_model("ledger", "Payload")
    for row in rows.iterator():
        old = keys.existing_key(Path(settings.STATE_DIR) / "sealing.key")
        held = json.loads(sealed.unseal(old, f"visits_signature|sealed|{row.id}", bytes(row.sealed)))
        sealed.check_commitment(row.commitment, held["salt"], held["payload"])
        payload.objects.create(**_resealed(row, held))


def _resealed(row: Any, held: dict[str, Any]) -> dict[str, Any]:
    number, own = uuid.uuid4(), secrets.token_bytes(32)
    plain = json.dumps({"salt": held["salt"], "content": held["payload"]}).encode()
    return {
        "id": number,
        "kind": "signature",
        "visit": row.visit_id,
        "commitment": row.commitment,
        "sealed": sealed.seal(own, f"ledger_payload|sealed|{number}", plain),
        "wrapped": sealed.seal(keyring.current().key, f"ledger_payload|wrapped|{number}", own),
        "stored_at": row.stored_at,
        "erase_on": retention.erase_on(timezone.localdate(row.stored_at), "signature", settings.RETENTION_YEARS),
    }


class Migration(migrations.Migration):
    dependencies = [("visits", "0002_rules"), ("ledger", "0001_initial")]

    # DeleteModel drops one table and rebuilds no other: the triggers of the others stay.
    operations = [migrations.RunPython(move), migrations.DeleteModel("Signature")]
