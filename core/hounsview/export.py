"""`write`: a volume as NIfTI, NRRD, MetaImage, npz, or a DICOM series."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hounsview.dicomwriting import write_dicom
from hounsview.errors import ArgumentError, WriteError
from hounsview.images.metaimage import write_metaimage
from hounsview.images.nifti import write_nifti
from hounsview.images.npz import write_npz
from hounsview.images.nrrd import write_nrrd
from hounsview.images.sidecar import checked_unit, describe
from hounsview.scanning import Progress
from hounsview.volume import Volume
from hounsview.writing import atomic_pair

_WRITERS: Final[dict[str, Callable[[Volume, Path, str, Progress | None], None]]] = {
    ".nii": write_nifti,
    ".nii.gz": write_nifti,
    ".nrrd": write_nrrd,
    ".mha": write_metaimage,
    ".npz": write_npz,
}


def write(
    volume: Volume, path: str | os.PathLike[str], *, progress: Progress | None = None
) -> list[Path]:
    """Write a volume in the format that the ending of `path` names.

    Values and places are kept: int16 or float32, in the patient's mm. Beside an image
    file ``x.nii.gz`` goes ``x.nii.gz.report.json``: unit, shape, affine, findings, and how many
    voxels were never measured. No name of a patient or of a folder is written. Both
    files are complete or not there at all; an old file stays until the new one is whole.

    Parameters
    ----------
    volume : Volume
    path : path-like
        Ends in .nii, .nii.gz, .nrrd, .mha or .npz. A new or empty folder (a name without
        an ending, or with a final ``/``) takes a DICOM series; see `write_dicom`.
    progress : callable, optional
        ``progress(done, total, what)``; returning False cancels.

    Returns
    -------
    list of Path
        The image and its report, or the slices.

    Raises
    ------
    ArgumentError
        If the ending is not known, or the format cannot hold the unit or size.
    GeometryError
        If the axes do not stand at right angles and the format cannot say that.
    NotHounsfieldError
        If the unit is not HU, for a DICOM series.
    WriteError
        If the files cannot be written.
    CancelledError
        If `progress` returned False.
    """
    ending = checked_target(path)
    target = Path(path)
    if not ending:
        return write_dicom(volume, target, progress=progress)
    checked_unit(volume.unit)
    report = target.with_name(f"{target.name}.report.json")
    with atomic_pair(target, report) as (image_file, report_file):
        _WRITERS[ending](volume, image_file, target.name, progress)
        report_file.write_text(describe(volume, target.name), encoding="utf-8")
    return [target, report]


def checked_target(path: str | os.PathLike[str]) -> str:
    """Return the ending of what `write` would write to, empty for a DICOM series.

    Raises
    ------
    ArgumentError
        If the ending is not known.
    WriteError
        If the folder to write into is missing, or a folder stands where a file should.
    """
    target = Path(path)
    if os.fspath(path).endswith(("/", os.sep)) or (target.is_dir() and not _ending(target)):
        return ""
    ending = _ending(target)
    if ending is None and target.suffix:
        msg = (
            f"{target}: {target.suffix!r} is no known ending: {', '.join(_WRITERS)} are "
            f"written, and a DICOM series into a new folder ({target}/)"
        )
        raise ArgumentError(msg)
    if ending and not target.parent.is_dir():
        msg = f"{target.parent}: no such folder to write {target.name} into"
        raise WriteError(msg, files=[target])
    if ending and target.is_dir():
        msg = f"{target} is a folder; name a file, or end it in / for a DICOM series"
        raise WriteError(msg, files=[target])
    return ending or ""


def _ending(path: Path) -> str | None:
    name = path.name.lower()
    return next((end for end in _WRITERS if name.endswith(end)), None)
