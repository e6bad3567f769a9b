import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from card.pcsc.support import READER, Hand, await_empty, threads, until
from madoguchi.card import ServiceMissing, VirtualCard
from madoguchi.card.pcsc import PcscReader
from madoguchi.card.pcscd import PrivatePcscd


@pytest.fixture(scope="session")
def private() -> Iterator[PrivatePcscd]:
    """One set of namespaces for all: libpcsclite reads once per process where its service is."""
    folder = Path(tempfile.mkdtemp(prefix="pcsc-"))
    service = PrivatePcscd(folder)
    os.environ.update(service.environment)
    try:
        with service:
            yield service
    except ServiceMissing as error:
        pytest.fail(f"pcscd cannot run here: {error}. {error.sentence}", pytrace=False)
    finally:
        for name in service.environment:
            os.environ.pop(name, None)
        shutil.rmtree(folder)


@pytest.fixture
def service(private: PrivatePcscd) -> PrivatePcscd:
    """A pcscd that has just been started, and has seen nothing."""
    private.start()
    await_empty()
    return private


@pytest.fixture
def reader(service: PrivatePcscd) -> Iterator[PcscReader]:  # noqa: ARG001  # it must run
    with PcscReader(READER) as reader:
        yield reader
    until(lambda: not threads())


@pytest.fixture
def slot(service: PrivatePcscd, reader: PcscReader) -> Iterator[Hand]:
    hand = Hand(service, reader)
    yield hand
    hand.slot.remove()


@pytest.fixture
def card(card: VirtualCard, slot: Hand) -> VirtualCard:  # noqa: ARG001  # whoever has a card has a reader
    return card
