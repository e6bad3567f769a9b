"""Writes both reports of an inspection into its folder."""

from collections.abc import Sequence
from pathlib import Path

from madoguchi.inspection.report.pdf import write_pdf
from madoguchi.inspection.report.xlsx import Extra, write_xlsx
from madoguchi.inspection.summary import Summary


def write(out: Path, findings: Path, summary: Summary, extra: Sequence[Extra] = ()) -> None:
    """Write `findings.xlsx` and `report.pdf` into `out`. `findings`: Parquet, in the order of rank.

    The spreadsheet first: a machine without a Japanese font still gets it. Raises `FindingsUnreadable`, `FontMissing`.
    """
    write_xlsx(out / "findings.xlsx", findings=findings, summary=summary, extra=extra)
    write_pdf(out / "report.pdf", findings=findings, summary=summary)
