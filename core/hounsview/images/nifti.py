"""NIfTI-1 and -2 (.nii, .nii.gz): RAS mm, i fastest (https://nifti.nimh.nih.gov)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from hounsview.errors import ArgumentError, GeometryError
from hounsview.findings import Finding
from hounsview.geometry import Geometry
from hounsview.images.imagefiles import check_claim, geometry_of, open_regular, remaining, wrong
from hounsview.images.rawvalues import (
    GZIP,
    Image,
    Inflated,
    Layout,
    Readable,
    read_values,
    slices_of,
    write_deflated,
)
from hounsview.scanning import Progress
from hounsview.volume import Volume

_SAID: Final = "hounsview unit="
"""How the 80 bytes of `descrip` begin in a file of ours; NIfTI has no field for HU."""

_HEADER_BYTES: Final = {348: 1, 540: 2}
_MOST_EXTENSIONS: Final = 64 * 2**20
_LONGEST_AXIS: Final = 32767
_MM_OF: Final = {"mm": 1.0, "meter": 1000.0, "micron": 0.001, "unknown": 1.0}


def write_nifti(
    volume: Volume, path: Path, name: str, progress: Progress | None = None
) -> None:
    """Write a volume to `path` as NIfTI-1, compressed if `name` ends in .gz.

    sform and qform hold the same position; a sheared volume has only the sform, as a
    qform cannot say shear.

    Raises
    ------
    ArgumentError
        If an axis is longer than NIfTI-1 can say.
    CancelledError
        If `progress` returned False.
    """
    if max(volume.shape) > _LONGEST_AXIS:
        msg = (
            f"{name}: NIfTI holds at most {_LONGEST_AXIS} voxels along an axis, and the "
            f"volume has {max(volume.shape)}: write .nrrd or .mha"
        )
        raise ArgumentError(msg)
    # Four bytes after the header: no extensions.
    parts = chain([_header_of(volume) + bytes(4)], slices_of(volume, progress, name))
    with path.open("wb") as file:
        if name.lower().endswith(".gz"):
            write_deflated(file, parts, GZIP)
        else:
            file.writelines(parts)


def _nibabel() -> Any:
    """Return the module nibabel.

    Raises
    ------
    ArgumentError
        If it is not installed, as inside 3D Slicer.
    """
    try:
        return import_module("nibabel")
    except ImportError as error:
        msg = (
            "NIfTI needs the package nibabel: pip install nibabel; inside 3D Slicer "
            "slicer.util.pip_install('nibabel'). NRRD and MetaImage need no package"
        )
        raise ArgumentError(msg) from error


def _header_of(volume: Volume) -> bytes:
    nibabel = _nibabel()
    header = nibabel.Nifti1Header(endianness="<")
    header.set_data_dtype(volume.hu.dtype.newbyteorder("<"))
    header.set_data_shape(volume.shape[::-1])
    header.set_zooms(volume.geometry.spacing[::-1])
    header.set_xyzt_units("mm")
    header.set_slope_inter(1, 0)
    ras = volume.geometry.to_ras()
    header.set_sform(ras, code=1)
    if volume.geometry.is_orthogonal:
        header.set_qform(ras, code=1, strip_shears=True)
    header["descrip"] = f"{_SAID}{volume.unit}".encode("ascii")
    header["magic"], header["vox_offset"] = b"n+1", 352
    block: bytes = header.binaryblock
    return block


def read_nifti(path: Path, progress: Progress | None = None) -> Image:
    """Return what a NIfTI file holds.

    Raises
    ------
    PathNotFoundError, ImageFormatError
        If it is not there, damaged, or no single volume of plain numbers.
    GeometryError
        If it does not say where the voxels lie.
    CancelledError
        If `progress` returned False.
    """
    with open_regular(path) as file, _uncompressed(file, path) as (source, stored):
        header, taken = _read_header(source, path)
        layout, start = _layout_of(header, path)
        geometry, findings = _position_of(header, layout, path)
        deflated = isinstance(source, Inflated)
        there = stored if deflated else max(stored - start, 0)
        check_claim(path, layout.byte_count, there, deflated=deflated)
        _skip(source, start - taken, path)
        hu, valid, seen = read_values(source, layout, path, progress)
    said = bytes(header["descrip"]).split(b"\0")[0].decode("latin-1")
    unit = said.removeprefix(_SAID) if said.startswith(_SAID) else ""
    return Image(hu, geometry, valid, unit, (*findings, *seen))


@contextmanager
def _uncompressed(file: BinaryIO, path: Path) -> Iterator[tuple[Readable, int]]:
    """Give the bytes of the file, inflated where it begins as gzip, and its length."""
    deflated = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if deflated != path.name.lower().endswith(".gz"):
        begins = "begins as gzip" if deflated else "does not begin as gzip"
        raise wrong(path, f"it {begins}, and its name says otherwise: correct the name")
    yield (Inflated(file, path, GZIP) if deflated else file), remaining(file)


def _read_header(source: Readable, path: Path) -> tuple[Any, int]:
    """Return the header and how many bytes it took."""
    nibabel = _nibabel()
    block = source.read(348)
    if len(block) < 348:
        raise wrong(path, f"it has {len(block)} bytes, fewer than a NIfTI header")
    for order in "<>":
        size = struct.unpack(f"{order}i", block[:4])[0]
        if size not in _HEADER_BYTES:
            continue
        version = _HEADER_BYTES[size]
        kind = nibabel.Nifti1Header if version == 1 else nibabel.Nifti2Header
        block += source.read(size - 348)
        if len(block) < size:
            break
        header = kind(block, endianness=order, check=False)
        if bytes(header["magic"]).rstrip(b"\0")[:3] == f"n+{version}".encode():
            return header, size
        raise wrong(
            path, "it is half of a pair .hdr/.img or of an older format: convert it to .nii"
        )
    raise wrong(path, "it does not begin as a NIfTI file")


def _layout_of(header: Any, path: Path) -> tuple[Layout, int]:
    """Return the layout of the values, and the byte at which they begin."""
    from nibabel.spatialimages import HeaderDataError

    dims = [int(n) for n in header["dim"]]
    if not 1 <= dims[0] <= 7 or min(dims[1 : dims[0] + 1]) < 1:
        raise wrong(path, f"its dim field {dims} describes no image")
    sizes = dims[1 : dims[0] + 1]
    if len(sizes) < 3 or any(n != 1 for n in sizes[3:]):
        given = " x ".join(str(n) for n in sizes)
        raise wrong(
            path,
            f"it holds {given} values, and a volume has three axes: extract one volume first",
        )
    try:
        dtype = np.dtype(header.get_data_dtype())
        slope, intercept = header.get_slope_inter()
    except KeyError as error:
        raise wrong(path, f"its values are of type {error}, which NIfTI has not") from error
    except HeaderDataError as error:
        raise wrong(path, f"its header is damaged: {error}") from error
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise wrong(path, f"its values are {dtype} (colour, complex or wider than 64 bits)")
    start = float(header["vox_offset"])
    first = int(header["sizeof_hdr"])
    if not first <= start <= first + _MOST_EXTENSIONS or start != int(start):
        raise wrong(path, f"its values are said to begin at byte {start:g}, which cannot be")
    scale = (1.0, 0.0) if slope is None else (float(slope), float(intercept))
    return Layout((sizes[2], sizes[1], sizes[0]), dtype, *scale), int(start)


def _position_of(
    header: Any, layout: Layout, path: Path
) -> tuple[Geometry, tuple[Finding, ...]]:
    """Return the grid by the sform, else the qform, never by neither.

    Raises
    ------
    GeometryError
    """
    from nibabel.spatialimages import HeaderDataError

    if header["pixdim"][0] == 0:
        header["pixdim"][0] = 1  # "If pixdim[0] = 0, use qfac = 1" (nifti1.h)
    try:
        # A plain header keeps float32 cells, whose overflow would be a warning.
        with np.errstate(all="ignore"):
            found = [header.get_sform(coded=True), header.get_qform(coded=True)]
        unit = header.get_xyzt_units()[0]
    except (HeaderDataError, KeyError, ValueError, np.linalg.LinAlgError) as error:
        msg = f"{path}: its position is damaged: {error}"
        raise GeometryError(msg, files=[path]) from error
    affines = [affine for affine, code in found if code]
    if not affines:
        msg = (
            f"{path}: no position: sform and qform codes are 0, so that nothing says where "
            "the voxels lie in the patient. Set one of them if you know it"
        )
        raise GeometryError(msg, files=[path])
    scale = np.diag([_MM_OF[unit]] * 3 + [1.0])
    grids = [_grid(path, layout.shape, scale @ affine) for affine in affines]
    findings = []
    if unit == "unknown":
        message = f"{path.name} does not say the unit of its lengths; mm was taken"
        findings.append(Finding("LENGTH_UNIT_ASSUMED", message, (path,)))
    if not grids[0].is_close(grids[-1], tolerance=1.0):
        message = f"sform and qform of {path.name} place a voxel more than 1 mm apart"
        action = "The sform was taken; check left and right against another viewer."
        findings.append(Finding("POSITIONS_DISAGREE", message, (path,), action=action))
    return grids[0], tuple(findings)


def _grid(path: Path, shape: tuple[int, int, int], ras: Any) -> Geometry:
    """Return the grid of an affine (i, j, k, 1) -> RAS mm, checked under the file's name."""
    swap = np.eye(4)[[2, 1, 0, 3]]
    return geometry_of(path, shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ ras @ swap)


def _skip(source: Readable, count: int, path: Path) -> None:
    """Read past header extensions."""
    while count > 0:
        passed = len(source.read(min(count, 1 << 18)))
        if not passed:
            raise wrong(path, "it ends before its values begin: the file is cut off")
        count -= passed
