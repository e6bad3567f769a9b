"""Named errors of the reports; each says what the person at the machine does next."""

from madoguchi.inspection.errors import InspectionError


class ReportError(InspectionError):
    """Base of all errors here."""

    code = "report"
    sentence = "報告書を作れません。"


class FontMissing(ReportError):
    """No Japanese font: the PDF would show empty boxes in place of names."""

    code = "font_missing"
    sentence = "日本語の書体がありません。Debianのパッケージ fonts-noto-cjk を入れてから、もう一度実行してください。"


class FindingsUnreadable(ReportError):
    """The findings are no Parquet file."""

    code = "findings_unreadable"
    sentence = "確認リストのファイルを読めません。点検をもう一度実行してください。"
