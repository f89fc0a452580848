"""Pictures of one scale to another, with no padding mixed into what was measured."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.volume import Validity


def warped(
    stored: npt.NDArray[Any],
    to_source: npt.NDArray[np.float64],
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
