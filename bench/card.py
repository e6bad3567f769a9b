"""Card over PC/SC: how soon a card is seen to come and go, and which writes pass after it has gone.

A real pcscd with virtual cards, in namespaces of its own; nothing is shared with the machine's readers. What the
figures mean:

- *removal -> event seen*, *insertion -> event seen*: from the hand to `PcscReader.wait` returning in another thread.
  Almost all of it is pcscd, which looks at a reader of this kind every 0.4 s; hands move at random moments in between.
  Readers that interrupt are faster, and hand over the same event.
- *insertion -> card known*: until the card's tag has been read without PIN.
- *proof*: one `prove`: open, certificate, PIN, signature, off. The virtual card computes on this machine's processor;
  a real one takes 0.5 to 1.5 s more, which nothing here can change. *same APDUs, plain calls*: the same commands by
  pyscard's plain calls on a card that stays open and shared, interleaved: what is left is the price of exclusive use,
  power-off at both ends, and limits on every call.
- *writes accepted*: at each moment after a removal, the share of writes that pass. *event only*: the session holds as
  long as no event has come (pcscd itself is asked). *proof per write*: a fresh signature is asked for. Each removal is
  tried at all later moments too, beginning with another one each time.
"""

import argparse
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from madoguchi.card import (
    Act,
    Card,
    CardError,
    CertificateAuthority,
    Holder,
    KeyKind,
    Pins,
    ReaderState,
    Sex,
    VirtualCard,
    check_proof,
    digest_of,
    prove,
    read_card_tag,
)
from madoguchi.card.pcsc import PcscReader
from madoguchi.card.pcscd import PrivatePcscd
from madoguchi.card.vpcd import VpcdSlot

_READER = "Virtual PCD 00 00"
_PIN = "1234"
_ACT = Act("nonce", "https://points.example", "register", digest_of({"service": "架空ペイ"}))
_MOMENTS = (0, 50, 100, 200, 300, 400, 500)
_POLL = 0.4
_SOON = 10.0


class Bench:
    """One reader, one card of each kind, and what was measured (milliseconds)."""

    def __init__(self, service: PrivatePcscd, reader: PcscReader) -> None:
        self.slot = VpcdSlot(service.dial)
        self.reader = reader
        self.times: dict[str, list[float]] = {}
        self.writes: dict[tuple[str, int], list[bool]] = {}
        now = datetime.now(UTC)
        authority = CertificateAuthority.create(now)
        holder = Holder("架空 花子", "カクウ ハナコ", "架空県架空市一丁目1番1号", date(1980, 2, 29), Sex.FEMALE)
        pins = Pins(auth=_PIN, text="5678", basic="0000", sign="ABC123")
        self.cards = {kind: VirtualCard.make(holder, pins, authority, now, kind) for kind in KeyKind}

    def note(self, what: str, began: float) -> None:
        """Keep the time since `began` (seconds of `perf_counter`)."""
        self.times.setdefault(what, []).append((time.perf_counter() - began) * 1000)

    def insert(self, card: Card) -> ReaderState:
        """Put a card down; return the state in which it is seen."""
        known = self.reader.state()
        began = time.perf_counter()
        self.slot.insert(card)
        state = self.reader.wait(known, _SOON)
        self.note("insertion -> event seen", began)
        read_card_tag(self.reader, bytes(32))
        self.note("insertion -> card known", began)
        return state

    def writes_after_removal(self, name: str, attempt: Callable[[ReaderState], bool], first: int) -> None:
        """Put the card down, take it away, and try to write at the moments from the `first` on."""
        known = self.insert(self.cards[KeyKind.RSA2048])
        time.sleep(random.uniform(0, _POLL))  # noqa: S311 - only to meet pcscd's looks anywhere between two
        began = time.perf_counter()
        watching = threading.Thread(target=self._await_event, args=(known, began))
        self.slot.remove()
        if attempt == self.by_event:  # a proof that fails would let pcscd notice sooner
            watching.start()
        for moment in _MOMENTS[first:]:
            time.sleep(max(0.0, began + moment / 1000 - time.perf_counter()))
            self.writes.setdefault((name, moment), []).append(attempt(known))
        if watching.ident is not None:
            watching.join()

    def by_event(self, known: ReaderState) -> bool:
        """A session that trusts events: the write passes as long as none has come."""
        return self.reader.state() == known

    def by_proof(self, _known: ReaderState) -> bool:
        """A session that asks for a proof."""
        pinned = self.cards[KeyKind.RSA2048].auth_certificate
        try:
            check_proof(prove(self.reader, _PIN, _ACT, pinned=pinned), _ACT, pinned=pinned)
        except CardError:
            return False
        return True

    def proofs(self, count: int, kind: KeyKind) -> None:
        """Prove, and send the same APDUs by plain calls, in turns."""
        card = _Recording(self.cards[kind])
        known = self.insert(card)
        card.apdus.clear()
        prove(self.reader, _PIN, _ACT)
        plain, apdus = _PlainCalls(), tuple(card.apdus)
        for _ in range(count):
            began = time.perf_counter()
            prove(self.reader, _PIN, _ACT)
            self.note(f"proof, {kind.value}", began)
            self.note(f"same APDUs, plain calls, {kind.value}", plain.send(apdus))
        self.slot.remove()
        self.reader.wait(known, _SOON)

    def _await_event(self, known: ReaderState, began: float) -> None:
        if self.reader.wait(known, _SOON) != known:
            self.note("removal -> event seen", began)


