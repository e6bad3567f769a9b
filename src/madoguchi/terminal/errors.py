"""Named errors of the terminal. `sentence` is shown on screens: it says what the person does next."""

import traceback
from pathlib import Path


class TerminalError(Exception):
    """Base of every refusal of the terminal room."""

    sentence: str = "端末で処理できませんでした。この端末を使わず、職員に知らせてください。"

    @property
    def code(self) -> str:
        """The class name: stable, kept in records."""
        return type(self).__name__


class BoxUnavailable(TerminalError):
    """No throw-away browser can be made here. `missing` names each thing that is lacking (Japanese, one line each)."""

    sentence = "この端末では安全な画面を作れないため、手続を始められません。職員に知らせてください。"

    def __init__(self, *missing: str) -> None:
        super().__init__(" / ".join(missing))
        self.missing = missing


class WipeUnproven(TerminalError):
    """The destruction of a box could not be proven; `failure` says which step (no personal data)."""

    sentence = "前の人の画面が消えたことを確かめられません。この端末を使わず、市の職員に知らせてください。"

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


class ConfigInvalid(TerminalError):
    """The configuration file is missing, unreadable, or has a wrong value; the message names it."""

    sentence = "端末の設定ファイルが正しくありません。設定を直してから、もう一度起動してください。"


class NotEnrolled(TerminalError):
    """There are no credentials in the state directory."""

    sentence = "この端末はまだ登録されていません。市の職員が発行した登録コードで登録してください。"


class DeviceFileUnsafe(TerminalError):
    """The device key file is readable by others, or not of the agreed form."""

    sentence = "端末の鍵ファイルが安全な状態ではありません。この端末を使わず、登録をやり直してください。"


class EnrolmentUnknown(TerminalError):
    """The server knows no such enrolment code."""

    sentence = "登録コードが正しくありません。発行されたコードを確かめて、入れ直してください。"


class EnrolmentExpired(TerminalError):
    """The enrolment code is too old."""

    sentence = "登録コードの期限が切れています。市の職員に新しいコードの発行を頼んでください。"


class EnrolmentUsed(TerminalError):
    """The enrolment code was used before."""

    sentence = "この登録コードは使用済みです。心当たりがないときは市の職員に知らせ、新しいコードを頼んでください。"


class EnrolmentRefused(TerminalError):
    """The server refused the enrolment for another reason."""

    sentence = "端末を登録できませんでした。市の職員に知らせてください。"


class TokenRevoked(TerminalError):
    """The server no longer accepts this terminal's token."""

    sentence = "この端末の登録は取り消されています。次の人を案内せず、市の職員に知らせてください。"


class ServerUnreachable(TerminalError):
    """No usable answer from the server. `sent` is False only when the request certainly never left."""

    sentence = "サーバーにつながりません。そのままお待ちください。続くときは係員に知らせてください。"

    def __init__(self, what: str, *, sent: bool = True) -> None:
        super().__init__(what)
        self.sent = sent


class ServerRefused(TerminalError):
    """The server answered with a named refusal; `reason` and `sentence` are the server's."""

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.sentence = sentence or TerminalError.sentence


class ClockFarOff(TerminalError):
    """The terminal's clock differs too much from the server's."""

    sentence = "端末の時計がずれています。職員に知らせて、時計を合わせてください。"


class AgentAlreadyRunning(TerminalError):
    """Another agent holds the state directory."""

    sentence = "この端末のソフトはすでに動いています。二重に起動しないでください。"


class JournalBroken(TerminalError):
    """The journal cannot be written: nothing may be opened, because nothing could be proven."""

    sentence = "端末の記録を書き込めません。この端末を使わず、職員に知らせてください。"


class ForeignHost(TerminalError):
    """The desk page was asked for under another host name (DNS rebinding)."""

    sentence = "この画面は、この端末の中からだけ開けます。"


class ForeignForm(TerminalError):
    """A form came without this agent's token: another page, or one from before a restart."""

    sentence = "画面が古くなっています。画面を読み直してから、もう一度お試しください。"


class RelayRefused(TerminalError):
    """The picture of a box is passed on only in training, without a display, while the visit is open."""

    sentence = "画面の中継は、訓練用の端末で手続中のときだけ使えます。"


class FormIncomplete(TerminalError):
    """A field of the confirmation form is missing or not of the agreed form; `field` names it."""

    sentence = "入力が足りません。選んだ確認の方法に必要な欄を、すべて入れてください。"

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class ClosedElsewhere(TerminalError):
    """The form is about a visit that is no longer confirmed here."""

    sentence = "この対応は、ほかの画面ですでに終わっています。この入力は記録されていません。係員に確かめてください。"


class AgentBusy(TerminalError):
    """The agent did not answer in time; nothing is known to be lost, the same form can be sent again."""

    sentence = "端末が応答しません。入力はそのままです。少し待って、もう一度押してください。"


def place_of(error: BaseException) -> str:
    """What and where, without the message: an unforeseen error's text may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
