"""What a person reads of an inspection: `findings.xlsx` and `report.pdf`."""

from madoguchi.inspection.report.pdf import check_fonts
from madoguchi.inspection.report.write import write
from madoguchi.inspection.report.xlsx import Extra

__all__ = ["Extra", "check_fonts", "write"]
