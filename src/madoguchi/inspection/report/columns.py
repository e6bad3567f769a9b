"""Titles, widths and number formats of every column that a report shows: the one place for them."""

from collections.abc import Sequence
from dataclasses import dataclass

TEXT, WHOLE, SHARE, WEIGHT = "@", "#,##0", "0.00%", "0.000"
TIME, DAY = "yyyy-mm-dd hh:mm", "yyyy-mm-dd"
"""Number formats of a cell, as a spreadsheet writes them."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `width`: in the spreadsheet, in digits. `share`: its part of the line in the PDF, 0: not there."""

    name: str
    title_ja: str
    title_en: str
    width: int = 14
    form: str = TEXT
    share: int = 0


def _visit(prefix: str, ja: str, en: str, *, share: int) -> tuple[Column, ...]:
    """A visit, its ticket and its time."""
    return (
        Column(f"{prefix}_ticket", f"{ja} 受付番号", f"{en}: ticket", 14, TEXT, share),
        Column(f"{prefix}_at", f"{ja} 時刻", f"{en}: time", 17, TIME, share),
        Column(f"{prefix}_visit", f"{ja} 来庁", f"{en}: visit", 38),
    )


_COMMON = (
    Column("rank", "順位", "Rank", 8, WHOLE, 4),
    Column("signals", "しるし", "Signals", 26, TEXT, 11),
    Column("reason_ja", "理由", "Reason (Japanese)", 60, TEXT, 30),
    Column("reason_en", "理由(英語)", "Reason", 60),
    Column("registered_at", "登録の時刻", "Registered at", 17, TIME, 9),
)

_ACCOUNTS = (
    Column("person_id", "個人の番号", "Person", 18, TEXT, 8),
    Column("kanji", "氏名", "Name", 18, TEXT, 10),
    Column("furigana", "フリガナ", "Official reading", 24),
    Column("alias", "通称", "Registered alias", 18),
    Column("former", "旧姓・旧名", "Former name", 18),
    Column("birth", "生年月日", "Birth", 12, DAY),
    Column("address", "住所", "Address", 36),
    Column("whose", "名義が合う前後の人", "Near and of that name", 18),
    Column("holder_kana", "口座名義カナ", "Account holder", 24, TEXT, 13),
    Column("account", "口座の鍵", "Account key", 24),
    Column("place", "登録した場所", "Place", 18, TEXT, 8),
    Column("shared_by", "同じ口座の人数", "People on the account", 12, WHOLE, 5),
    Column("verdict", "判定", "Verdict", 14, TEXT, 8),
    Column("p_self", "本人", "P(self)", 10, SHARE),
    Column("p_family", "家族", "P(family)", 10, SHARE),
    Column("p_oldname", "旧姓など", "P(former name)", 10, SHARE),
    Column("p_other", "別人", "P(other)", 10, SHARE),
    Column("p_wrong", "誤りの見込み", "P(wrong)", 12, SHARE, 7),
)

_VISITS = (
    Column("weight", "強さ(順位用)", "Weight (for the order only)", 8, WEIGHT, 5),
    Column("site", "拠点", "Site", 18, TEXT, 8),
    Column("terminal", "端末", "Terminal", 18, TEXT, 6),
    Column("procedure", "手続", "Procedure", 22),
    *_visit("lost", "登録が移った疑いの人", "May have lost a registration", share=8),
    *_visit("got", "登録が入った疑いの人", "May have received it", share=8),
    *_visit("before", "直前の人", "Before", share=0),
    *_visit("after", "直後の人", "After", share=0),
    Column("seen_visit", "しるしのあった来庁", "Visits with the signs", 40),
    Column("unknown", "記録のないこと", "Not recorded", 30),
    Column("line", "並び", "Place in the line", 8, WHOLE),
    Column("role", "立場", "Role", 20),
    Column("at", "時刻", "Time", 17, TIME),
)

_RECORDS = (
    Column("visit_id", "来庁番号", "Visit", 38),
    Column("ticket", "受付番号", "Ticket", 12),
    Column("lease", "リース", "Lease", 10, WHOLE),
    Column("created_at", "受付時刻", "Issued", 17, TIME),
    Column("called_at", "呼出時刻", "Called", 17, TIME),
    Column("opened_at", "開始時刻", "Opened", 17, TIME),
    Column("ended_at", "終了時刻", "Ended", 17, TIME),
    Column("closed_at", "確認時刻", "Closed", 17, TIME),
    Column("cause", "終了の理由", "Cause", 16),
    Column("proof", "消去の証明", "Wipe proof", 10),
    Column("confirmation", "ログアウト確認", "Log-out confirmation", 16),
    Column("own_name", "最後の画面の名前", "Name on the last screen", 14),
    Column("outcome", "結果", "Outcome", 12),
    Column("refusals", "断られた理由", "Refusals", 24),
    Column("card_tag", "カードの印", "Card tag", 20),
    Column("card_away_s", "カードなしの秒数", "Seconds without card", 10, WHOLE),
    Column("wipe_failed_at", "消去失敗の時刻", "Wipe failed", 17, TIME),
    Column("released_at", "使用停止が解けた時刻", "Released", 17, TIME),
)

_STEPS = (
    Column("title", "段階", "Step", 44),
    Column("rows_in", "入った件数", "Rows in", 14, WHOLE),
    Column("rows_out", "残った件数", "Rows out", 14, WHOLE),
    Column("seconds", "秒", "Seconds", 10, "0.0"),
)

_LOOKS = (
    Column("looked", "確認した件数", "Looked at", 14, WHOLE),
    Column("found_share", "見つかる割合", "Share of the wrong ones found", 14, SHARE),
    Column("precision", "適合率", "Precision", 12, SHARE),
)

CHECK = Column("checked", "確認(○/×)", "Checked", 12)
"""The empty column in which the clerk notes what was found."""

_KNOWN = {column.name: column for column in (*_COMMON, *_ACCOUNTS, *_VISITS, *_RECORDS, *_STEPS, *_LOOKS, CHECK)}


def column(name: str) -> Column:
    """The column of this name; one that nobody has described carries its own name as title."""
    return _KNOWN.get(name) or Column(name, name, name, 16)


def columns(names: Sequence[str]) -> tuple[Column, ...]:
    """The columns of these names, in the same order."""
    return tuple(column(name) for name in names)


def on_paper(names: Sequence[str]) -> tuple[Column, ...]:
    """Those that the PDF's table has room for; the first seven of a table that nobody has described."""
    shown = tuple(item for item in columns(names) if item.share)
    return shown or tuple(Column(item.name, item.title_ja, item.title_en, share=10) for item in columns(names[:7]))
