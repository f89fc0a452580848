"""Where the pixels of a pane lie in the patient, and how to move from slice to slice."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.geometry import Geometry
from hounsview.planes import (
    NORMAL,
    ShownSlice,
    is_aligned,
    plane_axes,
    plane_onward,
    slice_at,
    slice_middle,
    slice_step,
)
from hounsview.viewstate import Measurement, Slab, ViewState

Floats = npt.NDArray[np.float64]

_SAME_TURN = 1e-3
"""Largest difference of unit axes of planes that count as turned alike: 0.06 degrees."""


@dataclass(frozen=True, eq=False)
class PlaneFrame:
    """A pane's pixels in the patient.

    Parameters
    ----------
    geometry : Geometry
        Of the volume.
    plane : str
    size : (rows, columns)
    mm_per_pixel : float
    origin : (3,) float64, LPS mm
        The patient point of the centre of pixel (0, 0).
    oblique : (pitch, roll, yaw) float, degrees
        How the plane is turned.
    slab : Slab
        What is shown of the tissue before and behind the plane.
    """

    geometry: Geometry
    plane: str
    size: tuple[int, int]
    mm_per_pixel: float
    origin: Floats
    oblique: tuple[float, float, float] = (0.0, 0.0, 0.0)
    slab: Slab = field(default_factory=Slab)

    @cached_property
    def right(self) -> Floats:
        """(3,) unit vector, LPS: where columns rise."""
        return plane_axes(self.plane, self.oblique)[0]

    @cached_property
    def down(self) -> Floats:
        """(3,) unit vector, LPS: where rows rise."""
        return plane_axes(self.plane, self.oblique)[1]

    @cached_property
    def onward(self) -> Floats:
        """(3,) unit vector, LPS, across the plane: where slices are counted to."""
        return plane_onward(self.plane, self.oblique)

    @cached_property
    def follows_array(self) -> bool:
        """Whether the plane lies along the slices, rows or columns of the array."""
        return not any(self.oblique) and is_aligned(self.geometry)

    @cached_property
    def shown(self) -> ShownSlice:
        """The slice of the array that is shown; for planes that follow the array."""
        return slice_at(self.geometry, self.plane, self.origin)

    @cached_property
    def step(self) -> float:
        """From one slice to the next, mm."""
        return slice_step(self.geometry, self.onward)

    @cached_property
    def reach(self) -> int:
        """How many slices (of a turned plane: layers) the slab has on each side of its own."""
        return math.floor(self.slab.thickness / 2 / self.step + 1e-6)

    @cached_property
    def slices(self) -> int:
        """How many slices (of a turned plane: layers) are laid into one; 0 outside."""
        if not self.follows_array:
            return 2 * self.reach + 1
        if not self.inside:
            return 0
        index, last = self.shown.index, self.geometry.shape[self.shown.axis] - 1
        return min(index + self.reach, last) - max(index - self.reach, 0) + 1

    @cached_property
    def inside(self) -> bool:
        """Whether the plane goes through the volume."""
        if self.follows_array:
            return self.shown.inside
        along = (self.geometry.corners(faces=True) - self.origin) @ self.onward
        return bool(along.min() <= 1e-6 and along.max() >= -1e-6)

    def to_patient(self, pixel: npt.ArrayLike) -> Floats:
        """Return (..., 3) LPS mm for (..., 2) pixels (row, column)."""
        at = np.asarray(pixel, float)[..., None] * self.mm_per_pixel
        points: Floats = self.origin + at[..., 0, :] * self.down + at[..., 1, :] * self.right
        return points

    def to_pixel(self, point: npt.ArrayLike) -> tuple[float, float]:
        """Return (row, column), not rounded, of a patient point projected on the plane."""
        apart = (np.asarray(point, float) - self.origin) / self.mm_per_pixel
        return float(apart @ self.down), float(apart @ self.right)

    def shows(self, measurement: Measurement) -> bool:
        """Return whether a measurement was drawn on this plane, here or within its slab.

        The plane must be turned as it was then, and the measurement's middle lie on the
        slice that is shown: the one that its numbers are of.
        """
        right, down = plane_axes(measurement.plane, measurement.oblique)
        apart = np.abs(np.stack([right - self.right, down - self.down])).max()
        if measurement.plane != self.plane or apart > _SAME_TURN:
            return False
        middle = np.mean(measurement.points, axis=0)
        depth = abs(float((middle - self.origin) @ self.onward))
        if depth <= self.slab.thickness / 2 + 1e-6:
            return True
        if self.follows_array:
            there = slice_at(self.geometry, self.plane, middle)
            return there.inside and there == self.shown
        return depth <= self.step / 2


def crosshair_of(geometry: Geometry, state: ViewState) -> Floats:
    """Return (3,) LPS mm: the state's crosshair, or the middle of the volume."""
    if state.crosshair is None:
        return geometry.centre
    return np.array(state.crosshair)


def plane_frame(
    geometry: Geometry, state: ViewState, plane: str, size: tuple[int, int]
) -> PlaneFrame:
    """Return the frame of a plane through the crosshair that shows the whole volume.

    Where the array follows the patient axes and the plane is not turned, it is that of
    the nearest slice, so that its stored values are shown and its place is said. A turned
    picture turns about the middle of the volume and keeps its scale, so that neither
    turning nor moving the crosshair makes it jump.

    Parameters
    ----------
    geometry : Geometry
        Of the volume.
    state : ViewState
    plane : str
    size : (rows, columns)
        Of the pane, px.

    Raises
    ------
    ArgumentError
        If there is no such plane, or a side of the pane is below 1 pixel.
    """
    view = state.plane(plane)
    if min(size) < 1:
        msg = f"a pane needs at least 1 x 1 pixels, not {size}"
        raise ArgumentError(msg)
    corners = geometry.corners(faces=True)
    low, high = corners.min(axis=0), corners.max(axis=0)
    extent, middle = high - low, (low + high) / 2
    upright = plane_axes(plane)
    across, along = (float(extent @ abs(axis)) for axis in upright)
    scale = max(across / size[1], along / size[0]) / view.zoom
    right, down = plane_axes(plane, state.oblique)
    half_down, half_right = (np.asarray(size) - 1) / 2 * scale
    pan_right, pan_down = view.pan
    origin = middle - right * (half_right + pan_right) - down * (half_down + pan_down)
    frame = PlaneFrame(
        geometry, plane, (int(size[0]), int(size[1])), scale, origin, state.oblique, state.slab
    )
    return replace(frame, origin=_through(frame, crosshair_of(geometry, state)))


def _through(frame: PlaneFrame, point: Floats) -> Floats:
    """Return the frame's origin, moved across the plane so that it goes through a point."""
    if frame.follows_array:
        there = slice_at(frame.geometry, frame.plane, point)
        if there.inside:
            point = slice_middle(frame.geometry, there)
    if not any(frame.oblique):
        origin = frame.origin.copy()
        origin[NORMAL[frame.plane]] = point[NORMAL[frame.plane]]
        return origin
    moved: Floats = frame.origin + frame.onward * ((point - frame.origin) @ frame.onward)
    return moved
