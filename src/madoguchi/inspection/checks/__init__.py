"""The checks: one SQL file each, in the dialect that DuckDB and Spark share. The head says what, why, and source.

Settings stand in no file: they are the columns of the table `limits`, which has one row.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Check:
    """A named query with the titles its head gives (`-- ja:`, `-- en:`)."""

    name: str
    title_ja: str
    title_en: str
    sql: str


@cache
def check(name: str) -> Check:
    """The check `checks/NAME.sql`. Raises FileNotFoundError, and KeyError if its head lacks a title."""
    text = (resources.files(__name__) / f"{name}.sql").read_text(encoding="utf-8")
    heads = (line[3:].partition(": ") for line in text.splitlines() if line.startswith("-- "))
    titles = {mark: title for mark, _, title in heads}
    return Check(name, titles["ja"], titles["en"], text)
