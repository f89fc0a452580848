"""`read_raw`: values without a header, whose layout the caller knows."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from hounsview.errors import ArgumentError, ImageFormatError
from hounsview.findings import Finding, Report
from hounsview.geometry import Geometry
from hounsview.images.imagefiles import check_claim, open_regular, remaining, wrong
from hounsview.images.importing import with_unit
from hounsview.images.rawvalues import Layout, read_values
from hounsview.images.sidecar import UNKNOWN, checked_unit
from hounsview.scanning import Progress
from hounsview.volume import Volume

_TOWARDS: Final = {
    "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0),
    "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1),
}  # fmt: skip


def read_raw(
    path: str | os.PathLike[str],
    shape: Sequence[int],
    dtype: str,
    spacing: Sequence[float],
    *,
    offset: int = 0,
    orientation: str = "SPL",
    unit: str | None = None,
    progress: Progress | None = None,
) -> Volume:
    """Return a volume from raw values: one file, or a folder with a file for each slice.

    Sizes must match to the byte, so that a wrong shape or type is not taken for a right
    one. Nothing says where the first voxel lies: it is put at 0, 0, 0, with a warning.

    Parameters
    ----------
    path : path-like
        In a folder every regular file that is not hidden is one slice, ``slice2`` before
        ``slice10``.
    shape : (k, j, i)
    dtype : str
        A numpy name with its byte order, such as ``"uint8"`` or ``">i2"``; little endian
        where it says none.
    spacing : (k, j, i) mm
    offset : int
        Bytes before the values in the file, or in each file of a folder; -1 takes the
        last bytes, whatever stands before them.
    orientation : str
        Where k, j and i rise to; ``"SPL"`` is axial, head first, supine.
    unit : str, optional
        What the values are; ``"unknown"`` when left out.
    progress : callable, optional
        ``progress(done, total, what)``; returning False cancels.

    Raises
    ------
    ArgumentError
        If shape, dtype, spacing, offset, orientation or unit cannot be meant.
    PathNotFoundError, ImageFormatError
        If it is not there, or its size is not what the shape and dtype say.
    CancelledError
        If `progress` returned False.
    """
    layout = Layout(_shape(shape), _dtype(dtype))
    geometry = _geometry(layout, spacing, orientation)
    if unit is not None:
        checked_unit(unit)
    if offset < -1:
        msg = f"offset is a number of bytes, or -1 for the last ones, not {offset}"
        raise ArgumentError(msg)
    root = Path(path)
    files = _slice_files(root, layout) if root.is_dir() else [root]
    each = layout.byte_count // len(files)
    check_claim(root, layout.byte_count, layout.byte_count, deflated=False)
    with _Joined(files, each, offset) as source:
        hu, valid, findings = read_values(source, layout, root, progress)
    message = f"{root.name} says nothing of itself; its layout is what the caller said"
    nowhere = f"nothing says where {root.name} lies in the patient"
    action = "Its first voxel was put at 0, 0, 0 mm: compare no place with another scan."
    known = (
        Finding("IMPORTED", message, (root,)),
        Finding("POSITION_UNKNOWN", nowhere, (root,), action=action),
    )
    report = Report((*known, *findings))
    volume = Volume(hu, geometry, valid, report=report, unit=UNKNOWN)
    return with_unit(volume, root, unit)


def _shape(shape: Sequence[int]) -> tuple[int, int, int]:
    sizes = tuple(int(n) for n in shape)
    if len(sizes) != 3 or min(sizes) < 1:
        msg = f"shape is three sizes of at least 1 (k, j, i), not {sizes}"
        raise ArgumentError(msg)
    return sizes[0], sizes[1], sizes[2]


def _dtype(name: str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(name)
    except (TypeError, ValueError, SyntaxError):
        dtype = np.dtype(object)
    if dtype.kind not in "iuf" or dtype.itemsize > 8 or not isinstance(name, str):
        msg = f"dtype {name!r} is no plain number type such as 'int16', '>i2' or 'uint8'"
        raise ArgumentError(msg)
    return dtype.newbyteorder("<") if dtype.isnative else dtype


def _geometry(layout: Layout, spacing: Sequence[float], orientation: str) -> Geometry:
    steps = np.asarray(spacing, float)
    if steps.shape != (3,) or not (np.isfinite(steps).all() and (steps > 0).all()):
        msg = f"spacing must be three positive numbers in mm (k, j, i), not {list(spacing)}"
        raise ArgumentError(msg)
    # Any geometry checks the letters.
    Geometry.from_parts((1, 1, 1), spacing=(1, 1, 1)).axes_to(orientation)
    direction = np.array([_TOWARDS[letter] for letter in orientation.upper()], float).T
    return Geometry.from_parts(layout.shape, spacing=list(spacing), direction=direction)


def _slice_files(folder: Path, layout: Layout) -> list[Path]:
    """Return one file for each slice, in the order a person would count them.

    Raises
    ------
    ImageFormatError
    """
    files = [
        file
        for file in folder.iterdir()
        if file.is_file() and not file.is_symlink() and not file.name.startswith(".")
    ]
    files.sort(key=lambda file: _natural(file.name))
    if len(files) != layout.shape[0]:
        raise wrong(
            folder,
            f"it holds {len(files)} files, and shape {layout.shape} has {layout.shape[0]} "
            "slices, one in each file",
        )
    return files


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts ``slice2`` before ``slice10``."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


class _Joined:
    """The values of several files as if they were one, each file of the right size."""

    def __init__(self, files: Sequence[Path], each: int, offset: int) -> None:
        self._files, self._each, self._offset = list(files), each, offset
        self._opened = ExitStack()
        self._at: BinaryIO | None = None

    def __enter__(self) -> _Joined:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def read(self, count: int, /) -> bytes:
        """Return up to `count` bytes; fewer only at the end."""
        parts = []
        while count > 0 and (part := self._from_file(count)):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _from_file(self, count: int) -> bytes:
        while True:
            part = self._at.read(count) if self._at else b""
            if part or not self._files:
                return part
            self._opened.close()
            file = self._files.pop(0)
            self._at = self._opened.enter_context(open_regular(file))
            self._at.seek(self._start(file, remaining(self._at)))

    def _start(self, file: Path, size: int) -> int:
        """Return the byte at which the values of one file begin.

        Raises
        ------
        ImageFormatError
        """
        spare = size - self._each
        if self._offset == -1 and spare >= 0:
            return spare
        if spare != self._offset:
            raise self._size_error(file, size, spare)
        return self._offset

    def _size_error(self, file: Path, size: int, spare: int) -> ImageFormatError:
        wanted = f"{self._each:,} bytes of values"
        if self._offset > 0:
            wanted += f" behind {self._offset:,}"
        way_out = (
            f"offset={spare} would fit, if a header of that length stands before them"
            if spare >= 0
            else "the shape or dtype is too large for it"
        )
        return wrong(file, f"it has {size:,} bytes, and {wanted} were announced: {way_out}")
