"""Asks the browser itself what it thinks of the policies: a name that this version does not know it ignores.

The browser is started once, without a window, in a small box with the policies of a visit and of the desk page, and its
own page about policies is read. Only there that page is open, and may be looked into.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from madoguchi.protocol import Procedure
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.cdp import Cdp, CdpError
from madoguchi.terminal.check_machine import Machine
from madoguchi.terminal.config import box_config
from madoguchi.terminal.deskpolicies import desk_policies
from madoguchi.terminal.policies import policies_for, write_policies
from madoguchi.terminal.spawn import high_pair, visitor

_PAGE = "chrome://policy/"
_START_LIMIT = 20.0
_PAUSE = 0.1
T = TypeVar("T")
_HARMLESS = frozenset({"OK", "Deprecated"})

_BOX = (
    *("bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"),
    *("--new-session", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run"),  # noqa: S108 # paths inside the box
    *("--tmpfs", "/etc/chromium", "--setenv", "HOME", "/tmp"),  # noqa: S108 # see above
)
_FLAGS = (
    *("--headless=new", "--remote-debugging-pipe", "--user-data-dir=/tmp/profile", "--no-first-run", "--disable-gpu"),
    *("--disable-breakpad", "--disable-crash-reporter", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--lang=en"),
)
_SCRIPT = 'exec 3<&"$CDP_IN" 4>&"$CDP_OUT" {CDP_IN}<&- {CDP_OUT}>&-; exec "$@"'

ROWS = """(() => {
  const found = [];
  const walk = (node) => {
    if (node.shadowRoot) walk(node.shadowRoot);
    if (node.nodeType === 3 && node.textContent.trim()) found.push(node.textContent.trim());
    node.childNodes.forEach(walk);
  };
  walk(document.body);
  return found;
})()"""
"""Every text of the page in its order: a row is name, value, source, "Machine", "Mandatory", what it thinks of it."""


def policies_taken(machine: Machine) -> str | None:
    """The browser takes every policy of a visit and of the desk page, by its own word."""
    config = box_config(machine.config)
    wanted = _wanted(machine.config.desk_port)
    try:
        states = read_states(wanted, config)
    except (CdpError, OSError) as error:
        return f"{config.chromium}: {type(error).__name__}: {error}"
    wrong = {name: states.get(name, "?") for name in wanted if states.get(name) not in _HARMLESS}
    return ", ".join(f"{name}: {state}" for name, state in sorted(wrong.items())) or None


def read_states(policies: Mapping[str, Any], config: BoxConfig) -> dict[str, str]:
    """Start the browser under these policies; what it says of each. Raises `CdpError`, `OSError`."""
    with _browser(policies, config) as cdp:
        session = _attached(cdp)
        return _until(lambda: _states(_texts(cdp, session), policies))


def _wanted(port: int) -> dict[str, Any]:
    """All names that we ever set, with the page about them open."""
    here = "http://127.0.0.1/"
    visit = policies_for(Procedure("check", "", here, here, (_PAGE.rstrip("/"),)), card_client=None, inspectable=True)
    return {**desk_policies(port), **visit}


@contextmanager
def _browser(policies: Mapping[str, Any], config: BoxConfig) -> Iterator[Cdp]:
    with tempfile.TemporaryDirectory(prefix="madoguchi-check-") as folder:
        Path(folder).chmod(0o755)
        write_policies(Path(folder), policies)
        inner_in, to_browser = high_pair(os.pipe())
        from_browser, inner_out = high_pair(os.pipe())
        process = _started([*_BOX, "--ro-bind", folder, "/etc/chromium/policies", "--"], config, (inner_in, inner_out))
        cdp = Cdp(to_browser=to_browser, from_browser=from_browser, on_event=lambda _: None, on_close=lambda: None)
        try:
            yield cdp
        finally:
            process.kill()
            process.wait()
            cdp.close()


def _started(box: list[str], config: BoxConfig, inner: tuple[int, int]) -> "subprocess.Popen[bytes]":
    script = ["/bin/bash", "-c", _SCRIPT, "check", str(config.chromium), *_FLAGS]
    person = visitor(config)
    try:
        return subprocess.Popen(  # noqa: S603 # fixed commands of this module
            [*box, *script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "CDP_IN": str(inner[0]), "CDP_OUT": str(inner[1])},
            pass_fds=inner,
            **person.popen(),
        )
    finally:
        for descriptor in inner:
            os.close(descriptor)


def _attached(cdp: Cdp) -> str:
    """Open the page about policies and look into it; the session's number."""
    page = cdp.call("Target.createTarget", {"url": _PAGE}, timeout=_START_LIMIT)["targetId"]
    return str(cdp.call("Target.attachToTarget", {"targetId": page, "flatten": True})["sessionId"])


def _texts(cdp: Cdp, session: str) -> list[str]:
    asked = {"expression": ROWS, "returnByValue": True}
    with suppress(KeyError):
        return [str(text) for text in cdp.call("Runtime.evaluate", asked, session=session)["result"]["value"]]
    return []


def _states(texts: list[str], wanted: Mapping[str, Any]) -> dict[str, str]:
    """What the page says of each policy; empty until it shows all of them."""
    marks = (
        place for place, text in enumerate(texts) if text == "Machine" and texts[place + 1 : place + 2] == ["Mandatory"]
    )
    found = {texts[place - 3]: texts[place + 2] for place in marks if place >= 3 and place + 2 < len(texts)}
    return found if set(wanted) <= set(found) else {}


def _until(what: Callable[[], T]) -> T:
    """Wait until there is something. Raises `CdpError`."""
    deadline = time.monotonic() + _START_LIMIT
    while not (found := what()):
        if time.monotonic() > deadline:
            raise CdpError("the browser shows nothing")
        time.sleep(_PAUSE)
    return found
