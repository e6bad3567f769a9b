"""Root reads the display's key from where the screen's user writes: nothing but a key gets into a box."""

import os
import struct
from pathlib import Path

import pytest

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.errors import BoxUnavailable
from madoguchi.terminal.inside import display_key
from madoguchi.terminal.spawn import read_info


def entry(*fields: bytes) -> bytes:
    return struct.pack(">H", 0xFFFF) + b"".join(struct.pack(">H", len(field)) + field for field in fields)


KEY = entry(b"", b"", b"MIT-MAGIC-COOKIE-1", bytes(16))


@pytest.fixture
def config(tmp_path: Path) -> BoxConfig:
    return BoxConfig(state=tmp_path, display=":9", xauthority=tmp_path / "key")


def key_file(config: BoxConfig) -> Path:
    assert config.xauthority is not None
    return config.xauthority


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_key_is_read(config: BoxConfig, count: int) -> None:
    key_file(config).write_bytes(KEY * count)
    assert display_key(config) == KEY * count


def test_a_display_without_a_key(config: BoxConfig, tmp_path: Path) -> None:
    assert display_key(config) == b""
    key_file(config).write_bytes(KEY)
    assert display_key(BoxConfig(state=tmp_path, display=None, xauthority=config.xauthority)) == b""


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc/hostname", "/proc/self/environ"])
def test_a_link_to_another_file_gets_nothing_into_a_box(config: BoxConfig, target: str) -> None:
    key_file(config).symlink_to(target)
    with pytest.raises(BoxUnavailable):
        display_key(config)


@pytest.mark.parametrize("data", [KEY[:-1], KEY + b"\0", b"root:*:19000:0:99999:7:::\n", b"\0", KEY * 2000])
def test_what_is_no_key_is_refused(config: BoxConfig, data: bytes) -> None:
    key_file(config).write_bytes(data)
    with pytest.raises(BoxUnavailable):
        display_key(config)


def test_a_pipe_in_its_place_holds_nobody_up(config: BoxConfig) -> None:
    os.mkfifo(key_file(config))
    assert display_key(config) == b""


def test_bubblewrap_that_stands_still_is_not_waited_for() -> None:
    read, write = os.pipe()
    os.write(write, b"{")
    with os.fdopen(read, encoding="utf-8") as report, pytest.raises(BoxUnavailable):
        read_info(report, limit=0.1)
    os.close(write)
