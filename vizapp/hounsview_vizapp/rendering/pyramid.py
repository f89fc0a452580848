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
_BODY_HU: Final = -300


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


def around(level: Level, lowest: float, highest: float = np.inf) -> Level:
    """Return the part of a level that holds all values of a range (HU), and a margin.

    An empty margin of one voxel stays, so that nothing is cut open at the border.
    """
    coarse = level.hu[::2, ::2, ::2]
    coarse = (coarse >= max(lowest, AIR_HU + 1)) & (coarse <= highest)
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


def inside_body(level: Level) -> Level:
    """Return a level with everything outside the body at 0 HU, where air-like presets show.

    For pictures alone: per slice the largest piece denser than fat-like -300 HU, apart
    from what a thin bridge holds (table, sleeves), filled and reduced by its blurred rim.
    """
    spacing = level.geometry.spacing[1:]
    hu = level.hu.copy()
    for plane in hu:
        plane[~_body_of(plane > _BODY_HU, spacing)] = 0
    return Level(hu, level.geometry, level.factors)


def _body_of(
    dense: npt.NDArray[np.bool_], spacing: tuple[float, float]
) -> npt.NDArray[np.bool_]:
    """Return the (rows, columns) inside of the largest dense piece."""
    opened = cv2.morphologyEx(dense.astype(np.uint8), cv2.MORPH_OPEN, _ball(5.0, spacing))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
    if count < 2:
        return np.zeros(dense.shape, bool)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    piece = (labels == largest).astype(np.uint8)
    outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(piece, outlines, -1, 1, cv2.FILLED)
    inside: npt.NDArray[np.bool_] = cv2.erode(filled, _ball(4.0, spacing)) > 0
    return inside


def _ball(radius_mm: float, spacing: tuple[float, float]) -> npt.NDArray[Any]:
    rows, columns = (2 * max(1, round(radius_mm / mm)) + 1 for mm in spacing)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (columns, rows)))


def smoothed(level: Level) -> Level:
    """Return a level smoothed by 1/4, 1/2, 1/4 along each axis.

    The CPU ray caster takes gradients between neighbours and shows steps of one voxel
    as rings on smooth surfaces; this takes them away.
    """
    hu = level.hu.astype(np.float32)
    for plane in hu:
        cv2.GaussianBlur(plane, (3, 3), 0.85, dst=plane)
    if len(hu) > 2:
        below = hu[0].copy()
        for k in range(1, len(hu) - 1):
            middle = hu[k].copy()
            hu[k] = 0.25 * below + 0.5 * middle + 0.25 * hu[k + 1]
            below = middle
    if level.hu.dtype.kind == "i":
        np.rint(hu, out=hu)
    return Level(hu.astype(level.hu.dtype), level.geometry, level.factors)
