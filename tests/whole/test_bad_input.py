"""Bad input at every door of the whole: a named error that says what to do, and nothing is lost or half-done."""

import json
import re
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from madoguchi.card import CertificateAuthority, MemoryReader
from madoguchi.evidence import envelope
from madoguchi.nation.run import Config, Running, serve
from madoguchi.nation.seed import TrainingCity, make_training_city
from madoguchi.protocol import EventKind, Message
from madoguchi.replay.pages import FormPages
from madoguchi.terminal.enrol import DeviceFile
from whole.cards import CARDS, FOREIGN, WITHOUT_CERTIFICATES, cards
from whole.helpers import environment, until
from whole.office import FINAL, Office
from whole.stack import Counter

pytestmark = pytest.mark.slow

SCENARIO = Path(__file__).parents[2] / "scenarios" / "card-forgotten.toml"
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠].*。")
AN_HOUR = 3600.0


def command(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    line = [sys.executable, "-m", "madoguchi", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, env=environment(COLUMNS="200", **env), timeout=120)


def refused(done: "subprocess.CompletedProcess[str]", code: str) -> None:
    """Exit status 2, the error's name, a Japanese sentence, no traceback, nothing on standard output."""
    assert done.returncode == 2, done.stderr
    assert f"{code}:" in done.stderr
    assert JAPANESE.search(done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


# the command line


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        pytest.param('do = "put_card"', 'do = "fly"', "steps", id="unknown act"),
        pytest.param('who = "A"', 'who = "Z"', "steps", id="unknown person"),
        pytest.param("birth = 1951-04-02", 'birth = "1951"', "people", id="birth is text"),
        pytest.param("[[steps]]", "[[steps", "", id="no TOML"),
    ],
)
def test_a_malformed_scenario(tmp_path: Path, old: str, new: str, place: str) -> None:
    text = SCENARIO.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "broken.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    done = command("replay", file, "--json")
    refused(done, "MalformedScenario")
    assert place in done.stderr


def test_a_scenario_that_is_not_there(tmp_path: Path) -> None:
    refused(command("replay", tmp_path / "none.toml"), "MalformedScenario")


@pytest.mark.parametrize(
    ("line", "named"), [('grace_seconds = "long"', "grace_seconds"), ("speed = 9", "speed"), ("[", "line")]
)
def test_a_terminal_configuration_with_a_wrong_value(tmp_path: Path, line: str, named: str) -> None:
    file = tmp_path / "terminal.toml"
    file.write_text(f'[terminal]\nserver_url = "http://127.0.0.1:9"\nstate_dir = "{tmp_path}/state"\n{line}\n')
    done = command("terminal", "run", file)
    refused(done, "ConfigInvalid")
    assert named in done.stderr
    assert not (tmp_path / "state").exists()


def test_a_terminal_that_is_not_enrolled_does_not_start(tmp_path: Path) -> None:
    file = _terminal_file(tmp_path, "http://127.0.0.1:9")
    refused(command("terminal", "run", file), "NotEnrolled")


def _terminal_file(folder: Path, server: str) -> Path:
    file = folder / "terminal.toml"
    file.write_text(f'[terminal]\nserver_url = "{server}"\nstate_dir = "{folder}/state"\n')
    return file


@pytest.mark.parametrize("code", ["AAAA-BBBB-CCCC", "", "' OR 1=1 --", "架空"])
def test_an_unknown_enrolment_code(running_office: Office, tmp_path: Path, code: str) -> None:
    done = command("terminal", "enrol", _terminal_file(tmp_path, running_office.url), code)
    refused(done, "EnrolmentUnknown")
    assert not (tmp_path / "state").exists()


def test_an_expired_and_a_used_enrolment_code(running_office: Office, tmp_path: Path) -> None:
    terminal = running_office.ask("terminal")
    file = _terminal_file(tmp_path, running_office.url)
    late = running_office.ask("code", terminal=terminal)
    running_office.ask("expire", terminal=terminal)
    refused(command("terminal", "enrol", file, late), "EnrolmentExpired")
    assert not (tmp_path / "state").exists()
    code = running_office.ask("code", terminal=terminal)
    assert command("terminal", "enrol", file, code).returncode == 0
    device = (tmp_path / "state" / "device.json").read_bytes()
    refused(command("terminal", "enrol", file, code), "EnrolmentUsed")
    assert (tmp_path / "state" / "device.json").read_bytes() == device


def test_an_enrolment_without_a_server(tmp_path: Path) -> None:
    done = command("terminal", "enrol", _terminal_file(tmp_path, "http://127.0.0.1:9"), "AAAA-BBBB-CCCC")
    refused(done, "ServerUnreachable")
    assert not (tmp_path / "state").exists()


# messages


