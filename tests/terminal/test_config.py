"""A wrong setting is named at the start, not met at the counter."""

from pathlib import Path
from typing import Any

import pytest

from madoguchi.terminal.config import config_from, load_config, with_changes
from madoguchi.terminal.errors import ConfigInvalid

GOOD = {"server_url": "http://127.0.0.1:8000", "state_dir": "/var/lib/madoguchi"}


def test_the_defaults() -> None:
    config = config_from(GOOD)
    assert (config.grace_seconds, config.idle_seconds, config.idle_warning, config.logout_seconds) == (20, 600, 60, 3)
    assert config.training is False
    assert config.state_dir == Path("/var/lib/madoguchi")


def test_a_file_and_what_overrides_it(tmp_path: Path) -> None:
    file = tmp_path / "terminal.toml"
    file.write_text('[terminal]\nserver_url = "https://office.test"\nstate_dir = "x"\ngrace_seconds = 5\n')
    config = load_config(file, training=True)
    assert (config.server_url, config.grace_seconds, config.training) == ("https://office.test", 5.0, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server_url", "ftp://x"),
        ("server_url", 5),
        ("reader", "magic"),
        ("reader", "socket"),
        ("grace_seconds", 0),
        ("grace_seconds", "20"),
        ("grace_seconds", True),
        ("idle_warning", 600),
        ("desk_port", 70000),
        ("desk_port", "8787"),
        ("training", "yes"),
        ("training", 1),
        ("language", "latin"),
        ("grace_secs", 20),
    ],
)
def test_a_wrong_value_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigInvalid, match=name if name != "reader" else "reader"):
        config_from({**GOOD, name: value})


@pytest.mark.parametrize("name", ["server_url", "state_dir"])
def test_what_has_no_default_is_demanded(name: str) -> None:
    with pytest.raises(ConfigInvalid, match=name):
        config_from({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize("text", ["", "[terminal", "[other]\nx = 1\n", "\xff"])
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "terminal.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigInvalid):
        load_config(file)
    with pytest.raises(ConfigInvalid):
        load_config(tmp_path / "absent.toml")


def test_changes_are_checked_too() -> None:
    with pytest.raises(ConfigInvalid):
        with_changes(config_from(GOOD), idle_seconds=1.0)
