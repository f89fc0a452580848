"""Which voxels lie in a rectangle or an ellipse that was drawn on a plane."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from hounsview.geometry import Geometry
from hounsview.planes import is_aligned, plane_axes, slice_at
from hounsview.viewstate import Measurement
from hounsview.volume import Volume

Floats = npt.NDArray[np.float64]

_EDGE_MM: Final = 1e-6
"""A centre this far outside still counts as on the outline, which belongs to the shape."""


class Contents(NamedTuple):
    """What lies in a shape.

    Parameters
    ----------
    values : (n,) int16 or float32, in the volume's unit
    valid : (n,) uint8
        Bits of `Validity`.
    interpolated : bool
        Whether these are samples between voxels, and not voxels.
    """

    values: npt.NDArray[Any]
    valid: npt.NDArray[np.uint8]
    interpolated: bool


@dataclass(frozen=True, eq=False)
class Shape:
    """A rectangle or an ellipse in a plane.

    Parameters
    ----------
    kind : str
        ``"rectangle"`` or ``"ellipse"``.
    plane : str
    turned : bool
        Whether the plane was turned away from the patient axes.
    middle : (3,) float64, LPS mm
    half_right, half_down : float, mm
        Half its sides along the plane's rows and columns.
    right, down : (3,) float64, unit vectors, LPS
    """

    kind: str
    plane: str
    turned: bool
    middle: Floats
    half_right: float
    half_down: float
    right: Floats
    down: Floats

    @classmethod
    def of(cls, measurement: Measurement) -> Shape:
        """Return the shape of a rectangle or an ellipse."""
        first, second = np.asarray(measurement.points, float)
        right, down = plane_axes(measurement.plane, measurement.oblique)
        diagonal = (second - first) / 2
        return cls(
            kind=measurement.kind,
            plane=measurement.plane,
            turned=any(measurement.oblique),
            middle=(first + second) / 2,
            half_right=abs(float(diagonal @ right)),
            half_down=abs(float(diagonal @ down)),
            right=right,
            down=down,
        )

    @property
    def area(self) -> float:
        """Of the shape itself, mm2."""
        box = 4 * self.half_right * self.half_down
        return box if self.kind == "rectangle" else box * math.pi / 4

    def contains(self, points: Floats) -> npt.NDArray[np.bool_]:
        """Return for (..., 3) LPS mm whether their feet on the plane lie in the shape."""
        apart = points - self.middle
        across = np.abs(apart @ self.right) / (self.half_right + _EDGE_MM)
        along = np.abs(apart @ self.down) / (self.half_down + _EDGE_MM)
        if self.kind == "rectangle":
            return np.asarray((across <= 1) & (along <= 1))
        return np.asarray(across**2 + along**2 <= 1)

    def corners(self) -> Floats:
        """Return (4, 3) LPS mm, with room for the edge's tolerance."""
        across = self.right * (self.half_right + _EDGE_MM)
        along = self.down * (self.half_down + _EDGE_MM)
        return np.stack(
            [self.middle + a * across + b * along for a in (-1, 1) for b in (-1, 1)]
        )

    def outline(self) -> Floats:
        """Return (n, 3) LPS mm around the shape: its corners, or a point every 4 degrees."""
        if self.kind == "rectangle":
            across, along = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]], float).T
        else:
            turn = np.radians(np.arange(0, 360, 4))
            across, along = np.cos(turn), np.sin(turn)
        points: Floats = (
            self.middle
            + across[:, None] * self.half_right * self.right
            + along[:, None] * self.half_down * self.down
        )
        return points


def lies_inside(geometry: Geometry, shape: Shape) -> bool:
    """Return whether a shape lies in the volume, to the outer faces of its voxels."""
    # Drawn a little smaller: rounding must not put out what ends on the last face.
    at = geometry.to_index(shape.middle + (shape.outline() - shape.middle) * (1 - 1e-6))
    if is_aligned(geometry) and not shape.turned:
        shown = slice_at(geometry, shape.plane, shape.middle)
        if not shown.inside:
            return False
        at[:, shown.axis] = shown.index
    return bool(np.all(geometry.contains(at)))


