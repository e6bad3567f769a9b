"""What the check of a bundle says beside its findings: what a reader should know. As `words`, Japanese and English."""

from madoguchi.evidence.words import Words

NOTES: dict[str, Words] = {
    "compare_key": Words(
        "",
        "鍵は束から読みました。この指紋 {fingerprint} を、紙に印刷された指紋と見比べてください: {key}",
        "The key was read from the bundle. Compare its fingerprint {fingerprint} with the one on paper: {key}",
    ),
    "no_anchor": Words(
        "",
        "古いチェックポイントと比べていません。鍵を持つ者が過去を書き換えても、これだけでは分かりません。",
        "No older checkpoint was compared: if the key's holder has rewritten the past, this alone does not show it.",
    ),
    "part": Words(
        "",
        "記録の一部です。束に入れなかった記録があるかどうかは、分かりません。",
        "This is a part of the log: whether entries were left out of the bundle cannot be seen.",
    ),
    "log_only": Words(
        "",
        "署名と内容は確かめていません(--log-only)。",
        "Signatures and contents were not checked (--log-only).",
    ),
    "gap_explained": Words(
        "",
        "端末 {terminal} の番号 {first}-{last}: 番号が飛んだか、受け付けなかったことを、サーバーが記録しています。",
        "Terminal {terminal}, numbers {first} to {last}: the server has recorded a gap or refused messages.",
    ),
    "back_explained": Words(
        "",
        "端末 {terminal} の番号が {number} に戻りました。サーバーが記録しています。",
        "Terminal {terminal} went back to number {number}; the server has recorded it.",
    ),
    "device_replaced": Words(
        "",
        "端末 {terminal}: 登録が取り消されたか、別の機械に替わったあとの鍵(指紋 {fingerprint})の署名です。",
        "Terminal {terminal}: signed with a key (fingerprint {fingerprint}) whose enrolment was revoked or replaced "
        "before.",
    ),
    "visit_began_before": Words(
        "",
        "この来庁の {first} 番より前の記録は、束の範囲の外です。",
        "What came before statement {first} of this visit is outside the bundle.",
    ),
    "devices_unnumbered": Words(
        "",
        "来庁だけの束では、端末の連絡の番号に抜けがないことは確かめられません。",
        "In a bundle of visits the numbers of devices cannot be checked for gaps.",
    ),
    "visit_open": Words(
        "",
        "終わっていない来庁が {count} 件あります。",
        "{count} visits are not closed.",
    ),
    "erased": Words(
        "",
        "{kind} の内容は {erased_at} に消去されました(理由 {reason})。記録の証明は有効です。",
        "The content of {kind} was erased on {erased_at} ({reason}); the proofs still hold.",
    ),
    "erased_unstated": Words(
        "",
        "{kind} の内容は {erased_at} に消去されたとありますが、束の記録には、その消去がまだありません。",
        "The content of {kind} is said to be erased on {erased_at}, but no statement of the bundle says so yet.",
    ),
    "undisclosed": Words(
        "",
        "内容が束に入っていない約束が {count} 件あります。",
        "The contents of {count} commitments are not in the bundle.",
    ),
    "skew": Words(
        "",
        "端末の時計がサーバーと {skew} 秒ずれていました。",
        "The terminal's clock was {skew} seconds off.",
    ),
    "anchor_holds": Words(
        "",
        "古いチェックポイント {name}({old} 件)に続く記録です。",
        "The log continues the older checkpoint {name} ({old} entries).",
    ),
    "stamp": Words(
        "",
        "時刻証明 {name} があります。openssl ts -verify で確かめてください。",
        "There is a time stamp {name}: check it with openssl ts -verify.",
    ),
    "stamp_alone": Words(
        "",
        "時刻証明 {name} のチェックポイントは、束にありません。確かめていません。",
        "The checkpoint of the time stamp {name} is not in the bundle; it was not compared.",
    ),
    "unknown_file": Words("", "{name} は束の一部ではありません。見ていません。", "{name} is no part of the bundle."),
}
