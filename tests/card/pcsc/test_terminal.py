"""The terminal's configuration names a reader of pcscd."""

from pathlib import Path

import pytest

from card.pcsc.support import READER, threads, until
from madoguchi.card.pcsc import PcscReader
from madoguchi.card.pcscd import PrivatePcscd
from madoguchi.terminal.config import config_from
from madoguchi.terminal.errors import ConfigInvalid
from madoguchi.terminal.service import choose_reader

_BASE = {"server_url": "http://127.0.0.1:1", "state_dir": Path("/nonexistent"), "reader": "pcsc"}


def test_a_real_reader_needs_a_name() -> None:
    with pytest.raises(ConfigInvalid, match="reader_name"):
        config_from(_BASE)


@pytest.mark.slow
def test_the_configured_reader_is_used_and_its_watch_ends_with_the_terminal(service: PrivatePcscd) -> None:
    assert service
    with choose_reader(config_from(_BASE, reader_name=READER)) as reader:
        assert isinstance(reader, PcscReader)
        assert reader.name == READER
        assert not reader.state().present
        assert threads()
    until(lambda: not threads())
