"""Where a visit's browser may go is derived from the procedure alone."""

import json
from pathlib import Path

import pytest

from madoguchi.protocol import Procedure
from madoguchi.terminal.policies import policies_for, reachable, write_policies

PROCEDURE = Procedure(
    "points",
    "架空ポイント",
    "http://127.0.0.1:8101/",
    "https://id.example.jp/logout?x=1",
    ("https://.points.example.jp",),
)


def test_reachable_are_the_allowed_the_prepared_and_the_card_client() -> None:
    found = reachable(PROCEDURE, card_client="http://127.0.0.1:8109")
    assert found == (
        "https://.points.example.jp",
        "http://127.0.0.1:8101",
        "https://id.example.jp",
        "http://127.0.0.1:8109",
    )


def test_everything_else_is_blocked_the_browsers_own_pages_by_name() -> None:
    policies = policies_for(PROCEDURE, card_client=None, inspectable=False)
    assert {"*", "chrome://*", "devtools://*", "file://*", "chrome-untrusted://*"} <= set(policies["URLBlocklist"])
    assert "*" not in policies["URLAllowlist"]


@pytest.mark.parametrize(("inspectable", "value"), [(True, 1), (False, 2)])
def test_developer_tools_are_off_unless_the_relay_needs_them(inspectable: bool, value: int) -> None:
    policies = policies_for(PROCEDURE, card_client=None, inspectable=inspectable)
    assert policies["DeveloperToolsAvailability"] == value


def test_the_browser_reads_them_where_it_looks(tmp_path: Path) -> None:
    policies = policies_for(PROCEDURE, card_client=None, inspectable=False)
    write_policies(tmp_path, policies)
    assert json.loads((tmp_path / "managed" / "visit.json").read_text()) == policies
