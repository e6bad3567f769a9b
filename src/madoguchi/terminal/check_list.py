"""The one table of what a terminal is checked for: code, what is right, what is wrong and what to do, and the look."""

from collections.abc import Callable
from typing import NamedTuple

from madoguchi.terminal import check_around as around
from madoguchi.terminal import check_card as card
from madoguchi.terminal import check_machine as here
from madoguchi.terminal import check_policies as policies
from madoguchi.terminal.check_machine import Machine

_INSTALL = "script/install-terminal を実行してください。"
_INSTALL_EN = "run script/install-terminal"


class Words(NamedTuple):
    """One sentence in both languages."""

    japanese: str
    english: str


class Item(NamedTuple):
    """One thing to look at. `wrong` says what to do. Not `blocking`: visits are possible, in the way the text says.

    `only_if`: codes of items that must be right, for else there is nothing to look at.
    """

    code: str
    right: Words
    wrong: Words
    look: Callable[[Machine], str | None]
    blocking: bool = True
    only_if: tuple[str, ...] = ()


BOX_RIGHT = {
    "NoPidfd": Words("OSのカーネルは十分に新しいです。", "the kernel is new enough (pidfd)"),
    "NoBubblewrap": Words("bubblewrap があります。", "bubblewrap is installed"),
    "NoBash": Words("bash があります。", "bash is installed"),
    "NoPrlimit": Words("util-linux があります。", "prlimit is installed"),
    "NoChromium": Words("ブラウザ(Chromium)があります。", "Chromium is installed"),
    "NoUserNamespaces": Words("箱(名前空間)を作れます。", "a box can be made (user namespaces, bubblewrap)"),
    "NoTk": Words("上の帯と幕を出せます。", "bar and curtain can be shown (python3-tk)"),
    "NoDisplay": Words("画面(DISPLAY)が設定されています。", "a display is configured"),
}
"""What is right when `check.check_rights` does not name the code; what is wrong stands there."""

