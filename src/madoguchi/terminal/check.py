"""What this machine lacks for a box, and what to do about it, in words for the people at the counter."""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from madoguchi.terminal.boxconfig import BoxConfig
from madoguchi.terminal.errors import BoxUnavailable
from madoguchi.terminal.spawn import Person, visitor

_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
_SYSCTL = Path("/proc/sys")
_CAP_SYS_ADMIN = 21
_TRIAL_LIMIT = 10.0
_KEPT = 30.0
"""Seconds for which a successful trial box is believed: the check is asked at every poll."""

_SANDBOX = ["unshare", "--user", "--net", "true"]
"""What Chromium's own sandbox does first."""

_BOX = [
    *("bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
    *("--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--"),
]

_tried: dict[tuple[int, int], float] = {}


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is lacking: stable code, what is lacking and what to do in Japanese, the same in English.

    Not `blocking`: visits can be opened without it, in the way the text says.
    """

    code: str
    japanese: str
    english: str
    blocking: bool = True

    def line(self) -> str:
        """Both languages on one line."""
        return f"{self.japanese} ({self.english})"


def check_rights(config: BoxConfig) -> list[Missing]:
    """Everything that is lacking for real boxes; a trial box is made once all its parts are there."""
    found = [missing for check in (_kernel, _programs, _user, _mounting, _screen, _bar) for missing in check(config)]
    return found if any(missing.blocking for missing in found) else [*found, *_trial(config)]


def missing_rights(config: BoxConfig) -> tuple[str, ...]:
    """Whatever keeps visits from being opened, as lines for a screen."""
    return tuple(missing.line() for missing in check_rights(config) if missing.blocking)


def check_bare(config: BoxConfig) -> list[Missing]:
    """What is lacking even for training without a box."""
    return [missing for check in (_browser, _user, _screen) for missing in check(config)]


def _kernel(_: BoxConfig) -> list[Missing]:
    if hasattr(os, "pidfd_open") and sys.platform == "linux":
        return []
    return [Missing("NoPidfd", "Linux 5.4 以上が必要です。OSを更新してください。", "Linux 5.4 or newer is needed")]


def _programs(config: BoxConfig) -> list[Missing]:
    wanted = {
        "NoBubblewrap": ("bwrap", "bubblewrap"),
        "NoBash": ("bash", "bash"),
        "NoPrlimit": ("prlimit", "util-linux"),
    }
    lacking = [
        Missing(
            code,
            f"{package} が入っていません。apt-get install {package} を実行してください。",
            f"the Debian package {package} is not installed",
        )
        for code, (program, package) in wanted.items()
        if shutil.which(program, path=_PATH) is None
    ]
    return [*lacking, *_browser(config)]


def _browser(config: BoxConfig) -> list[Missing]:
    if os.access(config.chromium, os.X_OK):
        return []
    return [
        Missing(
            "NoChromium",
            f"ブラウザ {config.chromium} がありません。apt-get install chromium を実行してください。",
            f"no browser at {config.chromium}",
        )
    ]


def _user(config: BoxConfig) -> list[Missing]:
    try:
        visitor(config)
    except BoxUnavailable:
        return [
            Missing(
                "NoVisitUser",
                f"ブラウザ用の利用者 {config.visit_user} がありません。script/bootstrap を実行してください。",
                f"no system user {config.visit_user}: a browser never runs as root",
            )
        ]
    return []


def _mounting(_: BoxConfig) -> list[Missing]:
    if os.geteuid() != 0 or _capabilities() >> _CAP_SYS_ADMIN & 1:
        return []
    return [
        Missing(
            "NoMountRight",
            "root ですが、メモリの場所を作る権限(CAP_SYS_ADMIN)がありません。"
            "コンテナの権限を増やすか、ふつうの利用者で起動してください。",
            "root without CAP_SYS_ADMIN: give the container the right, or start as an ordinary user",
        )
    ]


def _screen(config: BoxConfig) -> list[Missing]:
    if config.display is not None:
        return []
    if not config.training:
        return [
            Missing(
                "NoDisplay",
                "画面(DISPLAY)がありません。画面のある端末で起動してください。",
                "no display: the virtual screen is for training only",
            )
        ]
    if shutil.which("Xvfb", path=_PATH) is None:
        return [
            Missing(
                "NoXvfb",
                "画面がなく、仮の画面を作る Xvfb もありません。apt-get install xvfb を実行してください。",
                "no display and no Xvfb to make a virtual one",
            )
        ]
    return []


def _bar(config: BoxConfig) -> list[Missing]:
    if config.display is None or importlib.util.find_spec("_tkinter") is not None:
        return []
    return [
        Missing(
            "NoTk",
            "python3-tk がないため、上の帯と幕を出せません。カードを外すと手続はすぐに終わります。",
            "no tkinter: no bar and no curtain, a visit ends as soon as its card is removed",
            blocking=False,
        )
    ]


def _trial(config: BoxConfig) -> list[Missing]:
    """Make an empty box with a second sandbox in it, as Chromium does; what fails is told as the kernel tells it."""
    person = visitor(config)
    key = (person.uid, os.geteuid())
    if time.monotonic() - _tried.get(key, -_KEPT) < _KEPT:
        return []
    reason = _complaint([*_BOX, *_SANDBOX], person)
    if not reason:
        _tried[key] = time.monotonic()
        return []
    hint_ja, hint_en = _why_no_namespaces()
    return [
        Missing(
            "NoUserNamespaces",
            f"この端末の設定では、箱(名前空間)を作れません: {reason}。{hint_ja}",
            f"user namespaces are not allowed here: {hint_en}",
        )
    ]


def can_sandbox(person: Person) -> bool:
    """Tell whether Chromium's own sandbox can work for this user outside a box."""
    return not _complaint(_SANDBOX, person)


def _complaint(command: list[str], person: Person) -> str:
    """Run a short program; empty when it went well, else the last line of what it said."""
    try:
        done = subprocess.run(  # noqa: S603 # fixed commands of this module
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TRIAL_LIMIT,
            cwd="/",
            env={"PATH": _PATH, "LC_ALL": "C"},
            text=True,
            check=False,
            **person.popen(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
    return "" if done.returncode == 0 else lines[-1]


def _why_no_namespaces() -> tuple[str, str]:
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return (
            "sysctl kernel.unprivileged_userns_clone=1 を設定してください。",
            "set sysctl kernel.unprivileged_userns_clone=1",
        )
    if _setting("user/max_user_namespaces") == "0":
        return "sysctl user.max_user_namespaces を増やしてください。", "raise sysctl user.max_user_namespaces"
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "bwrap と chromium の AppArmor プロファイルを入れてください。",
            "AppArmor forbids them: install profiles for bwrap and chromium",
        )
    return (
        "コンテナの中なら、名前空間を許す設定で起動してください。",
        "inside a container, start it so that namespaces are allowed",
    )


def _setting(name: str) -> str:
    try:
        return (_SYSCTL / name).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _capabilities() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
