"""Made-up people's cards."""

from datetime import UTC, date, datetime, timedelta

from madoguchi.card import CertificateAuthority, Holder, Pins, Sex, VirtualCard, practice_keys

CARDS = ("市民A", "市民B")
WITHOUT_CERTIFICATES, FOREIGN = "証明書なし", "別のカード"


def cards() -> dict[str, VirtualCard]:
    """Two made-up people's cards, a My Number Card without certificates, and a card of another kind."""
    issued = datetime.now(UTC) - timedelta(days=300)
    authority = CertificateAuthority.create(issued)
    pins = Pins("1001", "1111", "1001", "KAKU1234")
    made = {name: VirtualCard.make(_holder(name), pins, authority, issued, keys=practice_keys(name)) for name in CARDS}
    made[WITHOUT_CERTIFICATES] = VirtualCard.without_certificates(_holder(WITHOUT_CERTIFICATES), pins)
    made[FOREIGN] = VirtualCard.foreign()
    return made


def _holder(name: str) -> Holder:
    return Holder(f"架空 {name}", "カクウ シミン", "架空県架空市1-1", date(1950, 1, 1), Sex.UNKNOWN)
