"""Named refusals of the simulated national systems.

`code` is the reason kept in records and answered to programs; `sentence` is shown on screens and says what the person
does next.
"""

from datetime import datetime


class NationError(Exception):
    """Base of every refusal here."""

    code = "refused"
    sentence = "手続きできませんでした。窓口の職員に知らせてください。"

    @property
    def english(self) -> str:
        """The reason in short English, beside the Japanese."""
        return self.code.replace("_", " ")


class SiteDown(NationError):
    """The system does not answer (a fault switched on)."""

    code = "site_down"
    sentence = "いま、このサービスは使えません。手続きを中断して、ログアウトしてください。"


class LogoutFailed(NationError):
    """The log-out was asked for and did not happen (a fault switched on): the session lives on."""

    code = "logout_failed"
    sentence = "ログアウトできませんでした。窓口の職員を呼んでください。席を立たないでください。"


class SessionExpired(NationError):
    """No live session stands behind the cookie: idle for an hour, logged out, or never opened."""

    code = "session_expired"
    sentence = "時間がたったため、ログアウトしました。はじめのページから、もう一度ログインしてください。"


class NotLoggedIn(NationError):
    """The session lives, but nobody has logged in."""

    code = "not_logged_in"
    sentence = "ログインしていません。カードをリーダーに置いて、ログインしてください。"


class FormExpired(NationError):
    """The form's token does not belong to this browser's session."""

    code = "form_expired"
    sentence = "ページの期限が切れました。はじめのページから、もう一度お試しください。"


class InputMalformed(NationError):
    """A field is missing or not of the expected form. `field` names it."""

    code = "input_malformed"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(field)
        self.field = field
        self.sentence = sentence


class ProgrammeEnded(NationError):
    """The points programme takes no applications any more."""

    code = "programme_ended"
    sentence = "マイナポイントの申込みは終わりました。新しい申込みはできません。"


class AlreadyRegistered(NationError):
    """One service per person, one person per means, one account per person."""

    code = "already_registered"
    sentence = "すでに登録されています。窓口の職員に知らせてください。"


class PersonHasService(AlreadyRegistered):
    """The person logged in has a payment service already; it cannot be changed."""

    sentence = (
        "ログイン中の人には、すでに別の決済サービスが登録されています。変更はできません。"
        "自分のページで登録を確かめて、覚えがないときは窓口の職員に知らせてください。"
    )


class MeansTaken(AlreadyRegistered):
    """The payment means is registered to somebody already."""

    sentence = (
        "この決済サービスは、すでに登録済みです。自分で登録した覚えがないときは、"
        "窓口の職員に知らせてください。職員が総務省コールセンターに問い合わせます。"
    )


class PersonHasAccount(AlreadyRegistered):
    """The person logged in has a public-money account already; it can be looked at and changed."""

    sentence = (
        "ログイン中の人の公金受取口座は、すでに登録されています。自分のページで口座を確かめてください。"
        "自分の口座でないときは、そのままにして窓口の職員に知らせてください。"
    )


class NothingRegistered(NationError):
    """There is nothing to change, delete or correct."""

    code = "nothing_registered"
    sentence = "登録されたものがありません。自分のページで登録を確かめてください。"


class PaymentServiceUnknown(NationError):
    """No such payment service takes part in the programme."""

    code = "payment_service_unknown"
    sentence = "その決済サービスは選べません。一覧から選び直してください。"


class PaymentIdUnknown(NationError):
    """The payment company has no such payment service ID."""

    code = "payment_id_unknown"
    sentence = "決済サービスIDが見つかりません。本人が、手元の控えを見て入力し直してください。"


class WrongSecurityCode(NationError):
    """The security code is not the one of this payment service ID."""

    code = "wrong_security_code"
    sentence = "セキュリティコードが違います。本人が、手元の控えを見て入力し直してください。"


class AccountNotFound(NationError):
    """The bank has no such account."""

    code = "account_not_found"
    sentence = "銀行でこの口座を確認できませんでした。支店・種類・番号を確かめて、入力し直してください。"


class ConsentMissing(NationError):
    """The person has not agreed to the registration."""

    code = "consent_missing"
    sentence = "同意がないと登録できません。説明を読み、同意するときは印を付けてください。"


class SecondReadMissing(NationError):
    """The card has not been read a second time with the card-face PIN."""

    code = "second_read_missing"
    sentence = "氏名を読み取るため、もう一度カードをリーダーに置いてください。"


class SecondReadMismatch(NationError):
    """The card of the second read belongs to another person than the one logged in."""

    code = "second_read_mismatch"
    sentence = "ログイン中の人とは別の人のカードです。ログアウトして、本人のカードで最初からやり直してください。"


class ApplicantUnread(NationError):
    """The applicant's card was not read for this application."""

    code = "applicant_unread"
    sentence = "申込みの前に、申し込む人のカードを読み取ります。カードをリーダーに置いてください。"


