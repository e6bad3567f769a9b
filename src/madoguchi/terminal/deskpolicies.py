"""Managed policies of the desk page's own browser: this terminal's page, and nothing else.

They lie in the system's place, so that any Chromium started outside a visit is held to them; a visit's box covers them
with its own. `python -m madoguchi.terminal.deskpolicies CONFIG` prints them as Chromium reads them.
"""

import json
import sys
from pathlib import Path
from typing import Any

from madoguchi.protocol import Procedure
from madoguchi.terminal.config import load_config
from madoguchi.terminal.policies import policies_for

PLACE = Path("etc/chromium/policies/managed/madoguchi-desk.json")
"""Where they are installed, below the root directory."""


def desk_policies(port: int) -> dict[str, Any]:
    """Compose them: a visit's policies for the desk page alone; the whole screen is its own."""
    page = f"http://127.0.0.1:{port}/"
    policies = policies_for(Procedure("desk", "案内", page, page, ()), card_client=None, inspectable=False)
    del policies["FullscreenAllowed"]
    return policies | {"URLAllowlist": [page.rstrip("/")]}


def desk_text(port: int) -> str:
    """The file's whole text."""
    return json.dumps(desk_policies(port), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(desk_text(load_config(Path(sys.argv[1])).desk_port))
