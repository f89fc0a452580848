"""Values along a straight line through a volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.volume import Validity, Volume

Floats = npt.NDArray[np.float64]
_LEFT_OUT: Final = np.uint8(Validity.PADDING | Validity.FILLED)
_MOST_SAMPLES: Final = 10_000


@dataclass(frozen=True, eq=False)
class Profile:
    """The values along a line.

    Parameters
    ----------
    distance : (n,) float64, mm
        From the first end.
    values : (n,) float64, in `unit`
        NaN outside the volume, and where a value would hang on a voxel that was not measured.
    unit : str
    """

    distance: Floats
    values: Floats
    unit: str


def profile(volume: Volume, first: npt.ArrayLike, last: npt.ArrayLike) -> Profile:
    """Return the values along a line, interpolated linearly between the eight voxels around.

    Samples lie as far apart as the voxels of the closest axis, or a little less, and the
    first and last of them are the ends.

    Parameters
    ----------
    volume : Volume
    first, last : (x, y, z) float, LPS mm

    Raises
    ------
    ArgumentError
        If an end is no finite point.
    """
    ends = np.stack([np.asarray(first, float), np.asarray(last, float)])
    if ends.shape != (2, 3) or not np.isfinite(ends).all():
        msg = f"a line needs two points (x, y, z) in mm, not {first!r} and {last!r}"
        raise ArgumentError(msg)
    length = float(np.linalg.norm(ends[1] - ends[0]))
    steps = min(int(np.ceil(length / min(volume.geometry.spacing))), _MOST_SAMPLES)
    share = np.linspace(0.0, 1.0, steps + 1)[:, None]
    at = volume.geometry.to_index(ends[0] * (1 - share) + ends[1] * share)
    return Profile(share[:, 0] * length, _interpolated(volume, at), volume.unit)


def _interpolated(volume: Volume, at: Floats) -> Floats:
    """Return (n,) values at (n, 3) indices (k, j, i); at the faces the outer voxels count."""
    last = np.asarray(volume.shape) - 1
    inside = volume.geometry.contains(at)
    inner = np.clip(at, 0, last)
    low = np.minimum(np.floor(inner).astype(int), np.maximum(last - 1, 0))
    part = inner - low
    values, measured = np.zeros(len(at)), inside.copy()
    for corner in np.ndindex(2, 2, 2):
        k, j, i = np.minimum(low + corner, last).T
        weight = np.where(corner, part, 1 - part).prod(axis=1)
        values += weight * volume.hu[k, j, i]
        if volume.valid is not None:
            measured &= (weight == 0) | ((volume.valid[k, j, i] & _LEFT_OUT) == 0)
    return np.where(measured, values, np.nan)
