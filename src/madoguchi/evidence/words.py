"""What the check of a bundle says: each check when it holds, each finding, each note; Japanese and English.

The one place of these sentences. `{…}` are a finding's fields; position and visit are named in front of it.
"""

from typing import NamedTuple


class Words(NamedTuple):
    """A finding (`check`: the check that it breaks) or a note (`check` empty)."""

    check: str
    ja: str
    en: str


HOLDS: dict[str, tuple[str, str]] = {
    "files": ("束のファイルは、どれも読めました。", "Every file of the bundle can be read."),
    "checkpoint": (
        "チェックポイントの署名は、記録の鍵で正しく付けられています。",
        "The checkpoint is signed with the log's key.",
    ),
    "log": (
        "記録はチェックポイントのとおりです。変えられたもの、抜けたもの、入れ替わったものはありません。",
        "The entries are the ones of the checkpoint: none changed, none missing, none moved.",
    ),
    "signers": (
        "どの記録にも、サーバーか、登録された端末の正しい署名があります。",
        "Every statement is signed by the server or by a device that was enrolled before.",
    ),
    "numbers": (
        "端末の連絡の番号と、来庁ごとの番号に、説明のない抜け・重なりはありません。",
        "The numbers of devices and of visits have no gap and no repeat that is not explained.",
    ),
    "visits": (
        "終了した来庁には、呼び出し・終了・消去の証明・ログアウト確認が、この順にそろっています。",
        "Every closed visit has its chain, in order: called, ended, wipe proven, log-out confirmed, closed.",
    ),
    "contents": (
        "示された内容は、署名された記録が約束したものです。",
        "The disclosed contents are the ones that signed statements committed to.",
    ),
    "anchors": (
        "古いチェックポイントのあと、記録は書き足されただけです。",
        "Since the older checkpoints the log has only grown.",
    ),
    "stamps": (
        "時刻証明は、束の中のチェックポイントのものです。",
        "The time stamps are of the checkpoints in the bundle.",
    ),
}
"""The checks, in the order in which they are said."""

HOLDS_OF_A_PART = {
    "log": (
        "束にあるどの記録も、チェックポイントの記録の中に、そのままの形で立っています。",
        "Every entry of the bundle stands in the checkpoint's log, unchanged and at its position.",
    ),
}
"""Said instead of the above when the bundle is a part of the log."""

SKIPPED = ("確かめていません。", "Not checked.")

