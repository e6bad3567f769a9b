"""Every sentence the terminal shows, in one place. Errors, causes and outcomes carry their own words."""

from dataclasses import dataclass

from madoguchi.terminal.ports import (
    LOGOUT_NOT_TRIED,
    LOGOUT_UNREACHABLE,
    LOGOUT_VISITED,
    SPACE_NAMESPACE,
    SPACE_NONE,
    SPACE_UNMOUNTED,
)
from madoguchi.terminal.status import View


@dataclass(frozen=True, slots=True)
class Text:
    """One thing said three ways: plain Japanese, やさしい日本語, English."""

    ja: str
    easy: str
    en: str


IDLE_WARNING = "操作がありません。続けるときは、画面にさわってください。まもなく終了します。"
BIND_REFUSED = "このカードでは始められません。係員に知らせてください。"

TITLE = "窓口端末"
TRAINING = Text("訓練中(本物の手続はできません)", "れんしゅうの がめんです。", "Training: no real procedure")

HEADINGS: dict[View, Text] = {
    View.STARTING: Text(
        "準備しています。そのままお待ちください。",
        "じゅんびを しています。すこし まってください。",
        "Starting. Please wait.",
    ),
    View.CANNOT_SERVE: Text(
        "この端末は使えません。係員に知らせてください。",
        "この きかいは つかえません。かかりの ひとに いってください。",
        "This terminal cannot be used. Please tell the staff.",
    ),
    View.LOCKED: Text(
        "番号が呼ばれるまで、お待ちください。",
        "あなたの ばんごうが よばれるまで、まってください。",
        "Locked. Please wait until your number is called.",
    ),
    View.WAITING_CARD: Text(
        "カードを置いてください。",
        "マイナンバーカードを きかいに おいてください。",
        "Please put your card on the reader.",
    ),
    View.OPEN: Text("手続中です。", "てつづきを しています。", "Your procedure is open."),
    View.CURTAINED: Text(
        "同じカードを戻してください。",
        "おなじ カードを もういちど おいてください。もどさないと おわります。",
        "Please put the same card back.",
    ),
    View.ENDING: Text(
        "画面を消しています。そのままお待ちください。",
        "あなたの がめんを けしています。まってください。",
        "Closing and wiping. Please wait.",
    ),
    View.CONFIRMING: Text(
        "ログアウトを確かめてください。",
        "あなたの がめんは きえました。したを よんで、サインを してください。",
        "Your session here has ended. Please confirm.",
    ),
    View.QUARANTINED: Text(
        "この端末は使用停止です。市の職員に知らせてください。",
        "この きかいは とまっています。しやくしょの ひとに いってください。",
        "Out of use. Please tell a city officer.",
    ),
}

CARD_LYING = Text(
    "いま置いてあるカードを、一度取ってください。そのあと、呼ばれた人のカードを置いてください。",
    "カードを いちど とってください。それから あなたの カードを おいてください。",
    "Please take away the card on the reader first, then put your own card.",
)
TAKE_CARD = Text(
    "カードを取り忘れないでください。", "カードを わすれないでください。", "Please do not forget your card."
)
STATEMENT = Text(
    "この端末で使った画面が消えたことと、上の「確かめたこと」の説明を受けて、確かめました。",
    "わたしの がめんが きえたことを、みて、わかりました。",
    "I have been told the above and have seen that my session on this terminal is closed.",
)
QUARANTINE_ADVICE = "消えたことを確かめられませんでした。市の職員が確かめて解除するまで、だれも使えません。"

LOGOUT = {
    LOGOUT_VISITED: "国のサイトのログアウトの画面を開きました。",
    LOGOUT_UNREACHABLE: (
        "国のサイトのログアウトの画面は開けませんでした。"
        "この端末の画面は消えています。サイト側は、しばらくすると自動で切れます。"
    ),
    LOGOUT_NOT_TRIED: "国のサイトは開いていなかったか、端末が先に止まったため、ログアウトの画面は開いていません。",
}
PROCESSES_GONE = "画面のソフトがすべて止まったことを、{at} に確かめました。"
SPACE = {
    SPACE_UNMOUNTED: "使った記録の置き場所を取り外しました。記録は残っていません。({at})",
    SPACE_NAMESPACE: "使った記録の置き場所は、ソフトと一緒に消えました。記録は残っていません。({at})",
    SPACE_NONE: "練習用のため、記録の置き場所は分けていません。",
}
PROOF_TRAINING = "訓練中のため、本物の消去の証明ではありません。"

WITHOUT_SCRIPT = (
    "この画面では署名を書けません(JavaScript が使えません)。口頭の確認か不在を選び、係員と一緒に記録してください。"
)

ABSENT_REASONS = {
    "left_seat": "席を離れて戻らない",
    "unwell": "体調がすぐれない",
    "declined": "確認をことわった",
    "restarted": "端末の再起動のときには、いなかった",
}
