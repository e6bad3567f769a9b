"""Named errors of the inspection of visits; each says what the person at the machine does next."""

from madoguchi.inspection.errors import InspectionError


class RecordsMissing(InspectionError):
    """There are no visit records where they were expected, or they are neither Parquet nor CSV."""

    code = "records_missing"
    sentence = "来庁の記録が見つからないか、読めません。Parquet か CSV(UTF-8 または Shift_JIS)を指定してください。"


class RecordColumnMissing(InspectionError):
    """A column without which no order of visits at a counter exists."""

    code = "record_column_missing"
    sentence = "来庁の記録に必要な列がありません。docs/inspection.md の列の一覧を見て、列を足してください。"


class RecordUnreadable(InspectionError):
    """A value that means nothing here; guessing could hide a case."""

    code = "record_unreadable"
    sentence = "来庁の記録に読めない値があります。下の行と列を直してから、もう一度実行してください。"


class VisitTwice(InspectionError):
    """The same visit stands twice in the records."""

    code = "visit_twice"
    sentence = "同じ来庁番号が二度あります。重なりを消してから、もう一度実行してください。"
