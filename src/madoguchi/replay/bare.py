"""The counter as it was: one browser per terminal that nobody closes, and nothing between the people."""

from collections.abc import Mapping
from datetime import timedelta

from madoguchi.card import MemoryReader, VirtualCard
from madoguchi.replay.clock import ReplayClock
from madoguchi.replay.counter import Addresses, MakePages, Seats, SwitchReader
from madoguchi.replay.errors import NothingOnScreen
from madoguchi.replay.pages import Pages


class BareCounter:
    """No gate, no box, no presence: whoever sits there uses what stands on the screen."""

    def __init__(
        self,
        *,
        readers: Mapping[str, MemoryReader],
        switch: SwitchReader,
        clock: ReplayClock,
        cards: Mapping[str, VirtualCard],
        addresses: Addresses,
        make_pages: MakePages,
    ) -> None:
        self._seats = Seats(readers, switch)
        self._clock = clock
        self._cards = cards
        self._addresses = addresses
        self._make_pages = make_pages
        self._browsers: dict[str, Pages] = {}

    def pass_time(self, seconds: float) -> None:
        """See `Counter.pass_time`: nothing looks, nothing ends."""
        self._clock.move_to(self._clock.now() + timedelta(seconds=seconds))

    def arrive(self, who: str, terminal: str, procedure: str) -> str:
        """See `Counter.arrive`."""
        self._seats.sit(who, terminal, procedure)
        return "端末に案内された"

    def sit_down(self, who: str, terminal: str, procedure: str) -> str:
        """See `Counter.sit_down`."""
        self._seats.sit(who, terminal, procedure)
        return "空いている席に座った"

    def put_card(self, who: str) -> str:
        """See `Counter.put_card`."""
        reader = self._seats.of(who)[1].reader
        reader.remove()
        reader.insert(self._cards[who])
        return ""

    def take_card(self, who: str) -> str:
        """See `Counter.take_card`."""
        self._seats.of(who)[1].reader.remove()
        return "画面はそのまま"

    def open_portal(self, who: str) -> Pages:
        """See `Counter.open_portal`."""
        terminal, seat = self._seats.of(who)
        start = self._addresses.start[seat.procedure]
        if terminal in self._browsers:
            self._browsers[terminal].go(start)
        else:
            self._browsers[terminal] = self._make_pages(start)
        return self._browsers[terminal]

    def pages(self, who: str) -> Pages:
        """See `Counter.pages`."""
        terminal = self._seats.of(who)[0]
        if terminal not in self._browsers:
            raise NothingOnScreen(terminal)
        return self._browsers[terminal]

    def leave(self, who: str, *, card_behind: bool) -> str:
        """See `Counter.leave`."""
        if not card_behind:
            self.take_card(who)
        return "画面はログインしたまま残った"

    def finish(self, who: str) -> str:
        """See `Counter.finish`."""
        seat = self._seats.of(who)[1]
        self.pages(who).go(self._addresses.logout[seat.procedure])
        self.take_card(who)
        return "ログアウトした"

    def close(self) -> None:
        """See `Counter.close`."""
        for pages in self._browsers.values():
            pages.close()
