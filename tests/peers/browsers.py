"""What counters do that have no box: one browser without a box, and five ways of going on to the next visitor.

All run the same Chromium with the same flags and as the same user as a box does, on the same display, from a home on
the disk that stays. Each way is done by the book; whoever does less (kills where the book says close) is a peer too.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.browser import browser_command
from madoguchi.terminal.cdp import Cdp, CdpError
from madoguchi.terminal.inside import browser_environment
from madoguchi.terminal.namespaces import environ_of, processes
from madoguchi.terminal.spawn import Person, high_pair, launch, marks, visitor

_OURS = ("--proxy-", "--app=", "--window-", "--user-data-dir=")
_AT_3_AND_4 = 'exec 3<&"$CDP_IN" 4>&"$CDP_OUT" {CDP_IN}<&- {CDP_OUT}>&-; unset CDP_IN CDP_OUT; exec "$@"'
_GONE_LIMIT, _CLOSE_LIMIT = 10.0, 20.0
_PAUSE = 0.002


class Home:
    """A kiosk user's home on the disk, and whatever runs out of it. `more` is put into every program's environment."""

    def __init__(self, config: BoxConfig, policies: Mapping[str, Any]) -> None:
        self.config = config
        self.person: Person = visitor(config)
        self.place = Path(tempfile.mkdtemp(prefix="peer-", dir="/var/tmp"))  # a disk, not memory
        self.more: dict[str, str] = {}
        self._started: list[subprocess.Popen[bytes]] = []
        self._policies = Path(tempfile.mkdtemp(prefix="peer-policies-"))
        (self._policies / "managed").mkdir()
        (self._policies / "managed" / "kiosk.json").write_text(json.dumps(dict(policies)))
        for folder in (self._policies, self._policies / "managed"):
            folder.chmod(0o755)
        os.chown(self.place, self.person.uid, self.person.gid)

    def start(self, command: list[str], inherited: tuple[int, ...] = (), **more: str) -> subprocess.Popen[bytes]:
        """Start a program; it sees the whole machine, with the kiosk's policies in their place."""
        kiosk = ("bwrap", "--dev-bind", "/", "/", "--tmpfs", "/etc/chromium", "--ro-bind", str(self._policies))
        environment = {**browser_environment(self.config, home=str(self.place)), **marks(self.config), **self.more}
        started = launch(
            [*kiosk, "/etc/chromium/policies", "--chdir", str(self.place), "--", *command],
            environment={**environment, "XAUTHORITY": str(self.config.xauthority or ""), **more},
            person=self.person,
            inherited=inherited,
        )
        self._started.append(started)
        return started

    def running(self) -> set[int]:
        """Programs that were started from here, and their children."""
        table = processes()
        found = {pid for pid in table if environ_of(pid).get("HOME") == str(self.place)}
        while more := {one.pid for one in table.values() if one.parent in found} - found:
            found |= more
        return found

    def close(self) -> None:
        """Kill all of it and remove the home."""
        deadline = time.monotonic() + _GONE_LIMIT
        while found := self.running():
            _kill(found)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{found} do not die")
            time.sleep(0.02)
        for process in self._started:
            process.wait(_GONE_LIMIT)
        for place in (self.place, self._policies):
            shutil.rmtree(place, ignore_errors=True)


class Chromium:
    """One running browser of a home."""

    def __init__(self, home: Home, *arguments: str, first: str) -> None:
        cdp_in, to_browser = high_pair(os.pipe())
        from_browser, cdp_out = high_pair(os.pipe())
        self._home = home
        self._command = [*plain_command(home.config), *arguments]
        numbers = {"CDP_IN": str(cdp_in), "CDP_OUT": str(cdp_out)}
        command = ["/bin/bash", "-c", _AT_3_AND_4, "kiosk", *self._command, "--remote-debugging-pipe", first]
        self.process = home.start(command, (cdp_in, cdp_out), **numbers)
        os.close(cdp_in)
        os.close(cdp_out)
        self.cdp = Cdp(to_browser=to_browser, from_browser=from_browser, on_event=lambda _: None, on_close=lambda: None)

    def hand_over(self, url: str) -> None:
        """Start the same command again: the browser that runs opens one more window."""
        self._home.start([*self._command, url]).wait(_CLOSE_LIMIT)

    def ready(self) -> None:
        """Wait until it answers."""
        self.cdp.call("Browser.getVersion", timeout=_CLOSE_LIMIT)

    def ask_to_close(self) -> None:
        """Let it close by itself, and wait until it has."""
        with suppress(CdpError):
            self.cdp.call("Browser.close", timeout=_CLOSE_LIMIT)
        self.process.wait(_CLOSE_LIMIT)
        self.kill()

    def kill(self) -> None:
        """Kill the whole process group and wait until nothing of it is left."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        deadline = time.monotonic() + _GONE_LIMIT
        while _group(self.process.pid) and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        self.cdp.close()


class Peer(ABC):
    """One way of going on. `first` for the first visitor, `turn` for the next: it returns when the way is done."""

    name: str
    policies: ClassVar[Mapping[str, Any]] = {}
    arguments: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: BoxConfig, url: str, *, authority: str = "") -> None:
        trusted = {"CACertificates": [authority]} if authority else {}
        self.home = Home(config, {**self.policies, **trusted})
        self.url = url
        self.browser: Chromium

    @property
    def profile(self) -> Path:
        """Where the browser keeps its profile."""
        return self.home.place / ".config" / "chromium"

    def first(self) -> None:
        """The first visitor sits down."""
        self.browser = self.start()

    @abstractmethod
    def turn(self) -> None:
        """The card is out; the next visitor's page is asked for."""

    def start(self) -> Chromium:
        """Start the browser at the site's page."""
        return Chromium(self.home, f"--user-data-dir={self.profile}", *self.arguments, first=f"--app={self.url}")

    def crash(self) -> None:
        """Let the browser crash, and its dump be written."""
        with suppress(CdpError):
            self.browser.cdp.call("Browser.crash", timeout=2)
        with suppress(subprocess.TimeoutExpired):
            self.browser.process.wait(_CLOSE_LIMIT)

    def close(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "browser"):
            self.browser.kill()
        self.home.close()


