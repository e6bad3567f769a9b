"""Name matching: true holders flagged when others are found, pairs per second, one pair's time, memory.

What the figures mean:

- *flagged at X % of OTHER (FAMILY)*: pairs are ranked by the chance of SELF; the limit is set where X % of the pairs of
  that kind lie below it; the share of true SELF below it. Pairs that cannot be judged count as lowest, whatever they
  are: true ones as flagged, others as found. FAMILY is given twice: *plain*, another person's given name drawn at
  random, and *hard*, names that share a kanji or differ by a sound or two (many of them are true readings of the same
  kanji, which no method can tell apart).
- *unseen*: only pairs whose given name (kanji) is in the tenth that `madoguchi names build --holdout` leaves out; pass
  its file with `--holdout-tables`.
- *undetermined*: share of true SELF for which the verdict is UNDETERMINED; *self*: for which it is SELF.
- *calibration*: pairs weighted to the prior chances, in bins by their chance of SELF (narrow at both ends, where nearly
  all lie): how many SELF, and how many others, the chances promise in each bin, by how many there are. The error is the
  sum over bins of what is promised too much or too little.
- *side by side*: ours and the peers of `peers_names` on the same rows, each peer in a process of its own; its memory is
  what it adds to that process.
- *pairs per second*: one thread, texts already in Arrow buffers; *as in a register*: kinds as often as the prior
  chances say, drawn from the three Japanese sets; *one pair*: `match()` of one pair in a warm process.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import peers_names
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from madoguchi.names import tables
from madoguchi.names.batch import judge_arrow
from madoguchi.names.build import held_out
from madoguchi.names.decide import PRIORS
from madoguchi.names.engine import Engine, shipped_engine
from madoguchi.names.match import match
from madoguchi.names.reasons import VERDICTS

_LEVELS = (("OTHER", 99.5), ("OTHER", 99.9), ("FAMILY", 99.0), ("FAMILY", 99.5))
_SETS = ("person", "gimei", "unidic", "foreign")
_SEED = 5
_EDGES = (0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)
_REGISTER = 200_000
_ROUNDS = 15
_SINGLES = 5_000
Mask = npt.NDArray[np.bool_]


class Scores:
    """Labelled pairs and how likely each was said to be SELF."""

    def __init__(self, pairs: pa.Table, likely: npt.NDArray[np.float64]) -> None:
        names = ("label", "set", "noise", "hard")
        self.label, self.set, self.noise, self.hard = (np.array(pairs[name].to_pylist()) for name in names)
        self.self = likely

    def flagged(self, mask: Mask, kind: str, percent: float) -> str:
        """Share of SELF at or below the limit under which `percent` of `kind` lie."""
        true, wrong = self.self[mask & (self.label == "SELF")], np.sort(self.self[mask & (self.label == kind)])
        if not len(true) or not len(wrong):
            return "-"
        limit = wrong[min(len(wrong), int(np.ceil(percent / 100 * len(wrong)))) - 1]
        return f"{np.mean(true <= limit):.3%}"

    def levels(self, mask: Mask) -> list[str]:
        """What is flagged at each level, and at the last but one with hard pairs."""
        plain = [self.flagged(mask & ~self.hard, kind, percent) for kind, percent in _LEVELS]
        return [*plain, self.flagged(mask, "FAMILY", 99.0)]


class Sample(Scores):
    """The labelled pairs and what an engine of ours said of them."""

    def __init__(self, pairs: pa.Table, engine: Engine) -> None:
        found = judge_arrow(pairs["kanji"].combine_chunks(), pairs["kana"].combine_chunks(), engine=engine)
        self.judged = np.array(found["status"]) == 0
        super().__init__(pairs, np.where(self.judged, np.array(found["p_self"]), -1.0))
        self.verdict = np.array(found["verdict"].to_pylist())
        folder = engine.folder()
        self.unseen = np.array([held_out(folder.kanji(given).codes) for given in pairs["k2"].to_pylist()])

    def row(self, name: str, mask: Mask) -> list[str]:
        """One line of the table."""
        true = mask & (self.label == "SELF")
        verdicts = self.verdict[true]
        shares = (
            [f"{np.mean(verdicts == verdict):.2%}" for verdict in ("SELF", "UNDETERMINED")] if len(verdicts) else []
        )
        return [name, str(int(true.sum())), *self.levels(mask), *shares]

    def calibration(self, title: str, mask: Mask) -> Iterator[Table | str]:
        """See the head of this file."""
        weights = np.zeros(len(self.label))
        for prior, kind in zip(PRIORS, VERDICTS[:4], strict=True):
            chosen = mask & self.judged & ~self.hard & (self.label == kind)
            weights[chosen] = prior / max(int(chosen.sum()), 1)
        bins, size = np.searchsorted(_EDGES, self.self, side="right"), len(_EDGES) + 1
        whole, promised, true = (
            np.bincount(bins, weights=weights * part, minlength=size)
            for part in (np.ones(len(weights)), self.self, self.label == "SELF")
        )
        table = Table("from", "share of pairs", "SELF promised / there", "others promised / there", title=title)
        for edge, all_, own, there in zip((0.0, *_EDGES), whole, promised, true, strict=True):
            table.add_row(str(edge), f"{all_:.5f}", _times(own, there), _times(all_ - own, all_ - there))
        yield table
        yield f"calibration error, {title}: {np.abs(promised - true).sum():.2e}"


def _times(promised: float, there: float) -> str:
    return f"{promised / there:.2f}" if there else "-"


def quality(pairs: pa.Table, engine: Engine, *, unseen: bool) -> Iterator[Table | str]:
    """Tables of one engine."""
    sample = Sample(pairs, engine)
    columns = [
        "pairs",
        "SELF",
        *(f"{kind} {percent} %" for kind, percent in _LEVELS),
        "with hard 99 %",
        "self",
        "undet.",
    ]
    table = Table(*columns, title="unseen given names" if unseen else "all names")
    for name in _SETS:
        chosen = (sample.set == name) & (sample.unseen if unseen else True)
        table.add_row(*sample.row(f"{name}, clean", chosen & (sample.noise == "clean")))
        table.add_row(*sample.row(f"{name}, all", chosen))
    if not unseen:
        for noise in np.unique(sample.noise):
            chosen = (sample.noise == noise) & (sample.set != "foreign")
            table.add_row(*sample.row(f"three sets, {noise}", chosen))
    yield table
    if not unseen:
        japanese = sample.set != "foreign"
        yield from sample.calibration("clean", japanese & (sample.noise == "clean"))
        yield from sample.calibration("with noise", japanese)


def beside(file: Path, rows: int) -> Iterator[Table | str]:
    """Ours and the peers on the same rows: what is flagged, pairs per second, memory."""
    pairs = peers_names.sample(pq.read_table(file), rows, _SEED)
    seconds = _timed(lambda: judge_arrow(pairs["kanji"], pairs["kana"]))
    engines: dict[str, Scores] = {"madoguchi": Sample(pairs, shipped_engine())}
    yield f"the same {len(pairs):,} rows (seed {_SEED}); madoguchi: {len(pairs) / seconds:,.0f} pairs per second"
    for name in peers_names.NAMES:
        scores, told = _measured(name, file, rows)
        engines[name] = Scores(pairs, scores)
        yield f"{name} {told['version']}: {told['pairs_per_second']:,.0f} pairs per second, {told['megabytes']:,.0f} MB"
    levels = (f"{kind} {percent} %" for kind, percent in _LEVELS)
    table = Table("pairs", "SELF", "engine", *levels, "with hard 99 %", title="side by side")
    for chosen, mask in _parts(engines["madoguchi"]):
        count = str(int((mask & (engines["madoguchi"].label == "SELF")).sum()))
        for name, sample in engines.items():
            table.add_row(chosen, count, name, *sample.levels(mask))
    yield table


def _parts(sample: Scores) -> Iterator[tuple[str, Mask]]:
    """The sets, clean and all."""
    for name in _SETS:
        yield f"{name}, clean", (sample.set == name) & (sample.noise == "clean")
        yield f"{name}, all", sample.set == name


def _measured(name: str, file: Path, rows: int) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
    """Scores and figures of a peer, from a process of its own."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "scores.npy"
        numbers = ["--rows", str(rows), "--seed", str(_SEED)]
        command = [sys.executable, peers_names.__file__, name, "--pairs", str(file), *numbers, "--out", str(out)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own file
        return np.load(out), json.loads(told)


def speed(pairs: pa.Table, engine: Engine) -> Iterator[str]:
    """Pairs per second of one thread, and the time of one pair."""
    clean = pairs.filter(pc.equal(pairs["noise"], "clean"))
    parts = {
        "as in a register, clean": _register(clean),
        "as in a register, with noise": _register(pairs),
        "kinds equally often, with noise": pairs.filter(pc.not_equal(pairs["set"], "foreign")),
        "names in Latin letters": pairs.filter(pc.equal(pairs["set"], "foreign")),
    }
    for name, part in parts.items():
        kanji, kana = part["kanji"].combine_chunks(), part["kana"].combine_chunks()
        times = [_timed(lambda kanji=kanji, kana=kana: judge_arrow(kanji, kana, engine=engine)) for _ in range(_ROUNDS)]
        often, best = len(kanji) / statistics.median(times), len(kanji) / min(times)
        yield f"pairs per second, one thread, {name}: {often:,.0f} (median of {_ROUNDS}), {best:,.0f} (best)"
    kanji, kana = pairs["kanji"], pairs["kana"]
    texts = list(zip(kanji[:_SINGLES].to_pylist(), kana[:_SINGLES].to_pylist(), strict=True))
    singles = [[_timed(lambda pair=pair: match(*pair, engine=engine)) for _ in range(3)] for pair in texts]
    for name, times in (("", chain(*singles)), (", least of three times", map(min, singles))):
        cuts = statistics.quantiles(times, n=100)
        yield f"one pair{name}: median {cuts[49] * 1e6:.0f} µs, p99 {cuts[98] * 1e6:.0f} µs"


def _register(pairs: pa.Table) -> pa.Table:
    """Rows of the Japanese sets, kinds as often as in a register."""
    dice = np.random.default_rng(_SEED)
    label, foreign = (np.array(pairs[name].to_pylist()) for name in ("label", "set"))
    kinds = dice.choice(VERDICTS[:4], _REGISTER, p=PRIORS)
    rows = np.zeros(_REGISTER, dtype=np.int64)
    for kind in VERDICTS[:4]:
        chosen = kinds == kind
        rows[chosen] = dice.choice(np.flatnonzero((label == kind) & (foreign != "foreign")), int(chosen.sum()))
    return pairs.take(rows)


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="Folder with pairs.parquet.")
    parser.add_argument("--sample", type=int, default=1_000_000, help="Rows at most to compare with others; 0: none.")
    parser.add_argument("--holdout-tables", type=Path, help="Tables made with --holdout.")
    given = parser.parse_args()
    console, file = Console(width=180), given.pairs / "pairs.parquet"
    if not file.is_file():
        parser.error(f"no {file.name} in this folder")
    pairs = pq.read_table(file)
    for part in quality(pairs, shipped_engine(), unseen=False):
        console.print(part)
    if given.holdout_tables:
        for part in quality(pairs, Engine(tables.read(given.holdout_tables)), unseen=True):
            console.print(part)
    for part in beside(file, given.sample) if given.sample else ():
        console.print(part)
    for line in speed(pairs, shipped_engine()):
        console.print(line)
    console.print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
