"""The install script, into a scratch root: whole or not at all, and the second time nothing."""

import configparser
import hashlib
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from madoguchi.terminal.config import load_config
from madoguchi.terminal.deskpolicies import PLACE, desk_policies

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "script" / "install-terminal"
GIVEN = ("--server", "https://office.example.jp", "--reader", "ACS ACR1252")
UNITS = ("keeper", "screen", "terminal", "desk")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("allowed", [True] if os.geteuid() == 0 else []),
    pytest.mark.usefixtures("allowed"),
]


@pytest.fixture
def allowed(request: pytest.FixtureRequest) -> bool:
    """Only root can install."""
    return bool(request.param)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """As little of a Debian as the script asks for."""
    return bare(tmp_path / "root")


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installed terminal, to be copied."""
    place = bare(tmp_path_factory.mktemp("installed") / "root")
    assert os.geteuid() != 0 or install(place, *GIVEN).returncode == 0
    return place


@pytest.fixture
def installed(master: Path, tmp_path: Path) -> Path:
    """An installed terminal of the test's own."""
    subprocess.run(["cp", "-a", str(master), str(tmp_path)], check=True)
    return tmp_path / "root"


def bare(place: Path) -> Path:
    (place / "etc").mkdir(parents=True)
    (place / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    (place / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (place / "etc/group").write_text("root:x:0:\n")
    (place / "etc/shadow").write_text("root:*:19000:0:99999:7:::\n")
    (place / "etc/gshadow").write_text("root:*::\n")
    return place


def install(root: Path, *arguments: str, packages: bool = False) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPT), "--root", str(root), *([] if packages else ["--no-packages"]), *arguments]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, umask=0o077)


def picture(root: Path) -> dict[str, tuple[int, int, int, str]]:
    """Every file with mode, owner, group and content."""
    found = {}
    for place in sorted(root.rglob("*")):
        status = place.lstat()
        content = os.readlink(place) if place.is_symlink() else ""
        if stat.S_ISREG(status.st_mode):
            content = hashlib.sha256(place.read_bytes()).hexdigest()
        found[str(place.relative_to(root))] = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, content)
    return found


def number(root: Path, file: str, name: str) -> int:
    lines = (line.split(":") for line in (root / "etc" / file).read_text().splitlines())
    return next(int(line[2]) for line in lines if line[0] == name)


def unit(root: Path, name: str) -> dict[str, list[str]]:
    """Directives of a unit by name; a name may come several times."""
    found: dict[str, list[str]] = {}
    for line in (root / f"etc/systemd/system/madoguchi-{name}.service").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            found.setdefault(line.partition("=")[0], []).append(line.partition("=")[2])
    return found


def test_once_whole_and_twice_nothing(root: Path) -> None:
    first = install(root, *GIVEN)
    assert (first.returncode, first.stderr) == (0, "")
    assert "端末のソフトを入れました" in first.stdout
    assert "まだ動いていません" in first.stdout
    before = picture(root)
    second = install(root)
    assert (second.returncode, second.stderr) == (0, "")
    assert "変えたものはありません" in second.stdout
    assert " + " not in second.stdout
    assert picture(root) == before


def test_what_it_puts_is_roots_and_closed(installed: Path) -> None:
    agent, group = number(installed, "passwd", "madoguchi"), number(installed, "group", "madoguchi")
    state = installed / "var/lib/madoguchi-terminal"
    assert (state.stat().st_uid, state.stat().st_gid, stat.S_IMODE(state.stat().st_mode)) == (agent, group, 0o700)
    for name, (mode, owner, owning, _) in picture(installed).items():
        if not (installed / name).is_symlink() and name != "var/lib/madoguchi-terminal":
            assert (owner, mode & 0o022) == (0, 0), name
            assert owning == 0 or name in {"etc/shadow", "etc/gshadow"}, name
    people = [line.split(":") for line in (installed / "etc/passwd").read_text().splitlines()[1:]]
    assert {person[0]: person[6] for person in people} == dict.fromkeys(
        ("madoguchi", "madoguchi-visit", "madoguchi-desk"), "/usr/sbin/nologin"
    )
    groups = {line.split(":")[0]: line.split(":")[3] for line in (installed / "etc/group").read_text().splitlines()}
    assert {name: users for name, users in groups.items() if users} == {
        "madoguchi-desk": "madoguchi",
        "madoguchi-card": "madoguchi",
    }


