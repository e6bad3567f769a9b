"""The folder of an inspection is there when it is whole, or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from madoguchi.inspection.errors import OutputTaken


@contextmanager
def whole_folder(out: Path) -> Iterator[tuple[Path, Path]]:
    """A folder to work in, and one that becomes `out` at the end. Raises `OutputTaken` if `out` holds files."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputTaken(str(out))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".inspect-", dir=out.parent) as folder:
        work, made = Path(folder) / "work", Path(folder) / "made"
        work.mkdir()
        made.mkdir()
        yield work, made
        if out.exists():
            out.rmdir()
        made.rename(out)
