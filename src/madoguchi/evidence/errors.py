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
