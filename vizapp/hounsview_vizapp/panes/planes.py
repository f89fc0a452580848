"""Planes through the patient: where each pixel lies, and what was measured there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.geometry import Geometry
from hounsview.planes import NORMAL, plane_axes
from hounsview.viewstate import ViewState
from hounsview.volume import Validity, Volume

Floats = npt.NDArray[np.float64]

ALIGNED_WITHIN: Final = 1e-3
"""Largest part of a unit axis that may point along another patient axis: 0.5 mm in 500."""


@dataclass(frozen=True, eq=False)
class PlaneFrame:
    """A pane's pixels in the patient.

    Parameters
    ----------
    plane : str
    size : (rows, columns)
    mm_per_pixel : float
    origin : (3,) float64, LPS mm
        The patient point of the centre of pixel (0, 0).
    """

    plane: str
    size: tuple[int, int]
    mm_per_pixel: float
    origin: Floats

    @property
    def right(self) -> Floats:
        """(3,) unit vector, LPS: where columns rise."""
        return plane_axes(self.plane)[0]

    @property
    def down(self) -> Floats:
        """(3,) unit vector, LPS: where rows rise."""
        return plane_axes(self.plane)[1]

    @property
    def position(self) -> float:
        """Place of the plane on its patient axis, LPS mm."""
        return float(self.origin[NORMAL[self.plane]])

    def to_patient(self, pixel: npt.ArrayLike) -> Floats:
        """Return (..., 3) LPS mm for (..., 2) pixels (row, column)."""
        at = np.asarray(pixel, float)[..., None] * self.mm_per_pixel
        points: Floats = self.origin + at[..., 0, :] * self.down + at[..., 1, :] * self.right
        return points

    def to_pixel(self, point: npt.ArrayLike) -> tuple[float, float]:
        """Return (row, column), not rounded, of a patient point projected on the plane."""
        apart = (np.asarray(point, float) - self.origin) / self.mm_per_pixel
        return float(apart @ self.down), float(apart @ self.right)


@dataclass(frozen=True, eq=False)
class PlaneSample:
    """What was measured at each pixel of a frame.

    Parameters
    ----------
    values : (rows, columns) int16 or float32, in the volume's unit
    valid : (rows, columns) uint8
        Bits of `Validity`; PADDING also outside the volume.
    """

    values: npt.NDArray[Any]
    valid: npt.NDArray[np.uint8]


def crosshair_of(volume: Volume, state: ViewState) -> Floats:
    """Return (3,) LPS mm: the state's crosshair, or the middle of the volume."""
    if state.crosshair is None:
        return volume.geometry.centre
    return np.array(state.crosshair)


def plane_frame(
    volume: Volume, state: ViewState, plane: str, size: tuple[int, int]
) -> PlaneFrame:
    """Return the frame of a plane through the crosshair that shows the whole volume.

    Where the array follows the patient axes, the plane is that of the nearest slice, so
    that its stored values are shown and its place is said.

    Raises
    ------
    ArgumentError
        If there is no such plane, or a side of the pane is below 1 pixel.
    """
    view = state.plane(plane)
    if min(size) < 1:
        msg = f"a pane needs at least 1 x 1 pixels, not {size}"
        raise ArgumentError(msg)
    geometry = volume.geometry
    low, high = patient_box(geometry)
    right, down = plane_axes(plane)
    extent = high - low
    scale = max(extent @ abs(right) / size[1], extent @ abs(down) / size[0]) / view.zoom
    middle = (low + high) / 2
    pan_right, pan_down = view.pan
    half_down, half_right = (np.asarray(size) - 1) / 2 * scale
    origin = middle - right * (half_right + pan_right) - down * (half_down + pan_down)
    normal = NORMAL[plane]
    origin[normal] = crosshair_of(volume, state)[normal]
    if is_aligned(geometry):
        axis, index, _ = _slice_at(geometry, plane, crosshair_of(volume, state))
        at = geometry.to_index(geometry.centre)
        at[axis] = index
        origin[normal] = geometry.to_patient(at)[normal]
    return PlaneFrame(plane, (int(size[0]), int(size[1])), float(scale), origin)


