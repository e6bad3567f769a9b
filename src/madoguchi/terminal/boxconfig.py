"""How this machine makes boxes. One place for every path, size and time of the box side."""

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

VISIT_USER = "madoguchi-visit"
"""The ordinary system user that browsers run as when the agent runs as root; script/bootstrap creates it."""

CHROMIUM = Path("/usr/lib/chromium/chromium")
"""The browser itself, not Debian's wrapper script: the wrapper reads flags from places outside the box."""

START = "http://start.invalid/"
"""Where every browser starts (RFC 2606: a name that never resolves)."""

INSIDE = ("127.0.0.1", 3128)
"""Where the proxy (`egress`) is found inside a box."""

INPUT_METHOD = "fcitx5"
"""The Japanese input method, with Mozc, if it is installed."""


@dataclass(frozen=True, slots=True)
class BoxConfig:
    """Settings of the boxes of one agent.

    `state` is the agent's state directory: its resolved path names the agent's boxes among all on the machine.
    `card_client` is the origin of the card client's page, if any. `display` is the X display; None: a virtual one
    (training only). `input_method` runs inside the box on a real display; empty for none. Sizes are MiB and
    pixels, times seconds.
    """

    state: Path
    training: bool = False
    card_client: str | None = None
    display: str | None = field(default_factory=lambda: os.environ.get("DISPLAY") or None)
    xauthority: Path | None = field(default_factory=lambda: _xauthority())
    chromium: Path = CHROMIUM
    visit_user: str = VISIT_USER
    input_method: str = field(default_factory=lambda: INPUT_METHOD if shutil.which(INPUT_METHOD) else "")
    space_mib: int = 1024
    size: tuple[int, int] = (1280, 800)
    start_limit: float = 20.0
    proof_limit: float = 5.0
    sweep_limit: float = 10.0
    logout_limit: float = 3.0

    @property
    def name(self) -> str:
        """The marker of this agent's boxes: 16 hex digits from the state directory's path."""
        return hashlib.sha256(os.fsencode(self.state.resolve())).hexdigest()[:16]

    @property
    def runtime(self) -> Path:
        """Where visits' spaces are mounted (root: below /run, so that the browser's user can reach them)."""
        return Path("/run/madoguchi") / self.name if os.geteuid() == 0 else self.state.resolve() / "boxes"


def _xauthority() -> Path | None:
    given = os.environ.get("XAUTHORITY")
    return Path(given) if given else None
