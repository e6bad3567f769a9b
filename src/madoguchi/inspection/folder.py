"""What a command here writes is there when it is whole, or not at all."""

import tempfile
from collections.abc import Iterator, Sequence
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


@contextmanager
def whole_files(out: Path, names: Sequence[str]) -> Iterator[Path]:
    """A folder to write files of these names in; at the end they stand in `out`. Raises `OutputTaken` if one does."""
    if any((out / name).exists() for name in names):
        raise OutputTaken(str(out))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".generate-", dir=out) as folder:
        yield Path(folder)
        for name in names:
            (Path(folder) / name).rename(out / name)
