"""Name matching fuzzed for a while: hostile bytes between fenced pages, every index of the kernel checked.

The kernel is compiled anew with numba's bounds checks into a cache of its own; rows are judged at the end and at the
beginning of a fenced buffer, backwards, in pieces and beside other neighbours, and must have the same bits each time.
The rows are made by `tests/names/fuzzing.py`; the counts are printed, and whatever went wrong.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

_TESTS = Path(__file__).resolve().parent.parent / "tests"


def main() -> None:
    """Run the fuzzer in a process of its own; its exit status is ours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with TemporaryDirectory() as cache:
        path = os.pathsep.join([str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
        checked = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": cache, "PYTHONPATH": path}
        command = [sys.executable, "-m", "names.fuzzing", "--seconds", str(given.seconds), "--seed", str(given.seed)]
        sys.exit(subprocess.run(command, env=os.environ | checked, check=False).returncode)  # noqa: S603 - our own file


if __name__ == "__main__":
    main()
