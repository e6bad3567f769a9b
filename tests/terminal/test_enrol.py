"""One code, once; the key file is the owner's alone."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from madoguchi.evidence.keys import public_text
from madoguchi.terminal import errors
from madoguchi.terminal.enrol import DeviceFile, enrol
from terminal.doubles import SimClock, make_credentials
from terminal.office import Office
from terminal.rig import Cable


@pytest.fixture
def office() -> Office:
    made = Office(SimClock())
    made.codes = {"GOOD-CODE": "fresh", "OLD-CODE": "EnrolmentExpired", "USED-CODE": "EnrolmentUsed", "ODD": "Else"}
    return made


@pytest.fixture
def cable(office: Office) -> Cable:
    return Cable(office)


@pytest.fixture
def client(cable: Cable) -> Iterator[httpx.Client]:
    with httpx.Client(transport=cable) as made:
        yield made


@pytest.fixture
def device(memory: Path) -> DeviceFile:
    return DeviceFile(memory / "state" / "device.json")


def test_a_good_code_makes_a_terminal_and_works_once(office: Office, client: httpx.Client, device: DeviceFile) -> None:
    made = enrol(server_url="http://office.test/", code=" GOOD-CODE\n", device=device, client=client)
    assert (made.terminal, made.name, made.tag_key) == ("t1", "1番", b"k" * 32)
    assert office.keys == [public_text(made.key)]
    kept = device.load()
    assert public_text(kept.key) == public_text(made.key)
    assert (kept.token, kept.seal_key, kept.token_at) == (made.token, made.seal_key, made.token_at)
    with pytest.raises(errors.EnrolmentUsed):
        enrol(server_url="http://office.test", code="GOOD-CODE", device=device, client=client)
    assert device.load().token == made.token


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("OLD-CODE", errors.EnrolmentExpired),
        ("USED-CODE", errors.EnrolmentUsed),
        ("NO-CODE", errors.EnrolmentUnknown),
        ("ODD", errors.EnrolmentRefused),
    ],
)
def test_a_bad_code_is_named_and_keeps_nothing(
    client: httpx.Client, device: DeviceFile, code: str, error: type[errors.TerminalError]
) -> None:
    with pytest.raises(error) as caught:
        enrol(server_url="http://office.test", code=code, device=device, client=client)
    assert "職員" in caught.value.sentence or "コード" in caught.value.sentence
    assert not device.path.exists()


def test_without_a_server_nothing_is_kept(cable: Cable, client: httpx.Client, device: DeviceFile) -> None:
    cable.cut = True
    with pytest.raises(errors.ServerUnreachable):
        enrol(server_url="http://office.test", code="GOOD-CODE", device=device, client=client)
    assert not device.path.exists()


@pytest.mark.parametrize("answer", [{}, {"terminal": "t1"}, [], {"tag_key": "***"}])
def test_a_malformed_answer_keeps_nothing(
    cable: Cable, client: httpx.Client, device: DeviceFile, answer: object
) -> None:
    cable.instead = httpx.Response(200, json=answer)
    with pytest.raises(errors.EnrolmentRefused):
        enrol(server_url="http://office.test", code="GOOD-CODE", device=device, client=client)
    assert not device.path.exists()


def test_the_key_file_is_the_owners_alone(device: DeviceFile) -> None:
    previous = os.umask(0)
    try:
        device.save(make_credentials())
    finally:
        os.umask(previous)
    assert device.path.stat().st_mode & 0o777 == 0o600
    assert device.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_key_file_that_others_may_read_is_refused(device: DeviceFile) -> None:
    device.save(make_credentials())
    device.path.chmod(0o640)
    with pytest.raises(errors.DeviceFileUnsafe):
        device.load()


def test_an_absent_key_file_means_not_enrolled(device: DeviceFile) -> None:
    with pytest.raises(errors.NotEnrolled):
        device.load()


@pytest.mark.parametrize("field", ["terminal", "token", "tag_key", "key", "seal_key", "token_at"])
@pytest.mark.parametrize("value", [None, "", 5, []])
def test_a_damaged_key_file_is_refused(device: DeviceFile, field: str, value: object) -> None:
    device.save(make_credentials())
    data = json.loads(device.path.read_text())
    data[field] = value
    device.path.write_text(json.dumps(data))
    with pytest.raises(errors.DeviceFileUnsafe):
        device.load()


@pytest.mark.parametrize("field", ["tag_key", "key", "seal_key"])
@pytest.mark.parametrize("value", ["!", "c2hvcnQ=", "日本"])
def test_a_key_that_is_none_is_refused(device: DeviceFile, field: str, value: str) -> None:
    device.save(make_credentials())
    device.path.write_text(json.dumps(json.loads(device.path.read_text()) | {field: value}))
    with pytest.raises(errors.DeviceFileUnsafe):
        device.load()
