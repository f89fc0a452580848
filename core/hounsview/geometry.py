"""Where the voxels lie in the patient.

One convention for the whole library: arrays are indexed ``(k, j, i)`` = (slice,
row, column); points are patient coordinates ``(x, y, z)`` in mm, LPS (x rises to
the patient's Left, y to Posterior, z to Superior; PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError, GeometryError

Floats = npt.NDArray[np.float64]

_OPPOSITE = {"L": "R", "R": "L", "P": "A", "A": "P", "S": "I", "I": "S"}
_RISING = "LPS"


@dataclass(frozen=True, eq=False)
class Geometry:
    """A grid of voxels in the patient: shape and one affine; the rest is derived.

    Parameters
    ----------
    shape : (3,) int
        (slices, rows, columns), each at least 1.
    affine : (4, 4) float64
        Maps an array index ``(k, j, i, 1)`` to a patient point ``(x, y, z, 1)``,
        LPS, mm; the origin is the centre of voxel (0, 0, 0).

    Raises
    ------
    GeometryError
        If the affine is not finite or not invertible.
    """

    shape: tuple[int, int, int]
    affine: Floats

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            msg = f"a volume needs a shape of three sizes of at least 1, not {shape}"
            raise GeometryError(msg)
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            msg = f"an affine is a finite (4, 4) matrix, not {affine.tolist()}"
            raise GeometryError(msg)
        if not np.array_equal(affine[3], [0, 0, 0, 1]):
            msg = f"an affine ends in the row 0 0 0 1, not {affine[3].tolist()}"
            raise GeometryError(msg)
        steps = np.linalg.norm(affine[:3, :3], axis=0)
        volume = abs(np.linalg.det(affine[:3, :3]))
        if not steps.all() or volume <= 1e-6 * steps.prod():
            msg = f"the steps of the affine span no volume: {affine[:3, :3].tolist()} mm"
            raise GeometryError(msg)
        affine.flags.writeable = False
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", affine)

    @classmethod
    def from_parts(
        cls,
        shape: Sequence[int],
        *,
        spacing: Sequence[float],
        origin: Sequence[float] = (0.0, 0.0, 0.0),
        direction: npt.ArrayLike | None = None,
    ) -> Geometry:
        """Return a geometry from its parts.

        Parameters
        ----------
        shape : (slices, rows, columns)
        spacing : (k, j, i) mm between voxel centres
        origin : patient point of voxel (0, 0, 0), LPS mm
        direction : (3, 3), optional
            Columns are the unit patient directions in which k, j and i rise; axial,
            head first, supine when left out (k to S, j to P, i to L).
        """
        if direction is None:
            direction = np.eye(3)[:, ::-1]
        affine = np.eye(4)
        affine[:3, :3] = np.asarray(direction, float) * np.asarray(spacing, float)
        affine[:3, 3] = origin
        return cls((int(shape[0]), int(shape[1]), int(shape[2])), affine)

    @cached_property
    def spacing(self) -> tuple[float, float, float]:
        """(k, j, i) mm: distance between neighbouring voxel centres along each axis."""
        k, j, i = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(k), float(j), float(i)

    @property
    def origin(self) -> Floats:
        """(3,) patient point of the centre of voxel (0, 0, 0), LPS mm."""
        origin: Floats = self.affine[:3, 3]
        return origin

    @cached_property
    def direction(self) -> Floats:
        """(3, 3): columns are the unit directions (LPS) in which k, j and i rise."""
        direction: Floats = self.affine[:3, :3] / np.asarray(self.spacing)
        direction.flags.writeable = False
        return direction

    @cached_property
    def orientation(self) -> str:
        """Three letters: where k, j and i rise to; ``"SPL"`` is axial head-first supine.

        An oblique axis gets the letter that it is closest to; no two axes share one.
        """
        axes, signs = self._closest_axes()
        return "".join(
            _RISING[axis] if sign > 0 else _OPPOSITE[_RISING[axis]]
            for axis, sign in zip(axes, signs, strict=True)
        )

    def _closest_axes(self) -> tuple[list[int], list[int]]:
        """Return for k, j, i: the patient axis (0 x, 1 y, 2 z) it follows, and its sign."""
        closeness = np.abs(self.direction)
        axes, signs = [0, 0, 0], [1, 1, 1]
        for _ in range(3):
            patient, array = np.unravel_index(np.argmax(closeness), (3, 3))
            axes[array] = int(patient)
            signs[array] = 1 if self.direction[patient, array] > 0 else -1
            closeness[patient, :] = -1
            closeness[:, array] = -1
        return axes, signs

    @cached_property
    def is_orthogonal(self) -> bool:
        """Whether the three axes stand at right angles (no shear; within 1e-4)."""
        return bool(np.allclose(self.direction.T @ self.direction, np.eye(3), atol=1e-4))

    @cached_property
    def inverse(self) -> Floats:
        """(4, 4): patient point (x, y, z, 1) -> array index (k, j, i, 1)."""
        inverse = np.asarray(np.linalg.inv(self.affine), np.float64)
        inverse.flags.writeable = False
        return inverse

    @property
    def centre(self) -> Floats:
        """(3,) patient point of the middle of the grid, LPS mm."""
        return self.to_patient((np.asarray(self.shape) - 1) / 2)

    def corners(self, *, faces: bool = False) -> Floats:
        """Return (8, 3) patient points, LPS mm: the centres of the corner voxels.

        With `faces` the corners of the box that the voxels fill, half a voxel farther out.
        """
        ends = np.array([[k, j, i] for k in (0, 1) for j in (0, 1) for i in (0, 1)])
        size = np.asarray(self.shape)
        return self.to_patient(ends * size - 0.5 if faces else ends * (size - 1))

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel, mm3."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def to_patient(self, index: npt.ArrayLike) -> Floats:
        """Return patient points for array indices.

        Parameters
        ----------
        index : (..., 3) float
            (k, j, i); whole numbers are voxel centres.

        Returns
        -------
        (..., 3) float64
            (x, y, z), LPS mm.
        """
        points: Floats = _triples(index) @ self.affine[:3, :3].T + self.affine[:3, 3]
        return points

    def to_index(self, point: npt.ArrayLike) -> Floats:
        """Return array indices for patient points; the inverse of `to_patient`.

        Parameters
        ----------
        point : (..., 3) float
            (x, y, z), LPS mm.

        Returns
        -------
        (..., 3) float64
            (k, j, i), not rounded.
        """
        index: Floats = _triples(point) @ self.inverse[:3, :3].T + self.inverse[:3, 3]
        return index

    def to_ras(self) -> Floats:
        """Return the (4, 4) matrix (i, j, k, 1) -> RAS mm, as NIfTI and Slicer want it.

        RAS is LPS with x and y negated.
        """
        swap = np.eye(4)[[2, 1, 0, 3]]
        ras: Floats = np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.affine @ swap
        return ras

    @classmethod
    def from_ras(cls, shape: Sequence[int], ras: npt.ArrayLike) -> Geometry:
        """Return the geometry of a (4, 4) matrix (i, j, k, 1) -> RAS mm.

        `shape` is (slices, rows, columns) all the same.
        """
        swap = np.eye(4)[[2, 1, 0, 3]]
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(ras, float) @ swap
        return cls((int(shape[0]), int(shape[1]), int(shape[2])), affine)

    def contains(self, index: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return for (..., 3) indices (k, j, i) whether they lie in a voxel of the grid."""
        at = _triples(index)
        inside: npt.NDArray[np.bool_] = np.all(
            (at >= -0.5) & (at < np.asarray(self.shape) - 0.5), axis=-1
        )
        return inside

    def axes_to(self, orientation: str) -> tuple[tuple[int, int, int], list[bool]]:
        """Return how to get to an orientation: the axis order, then which axes to flip.

        ``array.transpose(order)`` followed by a flip of the marked axes brings k, j
        and i to rise towards the three letters.

        Raises
        ------
        ArgumentError
            If the letters do not name each of the three patient axes once.
        """
        wanted = orientation.upper()
        patient_axes = [
            _RISING.find(c if c in _RISING else _OPPOSITE.get(c, "?")) for c in wanted
        ]
        if sorted(patient_axes) != [0, 1, 2]:
            msg = (
                f"orientation {orientation!r} must hold one letter of each pair "
                "L/R, P/A, S/I, such as 'SPL'"
            )
            raise ArgumentError(msg)
        axes, signs = self._closest_axes()
        order = [axes.index(axis) for axis in patient_axes]
        flips = [(wanted[n] in _RISING) != (signs[order[n]] > 0) for n in range(3)]
        return (order[0], order[1], order[2]), flips

    def transformed(self, shape: Sequence[int], to_old_index: npt.ArrayLike) -> Geometry:
        """Return the grid whose index maps to an index of this one by a (4, 4) matrix."""
        affine = self.affine @ np.asarray(to_old_index, float)
        return Geometry((int(shape[0]), int(shape[1]), int(shape[2])), affine)

    def with_spacing(self, spacing: Sequence[float]) -> Geometry:
        """Return the grid that covers the same box with another spacing (k, j, i) mm.

        The outer faces of the first voxels stay where they are; the far faces move by
        less than one new voxel.
        """
        wanted = np.asarray(spacing, float)
        if wanted.shape != (3,) or not np.isfinite(wanted).all() or (wanted <= 0).any():
            msg = f"spacing must be three positive numbers in mm (k, j, i), not {spacing}"
            raise ArgumentError(msg)
        ratio = wanted / np.asarray(self.spacing)
        shape = np.maximum(1, np.ceil(np.asarray(self.shape) / ratio - 1e-6)).astype(int)
        to_old = np.diag([*ratio, 1.0])
        to_old[:3, 3] = (ratio - 1) / 2
        return self.transformed([int(n) for n in shape], to_old)

    def is_close(self, other: Geometry, *, tolerance: float = 1e-3) -> bool:
        """Return whether both grids have the same shape and corners within mm."""
        if self.shape != other.shape:
            return False
        apart = self.corners() - other.corners()
        return bool(np.abs(apart).max() <= tolerance)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Geometry):
            return NotImplemented
        return self.shape == other.shape and np.array_equal(self.affine, other.affine)

    def __hash__(self) -> int:
        return hash((self.shape, self.affine.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:
        return Geometry, (self.shape, np.array(self.affine))

    def __repr__(self) -> str:
        k, j, i = self.spacing
        return (
            f"Geometry({self.shape[0]} x {self.shape[1]} x {self.shape[2]} "
            f"(k, j, i), {k:.6g} x {j:.6g} x {i:.6g} mm, {self.orientation}, "
            f"origin {np.round(self.origin, 3).tolist()} LPS mm)"
        )


def _triples(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.shape[-1:] != (3,):
        msg = f"indices and points have three numbers in the last axis, not {array.shape}"
        raise ArgumentError(msg)
    return array