def test_settings_and_policies_are_those_asked_for(installed: Path) -> None:
    config = load_config(installed / "etc/madoguchi/terminal.toml")
    assert (config.server_url, config.reader, config.reader_name) == (GIVEN[1], "pcsc", GIVEN[3])
    assert (config.display, config.training) == (":0", False)
    assert config.keeper == "/run/madoguchi/keeper.sock"
    policies = json.loads((installed / PLACE).read_text())
    assert policies == desk_policies(config.desk_port)
    assert policies["URLAllowlist"] == ["http://127.0.0.1:8787"]
    assert "*" in policies["URLBlocklist"]


def test_the_units_say_what_matters(installed: Path) -> None:
    for name in UNITS:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[method-assign,assignment]  # as configparser's own documentation does
        parser.read(installed / f"etc/systemd/system/madoguchi-{name}.service", encoding="utf-8")
        assert parser.sections() == ["Unit", "Service", "Install"]
        given = unit(installed, name)
        assert given["KillMode"] == ["control-group"]
        assert given["NoNewPrivileges"] == ["yes"]
        assert given["MemorySwapMax"] == ["0"]
        assert given["LimitCORE"] == ["1"]
        assert given["Restart"] == ["always"]
        wanted = installed / f"etc/systemd/system/multi-user.target.wants/madoguchi-{name}.service"
        assert os.readlink(wanted) == f"/etc/systemd/system/madoguchi-{name}.service"
    assert (unit(installed, "terminal")["User"], unit(installed, "terminal")["CapabilityBoundingSet"]) == (
        ["madoguchi"],
        [""],
    )
    assert unit(installed, "desk")["User"] == ["madoguchi-desk"]
    assert "User" not in unit(installed, "keeper")
    assert {"ProtectSystem", "PrivateTmp", "ProtectProc", "ProtectKernelTunables"}.isdisjoint(unit(installed, "keeper"))
    for name in ("keeper", "desk"):
        assert (unit(installed, name)["IPAddressDeny"], unit(installed, name)["IPAddressAllow"]) == (
            ["any"],
            ["localhost"],
        )


def test_systemd_itself_takes_the_units(installed: Path) -> None:
    """Where its tool is installed; the words that matter are looked at above in any case."""
    for name in UNITS if shutil.which("systemd-analyze") else ():
        place = installed / f"etc/systemd/system/madoguchi-{name}.service"
        said = subprocess.run(["systemd-analyze", "verify", str(place)], capture_output=True, text=True, check=False)
        lines = [line for line in said.stderr.splitlines() if place.name in line and "is not executable" not in line]
        assert lines == []


@pytest.mark.parametrize(
    ("obstacle", "arguments"),
    [
        ("etc/polkit-1/rules.d/50-madoguchi.rules/in-the-way", GIVEN),
        ("etc/systemd/system/multi-user.target.wants/madoguchi-desk.service/in-the-way", GIVEN),
        ("etc/chromium/policies/managed/madoguchi-desk.json/in-the-way", GIVEN),
        ("opt/madoguchi/current/in-the-way", GIVEN),
    ],
)
def test_a_failure_takes_everything_back(root: Path, obstacle: str, arguments: tuple[str, ...]) -> None:
    (root / obstacle).parent.mkdir(parents=True)
    (root / obstacle).touch()
    before = picture(root)
    failed = install(root, *arguments)
    assert failed.returncode == 1
    assert failed.stderr.count("✗ ") == 1
    assert "すべて元に戻しました" in failed.stderr
    assert {name: seen for name, seen in picture(root).items() if not name.endswith("-")} == before