class ApplicantMismatch(NationError):
    """The card on the reader belongs to another person than the one logged in."""

    code = "applicant_mismatch"
    sentence = "ログイン中の人と、申し込む人のカードが違います。ログアウトして、最初からやり直してください。"


class ProofMissing(NationError):
    """A write came without a fresh signature of the card."""

    code = "proof_missing"
    sentence = "カードによる確認がないので、登録しませんでした。カードを置いて、暗証番号を入力してください。"


class ProofInvalid(NationError):
    """The signature does not fit what is to be written."""

    code = "proof_invalid"
    sentence = "カードの署名が内容と合わないので、登録しませんでした。最初からやり直してください。"


class OtherCard(NationError):
    """The write was signed by another card than the one pinned at login."""

    code = "other_card"
    sentence = "ログインしたカードとは別のカードです。ログアウトして、本人のカードで最初からやり直してください。"


class ChallengeUnknown(NationError):
    """No such card request stands: never made, already used, or of another browser."""

    code = "challenge_unknown"
    sentence = "このカードの読み取りは、もう使えません。はじめのページから、もう一度お試しください。"


class ChallengeExpired(NationError):
    """The card request is older than five minutes."""

    code = "challenge_expired"
    sentence = "カードの読み取りに時間がかかりました。はじめのページから、もう一度お試しください。"


class ChallengeCancelled(NationError):
    """The person gave up the card read."""

    code = "challenge_cancelled"
    sentence = "カードの読み取りをやめました。何も登録していません。続けるときは、もう一度お試しください。"


class AnswerMalformed(NationError):
    """The card client's answer is not of the agreed form, or does not hold what was asked for."""

    code = "answer_malformed"
    sentence = "カードの読み取り結果を受け取れませんでした。はじめのページから、もう一度お試しください。"


class ChallengeForged(NationError):
    """A card request that does not fit its own digest, or names another site than it came from: not signed."""

    code = "challenge_forged"
    sentence = "サイトからの依頼が正しくないので、カードを使いませんでした。窓口の職員に知らせてください。"


class SiteUnknown(NationError):
    """The card client does not serve this site."""

    code = "site_unknown"
    sentence = "このサイトではカードを使えません。はじめのページから、もう一度お試しください。"


class SiteUnreachable(NationError):
    """The site does not answer the card client."""

    code = "site_unreachable"
    sentence = "サイトにつながりません。何も登録していません。窓口の職員に知らせてください。"


class SiteRefused(NationError):
    """The site answered the card client with a refusal; code and sentence are the site's."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence


class CertificateUnknown(NationError):
    """No person stands behind this certificate."""

    code = "certificate_unknown"
    sentence = "このカードの電子証明書を確認できません。市の窓口でカードを確かめてもらってください。"


class CertificateRevoked(NationError):
    """The certificate is revoked, for example because it was renewed."""

    code = "certificate_revoked"
    sentence = "この電子証明書は失効しています。新しいカードを使うか、市の窓口で相談してください。"


class CertificateExpired(NationError):
    """The certificate's own time is over or not begun."""

    code = "certificate_expired"
    sentence = "電子証明書の有効期間の外です。市の窓口で電子証明書を更新してください。"


class CertificateNotYetEffective(NationError):
    """The certificate is new and this service does not know it yet; `effective_at` says when it will."""

    code = "certificate_not_yet_effective"

    def __init__(self, effective_at: datetime) -> None:
        super().__init__(effective_at.isoformat())
        self.effective_at = effective_at

    @property
    def sentence(self) -> str:  # type: ignore[override]  # the base holds a plain text, here it names the hour
        """Says from when on it will work."""
        return (
            "電子証明書が新しくなったばかりで、まだ使えません。"
            f"{self.effective_at:%Y年%m月%d日 %H時%M分}より後に、もう一度来てください。今日はログアウトします。"
        )


class CertificateStatusDown(NationError):
    """The certificate status service does not answer: nothing is accepted."""

    code = "certificate_status_down"
    sentence = "電子証明書を確認できません。手続きを中断して、ログアウトしてください。"


class RequestUnknown(NationError):
    """The desk has no such request (for example because it was lost)."""

    code = "request_unknown"
    sentence = "その依頼は届いていません。控えを確かめて、もう一度依頼してください。"


class RequestClosed(NationError):
    """The request is done or refused: it cannot be acted on again."""

    code = "request_closed"
    sentence = "この依頼は、もう終わっています。結果を確かめてください。"


class PersonUnknown(NationError):
    """Nobody of that id is enrolled."""

    code = "person_unknown"
    sentence = "その人は見つかりません。入力を確かめてください。"


class HistoryEntryUnknown(NationError):
    """The person's account history has no such entry."""

    code = "history_entry_unknown"
    sentence = "その番号の履歴はありません。本人のページで番号を確かめてください。"


class HistoryEntryInUse(NationError):
    """The entry is the account registered now: it is changed or deleted first."""

    code = "history_entry_in_use"
    sentence = "いま登録されている口座の履歴は削除できません。先に口座を訂正してください。"
