"""What an installation sets: one TOML file, one dataclass."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.errors import ConfigInvalid
from madoguchi.terminal.languages import LANGUAGES

READER_KINDS = ("memory", "socket", "pcsc")


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalConfig:
    """Settings of one terminal. Durations are seconds.

    `state_dir` holds journal and device key (mode 0700). `reader`: `memory`, `socket` with `reader_path`, or
    `pcsc` with `reader_name` (the reader's full name, or the beginning of it if no other reader begins so).
    `spare`: keep a box ready for the next visit (about 300 MB). `training`: allow visits without a real box; shown on
    every page and in every message. `display`: the X display of the citizen's screen, empty for none. `card_client`:
    origin of the sites' card client on this machine.
    `keeper`: socket of the keeper that makes the boxes (ADR 11), empty when the agent makes them itself; `agent_user`:
    the system user that the keeper works for.
    `language`: what the screen speaks until somebody chooses another (`languages.LANGUAGES`). `idle_warning` is how
    long before the end the warning appears.
    `clock_tolerance`: a larger difference to the server is reported. `token_days`: the token's age when it is rolled.
    """

    server_url: str
    state_dir: Path
    reader: str = "memory"
    reader_path: str = ""
    reader_name: str = ""
    grace_seconds: float = 20.0
    idle_seconds: float = 600.0
    idle_warning: float = 60.0
    logout_seconds: float = 3.0
    poll_seconds: float = 1.0
    link_timeout: float = 5.0
    clock_tolerance: float = 120.0
    token_days: float = 1.0
    spare: bool = True
    training: bool = False
    display: str = ""
    desk_port: int = 8787
    card_client: str = ""
    keeper: str = ""
    agent_user: str = "madoguchi"
    language: str = "ja"

    def __post_init__(self) -> None:
        """Check ranges. Raises `ConfigInvalid`."""
        _demand(self.server_url.startswith(("http://", "https://")), "server_url")
        _demand(self.reader in READER_KINDS, "reader")
        _demand(self.reader != "socket" or bool(self.reader_path), "reader_path")
        _demand(self.reader != "pcsc" or bool(self.reader_name), "reader_name")
        _demand(self.language in LANGUAGES, "language")
        _demand(0 <= self.desk_port < 65536, "desk_port")
        for name in ("grace_seconds", "idle_seconds", "idle_warning", "logout_seconds", "poll_seconds", "link_timeout"):
            _demand(getattr(self, name) > 0, name)
        _demand(self.idle_warning < self.idle_seconds, "idle_warning")


def load_config(path: Path, **overrides: Any) -> TerminalConfig:
    """Read the `[terminal]` table of a TOML file; `overrides` win. Raises `ConfigInvalid`."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["terminal"]
    except (OSError, KeyError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigInvalid(f"{path}: {error}") from error
    return config_from(table, **overrides)


def config_from(table: Mapping[str, Any], **overrides: Any) -> TerminalConfig:
    """Build the configuration from plain values; unknown names are refused. Raises `ConfigInvalid`."""
    given = {**table, **overrides}
    kinds: dict[str, Any] = {f.name: f.type for f in fields(TerminalConfig)}
    unknown = sorted(set(given) - set(kinds))
    _demand(not unknown, ", ".join(unknown))
    values = {name: _convert(name, kinds[name], value) for name, value in given.items()}
    for name in ("server_url", "state_dir"):
        _demand(name in values, name)
    return TerminalConfig(**values)


def with_changes(config: TerminalConfig, **changes: Any) -> TerminalConfig:
    """Copy with other values, checked again."""
    return replace(config, **changes)


def box_config(config: TerminalConfig) -> BoxConfig:
    """How boxes are made under this configuration, by the agent itself or by its keeper."""
    return BoxConfig(
        state=config.state_dir,
        training=config.training,
        card_client=config.card_client or None,
        display=config.display or None,
        logout_limit=config.logout_seconds,
    )


def _convert(name: str, kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    _demand(isinstance(value, kind) and (kind is bool or not isinstance(value, bool)), name)
    return value


def _demand(good: bool, name: str) -> None:
    if not good:
        raise ConfigInvalid(name)
