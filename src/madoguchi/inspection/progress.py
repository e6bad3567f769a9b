"""What a command is at: the begin and the end of each stage, told to whoever watches. Nothing depends on being seen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its titles, its place among all (from 1), how many they are, and whether it is done or begins."""

    title_ja: str
    title_en: str
    place: int
    of: int
    done: bool = False


Watch = Callable[[Stage], None]


def unwatched(stage: Stage) -> None:
    """Looks away."""


class Stages:
    """Counts the stages of one command, of which there are `of`. A stage that fails is never done."""

    def __init__(self, of: int, watch: Watch = unwatched) -> None:
        self._of, self._watch, self._begun = of, watch, 0

    @contextmanager
    def stage(self, title_ja: str, title_en: str) -> Iterator[None]:
        """The next stage, as long as the block runs."""
        self._begun += 1
        told = Stage(title_ja, title_en, self._begun, self._of)
        self._watch(told)
        yield
        self._watch(replace(told, done=True))


READ = ("データを読む", "Reading the data")
WRITE = ("所見を書く", "Writing the findings")
REPORT = ("表と報告書を作る", "Making spreadsheet and report")
"""Titles of stages that are no check."""
