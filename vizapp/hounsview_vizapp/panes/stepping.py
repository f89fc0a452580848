"""From slice to slice: along the normal of a plane, whichever way the array was stored.

Axial slices count towards superior, coronal ones towards anterior, sagittal ones towards
the patient's left; turned planes count along their turned normal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hounsview.frames import crosshair_of
from hounsview.geometry import Geometry
from hounsview.planes import (
    ShownSlice,
    is_aligned,
    plane_onward,
    slice_at,
    slice_middle,
    slice_step,
)
from hounsview.viewstate import ViewState
from hounsview.volume import Volume

Floats = npt.NDArray[np.float64]


def slice_number(volume: Volume, state: ViewState, plane: str) -> tuple[int, int]:
    """Return which slice of a plane is shown, counted from 1, and how many there are.

    A crosshair outside the volume gives the first or the last.

    Raises
    ------
    ArgumentError
        If there is no such plane.
    """
    slices = _slices(volume, state, plane)
    return slices.nearest + 1, slices.count


def step(volume: Volume, state: ViewState, plane: str, count: int) -> ViewState:
    """Return the state with the crosshair moved by so many slices across a plane.

    It stops at the first and the last slice, and lands on the middle of a slice.

    Raises
    ------
    ArgumentError
        If there is no such plane.
    """
    slices = _slices(volume, state, plane)
    wanted = min(max(slices.nearest + count, 0), slices.count - 1)
    crosshair = crosshair_of(volume.geometry, state)
    onward = plane_onward(plane, state.oblique)
    missing = slices.first + wanted * slices.mm - float(crosshair @ onward)
    x, y, z = (float(part) for part in crosshair + onward * missing)
    return replace(state, crosshair=(x, y, z))


@dataclass(frozen=True)
class _Slices:
    """The slices along the normal of a plane, in the direction they are counted.

    `first` mm lies the first one, `mm` apart the next; `nearest` (from 0) is shown.
    """

    first: float
    mm: float
    count: int
    nearest: int


def _slices(volume: Volume, state: ViewState, plane: str) -> _Slices:
    state.plane(plane)  # Names the planes there are, if there is none of this name.
    onward = plane_onward(plane, state.oblique)
    crosshair = crosshair_of(volume.geometry, state)
    if any(state.oblique) or not is_aligned(volume.geometry):
        return _slices_across(volume.geometry, onward, float(crosshair @ onward))
    return _slices_of_array(
        volume.geometry, onward, slice_at(volume.geometry, plane, crosshair)
    )


def _slices_of_array(geometry: Geometry, onward: Floats, shown: ShownSlice) -> _Slices:
    count = geometry.shape[shown.axis]
    ends = [
        float(slice_middle(geometry, replace(shown, index=index)) @ onward)
        for index in (0, count - 1)
    ]
    mm = (max(ends) - min(ends)) / max(count - 1, 1)
    rising = float(geometry.direction[:, shown.axis] @ onward) > 0
    return _Slices(min(ends), mm, count, shown.index if rising else count - 1 - shown.index)


def _slices_across(geometry: Geometry, onward: Floats, position: float) -> _Slices:
    """Return slices at the step of the array, between its outermost voxel centres."""
    along = geometry.corners() @ onward
    first, mm = float(along.min()), slice_step(geometry, onward)
    count = math.floor(float(np.ptp(along)) / mm + 1e-6) + 1
    nearest = math.floor((position - first) / mm + 0.5)
    return _Slices(first, mm, count, min(max(nearest, 0), count - 1))
