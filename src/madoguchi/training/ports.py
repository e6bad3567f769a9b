"""The loopback ports of the training counter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ports:
    """All ports follow from the first."""

    base: int

    @property
    def server(self) -> int:
        """The counter's office."""
        return self.base

    @property
    def points(self) -> int:
        """The points site."""
        return self.base + 1

    @property
    def accounts(self) -> int:
        """The account registry."""
        return self.base + 2

    @property
    def desks(self) -> int:
        """総務省コールセンター and デジタル庁."""
        return self.base + 3

    @property
    def card_client(self) -> int:
        """The sites' card client on the terminal."""
        return self.base + 4

    @property
    def panel(self) -> int:
        """The practice cards' shelf."""
        return self.base + 5

    @property
    def desk(self) -> int:
        """The terminal's desk page."""
        return self.base + 6

    def url(self, port: int) -> str:
        """Origin of a port, without a slash."""
        return f"http://127.0.0.1:{port}"

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """What a newcomer opens, in the order of a visit."""
        return (
            ("受付・係員の画面 Office", self.server),
            ("端末の案内ページ Terminal's desk page", self.desk),
            ("訓練用カードの棚 Practice cards", self.panel),
            ("国の窓口(架空) National desks", self.desks),
        )

    @property
    def all(self) -> tuple[int, ...]:
        """Every port used."""
        return tuple(range(self.base, self.base + 7))
