"""What was measured at the pixels of a plane: along the array, or through it.

Along the array the values are those of one slice (or slab), interpolated bilinearly within
it; turned planes and oblique arrays go through `hounsview_vizapp.panes.reslicing`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.frames import Floats, PlaneFrame
from hounsview.geometry import Geometry
from hounsview.volume import Validity, Volume
from hounsview_vizapp.panes.buffers import Buffers
from hounsview_vizapp.panes.slabs import Composite
from hounsview_vizapp.panes.warping import shrunk, warped

_BLOCK: Final = 16
"""Slices that a slab takes at once: enough for speed, few enough for memory."""


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


def sample_plane(
    volume: Volume, frame: PlaneFrame, buffers: Buffers | None = None
) -> PlaneSample:
    """Return what was measured at the pixels of a frame, or in the slab around it.

    A slab holds the slices (of a turned plane: the layers, one step of the array apart)
    whose middles lie within half its thickness of the plane. Padding never enters its
    values. `valid` is that of the nearest voxel; of a slab, all bits of what entered it.

    Parameters
    ----------
    buffers : Buffers, optional
        Where the sample may lie; the next one overwrites it.
    """
    if frame.follows_array:
        return _sample_along(volume, frame, Buffers() if buffers is None else buffers)
    # VTK takes longer to load than all the rest of a first picture.
    from hounsview_vizapp.panes.reslicing import sample_through

    return PlaneSample(*sample_through(volume, frame))


def sample_labels(labels: npt.NDArray[np.uint8], frame: PlaneFrame) -> npt.NDArray[np.uint8]:
    """Return (rows, columns) uint8: the label of the nearest voxel, 0 outside.

    Parameters
    ----------
    labels : (k, j, i) uint8
        On the frame's grid.
    """
    if not frame.follows_array:
        from hounsview_vizapp.panes.reslicing import labels_through

        return labels_through(labels, frame)
    seen = np.zeros(frame.size, np.uint8)
    if frame.shown.inside:
        axis = frame.shown.axis
        to_source = _pixel_to_source(frame.geometry, frame, axis)
        box = _inside_box(to_source, np.delete(labels.shape, axis), frame.size)
        stored = _one_slice(labels, axis, frame.shown.index, Buffers(), "labels")
        near = np.empty(frame.size, np.uint8)
        seen[box] = warped(stored, to_source, near, cv2.INTER_NEAREST)[box]
    return seen


def _sample_along(volume: Volume, frame: PlaneFrame, buffers: Buffers) -> PlaneSample:
    geometry, shown = volume.geometry, frame.shown
    values = buffers.array("values", frame.size, volume.hu.dtype)
    valid = buffers.array("valid", frame.size, np.uint8)
    valid[:] = int(Validity.PADDING)
    if not shown.inside:
        values[:] = 0
        return PlaneSample(values, valid)
    stored, marks = _stored(volume, frame, buffers)
    to_source = _pixel_to_source(geometry, frame, shown.axis)
    box = _inside_box(to_source, np.delete(geometry.shape, shown.axis), frame.size)
    if marks is None:
        valid[box] = 0
    else:
        near = buffers.array("near", frame.size, np.uint8)
        valid[box] = warped(marks, to_source, near, cv2.INTER_NEAREST)[box]
    values = warped(*shrunk(stored, marks, to_source), values, cv2.INTER_LINEAR)
    return PlaneSample(values, valid)


def _stored(
    volume: Volume, frame: PlaneFrame, buffers: Buffers
) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8] | None]:
    """Return values and bits of the slice or slab, as the array is stored."""
    axis, index = frame.shown.axis, frame.shown.index
    reach = frame.reach
    if not reach:
        stored = _one_slice(volume.hu, axis, index, buffers, "stored")
        if volume.valid is None:
            return stored, None
        return stored, _one_slice(volume.valid, axis, index, buffers, "marks")
    composite = Composite(frame.slab.kind, volume.hu.dtype)
    last = min(index + reach + 1, volume.shape[axis])
    for start in range(max(0, index - reach), last, _BLOCK):
        part = slice(start, min(start + _BLOCK, last))
        valid = None if volume.valid is None else _slices(volume.valid, axis, part)
        composite.add(_slices(volume.hu, axis, part), valid)
    return composite.result()


def _one_slice(
    array: npt.NDArray[Any], axis: int, index: int, buffers: Buffers, name: str
) -> npt.NDArray[Any]:
    seen = array[(slice(None),) * axis + (index,)]
    if seen.flags.c_contiguous:
        return seen
    stored = buffers.array(name, seen.shape, seen.dtype)
    # Sagittal slices touch as many lines of memory as they have voxels: two threads wait
    # for them at once.
    half = len(stored) // 2
    other = Thread(target=np.copyto, args=(stored[half:], seen[half:]))
    other.start()
    np.copyto(stored[:half], seen[:half])
    other.join()
    return stored


def _slices(array: npt.NDArray[Any], axis: int, part: slice) -> npt.NDArray[Any]:
    """Return (slices, rows, columns) of an array across an axis."""
    if axis < 2:
        return np.moveaxis(array[(slice(None),) * axis + (part,)], axis, 0)
    # NumPy would copy this voxel by voxel.
    block = np.ascontiguousarray(array[:, :, part])
    turned = cv2.transpose(block.reshape(-1, block.shape[2]))
    return np.asarray(turned).reshape(-1, *array.shape[:2])


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
