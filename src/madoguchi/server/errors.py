"""Named refusals of the office. `sentence` says in Japanese what the person does next; `status` is the HTTP answer."""


class OfficeError(Exception):
    """Base of every refusal here; `code` is the class name and is what the device API returns as `reason`."""

    sentence = "処理できませんでした。画面を読み直してから、もう一度お試しください。"
    status = 409
    tag = ""
    """A word or two for a label on the board, where the sentence does not fit."""

    def __init__(self, detail: str = "", *, sentence: str | None = None) -> None:
        super().__init__(detail or type(self).__name__)
        if sentence is not None:
            self.sentence = sentence

    @property
    def code(self) -> str:
        """The class name."""
        return type(self).__name__


class NotYours(OfficeError):
    """The thing belongs to another site: for this person it does not exist."""

    sentence = "見つかりませんでした。自分の拠点の画面から開き直してください。"
    status = 404


class Forbidden(OfficeError):
    """The role does not hold the permission."""

    sentence = "この操作をする権限がありません。担当の人に頼んでください。"
    status = 403


class TerminalBusy(OfficeError):
    """A visit that is not closed still holds the terminal (I1, I4)."""

    sentence = "この端末は前の方の対応が終わっていません。ログアウト確認まで終えてから呼んでください。"


class TerminalQuarantined(OfficeError):
    """The last wipe could not be proven."""

    sentence = "この端末は消去を証明できず、使用停止中です。市職員に知らせ、別の端末で呼んでください。"
    tag = "使用停止"


class TerminalOutOfService(OfficeError):
    """An officer has taken the terminal out of service."""

    sentence = "この端末は使わない設定になっています。別の端末で呼んでください。"
    tag = "使わない設定"


class TerminalNotReady(OfficeError):
    """The terminal is silent or not locked: nobody knows that it is empty."""

    sentence = "この端末はまだ用意ができていません。「ロック中」になるまで待つか、別の端末で呼んでください。"


class TerminalNotEnrolled(TerminalNotReady):
    """No machine is enrolled as this terminal."""

    sentence = "この端末は登録されていません。市職員に端末の登録を頼んでください。"
    tag = "未登録"


class TerminalSilent(TerminalNotReady):
    """No word from the terminal within the heartbeat limit."""

    sentence = "この端末から連絡がありません。電源と通信を確かめるか、別の端末で呼んでください。"
    tag = "連絡なし"


class TerminalInTraining(TerminalNotReady):
    """The terminal runs without a real box or reader, at a site that serves citizens."""

    sentence = "この端末は訓練用に動いています。市民の対応には使えません。別の端末で呼び、市職員に知らせてください。"
    tag = "訓練用に動作中"


class TerminalStillSpeaks(OfficeError):
    """A machine that still answers has not been taken away."""

    sentence = (
        "この端末からは連絡が届いています。先に「端末に終了を指示する」を使い、止まらないときは電源を切ってください。"
    )


class MovedOn(OfficeError):
    """Somebody else acted on the same visit at the same moment."""

    sentence = "同時に別の操作がありました。何も変えていません。画面を読み直してから、もう一度お試しください。"


class TicketTaken(OfficeError):
    """Somebody else called, withdrew or served this ticket first."""

    sentence = "この番号はもう別の係員が呼んだか、取りやめになりました。一覧を確かめて、次の番号を呼んでください。"


class OtherSite(OfficeError):
    """Ticket and terminal stand at different sites."""

    sentence = "受付番号と端末の拠点が違います。同じ拠点の端末を選んでください。"


class ProcedureNotOffered(OfficeError):
    """The procedure is not offered on this day."""

    sentence = "この手続は、いま受け付けていません。受付期間を確かめてください。"


class NothingToClear(OfficeError):
    """The terminal is not quarantined."""

    sentence = "この端末は使用停止になっていません。画面を読み直してください。"


class SameStaffTwice(OfficeError):
    """A spoken confirmation needs a second person of the counter."""

    sentence = "口頭の確認には、別の係員のログイン名とパスワードが必要です。もう1人の係員に入力してもらってください。"


class EnrolmentUnknown(OfficeError):
    """No such enrolment code."""

    sentence = "登録コードが違います。サーバーの画面のコードを確かめて、入れ直してください。"
    status = 404


class EnrolmentExpired(OfficeError):
    """The enrolment code is too old."""

    sentence = "登録コードの期限が切れました。市職員に新しいコードを出してもらってください。"


class EnrolmentUsed(OfficeError):
    """The enrolment code was used before."""

    sentence = "この登録コードは使われています。心当たりがなければ、すぐに市職員へ知らせてください。"


class TokenUnknown(OfficeError):
    """No token, or none that was ever given out."""

    sentence = "この端末の鍵が正しくありません。市職員に端末の登録をやり直してもらってください。"
    status = 401


class TokenRevoked(OfficeError):
    """The device was revoked, or the token was replaced by a newer one."""

    sentence = "この端末の登録は取り消されています。端末を使わず、市職員に知らせてください。"
    status = 401


class ForeignMessage(OfficeError):
    """The message names another terminal than the one that sent it."""

    sentence = "別の端末の名前の連絡です。何も変わりません。市職員に知らせてください。"


class MessageIdReused(OfficeError):
    """A message number that was used before, with other content."""

    sentence = "同じ番号で内容の違う連絡です。何も変わりません。市職員に知らせてください。"


class VisitUnknown(OfficeError):
    """The message names a visit that does not exist."""

    sentence = "知らない受付への連絡です。何も変わりません。端末の画面を確かめてください。"


class ClockFarOff(OfficeError):
    """The terminal's clock is far from the server's: a card may not be bound on wrong times."""

    sentence = "端末の時計が大きくずれています。端末の時刻を合わせてから、もう一度カードを置いてください。"


class RuleBroken(OfficeError):
    """The database refused: a rule below the program caught what the program let through."""

    sentence = "記録の決まりに合わないため、何も変えませんでした。市職員に知らせてください。"


class OldMachineUnclear(OfficeError):
    """A visit stands on the terminal: a new machine cannot prove that the old one is empty."""

    sentence = "前の方の対応が終わっていません。前の機械の電源が切れていることを確かめ、確認欄に印を付けてください。"


class MalformedRequest(OfficeError):
    """A call of the device API is not of the agreed form."""

    sentence = "端末からの連絡を読み取れません。端末のソフトの版を確かめ、市職員に知らせてください。"
    status = 400


class SecondStaffUnknown(OfficeError):
    """The second member of staff of a spoken confirmation could not be identified."""

    sentence = "もう1人の係員のログイン名かパスワードが違います。もう一度入力してもらってください。"
