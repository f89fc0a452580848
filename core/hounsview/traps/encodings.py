"""Traps that lie in how pixels are written: transfer syntaxes and multi-frame files."""

from __future__ import annotations

from collections.abc import Sequence as Many
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from hounsview.traps.recipes import Build, clean
from hounsview.traps.slices import (
    AXIAL,
    COLUMNS,
    ORIGIN,
    ROWS,
    SLICES,
    STEP,
    known_hu,
    make_slice,
    pixel_points,
    positions,
    save,
    stored_of,
)

_OF_ONE_SLICE = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "RescaleSlope", "RescaleIntercept", "RescaleType",
)  # fmt: skip


def enhanced(folder: Path, *, order: Many[int] | None = None, drop: int | None = None) -> None:
    """Write one enhanced multi-frame file: each frame at its place, with its own rescale.

    Parameters
    ----------
    folder : Path
    order : sequence of int, optional
        The slice in each frame; shuffled when left out.
    drop : int, optional
        The frame that gets no rescale.
    """
    shuffled = np.random.default_rng(1).permutation(SLICES) if order is None else order
    slices = [make_slice(positions()[n], n + 1) for n in shuffled]
    ds = make_slice(ORIGIN, 1)
    for keyword in _OF_ONE_SLICE:
        delattr(ds, keyword)
    ds.SOPClassUID, ds.NumberOfFrames = uid.EnhancedCTImageStorage, SLICES
    shared, orientation, measures = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = list(AXIAL)
    measures.PixelSpacing, measures.SliceThickness = slices[0].PixelSpacing, STEP
    shared.PlaneOrientationSequence = Sequence([orientation])
    shared.PixelMeasuresSequence = Sequence([measures])
    frames = [
        _frame(int(n), one, with_rescale=place != drop)
        for place, (n, one) in enumerate(zip(shuffled, slices, strict=True))
    ]
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PerFrameFunctionalGroupsSequence = Sequence([groups for groups, _ in frames])
    ds.PixelData = b"".join(cells for _, cells in frames)
    save(ds, folder / "enhanced.dcm")


def _frame(n: int, one: Dataset, *, with_rescale: bool) -> tuple[Dataset, bytes]:
    """Return the functional groups and the cells of slice `n` as a frame."""
    item, position, rescale = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = one.ImagePositionPatient
    rescale.RescaleSlope, rescale.RescaleType = 1 + n % 2, "HU"
    rescale.RescaleIntercept = -1024 - n
    item.PlanePositionSequence = Sequence([position])
    if with_rescale:
        item.PixelValueTransformationSequence = Sequence([rescale])
    one.RescaleSlope, one.RescaleIntercept = rescale.RescaleSlope, rescale.RescaleIntercept
    return item, stored_of(one, known_hu(pixel_points(one))).tobytes()


def compressed(syntax: str) -> Build:
    """Return what writes a series of a compressed transfer syntax."""

    def build(folder: Path) -> None:
        for n, place in enumerate(positions()):
            ds = make_slice(place, n, PixelRepresentation=0, RescaleIntercept=-1024)
            cells = np.frombuffer(ds.PixelData, np.uint16).reshape(ROWS, COLUMNS)
            if syntax == uid.RLELossless:
                ds.compress(syntax, cells, generate_instance_uid=False)
            else:
                ds.PixelData = encapsulate([encode(cells, syntax)])
                ds["PixelData"].is_undefined_length = True
            save(ds, folder / f"slice{n:03d}.dcm", syntax)

    return build


def encode(cells: npt.NDArray[Any], syntax: str) -> bytes:
    """Return (rows, columns) stored values as a JPEG-LS or a JPEG 2000 stream, lossless."""
    import imagecodecs

    if syntax == uid.JPEGLSLossless:
        return bytes(imagecodecs.jpegls_encode(cells))
    return bytes(imagecodecs.jpeg2k_encode(cells, level=0, reversible=True, codecformat="j2k"))


def big_endian(folder: Path) -> None:
    """Write a series in the retired byte order."""
    for n, place in enumerate(positions()):
        ds = make_slice(place, n)
        ds.PixelData = np.frombuffer(ds.PixelData, np.int16).byteswap().tobytes()
        save(ds, folder / f"slice{n:03d}.dcm", uid.ExplicitVRBigEndian)


def deflated(folder: Path) -> None:
    """Write a series whose data sets are deflated as a whole."""
    for file in clean(folder):
        ds = pydicom.dcmread(file)
        ds.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
        ds.save_as(file)
