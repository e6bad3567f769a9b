"""Small helpers for model fields that hold the protocol's closed lists."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol


class Labelled(Protocol):
    """A member of a closed list with a Japanese label."""

    @property
    def value(self) -> str:
        """The stored word."""

    @property
    def label(self) -> str:
        """The word on screens."""


def choices(members: Iterable[Labelled]) -> list[tuple[str, str]]:
    """(stored word, Japanese label) of each member."""
    return [(member.value, member.label) for member in members]


def values(members: Iterable[StrEnum]) -> list[str]:
    """The stored words of a closed list."""
    return [member.value for member in members]
