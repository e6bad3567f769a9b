"""The kernel never reads outside its buffers, never crashes, and never depends on the batch a row is in."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.names.engine import shipped_engine
from names.fuzzing import judged

TESTS = Path(__file__).parents[1]
ENGINE = shipped_engine()
WORDS = "佐藤 花子 ｻﾄｳ ﾊﾅｺ ﾏﾙｼﾖｳﾃﾝ ﾀﾞｲﾋﾖｳ ｶ) (ｶ ー ﾞ 々 SMITH"
PIECES = st.sampled_from([piece.encode() for piece in (*WORDS.split(), " ", "\u3000")])
LIKE_NAMES = st.lists(PIECES | st.binary(max_size=3), max_size=6).map(b"".join)
ROW = st.tuples(*[LIKE_NAMES | st.binary(max_size=40)] * 5)
TEXT_ROW = st.tuples(*[st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace"))] * 5)


@given(st.lists(ROW | TEXT_ROW, min_size=1, max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_bytes_between_fences_have_the_same_result_in_any_batch(
    rows: list[tuple[bytes, ...]], dice: random.Random
) -> None:
    expected = judged(rows, ENGINE, at_end=True)
    assert judged(rows, ENGINE, at_end=False, large=True) == expected
    order = list(range(len(rows)))
    dice.shuffle(order)
    assert judged([rows[place] for place in order], ENGINE, at_end=True) == [expected[place] for place in order]
    assert [judged([row], ENGINE, at_end=True, large=True)[0] for row in rows] == expected
    assert judged([*rows, *rows[::-1]], ENGINE, at_end=False)[: len(rows)] == expected
    assert all(result[0] and result[5] for result in expected)


def fuzzed(*options: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "names.fuzzing", *options]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_fuzzer_finds_nothing_in_thousands_of_rows() -> None:
    done = fuzzed("--seed", "23", "--rounds", "150")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rows"] > 5_000
    assert told["verdicts"] == ["FAMILY", "OLDNAME", "OTHER", "SELF", "UNDETERMINED"]
    assert len(told["statuses"]) >= 9


@pytest.mark.slow
@pytest.mark.parametrize("where", ["before", "after"])
def test_one_byte_read_outside_ends_the_fuzzer(where: str) -> None:
    assert fuzzed("--overread", where, "--rounds", "1").returncode == -signal.SIGSEGV
