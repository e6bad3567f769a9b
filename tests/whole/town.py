"""The world outside a terminal as a process: national sites, the card service with its reader, and people's cards."""

import os
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from whole.helpers import answer_lines, die_with_parent

READER = "Virtual PCD 00 00"


class Town:
    """One town with its sites; `folder` has a short path: a socket's address has 107 bytes."""

    def __init__(self, folder: Path, stack: ExitStack, *, behaviour: str) -> None:
        from madoguchi.card.pcscd import PrivatePcscd

        self._service = stack.enter_context(PrivatePcscd(folder))
        os.environ.update(self._service.environment)
        from madoguchi.card.pcsc import PcscReader
        from madoguchi.card.vpcd import VpcdSlot
        from madoguchi.nation import run
        from madoguchi.nation.seed import make_training_city
        from madoguchi.nation.world import Behaviour

        self._city = make_training_city(clock=lambda: datetime.now(UTC), behaviour=Behaviour(behaviour))
        self._slot = VpcdSlot(self._service.dial)
        self._pages: list[tuple[str, str]] = []
        apps = run._apps
        run._apps = lambda *given: [self._watched(app) for app in apps(*given)]
        reader = stack.enter_context(PcscReader(READER))
        self._sites = stack.enter_context(run.serve(self._city.nation, run.Config(reader=reader)))

    def addresses(self) -> dict[str, Any]:
        """Where everything is, and what programs need to use the card service."""
        return {
            "points": self._sites.points_url,
            "accounts": self._sites.accounts_url,
            "card_client": self._sites.card_client_url,
            "environment": self._service.environment,
        }

    def insert(self, *, citizen: str) -> None:
        """Put a card on the reader."""
        self._slot.insert(self._city.cards[citizen])

    def remove(self) -> None:
        """Take away what lies there."""
        self._slot.remove()

    def lying(self) -> bool:
        """Whether a card lies on the reader."""
        return self._slot.card is not None

    def pcscd(self, *, act: str) -> None:
        """`kill`, `start`, `pause` or `resume` the card service."""
        getattr(self._service, act)()

    def knows(self, *, citizen: str) -> dict[str, str]:
        """What a citizen knows by heart."""
        found = self._city.citizens[citizen]
        return {
            "auth_pin": found.auth_pin,
            "service": found.service,
            "payment_id": found.payment_id,
            "security_code": found.security_code,
            "name": found.holder.name,
        }

    def pages(self) -> int:
        """How many pages were delivered."""
        return len(self._pages)

    def page(self) -> list[str]:
        """Address and text of the page delivered last."""
        return list(self._pages[-1]) if self._pages else ["", ""]

    def registrations(self) -> list[list[str]]:
        """Whose registration landed on whose card."""
        return [[found.kind, found.of, found.landed_on] for found in self._city.nation.registrations]

    def _watched(self, app: Flask) -> Flask:
        def kept(answer: Response) -> Response:
            if answer.mimetype == "text/html" and answer.status_code != 303:
                self._pages.append((request.path, answer.get_data(as_text=True)))
            return answer

        app.after_request(kept)
        return app


def main() -> None:
    """Answer until standard input ends: `python -m whole.town FOLDER BEHAVIOUR`."""
    die_with_parent()
    with ExitStack() as stack:
        answer_lines(Town(Path(sys.argv[1]), stack, behaviour=sys.argv[2]))


if __name__ == "__main__":
    main()
