"""An office whose keys are a test's own: they are changed and destroyed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.test import override_settings


@contextmanager
def own_keys(state: Path) -> Iterator[Path]:
    """Key files in `state` for the block; the folder of the wrapping keys."""
    files = {
        "STATE_DIR": state,
        "WRAPPING_KEYS_DIR": state / "wrapping",
        "CARD_TAG_KEY_FILE": state / "card-tag.key",
        "SERVER_KEY_FILE": state / "server.key",
    }
    with override_settings(**files):
        yield state / "wrapping"
