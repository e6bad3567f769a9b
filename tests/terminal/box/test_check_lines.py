"""Every line of the check is shown true and false, on machines made of files, sockets and processes."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from madoguchi.cli import app
from madoguchi.terminal import check_machine
from madoguchi.terminal.check_list import BOX_RIGHT, BROWSER, ITEMS
from madoguchi.terminal.check_machine import Machine
from madoguchi.terminal.check_report import as_json, inspect, ready
from madoguchi.terminal.config import TerminalConfig
from madoguchi.terminal.deskpolicies import PLACE, desk_text
from terminal.box.scratch import GROUP, LOOKS, ME, PASSWD, Scratch
from terminal.box.support import until

AGENT = b"/opt/madoguchi/current/.venv/bin/python\0/opt/x/madoguchi\0terminal\0run\0/etc/madoguchi/terminal.toml\0"


LIMITS = "Limit            Soft Limit   Hard Limit   Units\nMax core file size        {}       1      bytes\n"


@pytest.mark.parametrize(
    ("code", "name", "right", "wrong"),
    [
        ("CorePattern", "proc/sys/kernel/core_pattern", "core\n", "|/usr/share/apport/apport %p\n"),
        ("CorePattern", "proc/sys/kernel/core_pattern", "core.%p\n", "/var/crash/core\n"),
        ("CorePattern", "proc/sys/kernel/core_pattern", "core\n", ""),
        ("Ptrace", "proc/sys/kernel/yama/ptrace_scope", "1\n", "0\n"),
        ("Swap", "proc/swaps", "Filename Type Size\n", "Filename Type Size\n/dev/sda2 partition 99\n"),
        ("Swap", "proc/swaps", "Filename Type Size\n/dev/zram0 partition 9\n", "Filename\n/swapfile file 9\n"),
        ("NoVisitUser", "etc/passwd", PASSWD, "root:x:0:0:root:/root:/bin/bash\n"),
        ("NoVisitUser", "etc/passwd", PASSWD, PASSWD.replace("/usr/sbin/nologin", "/bin/bash")),
        ("NoVisitUser", "etc/passwd", PASSWD, PASSWD.replace("madoguchi-visit:x:902", "madoguchi-visit:x:0")),
        ("NoVisitUser", "etc/passwd", PASSWD, PASSWD.replace("madoguchi-visit:x:902", "madoguchi-visit:x:901")),
        ("SharedGroups", "etc/group", GROUP, GROUP + "video:x:44:madoguchi-visit\n"),
        ("SharedGroups", "etc/group", GROUP, GROUP + "audio:x:29:someone,madoguchi\n"),
        ("SharedGroups", "etc/group", GROUP, GROUP.replace("-visit:x:902:", "-visit:x:902:madoguchi-desk")),
        ("SharedGroups", "etc/group", GROUP, GROUP.replace("-card:x:904:madoguchi", "-card:x:904:madoguchi-desk")),
        ("SharedGroups", "etc/passwd", PASSWD, PASSWD.replace("902:902", "902:901")),
        ("SharedGroups", "etc/passwd", PASSWD, PASSWD + "x:x:1000:902::/:/bin/sh\n"),
        ("PcscdTalks", "etc/default/pcscd", "# PCSCD_ARGS=--apdu\n", 'PCSCD_ARGS="--apdu"\n'),
        ("PcscdTalks", "etc/default/pcscd", 'PCSCD_ARGS="--auto-exit"\n', "PCSCD_ARGS=-fda\n"),
        ("PcscdTalks", "etc/default/pcscd", "", "LIBCCID_ifdLogLevel=0x000F\n"),
        (
            "PcscdTalks",
            "etc/systemd/system/pcscd.service.d/x.conf",
            "[Service]\nExecStart=/usr/sbin/pcscd --foreground --auto-exit $PCSCD_ARGS\n",
            "[Service]\nExecStart=/usr/sbin/pcscd --foreground --debug\n",
        ),
        (
            "PcscdTalks",
            "etc/libccid_Info.plist",
            "<key>ifdLogLevel</key>\n\t<string>0x0003</string>",
            "<key>ifdLogLevel</key>\n\t<string>0x0007</string>",
        ),
        ("PcscdTalks", "proc/77/cmdline", "/usr/sbin/pcscd\0--foreground\0", "/usr/sbin/pcscd\0-f\0--apdu\0"),
        ("VirtualReader", "etc/reader.conf.d/x", "# LIBPATH vpcd\n", "LIBPATH /opt/libifdvpcd.so\n"),
        ("VirtualReader", "usr/lib/pcsc/drivers/serial/libccidtwin.so", "", None),
        ("DeskBrowserOpen", str(PLACE), desk_text(8787), desk_text(8788)),
        ("DeskBrowserOpen", str(PLACE), desk_text(8787), "{}"),
    ],
)
def test_a_setting_is_right_or_wrong(scratch: Scratch, code: str, name: str, right: str, wrong: str | None) -> None:
    scratch.file(name, right)
    assert scratch.look(code) is None
    scratch.file(name if wrong is not None else "usr/lib/pcsc/drivers/serial/libifdvpcd.so.0", wrong or "")
    assert scratch.look(code)


def test_encrypted_swap_is_none_and_so_is_one_the_keeper_may_not_use(scratch: Scratch) -> None:
    scratch.file("proc/swaps", "Filename\n/dev/dm-1 partition 9\n")
    assert scratch.look("Swap") == "/dev/dm-1"
    scratch.file("sys/block/dm-1/dm/uuid", "CRYPT-PLAIN-swap\n")
    assert scratch.look("Swap") is None
    scratch.file("sys/block/dm-1/dm/uuid", "LVM-swap\n")
    assert scratch.look("Swap")
    scratch.file("sys/fs/cgroup/system.slice/madoguchi-keeper.service/memory.swap.max", "0\n")
    assert scratch.look("Swap") is None


def test_memory_swap_that_goes_on_to_a_disk_is_swap(scratch: Scratch) -> None:
    scratch.file("proc/swaps", "Filename\n/dev/zram0 partition 9\n")
    scratch.file("sys/block/zram0/backing_dev", "/dev/sda3\n")
    assert scratch.look("Swap") == "/dev/zram0"


@pytest.mark.parametrize(("limit", "found"), [("0", None), ("1", None), ("2", "agent"), ("unlimited", "agent")])
def test_a_running_service_leaves_no_core(scratch: Scratch, limit: str, found: str | None) -> None:
    scratch.file("proc/41/cmdline", AGENT)
    scratch.file("proc/41/limits", LIMITS.format(limit))
    scratch.file("proc/42/cmdline", b"/usr/bin/other\0")
    scratch.file("proc/42/limits", LIMITS.format("unlimited"))
    assert scratch.look("CoreLimit") == found


def test_before_the_services_run_whoever_looks_counts(scratch: Scratch) -> None:
    scratch.given["core_limit"] = -1
    assert scratch.look("CoreLimit") == "check"
    scratch.given["core_limit"] = 0
    assert scratch.look("CoreLimit") is None


def test_a_real_process_shows_its_limit() -> None:
    config = TerminalConfig(server_url="https://x", state_dir=Path("/x"))
    command = ["prlimit", "--core=0:0", sys.executable, "-c", "input()", "terminal", "run", "x.toml"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as quiet:
        until(lambda: b"python" in Path(f"/proc/{quiet.pid}/cmdline").read_bytes().split(b"\0")[0])
        found = [pid for pid, line in Machine(config).commands() if line[-3:] == ["terminal", "run", "x.toml"]]
        assert found == [quiet.pid]
        assert check_machine._limit(Machine(config), quiet.pid) == 0
        quiet.communicate(b"\n")


def test_root_is_told_to_look_as_the_agent(scratch: Scratch) -> None:
    assert scratch.look("AgentIsRoot") is None
    scratch.given["uid"] = 0
    assert scratch.look("AgentIsRoot") == "root"


def test_places_are_closed(scratch: Scratch) -> None:
    scratch.given["uid"] = ME
    assert scratch.look("StateOpen"), "no directory"
    state = scratch.root / "state"
    state.mkdir(mode=0o700)
    assert scratch.look("StateOpen") is None
    state.chmod(0o750)
    assert scratch.look("StateOpen") == f"{state} 750"
    state.chmod(0o700)
    scratch.given["uid"] = ME + 1
    assert scratch.look("StateOpen"), "somebody else's"
    settings = scratch.file("etc/madoguchi/terminal.toml", "")
    assert scratch.look("SettingsOpen") is None
    settings.chmod(0o664)
    assert scratch.look("SettingsOpen") == str(settings)
    settings.chmod(0o644)
    settings.parent.chmod(0o777)
    assert scratch.look("SettingsOpen") == str(settings.parent)
    scratch.given["installer"] = ME + 1
    assert scratch.look("SettingsOpen")


def test_the_program_is_closed(scratch: Scratch) -> None:
    part = scratch.file("program/terminal/agent.py", "")
    scratch.given["program"] = scratch.root / "program"
    assert scratch.look("ProgramOpen") is None
    part.chmod(0o666)
    assert scratch.look("ProgramOpen") == str(part)


def test_nothing_mounts_by_itself(scratch: Scratch) -> None:
    assert scratch.look("AutoMount") is None
    scratch.file("usr/bin/udiskie", "")
    assert scratch.look("AutoMount") == "udiskie"


def test_the_input_method_is_whole_or_names_its_missing_packages(scratch: Scratch) -> None:
    assert scratch.look("NoInputMethod") == "fcitx5 fcitx5-mozc fcitx5-frontend-gtk3 dbus"
    scratch.file("usr/bin/fcitx5", "")
    scratch.file("usr/share/fcitx5/addon/mozc.conf", "")
    scratch.file("usr/bin/dbus-run-session", "")
    assert scratch.look("NoInputMethod") == "fcitx5-frontend-gtk3"
    scratch.file("usr/lib/x86_64-linux-gnu/gtk-3.0/3.0.0/immodules/im-fcitx5.so", "")
    assert scratch.look("NoInputMethod") is None


def test_a_font_for_japanese(scratch: Scratch) -> None:
    assert scratch.look("NoJapaneseFont")
    assert LOOKS["NoJapaneseFont"](replace(scratch.machine, root=Path("/"))) is None


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"reader": "pcsc", "reader_name": "R"}, "ReaderNotReal"),
        ({"keeper": "/run/madoguchi/keeper.sock"}, "NoKeeper"),
        ({"server_url": "http://127.0.0.1:8200"}, None),
    ],
)
def test_settings_of_a_real_terminal(scratch: Scratch, settings: dict[str, Any], code: str | None) -> None:
    if code is not None:
        assert scratch.look(code)
    scratch.settings |= settings
    assert scratch.look(code or "ServerNotSecure") is None


def test_codes_are_the_tables_alone_and_every_line_says_what_to_do() -> None:
    codes = [*BOX_RIGHT, *(item.code for item in ITEMS), BROWSER.code]
    assert len(codes) == len(set(codes))
    for item in (*ITEMS, BROWSER):
        assert item.wrong.japanese.endswith("。")
        assert item.wrong.japanese.count("。") >= 2, "what is wrong, and what to do"
        assert set(item.only_if) <= set(codes)


@pytest.mark.parametrize("page", ["runbook-terminal.md", "runbook-terminal.ja.md"])
def test_the_runbooks_explain_every_line(page: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / page).read_text()
    codes = {*BOX_RIGHT, *(item.code for item in ITEMS), BROWSER.code}
    assert {code for code in codes if f"`{code}`" not in text} == set()


def test_nothing_is_said_of_what_builds_on_something_wrong(scratch: Scratch) -> None:
    found = {finding.code: finding for finding in inspect(scratch.machine)}
    assert not found["ReaderNotReal"].ok
    assert {"NoPcscd", "ReaderNotFound", "CardHeld", "KeeperSilent"}.isdisjoint(found)
    assert not ready(list(found.values()))


def test_in_training_what_only_a_real_terminal_needs_blocks_nothing(scratch: Scratch) -> None:
    scratch.settings["training"] = True
    found = inspect(scratch.machine)
    assert {finding.code for finding in found if not finding.ok and finding.blocking} == set()
    assert ready(found)
    data = as_json(found)
    assert data["ready"] is True
    assert data["findings"][0].keys() == {"code", "ok", "blocking", "japanese", "english", "detail"}


@pytest.mark.parametrize("training", [True, False])
def test_the_command_prints_every_line_and_ends_with_0_or_1(tmp_path: Path, training: bool) -> None:
    file = tmp_path / "terminal.toml"
    text = f'[terminal]\nserver_url = "http://127.0.0.1:9"\nstate_dir = "{tmp_path}/state"\n'
    file.write_text(text + f"training = {str(training).lower()}\n")
    printed = CliRunner().invoke(app, ["terminal", "check", str(file)])
    assert printed.exit_code == (0 if training else 1)
    lines = printed.stdout.splitlines()
    assert all(line[0] in "✓✗△" for line in lines)
    assert any(line.startswith("△ " if training else "✗ ") and "サーバーにつながりません" in line for line in lines)
    data = json.loads(CliRunner().invoke(app, ["terminal", "check", str(file), "--json"]).stdout)
    assert (data["ready"], len(data["findings"])) == (training, len(lines) - 1)
