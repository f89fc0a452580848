"""Skin, fat and soft tissue: what of the body is left, by its HU.

Skin is the outer 2 mm of the body (at least one voxel). Fat lies at -190 to -30 HU and soft
tissue at -29 to 150 HU (Aubrey et al., Acta Physiol 210, 2014, 489-497), inside the body and
outside every other mask. What it cannot do: tell muscle from organs and blood, or fat from
the blurred edge between lung and its wall, which has the same HU.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.masks.grid import Grid
from hounsview.masks.morphology import dilated

SKIN_MM: Final = 2.0
FAT_HU: Final = (-190, -30)
SOFT_HU: Final = (-29, 150)
SMOOTH_FROM_HU: Final = 15.0
"""Noise (SD) from which single voxels of muscle would often count as fat."""


def skin_of(grid: Grid, body: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return (k, j, i) bool: the outer 2 mm of the body; sides where it was cut have none."""
    radius = max(SKIN_MM, min(grid.spacing[1:]))
    outside = (~body).astype(np.uint8)
    for k in range(grid.shape[0]):
        away = grid.padding(k)
        if away is not None:
            outside[k][away] = 0
    grown = dilated(outside, radius, grid.spacing)
    skin: npt.NDArray[np.bool_] = grown.view(bool)
    skin &= body
    return skin


def by_hu(
    grid: Grid,
    wanted: dict[str, tuple[int, int]],
    body: npt.NDArray[np.bool_],
    others: list[npt.NDArray[np.bool_]],
) -> dict[str, npt.NDArray[np.bool_]]:
    """Return for each name (k, j, i) bool: HU of its range in the body, outside the others.

    Parameters
    ----------
    grid : Grid
    wanted : name -> (lowest, highest) HU, whole numbers, both included
    body : (k, j, i) bool
    others : list of (k, j, i) bool
    """
    found = {name: np.empty(grid.shape, bool) for name in wanted}
    for k in range(grid.shape[0]):
        room = body[k].copy()
        for other in others:
            room &= ~other[k]
        hu = _calm(grid.hu[k], grid.noise)
        for name, (low, high) in wanted.items():
            found[name][k] = room & (hu > low - 1) & (hu < high + 1)
    return found


def _calm(hu: npt.NDArray[Any], noise: float) -> npt.NDArray[Any]:
    if noise < SMOOTH_FROM_HU:
        return hu
    plane = np.asarray(cv2.GaussianBlur(hu.astype(np.float32), (5, 5), 1.1))
    return np.rint(plane)
