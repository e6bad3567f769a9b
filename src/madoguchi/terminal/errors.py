"""Named errors of the terminal. `sentence` is shown on screens: it says what the person does next."""


class TerminalError(Exception):
    """Base of every refusal of the terminal room."""

    sentence = "端末で処理できませんでした。この端末を使わず、職員に知らせてください。"

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
