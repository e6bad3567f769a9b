"""Named refusals of the log. `sentence` says in Japanese what the person does next."""

from madoguchi.server.errors import OfficeError


class LogBroken(OfficeError):
    """What is stored does not lead to the newest checkpoint: nothing more is signed."""

    sentence = (
        "保存されている記録が、署名済みのチェックポイントと合いません。記録が変えられたおそれがあります。"
        "チェックポイントの発行を止めました。市の担当者と監査担当に知らせてください。"
    )
    status = 500


class LogOfAnotherKey(LogBroken):
    """The newest checkpoint was signed by another key, or for a log of another name."""

    sentence = (
        "最後のチェックポイントは、いまの鍵で署名されたものではありません。鍵のファイルが入れ替わったおそれがあります。"
        "チェックポイントの発行を止めました。市の担当者に知らせ、鍵のファイルを控えから戻してください。"
    )


class LogEmpty(OfficeError):
    """There is no checkpoint yet, or none of this size."""

    sentence = "その件数のチェックポイントはありません。一覧から選び直してください。"
    status = 404


class WriterClosed(OfficeError):
    """The office is being stopped: nothing more is written."""

    sentence = "サーバーが終了しているため、記録していません。少し待ってから、もう一度お試しください。"
    status = 503


class EntryTooLong(OfficeError):
    """A statement that no bundle could hold. Nothing was written."""

    sentence = "一度に書ける量を超えています。件数や期間を分けて、もう一度お試しください。"
    status = 413