def test_a_message_with_an_old_lease_changes_nothing_and_is_kept(seat: Counter) -> None:
    first, second = seat.office.issue(), seat.office.issue()
    seat.start()
    seat.walk(first)
    seat.walk_until(second, "waiting_card")
    old = seat.office.ask("visit", visit=first)
    before = seat.office.ask("visit", visit=second)
    seat.stop()
    bodies: list[tuple[EventKind, dict[str, Any]]] = [
        (EventKind.BIND_CARD, {"card_tag": "ab" * 32}),
        (EventKind.END, {"cause": "finish"}),
        (EventKind.WIPE_PROVEN, {"proof": {"space": "none"}}),
    ]
    for kind, body in bodies:
        verdicts = [_send(seat, kind, visit, old["lease"], body) for visit in (first, second)]
        assert [(given["verdict"], given["reason"]) for given in verdicts] == [
            ("rejected", "IllegalTransition"),  # its own lease, but its visit is closed
            ("rejected", "StaleLease"),
        ]
        assert all(JAPANESE.search(given["sentence"]) for given in verdicts)
    assert seat.office.ask("visit", visit=second) == before
    assert seat.office.ask("visit", visit=first) == old
    kept = seat.office.ask("rejected", terminal=seat.terminal)
    assert [row["reason"] for row in kept] == ["IllegalTransition", "StaleLease"] * len(bodies)
    assert all(json.loads(row["raw"])["signature"] for row in kept)
    seat.start()
    seat.walk(second)


def _send(seat: Counter, kind: EventKind, visit: str, lease: int, body: dict[str, Any]) -> dict[str, Any]:
    """A message that is well made and signed by the terminal's own key."""
    credentials = DeviceFile(seat.box.state / "device.json").load()
    at = datetime.now(UTC).isoformat()
    message = Message(str(uuid.uuid4()), seat.terminal, 999, kind, at, visit, lease, True, body).to_json()  # noqa: FBT003
    given = {"message": message, "signature": envelope.sign(message, credentials.key), "payload": None}
    headers = {"Authorization": f"Device {credentials.token}"}
    address = f"{seat.office.url}/api/device/messages"
    answer = httpx.post(address, json={"messages": [given]}, headers=headers, timeout=30)
    verdict: dict[str, Any] = answer.json()["verdicts"][0]
    return verdict


# the terminal


def test_a_clock_that_is_far_off_is_said_and_binds_no_card(seat: Counter) -> None:
    visit = seat.office.issue()
    seat.start(clock_off=AN_HOUR)
    seat.walk_until(visit, "waiting_card")
    until(lambda: any("時計" in notice for notice in seat.notices()), "the desk tells of the clock")
    seat.shelf.insert(CARDS[0])
    until(lambda: seat.office.ask("rejected", terminal=seat.terminal), "the card is refused")
    assert seat.office.ask("rejected", terminal=seat.terminal)[0]["reason"] == "ClockFarOff"
    assert (seat.view(), seat.remains.everything()) == ("waiting_card", [])
    assert seat.office.state(visit) == "called"
    assert seat.office.ask("seat", terminal=seat.terminal)["clock_skew"] == pytest.approx(AN_HOUR, abs=60)
    seat.shelf.remove()
    seat.start()
    seat.walk(visit)
    assert seat.office.state(visit) == "closed"


@pytest.mark.parametrize(
    ("card", "said"),
    [
        pytest.param(WITHOUT_CERTIFICATES, "電子証明書が入っていません", id="no certificate"),
        pytest.param(FOREIGN, "マイナンバーカードではない", id="foreign"),
    ],
)
def test_a_card_that_cannot_be_read_is_named_and_opens_nothing(seat: Counter, card: str, said: str) -> None:
    visit = seat.office.issue()
    seat.start()
    seat.walk_until(visit, "waiting_card")
    seat.shelf.insert(card)
    until(lambda: any(said in notice for notice in seat.notices()), lambda: f"the desk says why: {seat.picture()}")
    assert (seat.view(), seat.remains.everything()) == ("waiting_card", [])
    assert seat.office.state(visit) == "called"
    seat.shelf.remove()
    seat.walk(visit)
    assert seat.office.state(visit) == "closed"
    seat.nothing_lost()


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param('{"state": "dancing", "visit": null, "lease": null}', id="unknown state"),
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param('{"state": "open", "mood": "good"}', id="unknown field"),
    ],
)
def test_a_journal_with_an_unknown_state_is_swept_noted_and_served_to_the_end(seat: Counter, snapshot: str) -> None:
    """The agent knows nothing any more; the server's picture decides, and the visit passes the gate."""
    visit = seat.office.issue()
    seat.start()
    seat.walk_until(visit, "open")
    seat.stop()
    with closing(sqlite3.connect(seat.journal)) as db, db:
        db.execute("UPDATE snapshot SET terminal = ?", (snapshot,))
    assert seat.try_call(seat.office.issue()) == "TerminalBusy"
    seat.start()
    seat.await_swept()
    assert seat.remains.everything() == []
    with closing(sqlite3.connect(seat.journal)) as db:
        assert ("SnapshotUnreadable",) in db.execute("SELECT code FROM incident_log").fetchall()
    seat.walk(visit)
    row = seat.office.ask("visit", visit=visit)
    assert (row["state"], row["cause"]) == ("closed", "agent_restarted")
    seat.nothing_lost()