def patient_box(geometry: Geometry) -> tuple[Floats, Floats]:
    """Return the lowest and highest LPS coordinates of the outer faces, (3,) mm each."""
    ends = np.array([[k, j, i] for k in (0, 1) for j in (0, 1) for i in (0, 1)])
    corners = geometry.to_patient(ends * np.asarray(geometry.shape) - 0.5)
    return corners.min(axis=0), corners.max(axis=0)


def is_aligned(geometry: Geometry) -> bool:
    """Return whether each array axis follows a patient axis within `ALIGNED_WITHIN`."""
    parts = np.sort(np.abs(geometry.direction), axis=0)
    return bool(parts[1].max() < ALIGNED_WITHIN)


def sample_plane(volume: Volume, frame: PlaneFrame) -> PlaneSample:
    """Return what was measured at the pixels of a frame.

    Along the patient axes: the nearest slice, interpolated bilinearly within it. Oblique
    arrays: trilinearly between slices. `valid` is always that of the nearest voxel.
    """
    if is_aligned(volume.geometry):
        return _sample_aligned(volume, frame)
    return _sample_oblique(volume, frame)


def _slice_at(geometry: Geometry, plane: str, point: Floats) -> tuple[int, int, bool]:
    """Return the array axis across a plane, the slice there, and whether it exists."""
    toward = geometry.inverse[:3, NORMAL[plane]]
    axis = int(np.argmax(np.abs(toward * np.asarray(geometry.spacing))))
    at = float(geometry.to_index(point)[axis])
    # Half-way points go to the higher patient coordinate, not to the higher index:
    # the picture must not depend on which way the array was stored.
    index = math.floor(at + 0.5 + 1e-6) if toward[axis] > 0 else math.ceil(at - 0.5 - 1e-6)
    inside = 0 <= index < geometry.shape[axis]
    return axis, min(max(index, 0), geometry.shape[axis] - 1), inside


def _sample_aligned(volume: Volume, frame: PlaneFrame) -> PlaneSample:
    geometry = volume.geometry
    axis, index, inside = _slice_at(geometry, frame.plane, frame.origin)
    valid = np.full(frame.size, int(Validity.PADDING), np.uint8)
    if (
        not inside
        or abs(frame.position - _position(geometry, frame.plane, axis, index))
        > (geometry.spacing[axis])
    ):
        return PlaneSample(np.zeros(frame.size, volume.hu.dtype), valid)
    to_source = _pixel_to_source(geometry, frame, axis)
    box = _inside_box(to_source, np.delete(geometry.shape, axis), frame.size)
    stored = np.ascontiguousarray(volume.hu.take(index, axis=axis))
    values = _warp(*_shrunk(stored, to_source), frame.size, cv2.INTER_LINEAR)
    if volume.valid is None:
        valid[box] = 0
    else:
        marks = np.ascontiguousarray(volume.valid.take(index, axis=axis))
        valid[box] = _warp(marks, to_source, frame.size, cv2.INTER_NEAREST)[box]
    return PlaneSample(values, valid)


def _position(geometry: Geometry, plane: str, axis: int, index: int) -> float:
    at = (np.asarray(geometry.shape) - 1) / 2
    at[axis] = index
    return float(geometry.to_patient(at)[NORMAL[plane]])


def _pixel_to_source(geometry: Geometry, frame: PlaneFrame, axis: int) -> Floats:
    """Return (2, 3): (column, row, 1) of the pane -> (column, row) of the stored slice."""
    down, right = (np.append(v * frame.mm_per_pixel, 0.0) for v in (frame.down, frame.right))
    to_index = geometry.inverse @ np.stack([right, down, np.append(frame.origin, 1.0)], axis=1)
    row, column = np.delete(to_index[:3], axis, axis=0)
    matrix: Floats = np.stack([column, row])
    # What is left of a tilt below ALIGNED_WITHIN is dropped, so that rows stay rows.
    steps = np.abs(matrix[:, :2])
    matrix[:, :2][steps < steps.max(axis=1, keepdims=True)] = 0
    return matrix


