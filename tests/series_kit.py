"""Writes small CT series for tests, with HU known at every patient point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

ROWS, COLUMNS, SLICES = 20, 24, 12
SPACING = (0.8, 0.5)
STEP = 2.0
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
ORIGIN = (-7.0, 11.0, 30.0)


def known_hu(points: np.ndarray) -> np.ndarray:
    """HU at (..., 3) LPS mm: linear and different along each axis."""
    x, y, z = np.moveaxis(np.asarray(points, float), -1, 0)
    return 20 * x + 10 * y + 8 * z - 900


def pixel_points(dataset: Dataset) -> np.ndarray:
    """(rows, columns, 3) LPS mm by PS3.3 C.7.6.2.1.1, straight from the tags."""
    position = np.asarray(dataset.ImagePositionPatient, float)
    orientation = np.asarray(dataset.ImageOrientationPatient, float)
    between_rows, between_columns = (float(v) for v in dataset.PixelSpacing)
    j, i = np.meshgrid(np.arange(dataset.Rows), np.arange(dataset.Columns), indexing="ij")
    return (
        position
        + i[..., None] * between_columns * orientation[:3]
        + j[..., None] * between_rows * orientation[3:]
    )


def make_slice(position: Sequence[float], number: int = 1, **changes: Any) -> Dataset:
    """One CT slice as a dataset; a change of None removes the attribute."""
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


def stored_of(ds: Dataset, hu: np.ndarray) -> np.ndarray:
    """(rows, columns) stored values of HU by the rescale of a dataset."""
    slope = float(ds.get("RescaleSlope", 1))
    stored = np.rint((hu - float(ds.get("RescaleIntercept", 0))) / slope)
    return stored.astype(np.int16 if ds.PixelRepresentation else np.uint16)


def positions(
    count: int = SLICES,
    step: float = STEP,
    orientation: Sequence[float] = AXIAL,
    origin: Sequence[float] = ORIGIN,
) -> list[np.ndarray]:
    normal = np.cross(orientation[:3], orientation[3:])
    return [np.asarray(origin, float) + k * step * normal for k in range(count)]


def save(ds: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def write_series(
    folder: Path,
    places: Sequence[Sequence[float]] | None = None,
    change: Callable[[int, dict[str, Any]], None] | None = None,
    **changes: Any,
) -> list[Path]:
    """Write one slice at each place; `change` edits the attributes of slice n."""
    files = []
    for n, place in enumerate(positions() if places is None else places):
        attributes = dict(changes)
        if change is not None:
            change(n, attributes)
        ds = make_slice(place, n + 1, **attributes)
        files.append(save(ds, folder / f"slice{n:03d}.dcm"))
    return files


def expected_hu(volume: Any) -> np.ndarray:
    """Known HU at the patient point that a volume claims for each voxel."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in volume.shape), indexing="ij"), -1)
    return known_hu(volume.geometry.to_patient(index))
