"""What is left of a visitor who has typed, stored, copied, downloaded, printed, and whose browser crashed: nothing.

Peers, put to the same, keep something: that is how we know that the search finds what is there. All of them, and visits
that end without a crash: `script/bench terminal --markers`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from madoguchi.terminal.boxconfig import INPUT_METHOD
from peers import search
from peers.acts import SYLLABLES
from peers.browsers import Context, IncognitoLeftOpen, TmpfsProfile
from peers.search import Marks
from peers.trials import b_is_a, markers
from terminal.box.xserver import XServer

EVERY_TEXT = {"cookie", "local storage", "IndexedDB", "form field, clipboard", "page text (print, save)"}


@pytest.mark.slow
def test_the_box_keeps_nothing_anywhere() -> None:
    trial = markers(None, crash=True)
    assert {found.what for found in trial.planted} >= EVERY_TEXT
    assert trial.left == []


@pytest.mark.slow
def test_a_bare_browser_leaves_files_and_what_the_input_method_learnt() -> None:
    found = {(one.where.partition(" ")[0], one.what) for one in markers(TmpfsProfile, crash=True).left}
    assert {("file", "download"), ("file", "cookie"), ("file", "page title")} <= found
    if shutil.which(INPUT_METHOD):
        assert ("memory", "input method") in found


@pytest.mark.slow
def test_a_context_that_is_disposed_of_stays_in_memory() -> None:
    left = markers(Context, crash=False).left
    assert "cookie" in {found.what for found in left if found.where.startswith("memory of chromium")}


@pytest.mark.slow
def test_nobody_is_taken_for_the_one_before_in_a_box() -> None:
    assert b_is_a(None) == set()


@pytest.mark.slow
def test_a_private_window_left_open_makes_the_next_visitor_the_one_before() -> None:
    assert b_is_a(IncognitoLeftOpen) >= {"session cookie", "lasting cookie"}


def test_the_search_sees_every_form_in_files_and_memory() -> None:
    marks, since = Marks(), time.time()
    talking = (
        "import sys; text = sys.stdin.readline(); wide = text.encode('utf-16-le'); print(flush=True); sys.stdin.read()"
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([sys.executable, "-c", talking], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{marks.prefix}c\n".encode())
        process.stdin.flush()
        process.stdout.readline()
        (Path(folder) / "kept").write_text(f"...{marks.prefix}l...{marks.kana}")
        (Path(folder) / f"{marks.prefix}d").touch()
        found = {(one.where.split()[0], one.what) for one in search.files(marks, since, below=Path(folder))}
        inside = search.of_process(marks, process.pid)
        process.kill()
    assert found == {("file", "local storage"), ("file", "input method"), ("file", "download")}
    assert inside >= {("cookie", "UTF-8"), ("cookie", "UTF-16")}


@pytest.mark.parametrize("before", range(4))
def test_base64_is_found_at_any_alignment(before: int) -> None:
    marks = Marks()
    command = ["base64", "-w", "0"]
    said = subprocess.run(command, input=b"z" * before + marks.prefix.encode(), stdout=subprocess.PIPE, check=True)
    assert marks.within(said.stdout) == {("some text", "base64")}


def test_the_method_can_type_what_is_planted() -> None:
    assert set(Marks().kana) <= set(SYLLABLES)
    assert INPUT_METHOD


@pytest.mark.slow
def test_windows_are_read() -> None:
    with XServer() as screen:
        marks = Marks()
        env = {"DISPLAY": screen.display, "PATH": os.environ["PATH"]}
        shown = "import sys, tkinter; r = tkinter.Tk(); r.title(sys.stdin.readline().strip()); r.clipboard_clear(); "
        shown += "r.clipboard_append(r.title()); r.update(); print(flush=True); r.mainloop()"
        command = [sys.executable, "-c", shown]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{marks.prefix}t\n".encode())
            process.stdin.flush()
            process.stdout.readline()
            found = {one.where.split()[0] for one in search.display(marks, screen)}
            process.kill()
        assert found == {"property", "selection"}
