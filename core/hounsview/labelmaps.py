"""Label maps as files: an image on the volume's grid, or a DICOM SEG beside its series."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.anatomy import CODES
from hounsview.errors import ArgumentError, WriteError
from hounsview.export import checked_target, write
from hounsview.volume import Volume
from hounsview.writing import atomic_file

UNIT: Final = "labels"
_SEG_ENDING: Final = ".dcm"
_MAKER: Final = "hounsview"


def check_target(path: Path) -> None:
    """Refuse before any work what `write_labels` could not write.

    Raises
    ------
    ArgumentError
        If the ending is not known, or a SEG is wanted and highdicom is not there.
    WriteError
        If the folder is missing.
    """
    if path.suffix.lower() != _SEG_ENDING:
        if not checked_target(path):
            msg = f"{path}: a label map is a file; name one such as labels.nii.gz or seg.dcm"
            raise ArgumentError(msg)
        return
    if not path.parent.is_dir():
        msg = f"{path.parent}: no such folder to write {path.name} into"
        raise WriteError(msg, files=[path])
    _highdicom()


def write_labels(
    volume: Volume, labels: npt.NDArray[np.uint8], names: Mapping[int, str], path: Path
) -> list[Path]:
    """Write a label map of a volume.

    Parameters
    ----------
    volume : Volume
    labels : (k, j, i) uint8
        On the volume's grid; 0 is nothing.
    names : mapping of int to str
        What each value is; goes into the report beside an image, or into the SEG.
    path : Path
        As `hounsview.write` takes it for an image, or ``.dcm`` for a DICOM SEG, which belongs
        to the study of the volume and names the patient as its slices do.

    Returns
    -------
    list of Path

    Raises
    ------
    ArgumentError
        If shapes differ, a value has no name, or the ending is not known; for a SEG also if
        the volume did not come from DICOM slices as they were scanned.
    WriteError
        If it cannot be written.
    """
    check_target(path)
    if labels.shape != volume.shape:
        msg = f"labels of shape {labels.shape} do not fit a volume of shape {volume.shape}"
        raise ArgumentError(msg)
    unnamed = sorted({int(value) for value in np.unique(labels)} - {0, *names})
    if unnamed:
        msg = f"the label map holds {unnamed}, and no name was given for that"
        raise ArgumentError(msg)
    if path.suffix.lower() == _SEG_ENDING:
        return [_write_seg(volume, labels, names, path)]
    told = {f"label {value}": name for value, name in names.items()}
    image = replace(
        volume, hu=labels.astype(np.int16), valid=None, unit=UNIT,
        attributes={**volume.attributes, **told},
    )  # fmt: skip
    return write(image, path)


def _highdicom() -> Any:
    try:
        import highdicom
    except ImportError as error:
        msg = "a DICOM SEG needs highdicom: install hounsview[seg], or write x.nii.gz or x.nrrd"
        raise ArgumentError(msg) from error
    return highdicom


def _write_seg(
    volume: Volume, labels: npt.NDArray[np.uint8], names: Mapping[int, str], path: Path
) -> Path:
    from hounsview import __version__

    highdicom = _highdicom()
    images, stacked = _as_scanned(volume, labels)
    held = [value for value in names if (stacked == value).any()]
    if not held:
        msg = "the label map is empty: no DICOM SEG is made of nothing"
        raise ArgumentError(msg)
    # A SEG numbers its segments from 1 without gaps.
    numbered = np.zeros_like(stacked)
    for number, value in enumerate(held, start=1):
        numbered[stacked == value] = number
    segments = [
        _described(highdicom, number, names[value])
        for number, value in enumerate(held, start=1)
    ]
    with warnings.catch_warnings():
        # It remarks on the names in the slices, which are not ours to mend.
        warnings.simplefilter("ignore")
        made = highdicom.seg.Segmentation(
            source_images=images, pixel_array=numbered,
            segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=segments, series_number=900, instance_number=1,
            series_instance_uid=highdicom.UID(), sop_instance_uid=highdicom.UID(),
            manufacturer=_MAKER, manufacturer_model_name=_MAKER,
            software_versions=__version__, device_serial_number="0",
            series_description="hounsview tissues, from HU alone",
        )  # fmt: skip
    with atomic_file(path) as temporary:
        made.save_as(temporary)
    return path


def _described(highdicom: Any, number: int, name: str) -> Any:
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    known = CODES.get(name)
    kind = Code(*known) if known else Code("85756007", "SCT", "Tissue")
    return highdicom.seg.SegmentDescription(
        segment_number=number, segment_label=name.replace("_", " "),
        segmented_property_category=Code("91723000", "SCT", "Anatomical structure"),
        segmented_property_type=kind,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name="hounsview masks", version="1",
            family=codes.cid7162.MorphologicalOperations,
        ),
    )  # fmt: skip


def _as_scanned(
    volume: Volume, labels: npt.NDArray[np.uint8]
) -> tuple[list[Any], npt.NDArray[np.uint8]]:
    """Return the datasets of the slices, and the label map in their order and direction."""
    import pydicom

    index = volume.stacked_index
    single = index is not None and volume.sources and all(len(s) == 1 for s in volume.sources)
    files = [s[0].file for s in volume.sources] if single else []
    if not files or any(file is None for file in files) or len(set(files)) != len(files):
        msg = (
            "a DICOM SEG refers to slices as they were scanned, one file each; this volume was "
            "made from files in another way. Write x.nii.gz or x.nrrd"
        )
        raise ArgumentError(msg)
    images = [pydicom.dcmread(file, stop_before_pixels=True) for file in files if file]
    shape = (len(images), int(images[0].Rows), int(images[0].Columns))
    stacked = np.zeros(shape, np.uint8)
    where = np.stack(np.nonzero(labels), axis=-1)
    at = where @ np.asarray(index)[:3, :3].T + np.asarray(index)[:3, 3]
    stacked[tuple(at.T)] = labels[tuple(where.T)]
    return images, stacked
