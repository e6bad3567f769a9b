"""Where a Japanese input method is installed it runs inside the box, and what was typed dies with it."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from madoguchi.terminal.boxconfig import INPUT_METHOD, BoxConfig
from madoguchi.terminal.browser import BAR_HEIGHT
from madoguchi.terminal.inside import script_environment
from madoguchi.terminal.namespaces import Namespaces, members
from madoguchi.terminal.spawn import Pipes
from terminal.box.conftest import MakeAgent
from terminal.box.site import Site
from terminal.box.support import left_of, until
from terminal.box.xserver import XServer

NIHONGO = (57, 31, 43, 32, 57, 42, 32)  # n i h o n g o
ZENKAKU, SPACE, ENTER = 49, 65, 36


@pytest.mark.slow
@pytest.mark.parametrize("method", [INPUT_METHOD] if shutil.which(INPUT_METHOD) else [])
def test_kanji_are_typed_and_nothing_of_the_method_stays(make_agent: MakeAgent, site: Site, method: str) -> None:
    with XServer() as display:
        subprocess.run(["setxkbmap", "jp"], env={"DISPLAY": display.display, "PATH": os.environ["PATH"]}, check=True)
        agent = make_agent(training=False, display=display.display, input_method=method)
        traces = agent.open(site, "/form")
        until(lambda: display.pixel(1000, 700) == "#f4f4f4")
        until(lambda: {"fcitx5", "mozc_server"} <= _names(traces), 10)
        display.click(300, BAR_HEIGHT + 120)
        time.sleep(2)  # nothing outside shows when the method has found the field
        for key in (ZENKAKU, *NIHONGO, SPACE, ENTER, ENTER):
            display.press(key)
            time.sleep(0.1)  # a person's pace: the conversion is another program's answer
        until(lambda: "/sent" in site.paths())
        assert next(seen.form["who"] for seen in site.seen if seen.path == "/sent") == "日本語"
        agent.ask("destroy")
        assert left_of(agent, traces) == []


@pytest.mark.parametrize(
    ("display", "boxed", "method"), [(":1", True, INPUT_METHOD), (":1", False, ""), (None, True, "")]
)
def test_it_runs_in_boxes_on_a_real_display_only(tmp_path: Path, display: str | None, boxed: bool, method: str) -> None:
    config = BoxConfig(state=tmp_path, display=display, input_method=INPUT_METHOD)
    pipes = Pipes()
    assert script_environment(config, pipes.inner, boxed=boxed)["INPUT"] == method
    pipes.inner.close()
    pipes.close_outer()


def _names(traces: Any) -> set[str]:
    found = (Path(f"/proc/{pid}/comm") for pid in members(Namespaces(*traces["namespaces"])))
    return {path.read_text().strip() for path in found if path.exists()}
