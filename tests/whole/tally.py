"""Counting kills: each test keeps a tally, the session sums them up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

PROPERTY = "kills"


class Tally:
    """What one test did: kills by place, refusals by name, ends by cause, seconds until the box was gone."""

    def __init__(self) -> None:
        self.places: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.causes: Counter[str] = Counter()

    @property
    def kills(self) -> int:
        """How many kills there were."""
        return self.places.total()

    def killed(self, place: str) -> None:
        """One more."""
        self.places[place] += 1

    def to_json(self) -> dict[str, Any]:
        """For the report of the test."""
        return {
            "places": dict(self.places),
            "refusals": dict(self.refusals),
            "seconds": self.seconds,
            "causes": dict(self.causes),
        }


def summary(properties: Iterable[Mapping[str, Any]]) -> list[str]:
    """The session's lines; none when nothing was killed."""
    tallies = [given[PROPERTY] for given in properties if PROPERTY in given]
    places, refusals, causes, seconds = Counter[str](), Counter[str](), Counter[str](), list[float]()
    for tally in tallies:
        places.update(tally["places"])
        refusals.update(tally["refusals"])
        causes.update(tally["causes"])
        seconds += tally["seconds"]
    if not places:
        return []
    lines = [f"kills: {places.total()} at {len(places)} places; calls at once: {dict(refusals)}"]
    lines += [f"ends of these visits, as recorded: {dict(causes)}"] if causes else []
    if seconds:
        ordered = sorted(seconds)
        p95 = ordered[int(len(ordered) * 0.95)]
        lines.append(f"box gone after the kill: median {ordered[len(ordered) // 2]:.3f} s, p95 {p95:.3f} s")
    return lines + [f"  {count:3d}  {place}" for place, count in sorted(places.items())]
