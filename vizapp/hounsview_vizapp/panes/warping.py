"""Pictures of one scale to another, with no padding mixed into what was measured."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.volume import Validity

Floats = npt.NDArray[np.float64]

_NO_SHARE: Final = 1e-4
"""Measured part of a pixel below which it has no value: only rounding leaves so little."""


def warped(
    stored: npt.NDArray[Any],
    to_source: Floats,
    into: npt.NDArray[Any],
    how: int,
) -> npt.NDArray[Any]:
    """Fill a picture from another one, and return it; beyond its edge the edge's value.

    Parameters
    ----------
    stored : (rows, columns)
    to_source : (2, 3) float64
        (column, row, 1) of the picture to fill -> (column, row) of the other one.
    into : (rows, columns)
        The picture to fill, of the same dtype.
    how : int
        Interpolation flag of OpenCV.
    """
    rows, columns = into.shape
    return cv2.warpAffine(
        stored,
        to_source,
        (columns, rows),
        dst=into,
        flags=how | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def shrunk(
    stored: npt.NDArray[Any], marks: npt.NDArray[np.uint8] | None, to_source: Floats
) -> tuple[npt.NDArray[Any], Floats]:
    """Return a slice ready for `warped`, and the map to it, with no padding to mix in.

    It is averaged down where several stored pixels fall into one shown: without this a
    small pane would show every n-th pixel, with noise and false edges. Padding enters no
    average, and where nothing else was the greatest measured neighbour stands.

    Parameters
    ----------
    stored : (rows, columns)
    marks : (rows, columns) uint8, optional
        Bits of `Validity`.
    to_source : (2, 3) float64
        (column, row, 1) of the pane -> (column, row) of the slice.
    """
    padding = None if marks is None else marks & np.uint8(Validity.PADDING)
    if padding is not None and not cv2.countNonZero(padding):
        padding = None
    steps = np.abs(to_source[:, :2]).max(axis=1)
    lengths = np.array(stored.shape[::-1])
    reduced = np.maximum(1, lengths // np.maximum(1, np.floor(steps + 0.25))).astype(int)
    if (reduced != lengths).any():
        stored, padding = _averaged(stored, padding, (int(reduced[0]), int(reduced[1])))
        ratio = reduced / lengths
        to_source = to_source * ratio[:, None]
        to_source[:, 2] += (ratio - 1) / 2
    return stored if padding is None else without_padding(stored, padding), to_source


def _averaged(
    stored: npt.NDArray[Any], padding: npt.NDArray[np.uint8] | None, size: tuple[int, int]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8] | None]:
    """Return the means of what was measured, (columns, rows), and where there is none."""
    if padding is None:
        small = cv2.resize(stored, size, interpolation=cv2.INTER_AREA)
        return np.asarray(small, stored.dtype).reshape(size[::-1]), None
    # What stands in padding may be no number, which times 0 is none either.
    values = np.where(padding.view(bool), np.float32(0), stored.astype(np.float32))
    sums = cv2.resize(values, size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    share = (1 - padding).astype(np.float32)
    shares = cv2.resize(share, size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    nothing = shares < _NO_SHARE
    means = sums / np.where(nothing, np.float32(1), shares)
    if stored.dtype.kind == "i":
        means = np.rint(means)
    return means.astype(stored.dtype), nothing.view(np.uint8)


def without_padding(stored: npt.NDArray[Any], marks: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """Return the slice with padding replaced by the greatest measured neighbour.

    So the interpolation at the edge of the field of view mixes no padding in.
    """
    padding = marks & np.uint8(Validity.PADDING)
    if not cv2.countNonZero(padding):
        return stored
    lowest = -32768 if stored.dtype == np.int16 else float(np.finfo(np.float32).min)
    measured = stored.copy()
    np.copyto(measured, stored.dtype.type(lowest), where=padding.view(bool))
    near = cv2.dilate(measured, np.ones((3, 3), np.uint8))
    # Far from everything measured there is no neighbour, and nothing is shown either.
    np.copyto(measured, near, where=padding.view(bool))
    return measured
