"""A process that has everything of the terminal imported and forks agents from it, each in milliseconds."""

import os
import signal
import sys
import traceback
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from madoguchi.terminal import box, ground, service
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.browser import browser_command
from madoguchi.terminal.config import TerminalConfig, config_from
from madoguchi.terminal.sweep import sweep
from madoguchi.terminal.timers import SystemClock
from whole.apart import live_apart
from whole.helpers import answer_lines, die_with_parent
from whole.points import Places, install

STAND_IN = r"""
exec {way}<>/dev/tcp/127.0.0.1/3128
printf 'GET http://start.invalid/ HTTP/1.1\r\n\r\n' >&"$way"
touch "$HOME/left" /tmp/left /dev/shm/left /run/left
(setsid -f sleep 1000)
while IFS= read -r -d '' -u 3 message; do
  [[ $message =~ \"id\":\ ([0-9]+) ]] || continue
  case $message in
    *'"Target.getTargets"'*) result='{"targetInfos":[
      {"targetId":"1","type":"page","url":"http://stand.in/","title":"Stand-in"},
      {"targetId":"2","type":"page","url":"http://stand.in/out","title":"Logged out"}]}' ;;
    *'"Target.createTarget"'*) result='{"targetId":"2"}' ;;
    *) result='{}' ;;
  esac
  printf '{"id":%s,"result":%s}\0' "${BASH_REMATCH[1]}" "$result" >&4
done
"""
"""Plays the browser in a real box: answers on the debugging pipe, leaves files everywhere and a detached process."""


class Zygote:
    """Forks agents. It has one thread, so that a fork is whole."""

    def sweep(self, *, state: str) -> int:
        """Destroy whatever the agents of this state folder left; how much that was."""
        return sweep(BoxConfig(state=Path(state))).leftovers

    def start(self, *, order: dict[str, Any]) -> int:
        """Fork an agent and answer its process number.

        Its order: `config`, `log`, `places`, `at` (where to die), `clock_off` (seconds), `chromium`.
        """
        child = os.fork()
        if child == 0:
            _run(order)
        return child


def _run(order: dict[str, Any]) -> None:
    """Be an agent until a signal ends it; never returns."""
    status = 1
    try:
        _be_a_process(Path(order["log"]))
        install(Places(Path(order["places"]), order["at"]))
        config = config_from(order["config"])
        _set_clock(order["clock_off"])
        _choose_boxes(config, chromium=order["chromium"])
        service.serve(config)
        status = 0
    except BaseException:  # noqa: BLE001 # whatever it was, the copy of the zygote must end here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _be_a_process(log: Path) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with_parent()
    os.setsid()
    nothing, kept = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (kept, 1), (kept, 2)):
        os.dup2(source, target)


def _set_clock(ahead: float) -> None:
    """The machine's clock is wrong by so many seconds."""

    class WrongClock(SystemClock):
        """The machine's clock, read by somebody who believes it."""

        def now(self) -> datetime:
            return super().now() + timedelta(seconds=ahead)

    setattr(service, "SystemClock", WrongClock)  # noqa: B010 # replaced in this process only


def _choose_boxes(config: TerminalConfig, *, chromium: bool) -> None:
    """Real boxes always; in them the stand-in, unless the real browser is asked for."""
    if not chromium:
        ground.browser_command = lambda *given, **named: [  # type: ignore[attr-defined] # replaced in this process only
            *("/bin/bash", "-c", STAND_IN),
            *browser_command(*given, **named),
        ]
    settings = BoxConfig(state=config.state_dir, training=True, display=None, size=(1000, 700))
    service.choose_boxes = lambda _config, **hooks: box.BwrapBoxes(settings, **hooks)


if __name__ == "__main__":
    die_with_parent()
    live_apart()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # dead agents leave no zombies
    answer_lines(Zygote())
