"""How the kernel is compiled. The result is kept on disk, and thrown away when any source of this room has changed.

The compiler itself looks only at the file a function stands in, not at those it calls: after an update it would go on
with machine code of before.
"""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from numba import njit

_ROOM = Path(__file__).parent
_STAMP = "madoguchi.stamp"


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function for the kernel: without the GIL, no counting of references, numbers as NumPy's."""
    return njit(cache=True, nogil=True, _nrt=False, error_model="numpy")(function)  # type: ignore[call-overload]


def inlined(function: Callable[..., Any]) -> Any:
    """As `compiled`, for a small function that becomes part of those that call it."""
    return njit(nogil=True, _nrt=False, error_model="numpy", inline="always")(function)  # type: ignore[call-overload]


class _Stats(Protocol):
    @property
    def cache_path(self) -> str: ...


class Kept(Protocol):
    """A compiled function that is kept on disk."""

    @property
    def stats(self) -> _Stats:
        """Where, among other things."""


@cache
def sources_sum(room: Path = _ROOM) -> str:
    """SHA-256 of every source file of the room."""
    total = hashlib.sha256()
    for path in sorted(room.rglob("*.py")):
        total.update(str(path.relative_to(room)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def forget_stale(functions: Iterable[Kept], wanted: str) -> None:
    """Delete what was compiled from other sources than those with the sum `wanted`, where these functions are kept.

    Where nothing can be written, nothing is kept anew: what is there is of the installation.
    """
    for folder in {Path(function.stats.cache_path) for function in functions}:
        stamp = folder / _STAMP
        if stamp.is_file() and stamp.read_text() == wanted:
            continue
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            for file in folder.glob("*.nb[ic]"):
                file.unlink(missing_ok=True)
            stamp.write_text(wanted)
