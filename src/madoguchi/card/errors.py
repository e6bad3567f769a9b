"""Named errors of the card room. `sentence` is shown on screens: it says what the person does next."""


class CardError(Exception):
    """Base of everything that can go wrong with a reader, a card or a proof; fail closed on each of them."""

    sentence: str = "カードを使えませんでした。カードを置き直して、もう一度お試しください。"

    @property
    def code(self) -> str:
        """The class name: stable, kept in records and sent over the reader's socket."""
        return type(self).__name__


class ReaderLost(CardError):
    """The reader, or the service that shares it, does not answer. Never the same as an empty reader."""

    sentence = "カードリーダーの反応がありません。係員に知らせてください。"


class ReaderNotFound(ReaderLost):
    """No reader carries the configured name, or none is plugged in."""

    sentence = "設定されたカードリーダーが見つかりません。ケーブルと端末の設定を係員が確かめてください。"


class ReaderAmbiguous(ReaderLost):
    """The configured name fits several readers; which one is meant must be said in full."""

    sentence = "カードリーダーの名前が複数に当てはまります。端末の設定に名前を最後まで書いてください。"


class NoCard(CardError):
    """The reader is there and empty."""

    sentence = "カードがありません。カードリーダーにカードを置いてください。"


class CardRemoved(CardError):
    """The card left the reader while it was in use, or since it was connected."""

    sentence = "途中でカードが離れました。はじめからやり直してください。"


class CardSilent(CardError):
    """Something lies on the reader and does not answer: put down badly, broken, or no card that it can speak to."""

    sentence = "カードから応答がありません。カードを置き直してください。続くときは係員に知らせてください。"


class CardInUse(CardError):
    """Somebody else holds the card exclusively."""

    sentence = "カードはほかの処理で使われています。少し待ってから、もう一度お試しください。"


class SlotTaken(CardError):
    """A card is put on a reader that already holds one."""

    sentence = "カードリーダーには別のカードがあります。先に取り出してください。"


class UnknownCard(CardError):
    """The shelf has no card of this name."""

    sentence = "その名前の練習用カードはありません。一覧から選んでください。"


class SocketTaken(CardError):
    """The path of the reader's socket is served by another program, or is not a socket."""

    sentence = "カードリーダーの共有先がすでに使われています。先に動いているものを止めてください。"


class RequestRefused(CardError):
    """A request to the reader's socket was not of the agreed form."""

    sentence = "カードリーダーへの依頼を読み取れません。ソフトの版を職員に確かめてください。"


class PinMalformed(CardError):
    """The PIN cannot be right by its form; the card was not asked, no try was used up."""

    sentence = "暗証番号の形がちがいます。利用者証明用は数字4けた、署名用は英大文字と数字6から16文字です。"


class PinWrong(CardError):
    """The card refused the PIN; `tries_left` remain (at least 1)."""

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left)
        self.tries_left = tries_left
        self.sentence = f"暗証番号がちがいます。あと{tries_left}回まちがえるとロックされます。"


class PinLocked(CardError):
    """No tries are left; only the municipality can reset the PIN."""

    sentence = "暗証番号がロックされています。住民票のある市区町村の窓口で初期化の手続きをしてください。"


class PinNeeded(CardError):
    """The card wants a PIN before this operation (status word 6982)."""

    sentence = "暗証番号の確認が必要です。はじめからやり直してください。"


class AppletMissing(CardError):
    """The card answers, but is no My Number Card (or lacks the application)."""

    sentence = "マイナンバーカードではないようです。マイナンバーカードを置いてください。"


class CertificateMissing(CardError):
    """The card carries no readable certificate of this kind."""

    sentence = "カードに電子証明書が入っていません。住民票のある市区町村の窓口で発行の手続きをしてください。"


class CertificateUntrusted(CardError):
    """The certificate is not from the expected issuer, or not valid at this time."""

    sentence = "電子証明書が有効ではありません。有効期限を確かめ、市区町村の窓口で更新してください。"


class KeyMissing(CardError):
    """The card has no such key or PIN object (status word 6A88)."""

    sentence = "カードに必要な鍵が入っていません。住民票のある市区町村の窓口で確かめてください。"


class OtherCard(CardError):
    """Another card than the one that the person logged in with."""

    sentence = "はじめに使ったカードとちがいます。本人のカードを置いて、はじめからやり直してください。"


class ProofInvalid(CardError):
    """The proof does not fit what is to be written: forged, changed, or made for something else."""

    sentence = "カードによる確認が正しくありません。登録はされていません。はじめからやり直してください。"


class ActMalformed(CardError):
    """What is to be proven cannot be written down canonically."""

    sentence = "確認する内容を読み取れません。登録はされていません。はじめからやり直してください。"


class AttributesMalformed(CardError):
    """The card's text attributes are not of the known form."""

    sentence = "カードの記載事項を読み取れません。カードを置き直して、もう一度お試しください。"


class TagKeyTooShort(CardError):
    """The key of the card tag is too short to keep the tag from being guessed."""

    sentence = "端末の設定が正しくありません。職員に知らせてください。"


class CardTrouble(CardError):
    """Any other status word (`status`, 16 bits)."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
        self.sentence = f"カードが処理できませんでした(番号 {status:04X})。カードを置き直して、もう一度お試しください。"


class ServiceMissing(CardError):
    """A private card service cannot be started on this machine: packages or rights are missing."""

    sentence = "試験用のカードサービスを始められません。script/bootstrap test で必要な部品を入れてください。"
