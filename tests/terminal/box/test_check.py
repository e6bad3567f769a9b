"""What is missing is named exactly, in Japanese with what to do, and stops visits."""

import os
import pwd
from dataclasses import replace
from pathlib import Path

import pytest

from madoguchi.terminal import check
from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.check import Missing, check_bare, check_rights, missing_rights
from terminal.box.conftest import MakeAgent
from terminal.box.site import Site
from terminal.box.support import Agent, Refused


@pytest.fixture
def config(tmp_path: Path) -> BoxConfig:
    return BoxConfig(state=tmp_path, training=True, display=None)


def codes(found: list[Missing]) -> set[str]:
    return {missing.code for missing in found}


def test_nothing_is_missing_where_the_tests_run(config: BoxConfig) -> None:
    assert check_rights(config) == []
    assert missing_rights(config) == ()
    assert check_bare(config) == []


def test_programs_that_are_not_installed(config: BoxConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(check, "_PATH", str(tmp_path))
    found = check_rights(replace(config, chromium=tmp_path / "chromium"))
    assert codes(found) == {"NoBubblewrap", "NoBash", "NoPrlimit", "NoChromium", "NoXvfb"}
    assert codes(check_bare(replace(config, chromium=tmp_path / "chromium"))) == {"NoChromium", "NoXvfb"}


def test_no_display_is_enough_for_training_only(config: BoxConfig) -> None:
    assert codes(check_rights(replace(config, training=False))) == {"NoDisplay"}


def test_without_tk_visits_open_and_what_will_not_work_is_said(
    config: BoxConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check.importlib.util, "find_spec", lambda _: None)  # type: ignore[attr-defined]  # module's own
    shown = replace(config, display=":99")
    (found,) = check_rights(shown)
    assert (found.code, found.blocking) == ("NoTk", False)
    assert missing_rights(shown) == ()


@pytest.mark.parametrize("exists", [False] if os.geteuid() == 0 else [])
def test_root_without_a_user_for_browsers(config: BoxConfig, exists: bool) -> None:
    lacking = replace(config, visit_user="madoguchi-nobody-has-this-name")
    assert (codes(check_rights(lacking)) == {"NoVisitUser"}) is not exists
    assert codes(check_rights(replace(config, visit_user="root"))) == {"NoVisitUser"}
    assert codes(check_bare(lacking)) == {"NoVisitUser"}


@pytest.mark.parametrize("capabilities", [0, 1 << 20] if os.geteuid() == 0 else [])
def test_root_without_the_right_to_mount(config: BoxConfig, monkeypatch: pytest.MonkeyPatch, capabilities: int) -> None:
    monkeypatch.setattr(check, "_capabilities", lambda: capabilities)
    assert codes(check_rights(config)) == {"NoMountRight"}


@pytest.mark.parametrize(
    ("setting", "value", "advice"),
    [
        ("kernel/unprivileged_userns_clone", "0", "unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "max_user_namespaces"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
        ("kernel/harmless", "1", "コンテナ"),
    ],
)
def test_forbidden_namespaces_are_told_with_the_setting_that_forbids_them(
    config: BoxConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, value: str, advice: str
) -> None:
    (tmp_path / setting).parent.mkdir()
    (tmp_path / setting).write_text(value + "\n")
    monkeypatch.setattr(check, "_SYSCTL", tmp_path)
    monkeypatch.setattr(
        check, "_BOX", ["bash", "-c", "echo 'No permissions to create a new namespace' >&2; exit 1", "-"]
    )
    monkeypatch.setattr(check, "_tried", {})
    (found,) = check_rights(config)
    assert found.code == "NoUserNamespaces"
    assert "No permissions to create a new namespace" in found.japanese
    assert advice in found.japanese
    assert found.line() in missing_rights(config)


def test_a_failed_trial_is_tried_again_a_good_one_is_believed(
    config: BoxConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_tried", {})
    with monkeypatch.context() as broken:
        broken.setattr(check, "_BOX", ["false"])
        assert codes(check_rights(config)) == {"NoUserNamespaces"}
    assert check_rights(config) == []
    monkeypatch.setattr(check, "_BOX", ["false"])
    assert check_rights(config) == []


@pytest.mark.slow
@pytest.mark.parametrize("person", [pwd.getpwuid(os.geteuid()).pw_name])
def test_a_visit_is_refused_with_everything_that_is_missing(make_agent: MakeAgent, site: Site) -> None:
    agent: Agent = make_agent(training=False, visit_user="root")
    with pytest.raises(Refused) as refused:
        agent.open(site)
    assert refused.value.code == "BoxUnavailable"
    assert "DISPLAY" in refused.value.text
    assert site.seen == []
