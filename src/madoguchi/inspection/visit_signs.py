"""The signs that the checks look for: how strong each is beside the others, and its reason in words."""

from collections.abc import Mapping
from dataclasses import dataclass

CHECKS = (
    "visits_unproven",
    "visits_refused",
    "visits_returned",
    "visits_same_minute",
    "visits_outside",
    "visits_card_away",
    "visits_quarantine",
    "visits_other_name",
)
"""The checks, each a file `checks/NAME.sql` over the tables `visits`, `seats` and `limits`.

Each answers: `sign` (one of `SIGNS`), `seen` (the visit where it shows), `lost` (the visit whose registration may stand
elsewhere), `got` (the one on whose card it may stand), `minutes` (how long it lasted, where that is known).
"""


@dataclass(frozen=True, slots=True)
class Sign:
    """What one row of a check says.

    `strength`: 0…1, for the order among findings only: several signs of one pair add up as if independent. It is set by
    hand from how the cases of 2022 showed themselves and is no probability.
    The reasons may name `{seen}`, `{lost}`, `{got}` (tickets), `{minutes}` and `{later}` (so many minutes later).
    """

    strength: float
    title_ja: str
    reason_ja: str
    reason_en: str


_AFTER_JA = "{later}同じ端末に{lost}が座りました。"
_AFTER_EN = "{lost} sat down at the same terminal {later}."

SIGNS: Mapping[str, Sign] = {
    "unproven_missing": Sign(
        0.5,
        "証明も確認もなし",
        "{got}は、消去の証明もログアウト確認もないまま終わっています。" + _AFTER_JA,
        "{got} ended without proof of a wipe or confirmed log-out. " + _AFTER_EN,
    ),
    "unproven_signed": Sign(
        0.15,
        "確認だけで証明なし",
        "{got}はログアウト確認をしていますが、消去の証明がありません。" + _AFTER_JA,
        "{got} confirmed the log-out, but the wipe is not proven. " + _AFTER_EN,
    ),
    "unproven_unknown": Sign(
        0.2,
        "記録なし・未完了",
        "{got}は手続を終えておらず、消去もログアウト確認も記録がありません。" + _AFTER_JA,
        "{got} did not complete, and neither wipe nor log-out is recorded. " + _AFTER_EN,
    ),
    "refused_returned": Sign(
        0.8,
        "再来庁で登録済み",
        "{seen}は前にも{got}として来ていて、今回「登録済み」と断られました。{got}の次に座ったのは{lost}です。",
        "{seen}, here before as {got}, was refused as already registered. {lost} sat there next after {got}.",
    ),
    "refused_again": Sign(
        0.15,
        "完了・消去済みのあと登録済み",
        "{seen}は前にも{got}として来ていて、今回「登録済み」と断られました。前回の自分の登録か、次に座った{lost}の登録かを確かめます。",
        "{seen}, here before as {got}, was refused as already registered: the own registration, or that of {lost}?",
    ),
    "refused_first": Sign(
        0.6,
        "はじめての来庁で登録済み",
        "{seen}は「登録済み」と断られました。同じ端末で直前にいたのは{got}です。",
        "{seen} was refused as already registered. {got} had been at the same terminal just before.",
    ),
    "refused_untagged": Sign(
        0.35,
        "登録済み(カードの記録なし)",
        "{seen}は「登録済み」と断られました。前にも来た人かどうかは記録がありません。同じ端末で直前にいたのは{got}です。",
        "{seen} was refused as already registered; whether here before is not recorded. {got} was there just before.",
    ),
    "refused_alone": Sign(
        0.2,
        "登録済み(直前の人なし)",
        "{seen}は「登録済み」と断られましたが、同じ日に同じ端末で前にいた人はいません。以前の来庁を確かめてください。",
        "{seen} was refused as already registered, and nobody sat there before that day: ask for an earlier visit.",
    ),
    "refused_candidate": Sign(
        0.15,
        "後日の「登録済み」",
        "{got}は手続を終えずに帰り、次に{lost}が座りました。後に同じ拠点で「登録済み」と断られた{seen}が同じ人かもしれません。",
        "{got} left without completing, {lost} came next; {seen}, refused there later, may be the same person.",
    ),
    "refused_after_proof": Sign(
        0.1,
        "登録済み(直前は消去済み)",
        "{seen}は「登録済み」と断られました。直前の{got}は消去の証明があるので、番号の入力違いなども確かめてください。",
        "{seen} was refused as already registered. {got} before was wiped with proof: think of mistyped numbers too.",
    ),
    "returned_interrupted": Sign(
        0.25,
        "未完了のあと再来庁",
        "{got}は手続を終えずに帰り、同じカードが{seen}として再び来ました。{got}の次に座ったのは{lost}です。",
        "{got} left without completing and came back as {seen}. {lost} sat there next after {got}.",
    ),
    "returned_completed": Sign(
        0.25,
        "完了のあと再来庁",
        "{lost}は完了のはずですが、同じカードが{seen}として再び来ました。{lost}の直前にいたのは{got}です。",
        "{lost} was completed, yet the card came back as {seen}. {got} had been there just before {lost}.",
    ),
    "same_minute": Sign(
        0.5,
        "一分以内に二人",
        "{got}と{lost}の登録が、同じ端末で一分以内に続いています。",
        "The registrations of {got} and {lost} at one terminal lie within a minute.",
    ),
    "outside_in_anothers": Sign(
        0.8,
        "他人の対応時間に登録",
        "{lost}の登録は、{got}が同じ端末を使っている時刻になされています。",
        "{lost} was registered at a time when {got} was using the same terminal.",
    ),
    "outside_in_nobodys": Sign(
        0.4,
        "対応時間の外に登録",
        "{lost}の登録は、本人の対応時間の外です。その前に同じ端末を最後に使ったのは{got}です。",
        "{lost} was registered outside of the own turn. {got} was the last at the terminal before that.",
    ),
    "card_away": Sign(
        0.2,
        "カードなしで開いていた",
        "{got}の画面は、カードがないまま{minutes}開いていました。次に座ったのは{lost}です。",
        "{got} stayed open for {minutes} without its card. {lost} sat there next.",
    ),
    "quarantine_skipped": Sign(
        0.7,
        "使用停止の無視",
        "{got}の消去に失敗した端末に、使用停止が解ける前に{lost}が座りました。",
        "{lost} sat down where the wipe of {got} had failed, before the terminal was released.",
    ),
    "other_name": Sign(
        0.9,
        "別の人の名前",
        "{seen}は、最後の画面に別の人の名前が出ていたと答えました。同じ端末で直前にいたのは{got}です。",
        "{seen} saw another person's name on the last screen. {got} had been at the terminal just before.",
    ),
}

NOBODY_JA, NOBODY_EN = "(記録なし)", "(nobody on record)"


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds that the checks compare with; the view `limits` holds them as its one row.

    `followed_s`: how long after an end the next person still counts; the sites' own time-out is no control, so a
    working day. `return_s`: within which a return counts. `minute_s`: two registrations as one. `away_s`: longer than
    any grace. `margin_s`: clocks of terminal and national site may differ by that much.
    """

    followed_s: int = 12 * 3600
    return_s: int = 14 * 86400
    minute_s: int = 60
    away_s: int = 180
    margin_s: int = 120
