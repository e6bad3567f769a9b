"""Wrapping keys: made, found, destroyed; what lies in their folder without having any business there."""

import hashlib
import hmac
import multiprocessing
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from madoguchi.evidence.sealed import key_id
from madoguchi.server import keyring, keys
from server.ledger.keys_of_its_own import own_keys


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with own_keys(tmp_path / "state") as made:
        yield made


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_the_first_key_is_made_when_it_is_needed(folder: Path) -> None:
    assert keyring.read() == ()
    assert not folder.exists()
    first = keyring.current()
    assert (first.number, files(folder)) == (1, ["0001.key"])
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert keyring.current() == first == keyring.find(first.id)


def test_the_highest_number_is_current_and_older_ones_open(folder: Path) -> None:
    first = keyring.current()
    with keyring.changing():
        second = keyring.add()
    assert keyring.current() == second
    assert keyring.find(first.id) == first
    assert [key.path.name for key in keyring.read()] == ["0001.key", "0002.key"]
    assert keyring.strays() == ["0001.key"]
    keyring.note_change_due()
    assert keyring.strays() == []
    assert folder.joinpath("change.due").exists()


def test_numbers_are_numbers(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in (9999, 10000):
        keys.make(folder / f"{number:04d}.key")
    assert keyring.current().number == 10000
    with keyring.changing():
        assert keyring.add().path.name == "10001.key"


def test_a_destroyed_key_is_gone_and_not_used_when_it_comes_back(folder: Path) -> None:
    first = keyring.current()
    saved = first.path.read_bytes()
    with keyring.changing():
        second = keyring.add()
        assert [key.id for key in keyring.destroy_all_but(second)] == [first.id]
    assert files(folder) == ["0002.key", "destroyed", "lock"]
    with pytest.raises(keyring.WrappingKeyMissing):
        keyring.find(first.id)
    for name in ("0001.key", "0009.key"):
        (folder / name).write_bytes(saved)
        assert keyring.strays() == [name]
        assert keyring.current() == second
        with pytest.raises(keyring.WrappingKeyMissing):
            keyring.find(first.id)
        with keyring.changing():
            second = keyring.add()
            keyring.destroy_all_but(second)
        assert not (folder / name).exists()
    assert keyring.strays() == []
    assert folder.joinpath("destroyed").read_text().count(first.id.hex()) == 1


def test_copies_and_strangers_in_the_folder_are_named(folder: Path) -> None:
    first = keyring.current()
    shutil.copy(first.path, folder / "0001.key.bak")
    (folder / "notes.txt").write_text("x")
    assert keyring.strays() == ["0001.key.bak", "notes.txt"]


def test_a_broken_key_file_stops_everything(folder: Path) -> None:
    keyring.current()
    (folder / "0002.key").write_text("no key")
    with pytest.raises(keys.KeyFileBroken):
        keyring.current()


def test_what_killed_processes_leave_is_swept(folder: Path) -> None:
    first = keyring.current()
    folder.joinpath(".0001.key.77.abcd").hardlink_to(first.path)
    first.path.rename(folder / ".going-0001.key")
    with keyring.changing():
        second = keyring.add()
        keyring.destroy_all_but(second)
    assert files(folder) == [f"{second.number:04d}.key", "destroyed", "lock"]


def test_the_bytes_are_overwritten_before_the_name_goes(folder: Path, tmp_path: Path) -> None:
    first = keyring.current()
    saved = first.path.read_bytes()
    second_name = tmp_path / "same file"
    second_name.hardlink_to(first.path)
    with keyring.changing():
        keyring.destroy_all_but(keyring.add())
    assert second_name.read_bytes() != saved
    assert len(second_name.read_bytes()) == len(saved)
    assert folder.exists()


def test_the_sealing_key_of_earlier_versions_goes_and_card_tags_stay(folder: Path) -> None:
    old = Path(settings.STATE_DIR) / "sealing.key"
    sealing = keys.key_bytes(old)
    keyring.current()
    with keyring.changing():
        keyring.destroy_all_but(keyring.add())
    assert not old.exists()
    tag = hmac.digest(sealing, b"madoguchi card tag v1", hashlib.sha256)
    assert keys.card_tag_key(settings.CARD_TAG_KEY_FILE) == tag
    assert folder.exists()


def _current(state: Path) -> bytes:
    settings.WRAPPING_KEYS_DIR = state
    return keyring.current().id


@pytest.mark.slow
def test_processes_that_start_together_seal_under_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        made = pool.map(_current, [tmp_path / "wrapping"] * 8)
        pool.close()
        pool.join()
    assert len(set(made)) == 1


def test_a_key_is_named_by_what_sealed_things_begin_with(folder: Path) -> None:
    assert keyring.current().id == key_id(keyring.current().key)
    assert folder.exists()
