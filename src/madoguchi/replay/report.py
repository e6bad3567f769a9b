"""What a replay found, from what sites, server and terminals recorded; printed as JSON or as a story."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from madoguchi.replay.scenario import Scenario

WALLS = {
    "gate": "関門(前の人の終了が証明・確認されるまで次を呼べない)",
    "box": "箱(対応ごとに使い捨ての画面)",
    "presence": "在席(カードが離れたら終わり)",
    "proof": "署名(書き込みごとにカードと暗証番号)",
    "applicant_check": "サイトの確認(申込者とログイン中の人)",
    "second_read_check": "サイトの確認(2回目の読み取りとログイン中の人)",
}
KINDS = {"payment_service": "キャッシュレス決済サービス", "public_money_account": "公金受取口座"}


@dataclass(frozen=True, slots=True)
class Registered:
    """One registration that a site really wrote: whose means, and on whose record it landed."""

    kind: str
    of: str
    landed_on: str
    at: datetime

    @property
    def wrong(self) -> bool:
        """It landed on another person's record."""
        return self.of != self.landed_on


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal, and whom it met."""

    who: str
    reason: str
    at: datetime
    sentence: str = ""


@dataclass
class Result:
    """Everything that came of a replay."""

    scenario: Scenario
    sites: str
    guard: str
    story: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    registrations: list[Registered] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)
    prevented_by: list[str] = field(default_factory=list)

    @property
    def misregistrations(self) -> int:
        """How many registrations landed on another person's record."""
        return sum(registration.wrong for registration in self.registrations)

    def prevented(self, wall: str) -> None:
        """Record that a wall acted; the order is that of first action."""
        if wall not in self.prevented_by:
            self.prevented_by.append(wall)

    def tell(self, at: datetime, who: str, what: str, outcome: str = "") -> None:
        """Add a line to the story."""
        self.story.append((at, who, what, outcome))

    def to_json(self) -> dict[str, Any]:
        """The machine-readable result."""
        return {
            "scenario": self.scenario.name,
            "sites": self.sites,
            "guard": self.guard,
            "registrations": [
                {"kind": r.kind, "of": r.of, "landed_on": r.landed_on, "at": r.at.isoformat()}
                for r in self.registrations
            ],
            "misregistrations": self.misregistrations,
            "refusals": [{"who": r.who, "reason": r.reason, "at": r.at.isoformat()} for r in self.refusals],
            "prevented_by": list(self.prevented_by),
        }


def print_story(result: Result, console: Console) -> None:
    """The readable form: the story, the registrations, the verdict."""
    guard = "あり" if result.guard == "on" else "なし"
    console.print(f"[bold]{result.scenario.title}[/bold]")
    console.print(f"{result.scenario.summary}\n国のサイト: {result.sites}年の動き / 四つの壁: {guard}\n")
    console.print(_table("経過", ("日時", "人", "したこと", "結果"), _story_rows(result)))
    console.print(_table("登録されたもの", ("日時", "種類", "持ち主", "載った先", ""), _registration_rows(result)))
    _print_verdict(result, console)


def _story_rows(result: Result) -> Iterable[tuple[str, ...]]:
    return (
        (f"{at:%m/%d %H:%M}", f"市民{who}" if who else "", what, outcome) for at, who, what, outcome in result.story
    )


def _registration_rows(result: Result) -> Iterable[tuple[str, ...]]:
    for r in result.registrations:
        mark = "[bold red]誤登録[/bold red]" if r.wrong else "正しい"
        yield f"{r.at:%m/%d %H:%M}", KINDS.get(r.kind, r.kind), f"市民{r.of}", f"市民{r.landed_on}", mark


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", show_lines=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _print_verdict(result: Result, console: Console) -> None:
    count = result.misregistrations
    console.print(f"誤登録: [bold]{count}件[/bold]" + ("" if count else " (起きませんでした)"))
    for wall in result.prevented_by:
        console.print(f"  働いた壁: {WALLS.get(wall, wall)}")
    if count and result.guard == "on":
        console.print("  [bold]壁があっても防げなかった誤登録です。[/bold] docs/known-limits.md を見てください。")
