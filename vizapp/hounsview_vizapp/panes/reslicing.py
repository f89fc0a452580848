"""Planes through the array at any angle, sheared arrays too, by VTK's image reslice.

It needs no OpenGL. The image lies in index space (spacing 1, origin 0) and the matrix has
the geometry, so that one way serves every affine.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final
from weakref import WeakKeyDictionary

import cv2
import numpy as np
import numpy.typing as npt
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import VTK_FLOAT
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkImagingCore import vtkImageReslice

from hounsview.frames import Floats, PlaneFrame
from hounsview.volume import Validity, Volume
from hounsview_vizapp.panes.slabs import Composite
from hounsview_vizapp.panes.warping import warped, without_padding

Array = npt.NDArray[Any]
Marks = npt.NDArray[np.uint8]

_PADDING: Final = np.uint8(Validity.PADDING)
_BLOCK: Final = 8
"""Layers of a slab that are in memory at once."""

_MUCH_FINER: Final = 1.3
"""Pixels in a voxel from which on enlarging is worth its trouble."""
_TRACE: Final = 1e-5
"""Share of padding in a value from which on it is not used: 0.01 HU of 1,000."""

_NEAR: Final = np.uint8(128)
"""A bit of our own, that no `Validity` has."""

_bits: WeakKeyDictionary[Volume, Marks] = WeakKeyDictionary()
_paddings: WeakKeyDictionary[Volume, Marks | None] = WeakKeyDictionary()


def sample_through(volume: Volume, frame: PlaneFrame) -> tuple[Array, Marks]:
    """Return (rows, columns) values, trilinear, and bits of the nearest voxel.

    Padding enters no value. int16 values are rounded to the nearest. The outer half of the
    outermost voxels takes their values; farther out is PADDING. Slabs are sampled no finer
    than the array's smallest spacing, and enlarged bilinearly.
    """
    if not frame.reach:
        return _plane(volume, frame)
    finer = min(volume.geometry.spacing) / frame.mm_per_pixel
    if finer < _MUCH_FINER:
        return _slab(volume, frame)
    rows, columns = (math.ceil(side / finer) + 1 for side in frame.size)
    coarse = replace(frame, size=(rows, columns), mm_per_pixel=frame.mm_per_pixel * finer)
    values, marks = _slab(volume, coarse)
    to_source = np.array([[1 / finer, 0, 0], [0, 1 / finer, 0]])
    into = np.empty(frame.size, values.dtype)
    values = warped(without_padding(values, marks), to_source, into, cv2.INTER_LINEAR)
    near = np.empty(frame.size, np.uint8)
    return values, warped(marks, to_source, near, cv2.INTER_NEAREST)


def _slab(volume: Volume, frame: PlaneFrame) -> tuple[Array, Marks]:
    reach = frame.reach
    composite = Composite(frame.slab.kind, volume.hu.dtype)
    padding = _padding_of(volume)
    for first in range(-reach, reach + 1, _BLOCK):
        count = min(_BLOCK, reach + 1 - first)
        values, marks = _layers(volume, frame, first, count, volume.valid)
        if padding is not None:
            # A value that any padding was mixed into must not become the least one.
            shape = (count, *frame.size)
            mixed = _mixed(padding, values, _matrix(frame, first), shape)
            marks |= mixed.view(np.uint8) * _PADDING
        composite.add(values, marks)
    values, marks_or_none = composite.result()
    assert marks_or_none is not None
    return values, marks_or_none


def _plane(volume: Volume, frame: PlaneFrame) -> tuple[Array, Marks]:
    """Return one layer, its measured pixels made of measured voxels alone."""
    padding = _padding_of(volume)
    if padding is None:
        values, marks = _layers(volume, frame, 0, 1, volume.valid)
        return values[0], marks[0]
    values, marks = (found[0] for found in _layers(volume, frame, 0, 1, _bits_of(volume)))
    # Outside the volume no voxel is near.
    at = np.nonzero((marks & (_NEAR | _PADDING)) == _NEAR)
    marks = marks & ~_NEAR
    if len(at[0]):
        values = values.copy()
        values[at] = _of_measured(volume.hu, padding, _matrix(frame, 0), at)
    return values, marks


def _mixed(
    padding: Marks, values: Array, matrix: Floats, shape: tuple[int, int, int]
) -> npt.NDArray[np.bool_]:
    """Return whether padding was mixed into resliced values, (layers, rows, columns)."""
    share = _reslice(padding, matrix, shape, fractions=True)
    mixed: npt.NDArray[np.bool_] = share > _TRACE
    # What stands in padding may be no number, which is none with a weight of 0 too.
    return mixed | np.isnan(values) if values.dtype.kind == "f" else mixed


def _of_measured(hu: Array, padding: Marks, matrix: Floats, at: tuple[Array, ...]) -> Array:
    """Return trilinear values at pixels (rows, columns), of the measured voxels alone.

    The nearest voxel of each pixel is measured, so that an eighth of the weights stays.
    """
    row, column = at
    pixels = np.stack([column, row, np.zeros_like(row), np.ones_like(row)])
    last = np.asarray(hu.shape)[:, None] - 1
    index = np.clip((matrix @ pixels)[2::-1], 0, last)
    low = np.floor(index).astype(int)
    values, weights = np.zeros(len(row)), np.zeros(len(row))
    for corner in np.ndindex(2, 2, 2):
        far = np.array(corner)[:, None]
        k, j, i = np.minimum(low + far, last)
        weight = np.where(far, index - low, 1 - (index - low)).prod(axis=0)
        weight = np.where(padding[k, j, i], 0.0, weight)
        values += np.where(weight > 0, hu[k, j, i], 0.0) * weight
        weights += weight
    values /= np.maximum(weights, 1e-9)
    found: Array = np.rint(values) if hu.dtype.kind == "i" else values
    return found


def labels_through(labels: Marks, frame: PlaneFrame) -> Marks:
    """Return (rows, columns) uint8: the label of the nearest voxel, 0 outside."""
    matrix = _matrix(frame, 0)
    seen: Marks = _reslice(labels, matrix, (1, *frame.size), nearest=True)[0]
    seen = seen.copy()
    seen[_outside(matrix, labels.shape, (1, *frame.size))[0]] = 0
    return seen


def _layers(
    volume: Volume, frame: PlaneFrame, first: int, count: int, bits: Marks | None
) -> tuple[Array, Marks]:
    """Return (layers, rows, columns) values and bits, from a layer on, one step apart."""
    matrix, shape = _matrix(frame, first), (count, *frame.size)
    values = _reslice(volume.hu, matrix, shape)
    outside = _outside(matrix, volume.shape, shape)
    marks = outside.view(np.uint8) * _PADDING
    if bits is not None:
        nearest = _reslice(bits, matrix, shape, nearest=True)
        np.copyto(marks, nearest, where=~outside)
    return values, marks


def _matrix(frame: PlaneFrame, layer: int) -> Floats:
    """Return (4, 4): (column, row, layer, 1) of the pane -> array index (i, j, k, 1)."""
    to_patient = np.eye(4)
    to_patient[:3, 0] = frame.right * frame.mm_per_pixel
    to_patient[:3, 1] = frame.down * frame.mm_per_pixel
    to_patient[:3, 2] = frame.onward * frame.step
    to_patient[:3, 3] = frame.origin + frame.onward * frame.step * layer
    to_index: Floats = (frame.geometry.inverse @ to_patient)[[2, 1, 0, 3]]
    return to_index


def _reslice(
    array: Array,
    matrix: Floats,
    shape: tuple[int, int, int],
    *,
    nearest: bool = False,
    fractions: bool = False,
) -> Array:
    """Return (layers, rows, columns) of a (k, j, i) array; beyond its edge the edge's value.

    In the array's dtype, or in float32 to keep `fractions`.
    """
    image = vtkImageData()
    image.SetDimensions(*array.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(array.reshape(-1), deep=0))
    axes = vtkMatrix4x4()
    axes.DeepCopy(matrix.ravel().tolist())
    reslice = vtkImageReslice()
    reslice.SetInputData(image)
    reslice.SetResliceAxes(axes)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputOrigin(0, 0, 0)
    layers, rows, columns = shape
    reslice.SetOutputExtent(0, columns - 1, 0, rows - 1, 0, layers - 1)
    # Half a voxel would do, but rounding may put a pixel that counts just beyond it.
    reslice.SetBorderThickness(1.0)
    if nearest:
        reslice.SetInterpolationModeToNearestNeighbor()
    else:
        reslice.SetInterpolationModeToLinear()
    if fractions:
        reslice.SetOutputScalarType(VTK_FLOAT)
    reslice.Update()
    out = vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars())
    return np.asarray(out.reshape(shape))


def _outside(
    matrix: Floats, array_shape: tuple[int, ...], shape: tuple[int, int, int]
) -> npt.NDArray[np.bool_]:
    """Return (layers, rows, columns) bool: whether a pixel lies in no voxel of the array.

    Each row of the pane is a line through the array's box, so its ends say it all.
    """
    layers, rows, columns = shape
    layer, row = np.ogrid[:layers, :rows]
    low = np.zeros((layers, rows))
    high = np.full((layers, rows), columns - 1.0)
    for (slope, per_row, per_layer, start), size in zip(
        matrix[:3], array_shape[::-1], strict=True
    ):
        at = start + per_row * row + per_layer * layer
        if abs(slope) < 1e-12:
            high[(at < -0.5) | (at >= size - 0.5)] = -1
            continue
        ends = np.sort(np.stack([(-0.5 - at) / slope, (size - 0.5 - at) / slope]), axis=0)
        low, high = np.maximum(low, ends[0]), np.minimum(high, ends[1])
    # Small integers compare many times as fast as floats; a pane has less than 32,000 columns.
    first = np.minimum(np.ceil(low), columns).astype(np.int16)[..., None]
    last = np.maximum(np.floor(high), -1).astype(np.int16)[..., None]
    column = np.arange(columns, dtype=np.int16)
    outside: npt.NDArray[np.bool_] = (column < first) | (column > last)
    return outside


def _bits_of(volume: Volume) -> Marks:
    """Return (k, j, i) uint8: `valid` with `_NEAR` where one of 26 neighbours is padding.

    A trilinear value takes no voxel that is not one of those around the nearest. So the
    pixels that may have padding in them come with the bits of the nearest voxel.
    """
    if volume not in _bits:
        padding = _padding_of(volume)
        assert padding is not None
        assert volume.valid is not None
        square = np.ones((3, 3), np.uint8)
        flat = np.stack([cv2.dilate(layer, square) for layer in padding])
        near: Marks = flat.astype(np.uint8)
        np.maximum(near[1:], flat[:-1], out=near[1:])
        np.maximum(near[:-1], flat[1:], out=near[:-1])
        _bits[volume] = (near * _NEAR) | volume.valid
    return _bits[volume]


def _padding_of(volume: Volume) -> Marks | None:
    """Return (k, j, i) uint8: 1 where padding is, kept as long as the volume; None: nowhere."""
    if volume.valid is None:
        return None
    if volume not in _paddings:
        padding = volume.valid
        if padding.max() > _PADDING:
            padding = padding & _PADDING
        _paddings[volume] = padding if padding.any() else None
    return _paddings[volume]
