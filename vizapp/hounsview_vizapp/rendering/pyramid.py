"""Smaller copies of a volume for drawing: averaged, never strided."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.geometry import Geometry
from hounsview.volume import AIR_HU, Volume

AXIAL: Final = "SPL"
LONGEST: Final = 2048
"""What OpenGL promises of the side of a 3D texture (GL_MAX_3D_TEXTURE_SIZE)."""
COARSE_VOXELS: Final = 2_000_000
"""Of the level that is drawn while the picture moves, and on which the body is found."""


@dataclass(frozen=True, eq=False)
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

    @property
    def resolution(self) -> str:
        """What a badge says of a reduced level; empty for one of all voxels."""
        if not self.is_reduced:
            return ""
        axes = zip(self.geometry.spacing, self.factors, strict=True)
        coarsest = max(mm for mm, factor in axes if factor > 1)
        return f"REDUCED TO {coarsest:.2g} mm"

    def part(self, box: tuple[slice, ...]) -> Level:
        """Return the part in a (k, j, i) box, at the same places."""
        hu = self.hu[box]
        to_old = np.eye(4)
        to_old[:3, 3] = [side.start for side in box]
        geometry = self.geometry.transformed(hu.shape, to_old)
        return Level(np.ascontiguousarray(hu), geometry, self.factors)

    def padded(self, hu: float) -> Level:
        """Return the level with one more voxel of a value on each side."""
        values = np.pad(self.hu, 1, constant_values=hu)
        to_old = np.eye(4)
        to_old[:3, 3] = -1
        return Level(values, self.geometry.transformed(values.shape, to_old), self.factors)


class Pyramid:
    """The levels of one volume, each made once; safe to ask from several threads."""

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self._levels: dict[tuple[int, int, int], Level] = {}
        self._lock = threading.Lock()

    def factors(self, most_voxels: int) -> tuple[int, int, int]:
        """Return the factors of the level of at most so many voxels."""
        order, _ = self.volume.geometry.axes_to(AXIAL)
        stored = reduction(self.volume.geometry, most_voxels)
        return stored[order[0]], stored[order[1]], stored[order[2]]

    def level(self, most_voxels: int) -> Level:
        """Return the level of at most so many voxels."""
        key = self.factors(most_voxels)
        with self._lock:
            if key not in self._levels:
                self._levels[key] = level_of(self.volume, most_voxels)
            return self._levels[key]

    @property
    def coarse(self) -> Level:
        """The level that is drawn while the picture moves."""
        return self.level(COARSE_VOXELS)


def level_of(
    volume: Volume, most_voxels: int, values: npt.NDArray[np.uint8] | None = None
) -> Level:
    """Return the finest level of at most so many voxels, as even in mm as can be.

    A sheared volume is reduced first and then resampled onto an upright grid, which may
    have more voxels.

    Parameters
    ----------
    volume : Volume
    most_voxels : int
    values : (k, j, i) uint8, optional
        What to reduce in place of the HU.
    """
    stored = reduction(volume.geometry, most_voxels)
    order, flips = volume.geometry.axes_to(AXIAL)
    # What fills no block is left out at the far end of the upright axes, so that the
    # picture does not depend on which way the array was stored.
    starts = [0, 0, 0]
    for axis, flipped in zip(order, flips, strict=True):
        starts[axis] = volume.shape[axis] % stored[axis] if flipped else 0
    hu = _reduced(volume.hu if values is None else values, stored, starts)
    if values is not None:
        hu = hu.astype(np.int16)
    # Block means lie at the centres of their blocks.
    to_stored = np.diag([*map(float, stored), 1.0])
    to_stored[:3, 3] = np.asarray(starts) + (np.asarray(stored) - 1) / 2
    geometry = volume.geometry.transformed(hu.shape, to_stored)
    hu, geometry = _upright(hu, geometry)
    factors = (stored[order[0]], stored[order[1]], stored[order[2]])
    return Level(hu, geometry, factors)


def _upright(hu: npt.NDArray[Any], geometry: Geometry) -> tuple[npt.NDArray[Any], Geometry]:
    turned = Volume(hu, geometry)
    if not geometry.is_orthogonal:
        turned = _orthogonal(turned)
    turned = turned.reorient(AXIAL)
    return np.ascontiguousarray(turned.hu), turned.geometry


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


def reduction(
    geometry: Geometry, most_voxels: int, *, longest: int = LONGEST
) -> tuple[int, int, int]:
    """Return by how much to reduce each stored axis (k, j, i): the finest one first.

    No axis of what is left is longer than `longest`, because no 3D texture may be.
    """
    shape, spacing = np.asarray(geometry.shape), np.asarray(geometry.spacing)
    factors = -(-shape // longest)
    while np.prod(shape // factors) > most_voxels:
        sizes = np.where(shape // (factors + 1) > 1, spacing * factors, np.inf)
        if not np.isfinite(sizes).any():
            break
        # In-plane axes of equal spacing go together, so that pixels stay square.
        factors[sizes <= sizes.min() * 1.01] += 1
    return int(factors[0]), int(factors[1]), int(factors[2])


def _reduced(
    hu: npt.NDArray[Any], factors: tuple[int, int, int], starts: list[int]
) -> npt.NDArray[Any]:
    """Return the means of the blocks that begin at `starts`."""
    if factors == (1, 1, 1):
        return hu
    fk, fj, fi = factors
    shape = tuple(n // f for n, f in zip(hu.shape, factors, strict=True))
    box = tuple(
        slice(start, start + n * f) for start, n, f in zip(starts, shape, factors, strict=True)
    )
    whole = hu[box]
    reduced = np.empty(shape, hu.dtype)
    for k in range(shape[0]):
        block = whole[k * fk : (k + 1) * fk]
        plane = block[0] if fk == 1 else block.mean(axis=0, dtype=np.float32)
        plane = np.ascontiguousarray(plane)
        if (fj, fi) != (1, 1):
            plane = cv2.resize(plane, shape[:0:-1], interpolation=cv2.INTER_AREA)
        reduced[k] = plane if hu.dtype.kind == "f" else np.rint(plane)
    return reduced


def around(level: Level, lowest: float, highest: float = np.inf) -> Level:
    """Return the part of a level that holds all values of a range (HU), and a margin.

    An empty margin of one voxel stays, so that nothing is cut open at the border.
    """
    coarse = level.hu[::2, ::2, ::2]
    return level.part(
        box_around((coarse >= max(lowest, AIR_HU + 1)) & (coarse <= highest), level.hu.shape)
    )


def box_around(every_other: npt.NDArray[np.bool_], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the (k, j, i) box of an array around what a mask of every other voxel marks.

    With a margin of at least one voxel; the whole array where the mask is empty.
    """
    whole = tuple(slice(0, size) for size in shape)
    box = []
    for axis, size in enumerate(shape):
        others = tuple(other for other in range(3) if other != axis)
        found = np.flatnonzero(every_other.any(axis=others))
        if not found.size:
            return whole
        box.append(slice(max(2 * int(found[0]) - 3, 0), min(2 * int(found[-1]) + 4, size)))
    return whole if any(side.stop - side.start < 2 for side in box) else tuple(box)


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
