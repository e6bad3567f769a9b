"""Inspection of visits: planted cases found and missed, by sign and by length of the list; time and peak memory.

What the figures mean:

- *visits*: records that `madoguchi inspect generate-visits` makes; every visit is made up (架空). One in a thousand
  registrations is planted on the card of the person before: far more than the nation found, so that there are enough.
  *lawful findings in 1,000 visits* do not depend on that share: with it the precision for another share can be
  computed.
- *found*: the list has a finding of just these two visits; *turned*: the right two, but the wrong way round.
  *missed*: no finding names the two.
- *sign*: *listed* are findings that show it, alone or with others; *cases* those of them that are planted, *not
  showing* the planted that do not have it; *precision* is the share of cases in those listed; *only sign of* counts
  planted cases that show nothing else. One finding can show several signs.
- *how*: the way in which the session stayed open for the next person (`generator_wrong.KINDS`). *Rank, median* is of
  those found.
- *seconds*, *peak memory*: of the whole command in a process of its own, with both reports (as in `inspection`).

What the generator plants, how often an orderly office has gaps in its records, and what the checks look for come from
one hand: these figures show how the signs compare and how long a list becomes, not how many cases a real city finds.
"""

import argparse
import json
import tempfile
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from inspection import run
from madoguchi.inspection.visit_signs import SIGNS

_SIZES = (100_000, 1_000_000)
_SEED = 1
_LOOKS = [step * 10**power for power in range(1, 6) for step in (1, 2, 5)]


def told_rows(found: Path, truth: Path) -> duckdb.DuckDBPyConnection:
    """Planted cases as table `planted`, findings with what was planted as `found`."""
    base = duckdb.connect()
    base.execute("CREATE TABLE planted AS SELECT * FROM read_parquet(?)", [str(truth)])
    base.execute(
        "CREATE TABLE found AS "
        "SELECT rank, signals, p.kind, p.lost IS NOT NULL AS wrong, p.lost = f.lost_visit AS right "
        "FROM read_parquet(?) f LEFT JOIN planted p ON (p.lost = f.lost_visit AND p.got = f.got_visit) "
        "OR (p.lost = f.got_visit AND p.got = f.lost_visit)",
        [str(found)],
    )
    return base


def show_signs(console: Console, base: duckdb.DuckDBPyConnection) -> None:
    """For each sign how many findings show it, and how many of them are planted cases."""
    heads = ("sign", "strength", "listed", "cases", "not showing", "precision", "only sign of")
    table = Table(*heads, title="Signs, strongest first")
    [(planted,)] = base.sql("SELECT count(*) FROM planted").fetchall()
    query = (
        "SELECT count(*), count(*) FILTER (WHERE wrong), count(*) FILTER (WHERE wrong AND len(signals) = 1) "
        "FROM found WHERE list_contains(signals, ?)"
    )
    for name, sign in sorted(SIGNS.items(), key=lambda item: -item[1].strength):
        [(listed, cases, only)] = base.execute(query, [sign.title_ja]).fetchall()
        share = f"{cases / listed:.1%}" if listed else ""
        table.add_row(
            name, f"{sign.strength:g}", f"{listed:,}", f"{cases:,}", f"{planted - cases:,}", share, f"{only:,}"
        )
    console.print(table)


def show_kinds(console: Console, base: duckdb.DuckDBPyConnection) -> None:
    """Planted cases by the way they happened: found, the wrong way round, missed."""
    table = Table("how", "cases", "found", "turned", "missed", "rank, median", title="Planted")
    query = (
        "SELECT p.kind, p.n, count(f.rank) FILTER (WHERE f.right), count(f.rank) FILTER (WHERE NOT f.right), "
        "p.n - count(f.rank), quantile_disc(f.rank, 0.5) "
        "FROM (SELECT kind, count(*) AS n FROM planted GROUP BY kind) p "
        "LEFT JOIN (SELECT * FROM found WHERE wrong) f USING (kind) GROUP BY p.kind, p.n ORDER BY p.n DESC, p.kind"
    )
    rows = base.sql(query).fetchall()
    for kind, *counts in rows:
        table.add_row(kind, *("" if count is None else f"{count:,}" for count in counts))
    table.add_row("all", *(f"{sum(row[place] for row in rows):,}" for place in range(1, 5)))
    console.print(table)


def show_lengths(console: Console, base: duckdb.DuckDBPyConnection, visits: int) -> None:
    """Planted cases among the first of the list, for lists of any length."""
    [(planted,)] = base.sql("SELECT count(*) FROM planted").fetchall()
    [(whole, lawful)] = base.sql("SELECT count(*), count(*) FILTER (WHERE NOT wrong) FROM found").fetchall()
    table = Table("length of the list", "cases", "of all planted", "precision", title="After so many looks")
    for looks in [*(looks for looks in _LOOKS if looks < whole), whole]:
        [(cases,)] = base.execute("SELECT count(*) FROM found WHERE wrong AND rank <= ?", [looks]).fetchall()
        table.add_row(f"{looks:,}", f"{cases:,}", f"{cases / planted:.1%}", f"{cases / looks:.1%}" if looks else "")
    console.print(table)
    console.print(f"lawful findings in 1,000 visits: {lawful / visits * 1000:.2f}")


def one_size(console: Console, visits: int, folder: Path) -> tuple[str, ...]:
    """Everything about records of one size; answers its line of the last table."""
    console.rule(f"{visits:,} visits")
    run("generate-visits", str(folder / "made"), "--visits", str(visits), "--seed", str(_SEED))
    told = run("visits", str(folder / "made" / "visits.parquet"), "--out", str(folder / "out"))
    base = told_rows(folder / "out" / "findings.parquet", folder / "made" / "truth.parquet")
    show_signs(console, base)
    show_kinds(console, base)
    show_lengths(console, base, visits)
    summary = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    checks = sum(step["seconds"] for step in summary["steps"])
    return f"{visits:,}", f"{told.seconds:.1f}", f"{checks:.1f}", f"{told.peak / 1e6:.0f}", f"{summary['findings']:,}"


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--visits", type=int, help="only records of this size")
    parser.add_argument("--folder", type=Path, help="where temporary files go")
    given, console = parser.parse_args(), Console(width=120, highlight=False)
    grown = Table("visits", "seconds", "of these the checks", "peak memory, MB", "findings", title="Growth (DuckDB)")
    for visits in (given.visits,) if given.visits else _SIZES:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            grown.add_row(*one_size(console, visits, Path(folder)))
    console.print(grown)


if __name__ == "__main__":
    main()
