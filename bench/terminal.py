"""Terminal: card out -> next person's page usable, card out -> curtain, beside counters without a box; `--markers`.

Everything runs on one display (Xvfb) of this machine, the same Chromium with the same flags as the same user, in random
order within each round. The parts are `tests/peers`. What the figures mean:

- *usable*: from the moment the agent knows that the card is out (the same for all: our reader is not in it) until the
  site has got the click that a hand, clicking every 15 ms from the moment the page is on the screen, makes on the next
  person's page. *on the screen*: a pixel of the display has that page's colour. *painted*: the site has got the word
  that the page's script sends at its first contentful paint.
- *box with a spare*: cover, destroy and prove, then hand out the box that was made ready before the card went. *box,
  cold*: the same, but the next box is made then. Nobody visits a log-out address: its time is the site's.
- *bare profile on tmpfs*: kill, remove the profile, start with a new one. *incognito restart*: kill, start.
  *clear-on-exit*: ask to close, wait until closed, start. No peer is watched, covered or proven.
- *processes gone*, *space gone*: the times in the box's own proof; *proof*: when the agent holds it; *handed out*: when
  the next box is the agent's.
- *card out -> curtain*: a real pcscd with a virtual card, our watch, a whole agent with its journal on the disk.
  *reader's event*: the first call to PC/SC that shows the card gone; *answered*: the bar has said that it covers the
  screen, and a pixel is looked at. *hand -> reader's event* is pcscd, which looks at a reader of this kind every 0.4 s.

With `--markers` the two trials instead: is the next person taken for the one before, and what is left of the one
before, in every changed file, in every process, on the display; each with the visit ended and with the browser crashed
with core dumps on.
"""

import runpy
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests")]

if __name__ == "__main__":
    runpy.run_module("peers.report")["main"](__doc__.splitlines()[0])