class _Recording:
    """A card that remembers what it was asked."""

    def __init__(self, card: VirtualCard) -> None:
        self._card = card
        self.apdus: list[bytes] = []

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        self.apdus.append(apdu)
        return self._card.transmit(apdu)

    def power_off(self) -> None:
        self._card.power_off()


class _PlainCalls:
    """pyscard as it comes: shared, and left as it is."""

    def __init__(self) -> None:
        from smartcard import scard  # after the environment says where pcscd is

        self._scard = scard
        _, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)

    def send(self, apdus: tuple[bytes, ...]) -> float:
        """Open, send all, let go; return when that began."""
        scard = self._scard
        began = time.perf_counter()
        code, card, protocol = scard.SCardConnect(
            self._context, _READER, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T1
        )
        for apdu in apdus:
            code, answer = scard.SCardTransmit(card, protocol, list(apdu))
            if code != 0 or answer[-2:] not in ([0x90, 0x00], [0x62, 0x82]):
                raise SystemExit(f"the comparison fails: {code:#x} {answer[-2:]}")
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        return began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=250, help="repetitions")
    count = parser.parse_args().n
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, PrivatePcscd(Path(folder)) as service:
        os.environ.update(service.environment)
        with PcscReader(_READER) as reader:
            bench = Bench(service, reader)
            for kind in KeyKind:
                bench.proofs(count, kind)
            for index in range(count):
                bench.writes_after_removal("event only", bench.by_event, 0)
                bench.writes_after_removal("proof per write", bench.by_proof, index % len(_MOMENTS))
            report(bench, Console(width=120))


def report(bench: Bench, console: Console) -> None:
    """Print both tables."""
    table = Table("", "n", "median ms", "p95 ms", "p99 ms")
    for what, times in bench.times.items():
        cuts = statistics.quantiles(times, n=100, method="inclusive")
        table.add_row(what, str(len(times)), f"{cuts[49]:.1f}", f"{cuts[94]:.1f}", f"{cuts[98]:.1f}")
    console.print(table)
    names = ("event only", "proof per write")
    table = Table("writes accepted after removal", *(f"{moment} ms" for moment in _MOMENTS))
    for name in names:
        cells = [bench.writes.get((name, moment), []) for moment in _MOMENTS]
        table.add_row(name, *(f"{sum(cell)} of {len(cell)}" for cell in cells))
    console.print(table)


if __name__ == "__main__":
    main()