FINDINGS: dict[str, Words] = {
    # files
    "file": Words("files", "ファイル {name} を読めません({why})。", "The file {name} cannot be read ({why})."),
    "strange_file": Words(
        "files", "{name} はファイルではありません。開いていません。", "{name} is no plain file; it was not opened."
    ),
    "line": Words(
        "files", "{name} の {row} 行目を読めません。変えられたおそれがあります。", "{name}, line {row}, cannot be read."
    ),
    "counts": Words(
        "files",
        "{name} は {found} 件ですが、束の表紙には {said} 件とあります。",
        "{name}: {found}, but the bundle says {said}.",
    ),
    # checkpoint
    "checkpoint_signature": Words(
        "checkpoint",
        "チェックポイントの署名が正しくないか、別の鍵のものです。これは、この鍵の記録ではありません。",
        "The checkpoint's signature does not fit, or is by another key: not the log of this key.",
    ),
    "checkpoint_origin": Words(
        "checkpoint",
        "チェックポイントは別の記録「{found}」のものです(この束は「{said}」)。",
        "The checkpoint is of another log, {found}; this bundle is of {said}.",
    ),
    "other_key": Words(
        "checkpoint",
        "束にある鍵は、渡された鍵と違います。",
        "The key in the bundle is not the key that was given.",
    ),
    # log
    "root": Words(
        "log",
        "記録から計算した値が、チェックポイントの値と合いません。記録が変えられました。",
        "The root over the entries is not the checkpoint's: the log was changed.",
    ),
    "entry_changed": Words(
        "log",
        "この位置の記録が変えられました。",
        "The entry at this position was changed.",
    ),
    "entry_swapped": Words(
        "log",
        "この位置の記録が、位置 {other} の記録と入れ替わっています。",
        "The entry at this position was swapped with the one at position {other}.",
    ),
    "entry_removed": Words(
        "log",
        "この位置から {count} 件の記録が抜かれ、あとの記録が詰められています。",
        "{count} entries were removed from this position on, and the later ones moved up.",
    ),
    "entry_added": Words(
        "log",
        "この位置に、もとの記録にない {count} 件がはさみ込まれています。",
        "{count} entries that the log does not have were put in at this position.",
    ),
    "several_changed": Words(
        "log",
        "この位置から、記録が何か所も変えられています。",
        "From this position on, entries were changed in several places.",
    ),
    "position_missing": Words(
        "log",
        "この位置の記録がありません(次は位置 {found})。記録が抜かれました。",
        "The entry at this position is missing (the next is {found}): entries were removed.",
    ),
    "position_back": Words(
        "log",
        "この位置にあるはずの行が、位置 {found} のものです。行の順番が変えられたか、重なっています。",
        "The line due at this position says {found}: lines were put in another order, or stand twice.",
    ),
    "end_missing": Words(
        "log",
        "この位置から最後まで、{count} 件の記録がありません。終わりが切られました。",
        "From this position on, the last {count} entries are missing: the end was cut off.",
    ),
    "beyond": Words(
        "log",
        "チェックポイント({size} 件)より先の記録があります。",
        "There are entries beyond the checkpoint ({size} entries).",
    ),
    "no_position": Words(
        "log",
        "events.jsonl の {row} 行目に位置がありません。",
        "events.jsonl, line {row}, has no position.",
    ),
    "tile_changed": Words(
        "log",
        "タイル {name} が、記録と合いません。タイルが変えられました。",
        "The tile {name} does not fit the entries: it was changed.",
    ),
    "tile_unlinked": Words(
        "log",
        "タイル {name} は、チェックポイントにつながりません。",
        "The tile {name} does not lead to the checkpoint.",
    ),
    "tile_foreign": Words(
        "log",
        "{name} は、この大きさの記録にはないタイルです。",
        "{name} is no tile of a log of this size.",
    ),
    "entry_tile": Words(
        "log",
        "{name} にある記録が、events.jsonl の記録と違います。",
        "The entries in {name} are not the ones in events.jsonl.",
    ),
    "entry_unproven": Words(
        "log",
        "この位置の記録の証明がありません({name})。",
        "There is no proof for the entry at this position ({name}).",
    ),
    # signers
    "entry_form": Words(
        "signers",
        "この位置の記録は、決められた形ではありません。",
        "The entry at this position does not have the form of one.",
    ),
    "signature": Words(
        "signers",
        "この記録の署名が正しくありません。内容か署名が変えられました。",
        "The signature of this statement does not fit: statement or signature was changed.",
    ),
    "foreign_device": Words(
        "signers",
        "端末の連絡に、登録されていない鍵(指紋 {fingerprint})の署名があります。",
        "A device's statement is signed with a key (fingerprint {fingerprint}) that was not enrolled before.",
    ),
    "foreign_server": Words(
        "signers",
        "サーバーの記録に、記録の鍵ではない鍵(指紋 {fingerprint})の署名があります。",
        "A server's statement is signed with another key (fingerprint {fingerprint}) than the log's.",
    ),
    "server_for_device": Words(
        "signers",
        "端末だけが言えること({kind})に、サーバーの鍵の署名があります。",
        "What only a device can state ({kind}) is signed with the server's key.",
    ),
    "device_for_server": Words(
        "signers",
        "サーバーだけが言えること({kind})に、端末の鍵の署名があります。",
        "What only the server can state ({kind}) is signed with a device's key.",
    ),
    # numbers
    "device_gap": Words(
        "numbers",
        "端末 {terminal} の連絡の番号 {first} から {last} までがなく、説明もありません。",
        "Terminal {terminal}: the numbers {first} to {last} are missing, and nothing explains it.",
    ),
    "device_repeat": Words(
        "numbers",
        "端末 {terminal} の連絡の番号 {number} が二度あります。",
        "Terminal {terminal}: the number {number} stands twice.",
    ),
    "device_back": Words(
        "numbers",
        "端末 {terminal} の連絡の番号が {last} から {number} に戻り、説明もありません。",
        "Terminal {terminal}: the numbers go back from {last} to {number}, and nothing explains it.",
    ),
    "visit_gap": Words(
        "numbers",
        "来庁の記録の {first} 番から {last} 番までがありません。",
        "The visit's statements {first} to {last} are missing.",
    ),
    "visit_repeat": Words(
        "numbers",
        "来庁の記録の {number} 番が二つあります。",
        "The visit's statement number {number} stands twice.",
    ),
    "visit_number": Words(
        "numbers",
        "署名された番号 {said} と、記録された順番 {noted} が違います。",
        "The signed number {said} is not the noted order {noted}.",
    ),
    # visits
    "chain": Words(
        "visits",
        "終了した来庁なのに、{missing} がないか、順番が違います。",
        "A closed visit without {missing}, or with it out of order.",
    ),
    "visit_absent": Words(
        "visits",
        "この来庁の記録が、束にありません。",
        "The bundle has no statement of this visit.",
    ),
    "withdrawn_bound": Words(
        "visits",
        "カードを確かめたあとの来庁が、消去の証明なしに取りやめになっています。",
        "A visit was withdrawn after a card had been read, without any proof of a wipe.",
    ),
    "after_close": Words(
        "visits",
        "来庁の終了のあとに {kind} があります。",
        "After the visit was closed there is {kind}.",
    ),
    # contents
    "content_changed": Words(
        "contents",
        "payloads.jsonl の {row} 行目の内容が、約束の値と合いません。内容が変えられたか、入れ替えられました。",
        "payloads.jsonl, line {row}: the content is not the committed one: it was changed or swapped.",
    ),
    "content_elsewhere": Words(
        "contents",
        "約束の値 {commitment} は、別の来庁の記録にあります。内容が来庁の間で入れ替えられました。",
        "The commitment {commitment} stands in a statement of another visit: contents were swapped between visits.",
    ),
    "content_nowhere": Words(
        "contents",
        "約束の値 {commitment} は、束のどの記録にもありません。",
        "The commitment {commitment} stands in no statement of the bundle.",
    ),
    "content_twice": Words(
        "contents",
        "約束の値 {commitment} が二度あります。",
        "The commitment {commitment} is listed twice.",
    ),
    # anchors
    "anchor_unreadable": Words(
        "anchors",
        "古いチェックポイント {name} を読めません。",
        "The older checkpoint {name} cannot be read.",
    ),
    "anchor_signature": Words(
        "anchors",
        "古いチェックポイント {name} の署名が、この記録の鍵のものではありません。",
        "The older checkpoint {name} is not signed with this log's key.",
    ),
    "anchor_origin": Words(
        "anchors",
        "古いチェックポイント {name} は、別の記録のものです。",
        "The older checkpoint {name} is of another log.",
    ),
    "anchor_longer": Words(
        "anchors",
        "古いチェックポイント {name} には {old} 件とありますが、今は {size} 件しかありません。記録が切られました。",
        "The older checkpoint {name} counts {old} entries, the log now only {size}: entries were removed.",
    ),
    "anchor_rewritten": Words(
        "anchors",
        "はじめの {old} 件が、古いチェックポイント {name} のときのものではありません。"
        "鍵を持つ者が、過去の記録を書き換えて署名し直しました。",
        "The first {old} entries are not those of the older checkpoint {name}: the history was rewritten and signed "
        "again by the holder of the key.",
    ),
    "anchor_unproven": Words(
        "anchors",
        "古いチェックポイント {name}({old} 件)に続く記録だと、証明されません。証明のファイルが変えられたか、"
        "鍵を持つ者が過去を書き換えました。記録の全部の束で確かめてください。",
        "It is not proven that the log continues the older checkpoint {name} ({old} entries): the proof's file was "
        "changed, or the history was rewritten by the holder of the key. Check with a bundle of the whole log.",
    ),
    "anchor_uncompared": Words(
        "anchors",
        "古いチェックポイント {name}({old} 件)と比べられません。これを添えて、束を書き出し直してもらってください。",
        "The older checkpoint {name} ({old} entries) cannot be compared: ask for a bundle made with it.",
    ),
    # stamps
    "stamp_foreign": Words(
        "stamps",
        "時刻証明 {name} は、束の中のチェックポイントのものではありません。",
        "The time stamp {name} is not of a checkpoint in the bundle.",
    ),
}
