"""Linear interpolation of a grid, honest about voxels that were never measured.

Every function works on plain arrays ``(k, j, i)`` and leaves meaning to its caller.
A voxel that may not be used (padding, outside the grid) gets weight 0 and the rest of
the weights are scaled up to 1; where less than half of the weight is left, there is
no value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Sampler = Callable[[Array], Floats32]
_ENOUGH = 0.5


def interpolate(
    values: Array,
    usable: Bools | None,
    to_old_index: npt.NDArray[np.float64],
    shape: tuple[int, int, int],
    each_slice: Callable[[int, Floats32, Bools, Sampler], None],
) -> None:
    """Interpolate linearly, one slice of the new grid at a time.

    Parameters
    ----------
    values : (k, j, i) any number type
    usable : (k, j, i) bool, or None for all
    to_old_index : (4, 4) float64
        New index (k, j, i, 1) -> old index.
    shape : (slices, rows, columns) of the new grid
    each_slice : callable
        Called as ``each_slice(k, values, known, sample)`` with (rows, columns)
        arrays; `sample` interpolates any other array of the old grid (0 outside) at
        the same places.
    """
    linear = to_old_index[:3, :3]
    aligned = (np.abs(linear) > 1e-9 * np.abs(linear).max()).sum(axis=1).max() == 1
    if aligned and np.array_equal(np.abs(linear).argmax(axis=1), [0, 1, 2]):
        sampler_of = _separable_sampler
    else:
        sampler_of = _general_sampler
    # What cannot be used must not get into a sum: 0, with weight 0.
    summed = values if usable is None else np.where(usable, values, values.dtype.type(0))
    for k in range(shape[0]):
        sample, inside = sampler_of(k, to_old_index, shape, values.shape)
        if usable is None:
            known = inside >= _ENOUGH
            weight = inside
        else:
            weight = sample(usable)
            known = weight >= _ENOUGH
        slice_values = sample(summed)
        np.divide(slice_values, weight, out=slice_values, where=known)
        each_slice(k, slice_values, known, sample)


def axis_weights(
    position: npt.NDArray[np.float64], size: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats32, Floats32]:
    """Return for positions along one axis: both neighbours and both weights.

    A position up to half a voxel outside takes the edge voxel; farther out both
    weights are 0.

    >>> low, high, w_low, w_high = axis_weights(np.array([-0.4, 1.25, 9.0]), 3)
    >>> low.tolist(), w_low.tolist(), w_high.tolist()
    ([0, 1, 1], [1.0, 0.75, 0.0], [0.0, 0.25, 0.0])
    """
    inside = (position >= -0.5 - 1e-6) & (position <= size - 0.5 + 1e-6)
    clamped = np.clip(position, 0, size - 1)
    low = np.minimum(np.floor(clamped), max(size - 2, 0)).astype(np.intp)
    high = np.minimum(low + 1, size - 1)
    upper = (clamped - low) * inside
    lower = (1 - (clamped - low)) * inside
    return low, high, lower.astype(np.float32), upper.astype(np.float32)


def _separable_sampler(
    k: int,
    to_old: npt.NDArray[np.float64],
    shape: tuple[int, int, int],
    old_shape: tuple[int, ...],
) -> tuple[Sampler, Floats32]:
    """Return a sampler for grids whose axes are parallel, and the weight inside."""
    at_k = np.array([to_old[0, 0] * k + to_old[0, 3]])
    at_j = to_old[1, 1] * np.arange(shape[1]) + to_old[1, 3]
    at_i = to_old[2, 2] * np.arange(shape[2]) + to_old[2, 3]
    k0, k1, wk0, wk1 = axis_weights(at_k, old_shape[0])
    j0, j1, wj0, wj1 = axis_weights(at_j, old_shape[1])
    i0, i1, wi0, wi1 = axis_weights(at_i, old_shape[2])

    def sample(array: Array) -> Floats32:
        plane = wk0[0] * array[k0[0]].astype(np.float32)
        if wk1[0]:
            plane += wk1[0] * array[k1[0]].astype(np.float32)
        rows = plane[j0] * wj0[:, None] + plane[j1] * wj1[:, None]
        blended: Floats32 = rows[:, i0] * wi0 + rows[:, i1] * wi1
        return blended

    along_j, along_i = wj0 + wj1, wi0 + wi1
    inside: Floats32 = (wk0[0] + wk1[0]) * along_j[:, None] * along_i[None, :]
    return sample, inside


def _general_sampler(
    k: int,
    to_old: npt.NDArray[np.float64],
    shape: tuple[int, int, int],
    old_shape: tuple[int, ...],
) -> tuple[Sampler, Floats32]:
    """Return a sampler for any affine map: eight neighbours of each voxel."""
    j, i = np.meshgrid(np.arange(shape[1]), np.arange(shape[2]), indexing="ij")
    corners = []
    for axis in range(3):
        row = to_old[axis]
        position = row[0] * k + row[1] * j + row[2] * i + row[3]
        corners.append(axis_weights(position, old_shape[axis]))

    def sample(array: Array) -> Floats32:
        total = np.zeros((shape[1], shape[2]), np.float32)
        for corner in range(8):
            bits = [(corner >> axis) & 1 for axis in range(3)]
            weight = np.ones((shape[1], shape[2]), np.float32)
            for axis, bit in enumerate(bits):
                weight *= corners[axis][2 + bit]
            place = tuple(corners[axis][bit] for axis, bit in enumerate(bits))
            total += weight * array[place]
        return total

    inside = np.ones((shape[1], shape[2]), np.float32)
    for _, _, lower, upper in corners:
        inside *= lower + upper
    return sample, inside
