"""The check as the tests run it, and logs and bundles that are never written to."""

import shutil
from pathlib import Path

import pytest

from evidence.logbook import Logbook
from evidence.support import Run, stamped
from madoguchi.evidence import verify


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the check in this process: exit code and what it prints; to standard error it prints nothing."""

    def call(path: Path, *arguments: str) -> tuple[int, str]:
        code = verify.main([str(path), "--jobs", "1", *arguments])
        captured = capfd.readouterr()
        assert captured.err == ""
        return code, captured.out

    return call


@pytest.fixture(scope="session")
def book() -> Logbook:
    """Eight days of an office."""
    return Logbook.office(days=8)


@pytest.fixture(scope="session")
def folder(book: Logbook, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its whole log, with an anchor and a stamp."""
    return stamped(book, tmp_path_factory.mktemp("verify") / "bundle")


@pytest.fixture(scope="session")
def whole(book: Logbook, tmp_path_factory: pytest.TempPathFactory) -> tuple[Logbook, Path]:
    """The log with an untouched bundle of all of it, anchored at 100 entries."""
    return book, book.write(tmp_path_factory.mktemp("whole") / "bundle", anchors=[book.checkpoint(100)])


@pytest.fixture
def copy(whole: tuple[Logbook, Path], tmp_path: Path) -> Path:
    """A copy to tamper with."""
    return Path(shutil.copytree(whole[1], tmp_path / "copy"))