def _inside_box(
    to_source: Floats, stored_shape: npt.NDArray[Any], size: tuple[int, int]
) -> tuple[slice, slice]:
    """Return the (rows, columns) of the pane that lie in the stored slice."""
    box = [slice(0, 0), slice(0, 0)]
    for step_column, step_row, start, length in (
        (*to_source[0], stored_shape[1]),
        (*to_source[1], stored_shape[0]),
    ):
        along = 1 if step_column else 0
        step = step_column or step_row
        ends = sorted(((-0.5 - start) / step, (length - 0.5 - start) / step))
        first, last = (math.ceil(end - 1e-6) for end in ends)
        box[along] = slice(max(0, first), max(0, min(last, size[along])))
    return box[0], box[1]


def _shrunk(stored: npt.NDArray[Any], to_source: Floats) -> tuple[npt.NDArray[Any], Floats]:
    """Return the slice averaged down where several stored pixels fall into one shown.

    Without this a small pane would show every n-th pixel, with noise and false edges.
    """
    steps = np.abs(to_source[:, :2]).max(axis=1)
    lengths = np.array(stored.shape[::-1])
    reduced = np.maximum(1, lengths // np.maximum(1, np.floor(steps + 0.25))).astype(int)
    if (reduced == lengths).all():
        return stored, to_source
    small = cv2.resize(stored, tuple(map(int, reduced)), interpolation=cv2.INTER_AREA)
    ratio = reduced / lengths
    matrix = to_source * ratio[:, None]
    matrix[:, 2] += (ratio - 1) / 2
    return np.asarray(small, stored.dtype).reshape(reduced[::-1]), matrix


def _warp(
    stored: npt.NDArray[Any], to_source: Floats, size: tuple[int, int], how: int
) -> npt.NDArray[Any]:
    return cv2.warpAffine(
        stored,
        to_source,
        (size[1], size[0]),
        flags=how | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _sample_oblique(volume: Volume, frame: PlaneFrame) -> PlaneSample:
    rows, columns = np.meshgrid(*(np.arange(n) for n in frame.size), indexing="ij")
    index = volume.geometry.to_index(frame.to_patient(np.stack([rows, columns], axis=-1)))
    inside = volume.geometry.contains(index)
    at = index[inside]
    values = np.zeros(frame.size, volume.hu.dtype)
    valid = np.full(frame.size, int(Validity.PADDING), np.uint8)
    mixed = _trilinear(volume.hu, at)
    values[inside] = np.rint(mixed) if volume.hu.dtype == np.int16 else mixed
    if volume.valid is None:
        valid[inside] = 0
    else:
        k, j, i = np.floor(at + 0.5).astype(np.intp).T
        valid[inside] = volume.valid[k, j, i]
    return PlaneSample(values, valid)


def _trilinear(values: npt.NDArray[Any], at: Floats) -> npt.NDArray[np.float32]:
    """Return (n,) values at (n, 3) indices; outer half voxels take the edge's value."""
    last = np.asarray(values.shape) - 1
    clamped = np.clip(at, 0, last)
    low = np.minimum(np.floor(clamped), np.maximum(last - 1, 0)).astype(np.intp)
    share = (clamped - low).astype(np.float32)
    step = np.minimum(last, 1) * np.array(
        [values.shape[1] * values.shape[2], values.shape[2], 1]
    )
    flat = values.reshape(-1)
    base = np.ravel_multi_index(tuple(low.T), values.shape)
    total = np.zeros(len(at), np.float32)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, share, 1 - share), axis=1)
        total += weight * flat[base + int(np.dot(corner, step))]
    return total
