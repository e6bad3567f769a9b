"""What a person reads of an inspection: `findings.xlsx` and `report.pdf`."""

from madoguchi.inspection.report.write import write

__all__ = ["write"]
