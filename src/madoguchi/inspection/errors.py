"""Named errors of inspections; each says what the person at the machine does next."""


class InspectionError(Exception):
    """Base of all errors here."""

    code = "inspection"
    sentence = "点検を続けられません。"


class RegisterMissing(InspectionError):
    """There is no register where one was expected, or it cannot be read as Parquet or CSV."""

    code = "register_missing"
    sentence = "登録データが見つからないか、読めません。Parquet か CSV(UTF-8)のファイルを指定してください。"


class ColumnMissing(InspectionError):
    """A column the plan needs is not there."""

    code = "column_missing"
    sentence = "登録データに必要な列がありません。docs/inspection.md の列の一覧を見て、列を足してください。"


class ColumnType(InspectionError):
    """A column has another type than documented, or a value that cannot be read as it."""

    code = "column_type"
    sentence = "登録データの列の型が違います。docs/inspection.md の列の一覧を見て、直してください。"


class ColumnTaken(InspectionError):
    """An extra column has the name of a column the inspection adds."""

    code = "column_taken"
    sentence = "点検が付け足す列と同じ名前の列があります。その列の名前を変えてください。"


class OutputTaken(InspectionError):
    """The folder for results already holds results."""

    code = "output_taken"
    sentence = "出力先に前の結果があります。別のフォルダを指定してください。"


class EngineFailed(InspectionError):
    """The engine stopped: damaged data, no room on the disk, too little memory."""

    code = "engine_failed"
    sentence = (
        "処理の途中で止まりました。登録データのファイル、ディスクの空き、メモリを確かめて、もう一度実行してください。"
    )


class EngineMissing(InspectionError):
    """The engine asked for is not installed on this machine."""

    code = "engine_missing"
    sentence = "指定した処理エンジンが使えません。docs/inspection.md の「インストール」を見てください。"