@pytest.mark.parametrize(
    "given",
    [
        {"outcome": "interrupted", "kind": "signature"},
        {"outcome": "completed", "kind": "signature"},
        {"outcome": "completed", "own_name": "own", "kind": "signature", "strokes": ""},
        {"outcome": "completed", "own_name": "own", "kind": "spoken", "staff_1": "honcho-1", "staff_2": "honcho-1"},
        {"outcome": "completed", "own_name": "unseen", "kind": "absent"},
        {"outcome": "perfect", "kind": "signature"},
    ],
    ids=lambda given: " ".join(given.values()),
)
def test_an_incomplete_confirmation_closes_nothing(seat: Counter, given: dict[str, str]) -> None:
    visit = seat.office.issue()
    seat.start()
    seat.walk_until(visit, "confirming")
    answer = seat.desk.confirm(**given)
    assert answer.status_code == 400
    assert answer.json()["code"] == "FormIncomplete"
    assert JAPANESE.search(answer.json()["sentence"])
    assert seat.office.state(visit) not in FINAL
    assert seat.desk.confirm(outcome="interrupted", reason="pin_locked", kind="signature").status_code == 200
    until(lambda: seat.office.state(visit) == "closed", "the visit is closed")
    row = seat.office.ask("visit", visit=visit)
    assert (row["outcome"], row["reason"]) == ("interrupted", "pin_locked")


# the national sites


@pytest.fixture
def reader() -> MemoryReader:
    return MemoryReader("試験リーダー")


@pytest.fixture
def city() -> TrainingCity:
    return make_training_city(clock=lambda: datetime.now(UTC))


@pytest.fixture
def sites(city: TrainingCity, reader: MemoryReader) -> Iterator[Running]:
    with serve(city.nation, Config(reader=reader)) as running:
        yield running


@pytest.fixture
def pages() -> Iterator[FormPages]:
    with httpx.HTTPTransport() as transport:
        made = FormPages(transport)
        yield made
        made.close()


def test_a_pin_that_is_locked_on_the_way(
    city: TrainingCity, sites: Running, reader: MemoryReader, pages: FormPages
) -> None:
    citizen = city.citizens["市民B"]
    reader.insert(city.cards["市民B"])
    pages.go(sites.points_url)
    pages.press("login")
    for code in ("PinWrong", "PinWrong", "PinLocked"):
        pages.fill("pin", "9999")
        pages.press("use")
        assert pages.text("note-code") == code
        assert JAPANESE.search(pages.text("note"))
    assert "ロックされています" in pages.text("locked")
    assert not pages.has("use")
    pages.press("cancel")
    pages.go(f"{sites.points_url}/me")
    assert not pages.has("who")
    pages.go(sites.points_url)
    pages.press("login")
    assert not pages.has("pin"), f"the right PIN {citizen.auth_pin} would help no more"
    assert city.nation.registrations == []


@pytest.mark.parametrize(
    ("card", "code"),
    [pytest.param(WITHOUT_CERTIFICATES, "CertificateMissing"), pytest.param(FOREIGN, "AppletMissing")],
)
def test_a_card_that_the_sites_cannot_use(
    sites: Running, reader: MemoryReader, pages: FormPages, city: TrainingCity, card: str, code: str
) -> None:
    reader.insert(cards()[card])
    pages.go(sites.points_url)
    pages.press("login")
    if pages.has("pin"):
        pages.fill("pin", "1001")
    pages.press("use")
    assert pages.text("note-code") == code
    assert JAPANESE.search(pages.text("note"))
    assert city.nation.registrations == []


def test_a_certificate_from_another_authority(
    sites: Running, reader: MemoryReader, pages: FormPages, city: TrainingCity
) -> None:
    card = city.cards["市民B"]
    card.renew(CertificateAuthority.create(datetime.now(UTC)), datetime.now(UTC))
    reader.insert(card)
    pages.go(sites.points_url)
    pages.press("login")
    pages.fill("pin", city.citizens["市民B"].auth_pin)
    pages.press("use")
    assert JAPANESE.search(pages.text("sentence") or pages.text("note"))
    pages.go(f"{sites.points_url}/me")
    assert not pages.has("who")
