"""Named errors of the protocol. `sentence` is shown on screens: it says what the person does next."""


class ProtocolError(Exception):
    """Base of every refusal by the rules; `code` is the name kept in records."""

    sentence = "処理できませんでした。画面を読み直してから、もう一度お試しください。"

    @property
    def code(self) -> str:
        """The class name: stable, and what the API returns as the reason."""
        return type(self).__name__


class IllegalTransition(ProtocolError):
    """The table has no row for this state and event."""

    sentence = "いまの状態ではこの操作はできません。画面を読み直して、状態を確かめてください。"


class NotAllowed(ProtocolError):
    """The table has the row, but not for this role."""

    sentence = "この操作をする権限がありません。担当の人に頼んでください。"


class MissingEvidence(ProtocolError):
    """The event lacks a field that the row demands."""

    sentence = "必要な記録がそろっていません。入力を確かめて、もう一度お試しください。"


class StaleLease(ProtocolError):
    """The event carries a lease that is no longer the terminal's: it changes nothing and is kept as evidence."""

    sentence = "この連絡は前の対応のものです。何も変わりません。端末の画面を確かめてください。"


class MalformedMessage(ProtocolError):
    """A device message or an answer to it is not of the agreed form."""

    sentence = "端末からの連絡を読み取れません。端末のソフトの版を確かめ、職員に知らせてください。"
