"""Measure rods of known HU in a phantom that went through DICOM files and back."""

import tempfile
from pathlib import Path

import hounsview as hv

phantom = hv.phantom("hu-rods", spacing=(4, 1, 1))
with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary) / "series"
    hv.write_dicom(phantom, folder)
    volume = hv.load(folder)

print(volume)
print(volume.report)
middle = volume.geometry.centre
k, j, i = (round(float(n)) for n in volume.geometry.to_index(middle))
print(f"in the middle of the water: {volume.hu[k, j, i]} HU at {middle.round(1)} mm (LPS)")
