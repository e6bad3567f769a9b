"""The visit's browser as the agent needs it: start at the prepared address, notice its death, leave by the log-out."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from madoguchi.terminal.boxconfig import INSIDE, START, BoxConfig
from madoguchi.terminal.cdp import Cdp, CdpError, CdpRefused
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, LOGOUT_UNREACHABLE, LOGOUT_VISITED

_PAUSE = 0.02
_UNTITLED = 0.5
"""Seconds after which a page that has only its address for a name is believed to have no title."""

BAR_HEIGHT = 56
"""Pixels of the bar above the browser on a real display."""

_FLAGS = (
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-component-extensions-with-background-pages",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-quic",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-client-side-phishing-detection",
    "--disable-search-engine-choice-screen",
    "--disable-session-crashed-bubble",
    "--disable-gpu",
    "--metrics-recording-only",
    "--password-store=basic",
    "--use-mock-keychain",
    "--disk-cache-size=1",
    "--ozone-platform=x11",
    "--gtk-version=3",
    "--lang=ja",
    "--accept-lang=ja",
    "--disable-features=Translate,MediaRouter,OptimizationHints,InterestFeedContentSuggestions,AutofillServerCommunication",
)


def browser_command(
    config: BoxConfig, *, home: str, size: tuple[int, int], proxy: tuple[str, int] = INSIDE
) -> list[str]:
    """Compose Chromium's command line for one visit on a display of `size`. The browser's own sandbox stays on.

    On a real display the window waits below the screen until `Browser.show`.
    """
    width, height = size
    top, place = (0, 0) if config.display is None else (BAR_HEIGHT, height)
    return [
        str(config.chromium),
        *_FLAGS,
        f"--user-data-dir={home}/browser",
        f"--window-position=0,{place}",
        f"--window-size={width},{height - top}",
        f"--proxy-server=http://{proxy[0]}:{proxy[1]}",
        "--proxy-bypass-list=<-loopback>",
        f"--app={START}",
    ]


class PoliciesNotInForce(CdpError):
    """The browser runs without the policies of the visit."""

    sentence = "ブラウザの制限が効いていません。この端末を使わず、職員に知らせてください。"


class Browser:
    """One running browser behind its debugging pipe. All calls are bounded."""

    def __init__(self, cdp: Cdp) -> None:
        self._cdp = cdp

    def wait_ready(self, *, limit: float) -> None:
        """Wait until the browser answers and has its page. Raises `CdpError`."""
        deadline = time.monotonic() + limit
        self._cdp.call("Browser.getVersion", timeout=limit)
        while not self.pages():
            if time.monotonic() > deadline:
                raise CdpError("the browser shows no page")
            time.sleep(_PAUSE)

    def show(self, size: tuple[int, int]) -> None:
        """Move the window from below the screen to its place under the bar, above all others. Raises `CdpError`."""
        target = self.pages()[0]["targetId"]
        window = self._cdp.call("Browser.getWindowForTarget", {"targetId": target})["windowId"]
        place = {"left": 0, "top": BAR_HEIGHT, "width": size[0], "height": size[1] - BAR_HEIGHT}
        self._cdp.call("Browser.setWindowBounds", {"windowId": window, "bounds": place})
        self._cdp.call("Target.activateTarget", {"targetId": target})

    def pages(self) -> list[Mapping[str, Any]]:
        """List the open pages, as the browser lists them."""
        found = self._cdp.call("Target.getTargets")["targetInfos"]
        return [target for target in found if target["type"] == "page"]

    def check_closed(self) -> None:
        """See that the visit's policies hold: under them nobody may look into the page. Raises `PoliciesNotInForce`."""
        target = self.pages()[0]["targetId"]
        try:
            self._cdp.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        except CdpRefused:
            return
        raise PoliciesNotInForce("the page can be looked into")

    def logout(self, url: str, *, limit: float) -> str:
        """Open the site's log-out address and wait until it has loaded, at most `limit` seconds; one of `LOGOUT_*`."""
        if urlsplit(url).scheme not in {"http", "https"}:
            return LOGOUT_NOT_TRIED
        deadline = time.monotonic() + limit
        with suppress(CdpError):
            given = {"url": url, "hidden": True}
            target = self._cdp.call("Target.createTarget", given, timeout=limit)["targetId"]
            return LOGOUT_VISITED if self._answered(target, deadline) else LOGOUT_UNREACHABLE
        return LOGOUT_UNREACHABLE

    def _answered(self, target: str, deadline: float) -> bool:
        """Watch a page from outside: under the visit's policies nobody may look into it.

        Chromium first names a page by its address without the scheme, then by its title; it names its own error pages
        by the bare host. A page that keeps its address has no title.
        """
        unnamed_since = None
        while (moment := time.monotonic()) < deadline:
            address, title = self._named(target)
            if title and title == urlsplit(address).hostname:
                return False
            if title and not address.endswith(f"//{title}") and not address.endswith(f"//{title}/"):
                return True
            unnamed_since = (unnamed_since or moment) if title else None
            if unnamed_since is not None and moment - unnamed_since > _UNTITLED:
                return True
            time.sleep(_PAUSE)
        return False

    def _named(self, target: str) -> tuple[str, str]:
        found = self._cdp.call("Target.getTargets")["targetInfos"]
        return next(((info["url"], info["title"]) for info in found if info["targetId"] == target), ("", ""))
