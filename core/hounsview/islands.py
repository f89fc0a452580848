"""Bright islands in the lung: candidates for teaching, and nothing more.

What is above -400 HU inside the lung is freed of what is thinner than 3 mm (vessels); pieces
that are round remain: nodules, but also vessels where they branch or turn, scars, and parts
of the wall. Nobody may be told from this list that a nodule is there, or that none is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.masks.components import pieces_of
from hounsview.masks.grid import Grid
from hounsview.masks.morphology import dilated, eroded
from hounsview.planes import patient_text
from hounsview.tissues import ml_text
from hounsview.volume import Validity, Volume

BRIGHT_HU: Final = -400
VESSEL_MM: Final = 3.0
SMALLEST_MM, LARGEST_MM = 4.0, 30.0
"""Nodules are called so up to 30 mm (Fleischner Society, Radiology 246, 2008)."""
ROUND: Final = 2.0
"""Longest over shortest axis."""
SOLID: Final = 0.55
"""Share of the ellipsoid of the same axes that is filled."""


@dataclass(frozen=True)
class BrightIsland:
    """One bright island in the lung.

    Parameters
    ----------
    point : (x, y, z) float, LPS mm
        Its middle.
    volume : float, ml
    diameter : float, mm
        Of a ball of this volume.
    mean : float, HU
    """

    point: tuple[float, float, float]
    volume: float
    diameter: float
    mean: float

    def values(self) -> dict[str, str]:
        """Return what a table shows: name -> value with its unit."""
        return {
            "place": patient_text(self.point),
            "diameter": f"{self.diameter:.1f} mm",
            "volume": ml_text(self.volume),
            "mean": f"{self.mean:.0f} HU",
            "note": "candidate for teaching",
        }


def bright_islands(volume: Volume, lung: npt.NDArray[np.bool_]) -> list[BrightIsland]:
    """Return the bright islands of a lung, the largest first.

    Parameters
    ----------
    volume : Volume
    lung : (k, j, i) bool
        One lung or both, closed over vessels and nodules as `hounsview.masks` makes them.

    Raises
    ------
    ArgumentError
        If the mask does not fit the volume.
    NotHounsfieldError
        If the volume does not hold HU.
    """
    volume.require_hu("bright islands in the lung")
    if lung.shape != volume.shape:
        msg = f"a mask of shape {lung.shape} does not fit a volume of shape {volume.shape}"
        raise ArgumentError(msg)
    grid = Grid(volume)
    inside = grid.from_stored(lung)
    box = _box(inside)
    if box is None:
        return []
    bright = inside[box] & (grid.hu[box] > BRIGHT_HU)
    if grid.upright.valid is not None:
        made = np.uint8(Validity.PADDING | Validity.FILLED)
        bright &= (grid.upright.valid[box] & made) == 0
    own = bright.astype(np.uint8)
    radius = max(VESSEL_MM / 2, 1.01 * min(grid.spacing))
    thick = dilated(eroded(own, radius, grid.spacing), radius, grid.spacing) & own
    pieces = pieces_of(thick)
    start = np.array([side.start for side in box])
    found = []
    for number in pieces.numbers:
        ml = float(pieces.sizes[number]) * grid.upright.geometry.voxel_volume / 1000
        diameter = (6000 * ml / np.pi) ** (1 / 3)
        if diameter < SMALLEST_MM:
            break
        if diameter > LARGEST_MM:
            continue
        index = np.argwhere(pieces.labels == number)
        points = grid.upright.geometry.to_patient(index + start)
        if not _is_round(points, 1000 * ml):
            continue
        x, y, z = (float(n) for n in points.mean(axis=0))
        mean = float(grid.hu[box][tuple(index.T)].mean(dtype=np.float64))
        found.append(BrightIsland((x, y, z), ml, float(diameter), mean))
    return found


def _box(mask: npt.NDArray[np.bool_]) -> tuple[slice, slice, slice] | None:
    sides = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        at = np.flatnonzero(mask.any(axis=others))
        if not at.size:
            return None
        sides.append(slice(int(at[0]), int(at[-1]) + 1))
    return sides[0], sides[1], sides[2]


def _is_round(points: npt.NDArray[np.float64], mm3: float) -> bool:
    """Return whether points fill an ellipsoid whose axes are alike.

    The semi-axes of a full ellipsoid are the square roots of 5 times its variances.
    """
    variances = np.linalg.eigvalsh(np.cov(points.T)) if len(points) > 3 else np.zeros(3)
    axes = np.sqrt(5 * np.maximum(variances, 0))
    if axes[0] <= 0 or axes[2] > ROUND * axes[0]:
        return False
    return bool(mm3 >= SOLID * 4 / 3 * np.pi * axes.prod())
