"""Smaller copies of a volume for drawing: averaged, never strided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.geometry import Geometry
from hounsview.volume import AIR_HU, Volume

AXIAL: Final = "SPL"


@dataclass(frozen=True)
class Level:
    """A volume reduced for drawing, its axes rising to Superior, Posterior, Left.

    Parameters
    ----------
    hu : (k, j, i) int16 or float32, C-contiguous
    geometry : Geometry
        Of the reduced grid; orthogonal.
    factors : (k, j, i) int
        How many stored voxels one of these stands for along each axis.
    """

    hu: npt.NDArray[Any]
    geometry: Geometry
    factors: tuple[int, int, int]

    @property
    def is_reduced(self) -> bool:
        """Whether it has fewer voxels than the volume."""
        return self.factors != (1, 1, 1)


def level_of(volume: Volume, most_voxels: int) -> Level:
    """Return the finest level of at most so many voxels, as even in mm as can be."""
    upright = volume if volume.geometry.is_orthogonal else _orthogonal(volume)
    upright = upright.reorient(AXIAL)
    factors = _factors(upright.geometry, most_voxels)
    hu = _reduced(upright.hu, factors)
    # Block means lie at the centres of their blocks.
    to_old = np.diag([*map(float, factors), 1.0])
    to_old[:3, 3] = (np.asarray(factors) - 1) / 2
    return Level(hu, upright.geometry.transformed(hu.shape, to_old), factors)


def _orthogonal(volume: Volume) -> Volume:
    """Return a sheared volume on an upright grid of the same spacing around it."""
    geometry = volume.geometry
    shape = np.array(geometry.shape) - 1
    corners = np.array([[k, j, i] for k in (0, 1) for j in (0, 1) for i in (0, 1)]) * shape
    points = geometry.to_patient(corners)
    low, high = points.min(axis=0), points.max(axis=0)
    step = float(min(geometry.spacing))
    size = np.ceil((high - low)[::-1] / step).astype(int) + 1
    return volume.resample_onto(
        Geometry.from_parts(size.tolist(), spacing=(step,) * 3, origin=low.tolist())
    )


def _factors(geometry: Geometry, most_voxels: int) -> tuple[int, int, int]:
    """Return by how much to reduce each axis: the finest one first."""
    factors = np.ones(3, int)
    shape, spacing = np.asarray(geometry.shape), np.asarray(geometry.spacing)
    while np.prod(shape // factors) > most_voxels:
        sizes = np.where(shape // (factors + 1) > 1, spacing * factors, np.inf)
        if not np.isfinite(sizes).any():
            break
        # In-plane axes of equal spacing go together, so that pixels stay square.
        factors[sizes <= sizes.min() * 1.01] += 1
    return int(factors[0]), int(factors[1]), int(factors[2])


def _reduced(hu: npt.NDArray[Any], factors: tuple[int, int, int]) -> npt.NDArray[Any]:
    """Return block means; what does not fill a block at the far ends is left out."""
    if factors == (1, 1, 1):
        return np.ascontiguousarray(hu)
    fk, fj, fi = factors
    shape = tuple(n // f for n, f in zip(hu.shape, factors, strict=True))
    reduced = np.empty(shape, hu.dtype)
    for k in range(shape[0]):
        block = hu[k * fk : (k + 1) * fk, : shape[1] * fj, : shape[2] * fi]
        plane = block[0] if fk == 1 else block.mean(axis=0, dtype=np.float32)
        plane = np.ascontiguousarray(plane)
        if (fj, fi) != (1, 1):
            plane = cv2.resize(plane, shape[:0:-1], interpolation=cv2.INTER_AREA)
        reduced[k] = np.rint(plane) if hu.dtype.kind == "i" else plane
    return reduced


def around(level: Level, lowest_shown: float) -> Level:
    """Return the part of a level that holds all values from `lowest_shown` on, and a margin.

    An empty margin of one voxel stays, so that nothing is cut open at the border.
    """
    coarse = level.hu[::2, ::2, ::2] >= max(lowest_shown, AIR_HU + 1)
    box = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        found = np.flatnonzero(coarse.any(axis=others))
        size = level.hu.shape[axis]
        if not found.size:
            return level
        box.append((max(2 * int(found[0]) - 3, 0), min(2 * int(found[-1]) + 4, size)))
    if any(stop - start < 2 for start, stop in box):
        return level
    part = level.hu[tuple(slice(*ends) for ends in box)]
    to_old = np.eye(4)
    to_old[:3, 3] = [start for start, _ in box]
    geometry = level.geometry.transformed(part.shape, to_old)
    return Level(np.ascontiguousarray(part), geometry, level.factors)