ITEMS = (
    Item(
        "DisplayClosed",
        Words("画面に表示できます。", "the display can be used"),
        Words(
            "画面に表示できません。systemctl status madoguchi-screen で画面のサービスを確かめてください。",
            "the display cannot be used: see systemctl status madoguchi-screen",
        ),
        around.display_open,
        only_if=("NoDisplay", "NoTk"),
    ),
    Item(
        "NoJapaneseFont",
        Words("日本語の文字を表示できます。", "there is a font for Japanese"),
        Words(
            "日本語の文字(フォント)がありません。apt-get install fonts-noto-cjk を実行してください。",
            "no font for Japanese: install fonts-noto-cjk",
        ),
        around.japanese_font,
    ),
    Item(
        "NoInputMethod",
        Words("日本語を入力できます。", "the Japanese input method is installed"),
        Words(
            f"日本語を入力する部品が足りません。{_INSTALL}それまで、対応の画面で漢字を入力できません。",
            f"parts of the input method are missing, no kanji can be typed in visits: {_INSTALL_EN}",
        ),
        around.input_method,
        blocking=False,
    ),
    Item(
        "DeskBrowserOpen",
        Words("案内の画面のブラウザは、案内のページだけを開けます。", "the desk's browser is held to the desk page"),
        Words(
            f"案内の画面のブラウザの制限が、設定と合っていません。{_INSTALL}",
            f"the policies of the desk's browser are not those of the settings: {_INSTALL_EN}",
        ),
        around.desk_browser,
    ),
    Item(
        "ReaderNotReal",
        Words("本物のカードリーダーを使う設定です。", "a real card reader is configured"),
        Words(
            'カードリーダーの設定が訓練用です。設定ファイルに reader = "pcsc" と reader_name を書いてください。',
            'the reader is one for training: set reader = "pcsc" and reader_name',
        ),
        card.real_reader,
    ),
    Item(
        "NoPcscd",
        Words("カードリーダーのサービスが動いています。", "the card service answers (pcscd)"),
        Words(
            "カードリーダーのサービスを使えません。systemctl restart pcscd.socket を実行し、"
            "この利用者がグループ madoguchi-card に入っているか確かめてください。",
            "the card service cannot be used: restart pcscd.socket, and see that this user is in group madoguchi-card",
        ),
        card.service_reachable,
        only_if=("ReaderNotReal",),
    ),
    Item(
        "ReaderNotFound",
        Words("設定した名前のカードリーダーがつながっています。", "the configured reader is there"),
        Words(
            "設定した名前のカードリーダーが見つかりません。ケーブルを確かめ、設定ファイルの reader_name を、"
            "ここに出た名前に合わせてください。",
            "no reader of the configured name: check the cable, and set reader_name to a name shown here",
        ),
        card.reader_named,
        only_if=("NoPcscd",),
    ),
    Item(
        "CardHeld",
        Words("ほかのソフトはカードをつかんでいません。", "no other program holds the card"),
        Words(
            "ほかのソフトがカードをつかんでいます。そのソフトを終わらせてください。対応のたびにカードを使えなくなります。",
            "another program holds the card: end it",
        ),
        card.reader_free,
        blocking=False,
        only_if=("ReaderNotFound",),
    ),
    Item(
        "PcscdTalks",
        Words("カードのやりとり(暗証番号)は記録されません。", "pcscd logs no APDUs, and so no PINs"),
        Words(
            "カードのやりとりが記録される設定です。暗証番号が記録に残ります。ここに出た設定を消して、"
            "systemctl restart pcscd を実行してください。",
            "pcscd or its driver logs APDUs, PINs among them: remove the setting shown, restart pcscd",
        ),
        card.service_silent,
    ),
    Item(
        "VirtualReader",
        Words("仮のカードリーダーは入っていません。", "no virtual card reader is installed"),
        Words(
            "仮のカードリーダー(vpcd)が入っています。だれでもカードを装えます。"
            "apt-get purge vsmartcard-vpcd を実行してください。",
            "the virtual reader vpcd lets anybody play a card: purge vsmartcard-vpcd",
        ),
        card.no_virtual_reader,
    ),
    Item(
        "CorePattern",
        Words("落ちたプログラムの中身は、どこにも渡されません。", "cores are handed to nobody"),
        Words(
            "落ちたプログラムの中身が箱の外に渡される設定です。sysctl kernel.core_pattern=core を設定してください。",
            "cores leave the box: set sysctl kernel.core_pattern=core",
        ),
        here.core_pattern,
    ),
    Item(
        "CoreLimit",
        Words("落ちたプログラムの中身は、残りません。", "the services leave no cores"),
        Words(
            f"落ちたプログラムの中身が残る設定です(LimitCORE)。{_INSTALL}そのあと再起動してください。",
            f"these services leave cores: {_INSTALL_EN}, then restart the PC",
        ),
        here.core_limits,
    ),
    Item(
        "Swap",
        Words("メモリの中身は、ディスクに書かれません。", "memory is not swapped out readable"),
        Words(
            "メモリの中身が、そのままディスクに書かれることがあります(スワップ)。swapoff -a を実行し、"
            "/etc/fstab のスワップの行を消すか、暗号化してください。",
            "swap is neither off nor encrypted: swapoff -a and remove it from /etc/fstab, or encrypt it",
        ),
        here.swap,
    ),
    Item(
        "Ptrace",
        Words("ほかのプログラムのメモリはのぞけません。", "programs cannot read each other's memory"),
        Words(
            f"同じ利用者のプログラムのメモリをのぞける設定です。{_INSTALL}",
            f"programs of one user can read each other's memory: {_INSTALL_EN}",
        ),
        here.ptrace_scope,
        blocking=False,
    ),
    Item(
        "AgentIsRoot",
        Words("管理者(root)ではなく、ふつうの利用者で動きます。", "looked at as an ordinary user"),
        Words(
            "管理者(root)で確かめています。runuser -u madoguchi -- /opt/madoguchi/current/.venv/bin/madoguchi "
            "terminal check で確かめてください。",
            "started as root: use runuser -u madoguchi -- … terminal check",
        ),
        here.agent_user,
    ),
    Item(
        "NoVisitUser",
        Words("対応の画面には、専用の利用者がいます。", "visits' browsers have a user of their own"),
        Words(
            f"対応の画面の利用者がいないか、ログインできる利用者です。{_INSTALL}",
            f"no user for visits, or one that can log in: {_INSTALL_EN}",
        ),
        here.visit_user,
    ),
    Item(
        "SharedGroups",
        Words("利用者どうしは、決めたもの以外のグループを共有していません。", "users share no groups but the needed"),
        Words(
            "端末の利用者が、余分なグループに入っています。ここに出たグループから外してください(gpasswd -d)。",
            "take the users out of the groups shown (gpasswd -d)",
        ),
        here.shared_groups,
    ),
    Item(
        "NoKeeper",
        Words("箱の番人が設定されています。", "a keeper is configured"),
        Words(
            '箱の番人(keeper)が設定されていません。設定ファイルに keeper = "/run/madoguchi/keeper.sock" '
            "と書いてください。",
            'no keeper: set keeper = "/run/madoguchi/keeper.sock"',
        ),
        around.keeper_named,
    ),
    Item(
        "KeeperSilent",
        Words("箱の番人が答えます。", "the keeper answers"),
        Words(
            "箱の番人が答えません。systemctl restart madoguchi-keeper を実行し、だめなら "
            "journalctl -u madoguchi-keeper を見てください。",
            "the keeper does not answer, or is not the real one: restart madoguchi-keeper, see its journal",
        ),
        around.keeper_answers,
        only_if=("NoKeeper",),
    ),
    Item(
        "StateOpen",
        Words("端末の記録は、端末のソフトだけが読めます。", "the state directory is the agent's alone"),
        Words(
            "端末の記録の場所を、ほかの利用者が読めるか、場所がありません。"
            "chown madoguchi: と chmod 700 で直してください。",
            "the state directory must be the agent's own, mode 700",
        ),
        here.state_closed,
    ),
    Item(
        "SettingsOpen",
        Words("設定は、管理者だけが変えられます。", "only root can change the settings"),
        Words(
            "設定ファイルを、管理者以外が変えられます。chown root: と chmod 644 で直してください。",
            "others than root can change the settings: chown root, chmod 644",
        ),
        here.settings_closed,
    ),
    Item(
        "ProgramOpen",
        Words("プログラムは、管理者だけが変えられます。", "only root can change the program"),
        Words(
            f"プログラムを、管理者以外が変えられます。{_INSTALL}",
            f"others than root can change the program: {_INSTALL_EN}",
        ),
        here.program_closed,
    ),
    Item(
        "AutoMount",
        Words("USBメモリなどは、自動では開きません。", "nothing opens plugged-in storage by itself"),
        Words(
            "USBメモリなどを自動で開くソフトがあります。ここに出たソフトを消してください(apt-get purge)。",
            "programs that mount storage by themselves: purge them",
        ),
        here.auto_mount,
        blocking=False,
    ),
    Item(
        "ServicesStopped",
        Words("端末のサービスがすべて動いています。", "all services run"),
        Words(
            "止まっているサービスがあります。systemctl status で確かめ、systemctl start で動かしてください。",
            "services do not run: systemctl status, systemctl start",
        ),
        around.services_running,
        blocking=False,
    ),
    Item(
        "ServerNotSecure",
        Words("サーバーとのやりとりは暗号化されます。", "the link to the server is encrypted"),
        Words(
            "サーバーとのやりとりが暗号化されません。設定ファイルの server_url を https:// にしてください。",
            "server_url must begin with https://",
        ),
        around.server_secure,
    ),
    Item(
        "ServerUnreachable",
        Words("サーバーにつながります。", "the server answers"),
        Words(
            "サーバーにつながりません。ネットワークのケーブルと、設定ファイルの server_url を確かめてください。",
            "the server does not answer: check network and server_url",
        ),
        around.server_reachable,
    ),
    Item(
        "ClockFarOff",
        Words("時計は合っています。", "the clock is right"),
        Words(
            "時計がサーバーとずれています。timedatectl set-ntp true で合わせてください。",
            "the clock differs from the server's: timedatectl set-ntp true",
        ),
        around.clock_right,
        only_if=("ServerUnreachable",),
    ),
    Item(
        "NotEnrolled",
        Words("端末は登録されています。", "the terminal is enrolled"),
        Words(
            "端末が登録されていません。市の職員に登録コードを出してもらい、"
            "script/install-terminal --code - を実行してください。",
            "not enrolled: get a code from an officer and run script/install-terminal --code -",
        ),
        around.enrolled,
    ),
    Item(
        "DeviceFileUnsafe",
        Words("端末の鍵は、端末のソフトだけが読めます。", "the key file is the agent's alone"),
        Words(
            "端末の鍵ファイルが安全な状態ではありません。市の職員に登録を取り消してもらい、登録をやり直してください。",
            "the key file is open to others or damaged: have the terminal revoked and enrol it anew",
        ),
        around.device_safe,
    ),
)

BROWSER = Item(
    "PolicyUnknown",
    Words("ブラウザは、制限の設定をすべて受け付けます。", "the browser takes every policy"),
    Words(
        "ブラウザが、ここに出た制限を受け付けません。ブラウザの版が変わったときは、端末のソフトも更新してください。",
        "the browser does not take these policies: update the terminal's software to fit the browser",
    ),
    policies.policies_taken,
    only_if=("NoChromium", "NoBubblewrap", "NoUserNamespaces"),
)
"""Looked at on demand: it starts the browser."""
