"""Evidence: appending beside plain inserts on both databases; checking bundles; proofs; growth.

The parts are `tests/loads`. What the figures mean:

- *plain insert*: the same bytes and columns, in a transaction of their own, into a table with the same indexes and no
  rules. *log*: what the office does with every event, while the integrator gives places, writes tiles and signs a
  checkpoint every 100 ms: in a thread of the same process on SQLite, in another process on PostgreSQL. *group commit*:
  what it does with statements that nothing else is written with; a writer waits until its entry is on the disk. Methods
  and numbers of writers come in random order within each round; ratios are medians of each round's own. Everything is
  durable (SQLite FULL, PostgreSQL fsync). After each trial the log has to hold what was acknowledged, once.
- *checking*: `python -m madoguchi.evidence.verify BUNDLE --log-only` as an auditor starts it, interpreter and all; with
  statements and signatures without that option. Memory is the largest process'.
- *proofs*: of chosen entries, read from the bundle's tiles, no cache.
"""

import runpy
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests")]

if __name__ == "__main__":
    runpy.run_module("loads.report")["main"](__doc__.splitlines()[0])
