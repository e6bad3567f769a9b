"""Named errors of the replay."""


class ReplayError(Exception):
    """Base; `sentence` says what to do."""

    sentence = "再現を続けられません。表示された理由を確かめてください。"

    @property
    def code(self) -> str:
        """The class name."""
        return type(self).__name__


class MalformedScenario(ReplayError):
    """The scenario file is not of the agreed form; the message names the place."""

    sentence = "シナリオのファイルを読めません。示された箇所を直してください。"


class NothingOnScreen(ReplayError):
    """A person wants to act, but there is no page they could act on."""

    sentence = "端末に操作できる画面がありません。"


class PageUnlike(ReplayError):
    """The page that stands is not one on which the step can be done."""

    sentence = "画面がシナリオの操作と合いません。サイトの版とシナリオを確かめてください。"
