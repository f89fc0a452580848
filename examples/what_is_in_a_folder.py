"""List every stack under a path and why the others are left out.

python examples/what_is_in_a_folder.py [PATH]; without a path, a phantom is written first.
"""

import sys
import tempfile
from pathlib import Path

import hounsview as hv

path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "series"
if not path.exists():
    hv.write_dicom(hv.phantom("hu-rods", spacing=(8, 4, 4)), path)
    (path / "notes.txt").write_text("not a slice")

for series in hv.scan(path).series:
    print(series.number, series.kind, series.shape, series.spacing, series.report.status)
    for finding in series.report.findings:
        print(f"   {finding.severity}: {finding}")