def contents_of(volume: Volume, shape: Shape) -> Contents:
    """Return the voxels in a shape; samples between them where no slice lies in its plane.

    Voxels are those of the slice that the shape's middle lies on (the one that a picture
    through it shows) whose centres lie in the shape or on its outline. Samples are taken
    where the plane was turned, or the array does not follow the patient axes: trilinearly,
    on a square grid of the smallest spacing around the middle, as `Volume.resample_onto`
    does it.
    """
    if is_aligned(volume.geometry) and not shape.turned:
        return _voxels_in(volume, shape)
    return _samples_in(volume, shape)


def _nothing(*, interpolated: bool) -> Contents:
    return Contents(np.empty(0, np.int16), np.empty(0, np.uint8), interpolated)


def _voxels_in(volume: Volume, shape: Shape) -> Contents:
    geometry = volume.geometry
    shown = slice_at(geometry, shape.plane, shape.middle)
    if not shown.inside:
        return _nothing(interpolated=False)
    at = geometry.to_index(shape.corners())
    low = np.maximum(np.ceil(at.min(axis=0)), 0).astype(int)
    high = np.minimum(np.floor(at.max(axis=0)), np.asarray(geometry.shape) - 1).astype(int)
    low[shown.axis] = high[shown.axis] = shown.index
    # An empty box stays empty: a stop below its start would wrap round at 0.
    box = tuple(slice(a, max(a, b + 1)) for a, b in zip(low, high, strict=True))
    index = np.stack(np.meshgrid(*(np.arange(b.start, b.stop) for b in box), indexing="ij"), -1)
    inside = shape.contains(geometry.to_patient(index))
    values = volume.hu[box][inside]
    return Contents(values, _marks(volume.valid, box, inside), interpolated=False)


def _samples_in(volume: Volume, shape: Shape) -> Contents:
    grid = _grid_over(volume.geometry, shape)
    if grid is None:
        return _nothing(interpolated=True)
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    points = grid.to_patient(index)
    at = volume.geometry.to_index(points)
    inside = volume.geometry.contains(at) & shape.contains(points)
    if not inside.any():
        return _nothing(interpolated=True)
    # Only the part around the shape is converted and resampled, not the whole volume.
    low = np.maximum(np.floor(at[inside].min(axis=0)) - 1, 0).astype(int)
    high = np.minimum(np.ceil(at[inside].max(axis=0)) + 2, volume.shape).astype(int)
    k, j, i = ((int(a), int(b)) for a, b in zip(low, high, strict=True))
    part = volume.crop(k=k, j=j, i=i)
    sampled = replace(part, hu=part.hu.astype(np.float32)).resample_onto(grid)
    whole = (slice(None),) * 3
    return Contents(sampled.hu[inside], _marks(sampled.valid, whole, inside), interpolated=True)


def _marks(
    valid: npt.NDArray[np.uint8] | None,
    box: tuple[slice, ...],
    inside: npt.NDArray[np.bool_],
) -> npt.NDArray[np.uint8]:
    if valid is None:
        return np.zeros(np.count_nonzero(inside), np.uint8)
    return valid[box][inside]


def _grid_over(geometry: Geometry, shape: Shape) -> Geometry | None:
    """Return a one-slice grid of the smallest spacing over the shape, or None off the volume.

    Its points lie whole steps from the shape's middle; it ends where the volume does.
    """
    step = min(geometry.spacing)
    corners = geometry.corners(faces=True) - shape.middle
    counts, start = [], shape.middle.copy()
    for half, axis in ((shape.half_down, shape.down), (shape.half_right, shape.right)):
        along = corners @ axis
        first = math.ceil(max(-half - _EDGE_MM, float(along.min())) / step)
        last = math.floor(min(half + _EDGE_MM, float(along.max())) / step)
        if last < first:
            return None
        start += axis * step * first
        counts.append(last - first + 1)
    affine = np.eye(4)
    normal = np.cross(shape.right, shape.down)
    affine[:3, :3] = np.stack([normal, shape.down, shape.right], axis=1) * step
    affine[:3, 3] = start
    return Geometry((1, counts[0], counts[1]), affine)