class TmpfsProfile(Peer):
    """A new profile in memory for each visitor: the browser is killed, the profile removed."""

    name = "bare profile on tmpfs"
    _place: Path

    @property
    def profile(self) -> Path:
        """A new one each time."""
        return self._place

    def start(self) -> Chromium:
        """Start with a profile of its own."""
        self._place = Path(tempfile.mkdtemp(prefix="peer-", dir="/dev/shm"))  # memory
        os.chown(self._place, self.home.person.uid, self.home.person.gid)
        return super().start()

    def turn(self) -> None:
        """Kill, remove, start."""
        self.browser.kill()
        shutil.rmtree(self._place)
        self.browser = self.start()

    def close(self) -> None:
        """Remove the last profile, too."""
        super().close()
        shutil.rmtree(self._place, ignore_errors=True)


class IncognitoRestart(Peer):
    """A private window, killed and started again."""

    name = "incognito restart"
    arguments = ("--incognito",)

    def turn(self) -> None:
        """Kill and start."""
        self.browser.kill()
        self.browser = self.start()


class ClearOnExit(Peer):
    """The policy that clears everything when the browser is closed, and the browser closed."""

    name = "clear-on-exit, closed"
    policies: ClassVar[Mapping[str, Any]] = {
        "SyncDisabled": True,
        "BrowserSignin": 0,
        "ClearBrowsingDataOnExitList": [
            "browsing_history",
            "download_history",
            "cookies_and_other_site_data",
            "cached_images_and_files",
            "password_signin",
            "autofill",
            "site_settings",
            "hosted_app_data",
        ],
    }

    def turn(self) -> None:
        """Close and start."""
        self.browser.ask_to_close()
        self.browser = self.start()


class ClearOnExitKilled(ClearOnExit):
    """The same policy, but the browser is killed: by the power switch, a watchdog, a crash."""

    name = "clear-on-exit, killed"

    def turn(self) -> None:
        """Kill and start."""
        self.browser.kill()
        self.browser = self.start()


class IncognitoLeftOpen(Peer):
    """A private window that is closed, while another one of the visitor stays open behind."""

    name = "incognito, a window left open"
    arguments = ("--incognito",)

    def turn(self) -> None:
        """Close the windows that show the site, though another was opened, and open a new private one."""
        self.browser.hand_over("about:blank")
        for target in self.browser.cdp.call("Target.getTargets")["targetInfos"]:
            if target["type"] == "page" and target["url"].startswith("http"):
                self.browser.cdp.call("Target.closeTarget", {"targetId": target["targetId"]})
        self.browser.hand_over(f"--app={self.url}")


class Ephemeral(Peer):
    """The policy that makes every profile temporary; the browser is closed."""

    name = "ForceEphemeralProfiles"
    policies: ClassVar[Mapping[str, Any]] = {"ForceEphemeralProfiles": True, "BrowserSignin": 0, "SyncDisabled": True}

    def turn(self) -> None:
        """Close and start."""
        self.browser.ask_to_close()
        self.browser = self.start()


class Context(Peer):
    """One browser for all: each visitor gets a BrowserContext, which is disposed of."""

    name = "BrowserContext disposed"
    _context: str

    def start(self) -> Chromium:
        """Start with an empty window."""
        return Chromium(self.home, f"--user-data-dir={self.profile}", first="about:blank")

    def first(self) -> None:
        """Sit down in a context."""
        super().first()
        self.browser.ready()
        self._open()

    def turn(self) -> None:
        """Dispose of the context, open the next."""
        with suppress(CdpError):
            self.browser.cdp.call("Target.disposeBrowserContext", {"browserContextId": self._context})
            self._open()
            return
        self.browser.kill()  # it had crashed
        self.first()

    def _open(self) -> None:
        given = {"disposeOnDetach": False}
        self._context = self.browser.cdp.call("Target.createBrowserContext", given)["browserContextId"]
        wanted = {"url": self.url, "browserContextId": self._context, "newWindow": True}
        target = self.browser.cdp.call("Target.createTarget", wanted)["targetId"]
        window = self.browser.cdp.call("Browser.getWindowForTarget", {"targetId": target})["windowId"]
        width, height = self.home.config.size
        place = {"left": 0, "top": 0, "width": width, "height": height}
        self.browser.cdp.call("Browser.setWindowBounds", {"windowId": window, "bounds": place})


TIMED: tuple[type[Peer], ...] = (TmpfsProfile, IncognitoRestart, ClearOnExit)
PEERS: tuple[type[Peer], ...] = (*TIMED, ClearOnExitKilled, IncognitoLeftOpen, Ephemeral, Context)


def plain_command(config: BoxConfig) -> list[str]:
    """The box's own browser and flags, without the box's proxy, start and place."""
    width, height = config.size
    command = [part for part in browser_command(config, home="", size=config.size) if not part.startswith(_OURS)]
    command.remove("--remote-debugging-pipe")
    return [*command, "--window-position=0,0", f"--window-size={width},{height}"]


def _group(leader: int) -> set[int]:
    """Live processes of a process group."""
    found = set()
    for pid in processes():
        with suppress(ProcessLookupError):
            if os.getpgid(pid) == leader:
                found.add(pid)
    return found


def _kill(pids: set[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
