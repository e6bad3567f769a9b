"""A machine made of files, sockets and processes, for the lines of the check."""

import os
from pathlib import Path
from typing import Any

from madoguchi.terminal.check_list import ITEMS
from madoguchi.terminal.check_machine import Machine
from madoguchi.terminal.config import TerminalConfig

LOOKS = {item.code: item.look for item in ITEMS}
ME = os.geteuid()

PASSWD = "root:x:0:0:root:/root:/bin/bash\n" + "".join(
    f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"
    for number, name in enumerate(("madoguchi", "madoguchi-visit", "madoguchi-desk"), 901)
)
GROUP = (
    "root:x:0:\nmadoguchi:x:901:\nmadoguchi-visit:x:902:\n"
    "madoguchi-desk:x:903:madoguchi\nmadoguchi-card:x:904:madoguchi\n"
)


class Scratch:
    """A machine below a directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings: dict[str, Any] = {"server_url": "https://office.example.jp", "state_dir": root / "state"}
        self.given: dict[str, Any] = {"uid": 901, "installer": ME}

    def file(self, name: str, text: str | bytes) -> Path:
        """Put a file there."""
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        return place

    @property
    def machine(self) -> Machine:
        """As the check sees it."""
        config = TerminalConfig(**self.settings)
        return Machine(config, config_file=self.root / "etc/madoguchi/terminal.toml", root=self.root, **self.given)

    def look(self, code: str) -> str | None:
        """What a line of the check says of it."""
        return LOOKS[code](self.machine)
