"""`write_dicom`: a volume as a CT series that any DICOM reader understands."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import GeometryError
from hounsview.scanning import Progress, tell
from hounsview.volume import Validity, Volume
from hounsview.writing import atomic_folder

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

_PADDING_STORED: Final = -32768
_LOWEST_STORED, _HIGHEST_STORED = -32767, 32767


def write_dicom(
    volume: Volume, folder: str | os.PathLike[str], *, progress: Progress | None = None
) -> list[Path]:
    """Write a volume as a CT series, one explicit little endian file a slice.

    int16 HU are stored as they are (slope 1, intercept 0) and come back exactly; float32
    HU get a slope that spreads their range over 16 bits and come back within half of it.
    PADDING is stored as a PixelPaddingValue outside the range of HU. The patient is
    anonymous. The series is complete in its folder or not there at all.

    Parameters
    ----------
    volume : Volume
        Of unit "HU".
    folder : path-like
        New, or empty.
    progress : callable, optional
        ``progress(done, total, what)``; returning False cancels.

    Returns
    -------
    list of Path
        In the order of the slices along the normal.

    Raises
    ------
    NotHounsfieldError
        If the unit is not HU.
    GeometryError
        If the axes of the volume do not stand at right angles.
    WriteError
        If the folder holds something, or cannot be written.
    CancelledError
        If `progress` returned False.
    """
    volume.require_hu("a CT series")
    if not volume.geometry.is_orthogonal:
        msg = (
            "the axes of the volume do not stand at right angles, which a CT series cannot "
            "say: resample it onto an orthogonal geometry first (Volume.resample_onto)"
        )
        raise GeometryError(msg)
    target = Path(folder)
    right_handed = _rising_along_the_normal(volume)
    series = _series_attributes(right_handed)
    total = right_handed.shape[0]
    names = [f"slice{k + 1:04d}.dcm" for k in range(total)]
    with atomic_folder(target) as temporary:
        for k, name in enumerate(names):
            tell(progress, k, total, f"writing {name}")
            _save(_slice_dataset(right_handed, series, k), temporary / name)
        tell(progress, total, total, "written")
    return [target / name for name in names]


def _rising_along_the_normal(volume: Volume) -> Volume:
    """Return the volume with k along row x column, the only order that slices can say."""
    k, j, i = volume.geometry.direction.T
    return volume if np.cross(i, j) @ k > 0 else volume.flip(0)


def _series_attributes(volume: Volume) -> Dataset:
    """Return what all slices share."""
    from pydicom.dataset import Dataset
    from pydicom.uid import CTImageStorage, generate_uid

    series = Dataset()
    now = datetime.now(UTC)
    series.SOPClassUID = CTImageStorage
    series.StudyInstanceUID, series.SeriesInstanceUID = generate_uid(), generate_uid()
    series.FrameOfReferenceUID = generate_uid()
    series.PatientName, series.PatientID = "Anonymous^", "hounsview"
    series.PatientBirthDate, series.PatientSex = "", "O"
    series.StudyDate = series.SeriesDate = series.ContentDate = now.strftime("%Y%m%d")
    series.StudyTime = series.SeriesTime = series.ContentTime = now.strftime("%H%M%S")
    series.AcquisitionDate, series.AcquisitionTime = series.StudyDate, series.StudyTime
    series.StudyID, series.AccessionNumber, series.ReferringPhysicianName = "1", "", ""
    series.Modality, series.Manufacturer = "CT", "hounsview"
    series.SeriesNumber, series.AcquisitionNumber = 1, 1
    series.SeriesDescription = volume.attributes.get("SeriesDescription", "")[:64]
    series.PositionReferenceIndicator, series.Laterality = "", ""
    series.PatientPosition = volume.attributes.get("PatientPosition", "HFS")
    made = _was_made(volume)
    series.ImageType = ["DERIVED" if made else "ORIGINAL", "PRIMARY", "AXIAL"]
    if made:
        series.DerivationDescription = "Slices were filled or resampled by a repair"
    series.KVP = volume.attributes.get("KVP", "")
    _add_pixel_attributes(series, volume)
    return series


def _was_made(volume: Volume) -> bool:
    made = np.uint8(Validity.FILLED | Validity.RESAMPLED)
    return volume.valid is not None and bool((volume.valid & made).any())


def _add_pixel_attributes(series: Dataset, volume: Volume) -> None:
    slope, intercept = _rescale(volume)
    spacing = volume.geometry.spacing
    series.SamplesPerPixel, series.PhotometricInterpretation = 1, "MONOCHROME2"
    series.Rows, series.Columns = volume.shape[1:]
    series.BitsAllocated, series.BitsStored, series.HighBit = 16, 16, 15
    series.PixelRepresentation = 1
    series.PixelSpacing = [_decimal(spacing[1]), _decimal(spacing[2])]
    series.SliceThickness = _decimal(spacing[0])
    _, j, i = volume.geometry.direction.T
    series.ImageOrientationPatient = [_decimal(x) for x in (*i, *j)]
    series.RescaleSlope, series.RescaleIntercept = _decimal(slope), _decimal(intercept)
    series.RescaleType = "HU"
    series.WindowCenter, series.WindowWidth = 40, 400
    if _has_padding(volume):
        series.add_new(0x00280120, "SS", _PADDING_STORED)


def _has_padding(volume: Volume) -> bool:
    return volume.valid is not None and bool((volume.valid & np.uint8(Validity.PADDING)).any())


def _rescale(volume: Volume) -> tuple[float, float]:
    """Return slope and intercept that hold the whole range in 16 signed bits."""
    measured = volume.hu[volume.measured()] if _has_padding(volume) else volume.hu
    low, high = float(measured.min(initial=0)), float(measured.max(initial=0))
    if np.issubdtype(volume.hu.dtype, np.integer):
        # The lowest stored value is kept for padding: -32768 HU moves up by one.
        taken = low < _LOWEST_STORED and _has_padding(volume)
        return 1.0, -1.0 if taken else 0.0
    # One HU more, as the intercept is whole; rounded up to 6 digits, as it will be written.
    exact = max((high - low + 1) / (_HIGHEST_STORED - _LOWEST_STORED), 1e-6)
    digits = 10 ** (np.floor(np.log10(exact)) - 5)
    slope = float(np.ceil(exact / digits) * digits)
    return float(_decimal(slope)), float(np.rint((low + high) / 2))


def _decimal(number: float) -> str:
    """Return a number as a decimal string of at most 16 bytes (PS3.5 6.2, DS)."""
    for precision in range(16, 0, -1):
        text = f"{float(number):.{precision}g}"
        if len(text) <= 16:
            return text
    return "0"


def _slice_dataset(volume: Volume, series: Dataset, k: int) -> FileDataset:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds: Any = FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    ds.update(series)
    ds.SOPInstanceUID = generate_uid()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        ds.SOPClassUID,
        ds.SOPInstanceUID,
    )
    ds.InstanceNumber = k + 1
    position = volume.geometry.to_patient([k, 0, 0])
    ds.ImagePositionPatient = [_decimal(x) for x in position]
    ds.PixelData = _stored(
        volume, k, float(ds.RescaleSlope), float(ds.RescaleIntercept)
    ).tobytes()
    dataset: FileDataset = ds
    return dataset


def _save(dataset: Any, path: Path) -> None:
    import pydicom

    if int(pydicom.__version_info__[0]) >= 3:
        dataset.save_as(path, enforce_file_format=True)
        return
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    dataset.save_as(path, write_like_original=False)


def _stored(volume: Volume, k: int, slope: float, intercept: float) -> npt.NDArray[np.int16]:
    """Return the (rows, columns) stored values of one slice."""
    steps = np.rint((volume.hu[k].astype(np.float64) - intercept) / slope)
    stored: npt.NDArray[np.int16] = np.clip(steps, _PADDING_STORED, _HIGHEST_STORED).astype(
        "<i2"
    )
    if volume.valid is not None:
        stored[(volume.valid[k] & Validity.PADDING) > 0] = _PADDING_STORED
    return stored
