"""What the tests of bar and curtain share: colours and places on the display."""

import os
from pathlib import Path

from madoguchi.terminal.browser import BAR_HEIGHT
from terminal.box.xserver import XServer

NIGHT, PAGE, PRESS = "#12263a", "#f4f4f4", "#8c1c13"
"""Colours of bar and curtain, of the test site's page, of the button."""

IN_BAR, IN_PAGE, AT_BUTTON, UNDER_BAR = (600, 10), (1000, 700), (1170, 28), (640, BAR_HEIGHT + 8)
"""Places on the display."""

A, ENTER, F11 = 38, 36, 95
"""Key codes of a Japanese or American keyboard."""


def picture(display: XServer, name: str) -> None:
    """Keep the picture if somebody wants to look at it."""
    if place := os.environ.get("MADOGUCHI_TEST_PICTURES"):
        display.keep(Path(place) / f"{name}.ppm")
