"""Processes of the tests' own that answer JSON lines, and bounded waiting."""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

TESTS = Path(__file__).resolve().parents[1]
SOURCE = TESTS.parent / "src"
_PAUSE = 0.01
_PR_SET_PDEATHSIG = 1

T = TypeVar("T")


class Refused(Exception):  # what a helper answered
    """A named error from a helper process."""

    def __init__(self, code: str, text: str, sentence: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.sentence = code, text, sentence


def until(what: Callable[[], T], why: str | Callable[[], str], limit: float = 10.0) -> T:
    """Wait until something is true; its value. After `limit` seconds the test fails with `why` as it then is."""
    deadline = time.monotonic() + limit
    while not (found := what()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit} s: {why if isinstance(why, str) else why()}")
        time.sleep(_PAUSE)
    return found


def die_with_parent() -> None:
    """A helper whose test was killed ends too."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def environment(**more: str) -> dict[str, str]:
    """The environment of a helper: this one's, without a display, with our rooms and tests to import."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MADOGUCHI_", "DISPLAY"))}
    return {**kept, "PYTHONPATH": f"{SOURCE}:{TESTS}", "PYTHONDONTWRITEBYTECODE": "1", **more}


class Helper:
    """A Python module run as a process: one JSON line in, one out. Leaving it ends it."""

    def __init__(self, module: str, *arguments: str, log: Path, env: Mapping[str, str]) -> None:
        self._log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(env),
                start_new_session=True,
            )

    def ask(self, do: str, *, limit: float = 30.0, **values: Any) -> Any:
        """Send one request, wait for the answer. Raises `Refused` for a named error."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"do": do, **values}).encode() + b"\n")
        stdin.flush()
        ready, _, _ = select.select([stdout], [], [], limit)
        assert ready, f"{do}: no answer within {limit} s"
        line = stdout.readline()
        assert line, f"{do}: the helper ended:\n{tail(self._log)}"
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"], answer["text"], answer["sentence"])
        return answer["ok"]

    def __enter__(self) -> "Helper":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def answer_lines(actions: object) -> None:
    """The helper's side: call the method that each line names. A named error is an answer, any other ends it."""
    for line in sys.stdin:
        request = json.loads(line)
        action = getattr(actions, request.pop("do"))
        try:
            answer: dict[str, Any] = {"ok": action(**request)}
        except Exception as error:
            sentence = getattr(error, "sentence", None)
            if sentence is None:
                raise
            answer = {"error": type(error).__name__, "text": str(error), "sentence": sentence}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def tail(log: Path, lines: int = 40) -> str:
    """The last lines of a log, for a failure's message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"
