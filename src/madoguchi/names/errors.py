"""Named errors of name matching; each says what the person at the machine does next."""


class NamesError(Exception):
    """Base of all errors here."""

    code = "names"
    sentence = "氏名照合を続けられません。"


class TablesMissing(NamesError):
    """There is no table file where one was expected."""

    code = "tables_missing"
    sentence = "氏名照合の表がありません。「madoguchi names build」で作成してください。"


class TablesDamaged(NamesError):
    """The table file is not what its header says."""

    code = "tables_damaged"
    sentence = "氏名照合の表がこわれています。「madoguchi names build」で作り直してください。"


class SourceMissing(NamesError):
    """A source of the tables cannot be found or read."""

    code = "source_missing"
    sentence = "表の元データが見つかりません。docs/names.md の手順で元データを用意してください。"
