"""What an inspection says of itself, for report and bench; plain values, no engine."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Step:
    """One step of the plan: its name (of the SQL file, where it is one), rows read and left, seconds."""

    name: str
    title_ja: str
    title_en: str
    rows_in: int
    rows_out: int
    seconds: float


@dataclass(frozen=True)
class Look:
    """After `looked` findings from the top: expected share of all wrong rows found, expected share of wrong in them."""

    looked: int
    found_share: float
    precision: float


@dataclass(frozen=True)
class Summary:
    """An inspection in numbers. `looks` rises by `looked`; `looks_for_99` finds 99 % of `expected_wrong`."""

    title_ja: str
    title_en: str
    made_at: datetime
    source: str
    engine: str
    rows: int
    steps: tuple[Step, ...]
    findings: int
    expected_wrong: float
    looks: tuple[Look, ...]
    looks_for_99: int

    def to_json(self) -> str:
        """The same as text; `made_at` in ISO 8601."""
        return json.dumps(asdict(self) | {"made_at": self.made_at.isoformat()}, ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Summary":
        """What `to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        told: dict[str, Any] = json.loads(text)
        told["made_at"] = datetime.fromisoformat(told["made_at"])
        told["steps"] = tuple(Step(**step) for step in told["steps"])
        told["looks"] = tuple(Look(**look) for look in told["looks"])
        return cls(**told)

    def write(self, folder: Path) -> None:
        """`summary.json` in the folder."""
        (folder / "summary.json").write_text(self.to_json() + "\n", encoding="utf-8")
