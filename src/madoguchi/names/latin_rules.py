"""Stub."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RuleWord:
    latin: str
    kana: str
    weight: float
    listed: bool


def rule_words() -> list[RuleWord]:
    return []
