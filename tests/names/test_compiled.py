"""Machine code of older sources is never used."""

from dataclasses import dataclass
from pathlib import Path

from madoguchi.names.compiled import forget_stale, sources_sum
from madoguchi.names.engine import shipped_engine
from madoguchi.names.kernel import judge
from madoguchi.names.latin.kernel import judge_latin


@dataclass
class Stats:
    cache_path: str


@dataclass
class Function:
    stats: Stats


def test_what_was_compiled_from_other_sources_is_forgotten(tmp_path: Path) -> None:
    function, kept = Function(Stats(str(tmp_path))), tmp_path / "kernel.judge.1.nbc"
    kept.touch()
    (tmp_path / "kernel.pyc").touch()
    forget_stale([function], "one")
    assert not kept.exists()
    kept.touch()
    forget_stale([function], "one")
    assert kept.exists()
    forget_stale([function], "two")
    assert not kept.exists()
    assert (tmp_path / "kernel.pyc").exists()


def test_a_place_that_cannot_be_written_to_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    forget_stale([Function(Stats(str(tmp_path / "file" / "below")))], "one")


def test_a_change_in_any_source_changes_the_sum(tmp_path: Path) -> None:
    sums = set()
    (tmp_path / "latin").mkdir()
    for name, text in (("a.py", "1"), ("a.py", "2"), ("b.py", "2"), ("latin/a.py", "2"), ("latin/a.py", "")):
        (tmp_path / name).write_text(text)
        sources_sum.cache_clear()
        sums.add(sources_sum(tmp_path))
    sources_sum.cache_clear()
    assert len(sums) == 5


def test_both_kernels_are_kept_with_a_stamp() -> None:
    shipped_engine()
    for function in (judge, judge_latin):
        assert (Path(function.stats.cache_path) / "madoguchi.stamp").read_text() == sources_sum()
