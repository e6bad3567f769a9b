"""A process that erases a visit's contents, or changes the key, and is killed at the n-th time it comes to a step.

Arguments: `erase VISIT` or `change -`, then the step and how many times it passes before it is fatal (0: the first).
"""

import os
import signal
import sys

from madoguchi.server.prepare import setup


def main(act: str, visit: str, fatal: str, passes: str) -> None:
    """Does not return from the fatal step."""
    setup()
    from madoguchi.server.ledger import erasing

    left = int(passes)

    def step(name: str) -> None:
        nonlocal left
        if name == fatal:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    if act == "erase":
        erasing.erase(chosen=erasing.of_visit(visit), reason=erasing.Reason.REQUEST, step=step)  # type: ignore[arg-type]
    else:
        erasing.change_key(step=step)


if __name__ == "__main__":
    main(*sys.argv[1:])
