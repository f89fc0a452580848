"""`read_image`: a volume from NIfTI, NRRD, MetaImage, or an npz of ours."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from hounsview.errors import ArgumentError
from hounsview.findings import Finding, Report
from hounsview.images.metaimage import read_metaimage
from hounsview.images.nifti import read_nifti
from hounsview.images.npz import read_npz
from hounsview.images.nrrd import read_nrrd
from hounsview.images.rawvalues import Image
from hounsview.images.sidecar import UNKNOWN, checked_unit
from hounsview.scanning import Progress
from hounsview.volume import Volume

_READERS: Final[dict[str, Callable[[Path, Progress | None], Image | Volume]]] = {
    ".nii": read_nifti,
    ".nii.gz": read_nifti,
    ".nrrd": read_nrrd,
    ".nhdr": read_nrrd,
    ".mha": read_metaimage,
    ".mhd": read_metaimage,
    ".npz": read_npz,
}


def is_image_file(path: str | os.PathLike[str]) -> bool:
    """Return whether `read_image` is what reads a path: by its ending, and no folder."""
    return _ending_of(Path(path)) is not None and not Path(path).is_dir()


def _ending_of(path: Path) -> str | None:
    return next((end for end in _READERS if path.name.lower().endswith(end)), None)


def read_image(
    path: str | os.PathLike[str],
    *,
    unit: str | None = None,
    progress: Progress | None = None,
) -> Volume:
    """Return the volume of one image file.

    Parameters
    ----------
    path : path-like
        .nii, .nii.gz, .nrrd, .nhdr, .mha, .mhd, or .npz written by `hounsview.write`.
    unit : str, optional
        What the values are, such as ``"HU"``, where the file does not say it. Without
        either, `Volume.unit` is ``"unknown"``.
    progress : callable, optional
        ``progress(done, total, what)``; returning False cancels.

    Raises
    ------
    ArgumentError
        If the ending is not known, or the file says another unit.
    PathNotFoundError, ImageFormatError
        If it is not there, damaged, or no single volume of plain numbers.
    GeometryError
        If it does not say where the voxels lie in the patient.
    CancelledError
        If `progress` returned False.
    """
    file = Path(path)
    ending = _ending_of(file)
    if ending is None:
        msg = f"{file}: no image file by its ending; {', '.join(_READERS)} are read"
        raise ArgumentError(msg)
    if unit is not None:
        checked_unit(unit)
    found = _READERS[ending](file, progress)
    said = "" if found.unit == UNKNOWN else found.unit
    if unit is not None and said not in ("", unit):
        msg = (
            f"{file} says that its values are {said!r}, and unit={unit!r} was asked for: leave "
            "the unit out, or convert the values"
        )
        raise ArgumentError(msg)
    if isinstance(found, Volume):
        return _in_unit(found, file, said, unit)
    message = f"read from {file.name}, which tells nothing of how the values were made"
    report = Report((Finding("IMPORTED", message, (file,)), *found.findings))
    volume = Volume(found.hu, found.geometry, found.valid, report=report, unit=said or UNKNOWN)
    return _in_unit(volume, file, said, unit)


def check_alone(
    path: str | os.PathLike[str], *, series: int | str | None, as_stored: bool
) -> None:
    """Refuse what only DICOM has for an image file, and a unit for DICOM.

    Raises
    ------
    ArgumentError
    """
    if not is_image_file(path):
        msg = f"{path}: a unit can be said for an image file alone; DICOM says its own"
        raise ArgumentError(msg)
    if series is not None or as_stored:
        asked = "as_stored" if as_stored else f"series={series!r}"
        msg = f"{path} holds one volume as it is: {asked} is for DICOM"
        raise ArgumentError(msg)


def _in_unit(volume: Volume, file: Path, said: str, wanted: str | None) -> Volume:
    """Return the volume in the unit that the file or else the caller says."""
    return volume if said else with_unit(volume, file, wanted)


def with_unit(volume: Volume, file: Path, wanted: str | None) -> Volume:
    """Return a volume whose file says no unit, in the one that the caller says.

    Parameters
    ----------
    volume : Volume
    file : Path
    wanted : str or None
        None leaves it ``"unknown"``, with a warning.
    """
    if wanted is None:
        message = f"{file.name} does not say what its values are"
        action = (
            "Load it with unit='HU' (--unit HU) if you know that they are Hounsfield units."
        )
        found = Finding("UNIT_UNKNOWN", message, (file,), action=action)
    else:
        message = f"that the values of {file.name} are {wanted} is what the caller said"
        found = Finding("UNIT_GIVEN", message, (file,))
    unit = UNKNOWN if wanted is None else wanted
    return replace(volume, unit=unit, report=volume.report.adding([found]))
