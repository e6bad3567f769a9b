"""Settings that differ from one installation to the next, read from the environment (`MADOGUCHI_…`)."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic_settings import BaseSettings, SettingsConfigDict

SQLITE_OPTIONS: dict[str, Any] = {
    # Python's default isolation lets two writers both believe they were first.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON",
}


class Installation(BaseSettings):
    """One installation of the office. Every field can be set as `MADOGUCHI_<FIELD>`.

    `state`: folder of the database and the key files. `database_url`: `sqlite:///PATH` or `postgresql://…`.
    `https`: the pages are reached over TLS (secure cookies, HSTS). `heartbeat_limit`: seconds after which a silent
    terminal is not called to. `clock_limit`: seconds that a terminal's clock may be off before a card is refused;
    `clock_noted`: before it is stated in the log.
    `log_origin`: the name of this office's log, on every checkpoint; empty: from the server's key. `integrate`: web
    processes carry new entries into the log. `timestamp_url`, `timestamp_roots`: a time-stamping authority (RFC 3161)
    and its root certificates (PEM); empty: checkpoints are not stamped.
    """

    model_config = SettingsConfigDict(env_prefix="MADOGUCHI_", extra="ignore")

    state: Path = Path("var")
    database_url: str = ""
    secret_key: str = ""
    allowed_hosts: list[str] = ["localhost", "127.0.0.1", "[::1]"]
    https: bool = False
    debug: bool = False
    heartbeat_limit: float = 20.0
    clock_limit: float = 300.0
    clock_noted: float = 10.0
    enrolment_minutes: int = 30
    retention_years: dict[str, int] = {}
    session_hours: int = 9
    log_origin: str = ""
    integrate: bool = True
    timestamp_url: str = ""
    timestamp_roots: Path | None = None

    def database(self) -> dict[str, Any]:
        """Django's description of the database."""
        return database(self.database_url or f"sqlite:///{self.state / 'madoguchi.sqlite3'}")


def database(url: str) -> dict[str, Any]:
    """Django's `DATABASES` entry for `sqlite:///PATH` or `postgresql://user:password@host:port/name?host=/socket`.

    Raises `ValueError` for any other scheme.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path)[1:],
            "OPTIONS": dict(SQLITE_OPTIONS),
        }
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("MADOGUCHI_DATABASE_URL: sqlite:///PATH か postgresql://… を指定してください。")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path)[1:],
        "USER": unquote(parts.username or "") or options.pop("user", ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
