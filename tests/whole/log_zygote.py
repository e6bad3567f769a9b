"""A process that has the office and the terminal imported and forks servers and terminals from it, each in no time."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

from madoguchi.server.prepare import setup
from whole import log_writers
from whole.helpers import answer_lines, die_with_parent


class Zygote:
    """Forks. It has one thread, so that a fork is whole."""

    def server(self, *, port: int, log: str) -> int:
        """The office behind granian, as the command line starts it; its process number."""
        return _fork(log, lambda: _serve(port))

    def terminals(self, *, folder: str, url: str, log: str) -> int:
        """The writers; SIGTERM lets them deliver what waits, and end."""
        return _fork(log, lambda: log_writers.run(Path(folder), url))


def _serve(port: int) -> None:
    Granian(
        "madoguchi.server.wsgi:application",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=4,
        websockets=False,
    ).serve()


def _fork(log: str, work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _be_a_process(log)
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - whatever it was, the copy of the zygote must end here
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return child


def _be_a_process(log: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with_parent()
    os.setsid()
    out, nothing = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(source, target)


def main() -> None:
    """Answer until standard input ends; children are not waited for."""
    die_with_parent()
    setup()
    import madoguchi.server.urls  # noqa: F401 - every page and the device API, imported once

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    answer_lines(Zygote())


if __name__ == "__main__":
    main()
