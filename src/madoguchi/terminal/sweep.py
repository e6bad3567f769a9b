"""Destroying what an earlier, killed agent left behind."""

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.ports import LOGOUT_NOT_TRIED, WipeProof
from madoguchi.terminal.proof import now


def sweep(config: BoxConfig) -> WipeProof:
    """Sweep."""
    return WipeProof(False, LOGOUT_NOT_TRIED, now(), now(), now(), "none")
