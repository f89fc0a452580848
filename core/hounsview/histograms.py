"""How often each value occurs in a volume, or in a tissue of it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.volume import Validity, Volume

_MOST_VOXELS: Final = 4_000_000


def histogram(
    volume: Volume,
    low: float = -1100.0,
    high: float = 2100.0,
    bins: int = 320,
    *,
    mask: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return how many measured voxels fall between each two edges.

    Padding and filled slices are left out. Of a large volume every n-th slice, row and
    column is counted, the same n for all three; with a mask, every voxel in it.

    Parameters
    ----------
    volume : Volume
    low, high : float
        Of all bins, in the volume's unit; values outside are not counted.
    bins : int
    mask : (k, j, i) bool, optional

    Returns
    -------
    counts : (bins,) int64
    edges : (bins + 1,) float64

    Raises
    ------
    ArgumentError
        If the mask does not fit the volume.
    """
    stride = 1
    if mask is None:
        stride = max(1, int(np.ceil((volume.hu.size / _MOST_VOXELS) ** (1 / 3))))
    elif mask.shape != volume.shape:
        msg = f"a mask of shape {mask.shape} does not fit a volume of shape {volume.shape}"
        raise ArgumentError(msg)
    counted: tuple[slice, ...] | npt.NDArray[np.bool_] = (slice(None, None, stride),) * 3
    if mask is not None:
        counted = mask
    values = volume.hu[counted]
    if volume.valid is not None:
        left_out = np.uint8(Validity.PADDING | Validity.FILLED)
        values = values[(volume.valid[counted] & left_out) == 0]
    counts, edges = np.histogram(values, bins, (low, high))
    return counts.astype(np.int64), edges
