"""The kernel tells the end of a file system when nobody has anything of it any more, and not before."""

import mmap
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from madoguchi.terminal.ends import Ends
from terminal.box.support import until

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A memory file system of the test's own."""
    subprocess.run(["mount", "-t", "tmpfs", "test", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=False, stderr=subprocess.DEVNULL)


@pytest.fixture
def ends(place: Path) -> Iterator[Ends]:
    """A watch on it."""
    made = Ends()
    made.watch(place, place.stat().st_dev)
    yield made
    made.close()


def take_away(place: Path, *, lazily: bool = True) -> None:
    subprocess.run(["umount", *(["-l"] if lazily else []), str(place)], check=True)


def test_a_watch_keeps_nothing_alive(place: Path, ends: Ends) -> None:
    assert ends.standing()
    take_away(place, lazily=False)
    until(lambda: not ends.standing())
    assert not ends.standing()


@contextmanager
def a_file(place: Path) -> Iterator[None]:
    with (place / "held").open("w"):
        yield


@contextmanager
def a_deleted_file(place: Path) -> Iterator[None]:
    with (place / "held").open("w") as file:
        os.unlink(file.name)
        yield


@contextmanager
def a_directory(place: Path) -> Iterator[None]:
    with subprocess.Popen(["sleep", "1000"], cwd=place) as process:
        yield
        process.kill()


@contextmanager
def a_mapping(place: Path) -> Iterator[None]:
    with (place / "held").open("w+b") as file:
        file.truncate(4096)
        mapping = mmap.mmap(file.fileno(), 4096)
    yield
    mapping.close()


@contextmanager
def a_file_on_its_way(place: Path) -> Iterator[None]:
    """In no process at all: sent through a socket, and not yet taken out."""
    near, far = socket.socketpair()
    with near, far:
        with (place / "held").open("w") as file:
            socket.send_fds(near, [b"."], [file.fileno()])
        yield


@contextmanager
def another_mount(place: Path) -> Iterator[None]:
    with subprocess.Popen(["unshare", "--mount", "sleep", "1000"]) as process:
        until(lambda: os.readlink(f"/proc/{process.pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt"))
        until(lambda: str(place) in Path(f"/proc/{process.pid}/mountinfo").read_text())
        yield
        process.kill()


KEEPING: list[Callable[[Path], AbstractContextManager[None]]] = [
    a_file,
    a_deleted_file,
    a_directory,
    a_mapping,
    a_file_on_its_way,
    another_mount,
]


@pytest.mark.parametrize("keep", KEEPING, ids=lambda keep: str(keep.__name__))
def test_whatever_is_kept_keeps_the_end_away(
    place: Path, ends: Ends, keep: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with keep(place):
        take_away(place)
        assert not os.path.ismount(place)
        with pytest.raises(AssertionError):
            until(lambda: not ends.standing(), 0.3)
    until(lambda: not ends.standing())


def test_another_file_system_is_not_taken_for_it(place: Path) -> None:
    with pytest.raises(OSError, match="another"):
        Ends().watch(place, place.stat().st_dev + 1)


def test_two_are_told_apart(place: Path, ends: Ends) -> None:
    inner = place / "inner"
    inner.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "test", str(inner)], check=True)
    ends.watch(inner, inner.stat().st_dev)
    assert len(ends.standing()) == 2
    take_away(inner)
    until(lambda: len(ends.standing()) == 1)
    assert ends.standing() == {place.stat().st_dev}
