"""Small CT slices whose HU are known at every patient point, and files made of them.

What no reader can know is written into the pixels: the HU of a voxel follow from where it
lies in the patient, so a reader that puts a slice, a row or a column elsewhere shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

Floats = npt.NDArray[np.float64]
Change = Callable[[int, dict[str, Any]], None]

ROWS: Final = 20
COLUMNS: Final = 24
SLICES: Final = 12
SPACING: Final = (0.8, 0.5)
"""Between rows and between columns, mm."""
STEP: Final = 2.0
"""From slice to slice, mm."""
AXIAL: Final = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
ORIGIN: Final = (-7.0, 11.0, 30.0)
"""Patient point of the first pixel of the first slice, LPS mm."""


def known_hu(points: npt.ArrayLike) -> Floats:
    """Return the true HU of every trap at patient points.

    Parameters
    ----------
    points : (..., 3) float
        LPS mm.

    Returns
    -------
    (...) float64
        HU, not rounded: linear, and with another slope along each axis.

    Examples
    --------
    >>> float(known_hu([-7.0, 11.0, 30.0]))
    -690.0
    """
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    hu: Floats = 20 * x + 10 * y + 8 * z - 900
    return hu


def pixel_points(dataset: Dataset) -> Floats:
    """Return the (rows, columns, 3) LPS mm of pixels, by PS3.3 C.7.6.2.1.1 from the tags."""
    position = np.asarray(dataset.ImagePositionPatient, float)
    orientation = np.asarray(dataset.ImageOrientationPatient, float)
    between_rows, between_columns = (float(v) for v in dataset.PixelSpacing)
    j, i = np.meshgrid(np.arange(dataset.Rows), np.arange(dataset.Columns), indexing="ij")
    points: Floats = (
        position
        + i[..., None] * between_columns * orientation[:3]
        + j[..., None] * between_rows * orientation[3:]
    )
    return points


def make_slice(position: Sequence[float] | Floats, number: int = 1, **changes: Any) -> Dataset:
    """Return one CT slice as a dataset.

    Parameters
    ----------
    position : (x, y, z) float, LPS mm
        Of its first pixel.
    number : int
        Its InstanceNumber.
    **changes
        Attributes by keyword; None removes one. The pixels hold `known_hu` by the changed
        geometry and rescale, unless PixelData is among the changes.
    """
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    ds.FrameOfReferenceUID, ds.PatientID = "1.2.3.5", "test"
    ds.Modality, ds.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SeriesNumber, ds.InstanceNumber, ds.AcquisitionNumber = 1, number, 1
    ds.Rows, ds.Columns, ds.SamplesPerPixel = ROWS, COLUMNS, 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.PixelSpacing, ds.SliceThickness = list(SPACING), STEP
    ds.ImagePositionPatient, ds.ImageOrientationPatient = list(position), list(AXIAL)
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, 0, "HU"
    for keyword, value in changes.items():
        if value is not None:
            setattr(ds, keyword, value)
    if "PixelData" not in changes:
        ds.PixelData = stored_of(ds, known_hu(pixel_points(ds))).tobytes()
    for keyword, value in changes.items():
        if value is None and keyword in ds:
            delattr(ds, keyword)
    return ds


def stored_of(ds: Dataset, hu: Floats) -> npt.NDArray[Any]:
    """Return the (rows, columns) stored values of HU by the rescale of a dataset."""
    slope = float(ds.get("RescaleSlope", 1))
    stored = np.rint((hu - float(ds.get("RescaleIntercept", 0))) / slope)
    return stored.astype(np.int16 if ds.PixelRepresentation else np.uint16)


def known_stored(n: int, intercept: int = 0) -> npt.NDArray[np.int64]:
    """Return the (rows, columns) whole HU of axial slice `n` less an intercept."""
    hu = known_hu(pixel_points(make_slice(positions()[n])))
    return np.rint(hu).astype(np.int64) - intercept


def positions(
    count: int = SLICES,
    step: float = STEP,
    orientation: Sequence[float] = AXIAL,
    origin: Sequence[float] = ORIGIN,
) -> list[Floats]:
    """Return evenly spaced patient points (LPS mm) along the normal, one for each slice."""
    normal = np.cross(orientation[:3], orientation[3:])
    return [np.asarray(origin, np.float64) + k * step * normal for k in range(count)]


def save(ds: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write a dataset as a DICOM file of a transfer syntax, and return its path."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def write_series(
    folder: Path,
    places: Sequence[Sequence[float] | Floats] | None = None,
    change: Change | None = None,
    **changes: Any,
) -> list[Path]:
    """Write one slice at each place, and return the files.

    Parameters
    ----------
    folder : Path
    places : sequence of (x, y, z) float, LPS mm
        `positions` when left out.
    change : callable
        ``change(n, attributes)`` edits the attributes of slice n, from 0.
    **changes
        Attributes of every slice, as for `make_slice`.
    """
    files = []
    for n, place in enumerate(positions() if places is None else places):
        attributes = dict(changes)
        if change is not None:
            change(n, attributes)
        ds = make_slice(place, n + 1, **attributes)
        files.append(save(ds, folder / f"slice{n:03d}.dcm"))
    return files


def per_slice(**tags: Callable[[int], Any]) -> Change:
    """Return a change that gives slice n the value of each function at n."""

    def change(n: int, attributes: dict[str, Any]) -> None:
        for keyword, value in tags.items():
            attributes[keyword] = value(n)

    return change
