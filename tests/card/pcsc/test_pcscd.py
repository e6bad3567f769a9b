"""The private service: reached from its folder only, gone with whoever started it, honest about what it lacks."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from card.pcsc.support import until
from madoguchi.card import (
    ReaderLost,
    ServiceMissing,
)
from madoguchi.card.pcscd import PrivatePcscd
from madoguchi.card.vpcd import dial

pytestmark = pytest.mark.slow


def test_a_machine_without_the_parts_is_told_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("madoguchi.card.pcscd._DRIVERS", tmp_path)
    monkeypatch.setattr("madoguchi.card.pcscd._DAEMON", str(tmp_path / "pcscd"))
    with pytest.raises(ServiceMissing, match="pcscd, vsmartcard-vpcd") as raised, PrivatePcscd(tmp_path):
        pass
    assert "script/bootstrap test" in raised.value.sentence


def test_the_private_service_is_reached_from_its_folder_only(service: PrivatePcscd) -> None:
    assert service.socket_path.is_socket()
    with pytest.raises(ReaderLost):
        dial()  # on this machine itself
    with service.dial():
        pass
    with pytest.raises(ReaderLost):
        service.dial(9)
    assert not os.environ["PCSCLITE_CSOCK_NAME"].startswith("/run/pcscd")


def test_nothing_stays_behind_whoever_is_killed(short_folder: Path) -> None:
    with PrivatePcscd(short_folder) as service:
        assert len(_processes(short_folder)) >= 3
        assert service._keeper is not None
        service._keeper.kill()
        until(lambda: _processes(short_folder) == [])


@pytest.fixture
def short_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pcsc-") as folder:
        yield Path(folder)


def _processes(folder: Path) -> list[str]:
    lines = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            lines.append(" ".join(process.cmdline()))
    return [line for line in lines if str(folder) in line]
