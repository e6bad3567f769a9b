"""Named errors of the evidence room. `sentence` is shown on screens."""


class EvidenceError(Exception):
    """Base of every refusal here."""

    sentence = "記録を確かめられませんでした。職員に知らせてください。"

    @property
    def code(self) -> str:
        """The class name."""
        return type(self).__name__


class BadSignature(EvidenceError):
    """The signature does not fit the bytes and the key."""

    sentence = "端末の署名が正しくありません。端末を使わず、職員に知らせてください。"


class SealBroken(EvidenceError):
    """A sealed payload does not open: another key, another place, or changed bytes."""

    sentence = "暗号化された記録を開けません。鍵の設定を職員に確かめてください。"


class CommitmentMismatch(EvidenceError):
    """The payload is not the one that was committed to."""

    sentence = "署名の記録が届いた内容と合いません。職員に知らせてください。"


class ProofBroken(EvidenceError):
    """A Merkle proof does not lead to the root, or has another length than its place asks for."""

    sentence = "記録が証明と合いません。記録が変えられたおそれがあります。市の担当者と監査担当に知らせてください。"


class CheckpointBroken(EvidenceError):
    """No signed checkpoint of this log."""

    sentence = "チェックポイントを読めないか、署名が正しくありません。もとの紙かファイルを確かめてください。"


class LeafBroken(EvidenceError):
    """The bytes of a log entry are no entry."""

    sentence = "記録を読めません。記録が変えられたおそれがあります。市の担当者と監査担当に知らせてください。"


class BundleUnreadable(EvidenceError):
    """No bundle: nothing there, no folder or zip, or without the parts that say what it is."""

    sentence = "証拠の束を読めません。ファイルが全部そろっているか確かめ、もう一度書き出してもらってください。"


class BundleRefused(EvidenceError):
    """What was given does not make a bundle: a gap among the entries, an entry too long, a folder in use."""

    sentence = "証拠の束を書き出せませんでした。書き出す先と範囲を確かめて、もう一度行ってください。"
