"""Image files by their headers: opened safely, claims held against lengths, positions.

What a header claims is held against the length of the file before anything is allocated.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import GeometryError, ImageFormatError, PathNotFoundError
from hounsview.geometry import Geometry
from hounsview.limits import DEFLATE_RATIO, get_limits
from hounsview.volume import Volume

_FARTHEST_MM: Final = 1e6


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading; never a FIFO or a device, which could hang or act.

    Raises
    ------
    PathNotFoundError
        If there is no such file.
    ImageFormatError
        If it is no regular file, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise wrong(path, "this is not a regular file, and is not opened")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        msg = f"{path}: no such file or folder"
        raise PathNotFoundError(msg, files=[path]) from error
    except OSError as error:
        raise wrong(path, f"it cannot be read: {error.strerror or error}") from error


def wrong(path: Path, fact: str) -> ImageFormatError:
    """Return the error that says what is wrong with a file."""
    return ImageFormatError(f"{path}: {fact}", files=[path])


def beside(header: Path, name: str) -> Path:
    """Return the data file that a header names, which must lie in the same folder.

    Raises
    ------
    ImageFormatError
        If the name or a link leads out of the folder.
    """
    target = header.parent / name
    plain = name not in ("", ".", "..") and not set(name) & set("/\\\0:")
    if not plain or target.resolve().parent != header.parent.resolve():
        raise wrong(
            header,
            f"it names the data file {name!r}, which is not in the same folder; only a plain "
            "file name is followed. Put both files into one folder and correct the name",
        )
    return target


def geometry_of(path: Path, shape: Sequence[int], affine: npt.NDArray[Any]) -> Geometry:
    """Return the geometry that a file describes.

    Parameters
    ----------
    path : Path
    shape : (k, j, i)
    affine : (4, 4) float
        (k, j, i, 1) -> LPS mm.

    Raises
    ------
    GeometryError
        If it is no grid; the message names the file.
    """
    if np.isfinite(affine).all() and np.abs(affine).max() > _FARTHEST_MM:
        far = float(np.abs(affine).max())
        msg = f"{path}: a position or step of {far:g} mm is not within {_FARTHEST_MM:g} mm"
        raise GeometryError(msg, files=[path])
    try:
        return Geometry((shape[0], shape[1], shape[2]), affine)
    except GeometryError as error:
        msg = f"{path}: {error}"
        raise GeometryError(msg, files=[path]) from error


def affine_of_steps(steps: npt.ArrayLike, origin: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the (4, 4) affine (k, j, i, 1) -> LPS mm of three steps and an origin.

    Parameters
    ----------
    steps : (3, 3) float, mm
        Rows: what one step along i, j and k moves, in this order (as files have it).
    origin : (3,) float, LPS mm
    """
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(steps, float)[::-1].T
    affine[:3, 3] = origin
    return affine


def needed(path: Path, fields: Mapping[str, str], name: str) -> str:
    """Return a field of a text header.

    Raises
    ------
    ImageFormatError
        If it is absent or empty.
    """
    if not fields.get(name):
        raise wrong(path, f"its header has no field {name!r}")
    return fields[name]


def require_position(path: Path, fields: Mapping[str, str], names: Sequence[str]) -> None:
    """Raise unless a text header has all fields that say where the voxels lie.

    Raises
    ------
    GeometryError
    """
    for name in names:
        if not fields.get(name):
            msg = (
                f"{path}: no position: its header has no field {name!r}, so that nothing says "
                "where the voxels lie in the patient. Add it if you know it"
            )
            raise GeometryError(msg, files=[path])


def numbers(path: Path, text: str, what: str, count: int | None = None) -> list[float]:
    """Return the numbers of a text; errors name the file and the field."""
    try:
        found = [float(word) for word in text.split()]
    except ValueError:
        found = []
    if not found or count not in (None, len(found)):
        raise wrong(path, f"{what} is {text[:80]!r}, where {count or 'some'} numbers belong")
    return found


def sizes_of(path: Path, text: str, what: str) -> tuple[int, int, int]:
    """Return (k, j, i) from three sizes in the order i, j, k."""
    words = text.split()
    if len(words) != 3 or not all(w.isdecimal() and len(w) < 10 and int(w) for w in words):
        raise wrong(path, f"{what} is {text[:80]!r}, where three sizes of at least 1 belong")
    i, j, k = (int(word) for word in words)
    return k, j, i


def check_claim(path: Path, claimed: int, stored: int, *, deflated: bool) -> None:
    """Raise if a header claims more bytes than the file can hold, or than is sane.

    Parameters
    ----------
    path : Path
    claimed : int
        Bytes of the values, uncompressed.
    stored : int
        Bytes that the file has for them.
    deflated : bool
        Whether they are a deflate stream.

    Raises
    ------
    ImageFormatError
    """
    limit = get_limits().volume_bytes
    if claimed > limit:
        raise wrong(
            path,
            f"its header claims {claimed:,} bytes of values; at most {limit:,} are read "
            "(hounsview.set_limits(volume_bytes=...))",
        )
    possible = stored * DEFLATE_RATIO if deflated else stored
    if claimed > possible:
        kind = "compressed bytes, which can" if deflated else "bytes, which"
        raise wrong(
            path,
            f"its header claims {claimed:,} bytes of values, and there are {stored:,} {kind} "
            "not hold them: the file is cut off or its header is wrong",
        )


def require_orthogonal(volume: Volume, kind: str) -> None:
    """Raise if the axes do not stand at right angles, which some formats cannot say.

    Raises
    ------
    GeometryError
    """
    if not volume.geometry.is_orthogonal:
        msg = (
            f"the axes of the volume do not stand at right angles, which {kind} cannot say for "
            "every reader: write .nii.gz or .npz, or resample it onto an orthogonal geometry "
            "first (Volume.resample_onto)"
        )
        raise GeometryError(msg)


def remaining(file: BinaryIO) -> int:
    """Return the bytes from here to the end of a file."""
    return os.fstat(file.fileno()).st_size - file.tell()
