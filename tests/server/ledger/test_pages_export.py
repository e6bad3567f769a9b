"""Downloads: what the zip holds, that it verifies without the server, and that nothing of it stays here."""

import re
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from madoguchi.evidence import verify
from madoguchi.server import clock
from madoguchi.server.ledger.models import Entry
from madoguchi.server.visits.models import Visit
from server.ledger.pages_support import decoded, seen
from server.seat import Enter, text


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def lines(answer: Any, name: str) -> list[str]:
    """The lines of a file in the zip that was sent."""
    with zipfile.ZipFile(BytesIO(b"".join(answer.streaming_content))) as packed:
        (path,) = [one for one in packed.namelist() if one.endswith(name)]
        return packed.read(path).decode().splitlines()


def test_a_visit_is_exported_and_nothing_of_it_stays_here(enter: Enter, visit: Visit, room: Path) -> None:
    answer = enter("auditor").post(reverse("evidence_visit_export", args=[visit.pk]))
    assert "A-001" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert list(room.iterdir()) == []
    events = lines(answer, "events.jsonl")
    assert len([line for line in events if str(visit.pk) in line]) == 7
    assert Entry.objects.get(kind="evidence_exported")


def test_contents_go_along_only_where_the_box_is_ticked(enter: Enter, visit: Visit) -> None:
    client, address = enter("auditor"), reverse("evidence_visit_export", args=[visit.pk])
    assert lines(client.post(address), "payloads.jsonl") == []
    (given,) = lines(client.post(address, {"disclose": "on"}), "payloads.jsonl")
    assert "strokes" in given


def test_the_whole_log_and_a_period_are_exported(enter: Enter, visit: Visit, room: Path) -> None:
    assert visit.pk
    client, address, day = enter("officer"), reverse("evidence_export"), clock.today().isoformat()
    whole = lines(client.post(address, {"what": "whole"}), "events.jsonl")
    period = lines(client.post(address, {"what": "period", "begin": day, "end": day}), "events.jsonl")
    assert len(period) == len(whole) + 1
    assert (
        lines(client.post(address, {"what": "period", "begin": "2022-08-17", "end": "2022-08-17"}), "events.jsonl")
        == []
    )
    assert list(room.iterdir()) == []


def test_what_was_downloaded_holds_with_the_key_and_the_checkpoint_from_the_citizens_receipt(
    enter: Enter, visit: Visit, tmp_path: Path
) -> None:
    client = enter("auditor")
    paper, key = tmp_path / "receipt.note", re.search(r"<code>(madoguchi-.*?)</code>", seen(client, "evidence"))
    assert key
    paper.write_text(decoded(seen(enter("honcho-1"), "receipt", visit.pk)))
    address = reverse("evidence_visit_export", args=[visit.pk])
    sent = client.post(address, {"disclose": "on"})
    bundle = tmp_path / sent.headers["Content-Disposition"].partition('filename="')[2].rstrip('"')
    bundle.write_bytes(sent.getvalue())
    asked = [str(bundle), "--key", key[1], "--anchor", str(paper), "--jobs", "1"]
    assert verify.main(asked) == 0
    paper.write_text(paper.read_text().replace("\n", "\nx", 1))
    assert verify.main(asked) != 0


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"what": "period"},
        {"what": "period", "begin": "2022-08-17"},
        {"what": "period", "begin": "2022-08-17", "end": "2022-08-16"},
        {"what": "everything"},
    ],
)
def test_an_unclear_range_exports_nothing(enter: Enter, visit: Visit, given: dict[str, str]) -> None:
    assert visit.pk
    answer = enter("officer").post(reverse("evidence_export"), given)
    assert answer.status_code == 400
    assert 'class="error"' in text(answer)
    assert not Entry.objects.filter(kind="evidence_exported").exists()


def test_nobody_exports_by_following_a_link(enter: Enter, visit: Visit) -> None:
    assert enter("officer").get(reverse("evidence_visit_export", args=[visit.pk])).status_code == 405
    assert not Entry.objects.filter(kind="evidence_exported").exists()