def test_a_run_that_is_stopped_takes_everything_back(root: Path) -> None:
    before = picture(root)
    command = [str(SCRIPT), "--root", str(root), "--no-packages", *GIVEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert any("user madoguchi-visit" in line for line in running.stdout)
        running.terminate()
        _, said = running.communicate()
    assert running.returncode == 1
    assert "すべて元に戻しました" in said
    assert {name: seen for name, seen in picture(root).items() if not name.endswith("-")} == before


def test_settings_that_are_not_valid_take_an_update_back(installed: Path) -> None:
    (installed / "etc/madoguchi/terminal.toml").write_text("[terminal]\nserver_url = 5\n")
    (installed / "etc/sysctl.d/99-madoguchi.conf").write_text("old\n")
    before = picture(installed)
    failed = install(installed)
    assert failed.returncode == 1
    assert "✗ ConfigInvalid" in failed.stderr
    assert picture(installed) == before


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((), "SettingsMissing"),
        (("--server", "https://office.example.jp"), "SettingsMissing"),
        (("--server", "http://office.example.jp", "--reader", "R"), "ServerNotSecure"),
        (("--server", "https://office.example.jp", "--reader", 'R" x'), "WrongUsage"),
        ((*GIVEN, "--code", "ABCD"), "WrongUsage"),
        (("--colour", "red"), "WrongUsage"),
        (("--server",), "WrongUsage"),
    ],
)
def test_wrong_words_change_nothing(root: Path, arguments: tuple[str, ...], name: str) -> None:
    before = picture(root)
    refused = install(root, *arguments)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"✗ {name}: ")
    assert len(refused.stderr.splitlines()) == 2
    assert picture(root) == before


def test_another_system_is_refused(root: Path) -> None:
    (root / "etc/os-release").write_text("ID=fedora\nVERSION_ID=41\n")
    refused = install(root, *GIVEN)
    assert (refused.returncode, refused.stderr.split(":")[0]) == (1, "✗ WrongSystem")


def test_other_settings_than_those_there_are_refused_the_same_are_not(installed: Path) -> None:
    refused = install(installed, "--server", "https://elsewhere.example.jp")
    assert (refused.returncode, refused.stderr.split(":")[0]) == (1, "✗ SettingsThere")
    assert install(installed, *GIVEN).returncode == 0


@pytest.mark.parametrize(("restricted", "profiles"), [("1\n", 2), ("0\n", 0), (None, 0)])
def test_profiles_only_where_apparmor_keeps_namespaces_from_programs(
    root: Path, restricted: str | None, profiles: int
) -> None:
    if restricted is not None:
        place = root / "proc/sys/kernel/apparmor_restrict_unprivileged_userns"
        place.parent.mkdir(parents=True)
        place.write_text(restricted)
    assert install(root, *GIVEN).returncode == 0
    assert len(list((root / "etc").glob("apparmor.d/madoguchi-*"))) == profiles


def test_an_update_keeps_one_way_back(installed: Path) -> None:
    releases = installed / "opt/madoguchi/releases"
    for old in ("old1", "old2"):
        (releases / old).mkdir()
    assert install(installed).returncode == 0
    current = os.readlink(installed / "opt/madoguchi/current")
    assert (installed / "opt/madoguchi" / current / "src/madoguchi/terminal/agent.py").is_file()
    assert not (installed / "opt/madoguchi" / current / "src/madoguchi/server").exists()
    assert len(list(releases.iterdir())) == 2


def test_a_changed_file_is_put_right_again(installed: Path) -> None:
    before = picture(installed)
    place = installed / "etc/systemd/system/madoguchi-keeper.service"
    place.write_text("[Service]\n")
    place.chmod(0o666)
    again = install(installed)
    assert again.stdout.count(" + ") == 1
    assert picture(installed) == before
