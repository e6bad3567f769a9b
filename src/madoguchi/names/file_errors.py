"""Named errors of scoring tables and files; each says what the person at the machine does next."""

from madoguchi.names.errors import NamesError


class ColumnsMissing(NamesError):
    """The table lacks a column that is needed; its arguments are the names of those."""

    code = "columns_missing"
    sentence = "必要な列がありません。列の名前を id, kanji, kana にしてください。"


class ColumnsTaken(NamesError):
    """The table already has a column that scoring would add, or the same name twice; its arguments are those names."""

    code = "columns_taken"
    sentence = "結果の列と同じ名前の列が入力にあるか、同じ名前の列が2つあります。入力の列の名前を変えてください。"


class ColumnNotText(NamesError):
    """A name column holds something that cannot be written as text (lists, structures)."""

    code = "column_not_text"
    sentence = "氏名などの列が文字の列ではありません。文字の列にしてください。"


class InputUnreadable(NamesError):
    """The input cannot be opened or is not what its name says."""

    code = "input_unreadable"
    sentence = "入力ファイルを読めません。ファイルの場所、権限、形式を確認してください。"


class FormatUnknown(NamesError):
    """Input and output are not both CSV or both Parquet."""

    code = "format_unknown"
    sentence = "入力と出力は、どちらも .csv か、どちらも .parquet にしてください。"


class EncodingWrong(NamesError):
    """The CSV is not written in the encoding it was said to have."""

    code = "encoding_wrong"
    sentence = "CSVの文字コードが指定と違います。「--encoding」に utf-8 か cp932（Shift_JIS）を指定してください。"


class LineMalformed(NamesError):
    """A line of the CSV does not have the header's columns, or its quotes do not end; its argument names the line."""

    code = "line_malformed"
    sentence = "CSVに正しくない行があります。その行の列の数と引用符を直してから、もう一度実行してください。"


class OutputExists(NamesError):
    """There is a file where the output would go."""

    code = "output_exists"
    sentence = "出力ファイルがすでにあります。上書きしてよければ「--overwrite」を付けてください。"


class OutputFailed(NamesError):
    """The output cannot be written where it was asked for."""

    code = "output_failed"
    sentence = "出力を書けません。出力先のフォルダーと権限を確認してください。"


class DiskFull(NamesError):
    """No room for the output."""

    code = "disk_full"
    sentence = "ディスクの空きが足りません。空きを作ってから同じコマンドを実行すると、続きから再開します。"


class InputChanged(NamesError):
    """The input was changed while it was read."""

    code = "input_changed"
    sentence = "処理中に入力ファイルが変わりました。書き込みが終わってから、もう一度実行してください。"


class AlreadyRunning(NamesError):
    """Another process is writing the same output."""

    code = "already_running"
    sentence = "同じ出力ファイルへの処理がすでに動いています。終わるまで待ってください。"
