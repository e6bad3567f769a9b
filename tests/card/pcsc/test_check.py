"""What `madoguchi terminal check` sees of a real pcscd: it asks, and opens no card."""

from dataclasses import replace
from pathlib import Path

import pytest

from card.pcsc.support import READER, Hand, until
from madoguchi.card import VirtualCard
from madoguchi.card.pcscd import PrivatePcscd
from madoguchi.terminal.check_card import reader_free, reader_named
from madoguchi.terminal.check_machine import Machine
from madoguchi.terminal.config import TerminalConfig

pytestmark = pytest.mark.slow


@pytest.fixture
def machine() -> Machine:
    config = TerminalConfig(server_url="https://x", state_dir=Path("/x"), reader="pcsc", reader_name=READER)
    return Machine(config)


def named(machine: Machine, name: str) -> Machine:
    return replace(machine, config=replace(machine.config, reader_name=name))


def test_the_reader_is_there_under_its_name_or_the_names_there_are_told(slot: Hand, machine: Machine) -> None:
    assert slot.card is None
    assert reader_named(machine) is None
    assert reader_named(named(machine, "ACS")) == "ReaderNotFound: ACS / Virtual PCD 00 00 / Virtual PCD 00 01"
    assert (reader_named(named(machine, "Virtual")) or "").startswith("ReaderAmbiguous: Virtual / ")


def test_whoever_holds_the_card_is_seen_and_not_disturbed(slot: Hand, card: VirtualCard, machine: Machine) -> None:
    slot.insert(card)
    until(lambda: slot.state().present)
    assert reader_free(machine) is None
    with slot.connect() as use:
        until(lambda: reader_free(machine) == READER)
        assert use.transmit(bytes.fromhex("00A4040C0AD392F000260100000001"))[1] == 0x9000
    until(lambda: reader_free(machine) is None)


def test_without_a_service_the_reader_is_not_there_and_nothing_is_held(service: PrivatePcscd, machine: Machine) -> None:
    service.kill()
    until(lambda: (reader_named(machine) or "").startswith("ReaderLost: "))
    assert reader_free(machine) is None
