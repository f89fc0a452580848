"""Carrying out a plan: from slices as stored to the planned grid, every change marked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hounsview.grids import Plan
from hounsview.resampling import Bools, Floats32, Sampler, interpolate
from hounsview.spacing import PlannedSlice
from hounsview.volume import Validity

Values = npt.NDArray[Any]
Bits = npt.NDArray[np.uint8]


def is_identity(plan: Plan, frames: int) -> bool:
    """Return whether a plan leaves `frames` slices exactly as they are stored."""
    return (
        plan.shifts is None
        and len(plan.slices) == frames
        and all(s.parts == ((k, 1.0),) for k, s in enumerate(plan.slices))
    )


def carry_out(plan: Plan, values: Values, valid: Bits, outside: float) -> tuple[Values, Bits]:
    """Return values and validity on the planned grid.

    Parameters
    ----------
    plan : Plan
        Not refused.
    values : (frames, rows, columns) int16 or float32
    valid : (frames, rows, columns) uint8
        Bits of `Validity`.
    outside : float
        What PADDING voxels hold.

    Returns
    -------
    values, valid : (k, j, i)
        int16 results are rounded to the nearest.
    """
    assert plan.geometry is not None
    new_values = np.full(plan.geometry.shape, outside, values.dtype)
    new_valid = np.empty(plan.geometry.shape, np.uint8)
    for k, planned in enumerate(plan.slices):
        if plan.shifts is None and len(planned.parts) == 1:
            new_values[k], new_valid[k] = (
                values[planned.parts[0][0]],
                valid[planned.parts[0][0]],
            )
            continue
        blended, known, bits = _blend(planned, plan, values, valid)
        if values.dtype == np.int16:
            np.rint(blended, out=blended)
        new_values[k][known] = blended[known]
        new_valid[k] = np.where(known, bits, Validity.PADDING)
        if planned.lost:
            new_valid[k] |= np.uint8(Validity.FILLED)
        if plan.shifts is not None or not planned.lost:
            new_valid[k] |= np.where(known, np.uint8(Validity.RESAMPLED), np.uint8(0))
    return new_values, new_valid


def _blend(
    planned: PlannedSlice, plan: Plan, values: Values, valid: Bits
) -> tuple[Floats32, Bools, Bits]:
    """Return the blend of the parts, where it is known, and bits carried over."""
    assert plan.geometry is not None
    canvas = plan.geometry.shape[1:]
    total = np.zeros(canvas, np.float32)
    weights = np.zeros(canvas, np.float32)
    bits = np.zeros(canvas, np.uint8)
    for n, weight in planned.parts:
        placed, known, saturated = _placed(n, plan, values, valid)
        share = np.float32(weight) * known
        total += share * placed
        weights += share
        bits |= np.where(known & saturated, np.uint8(Validity.SATURATED), np.uint8(0))
    # Every part must be known: half of a blend would be a value moved, not measured.
    return total, weights > np.float32(1 - 1e-4), bits


def _placed(n: int, plan: Plan, values: Values, valid: Bits) -> tuple[Floats32, Bools, Bools]:
    """Return one slice on the canvas: values, where known, where saturated."""
    assert plan.geometry is not None
    usable = (valid[n] & Validity.PADDING) == 0
    saturated = (valid[n] & Validity.SATURATED) > 0
    if plan.shifts is None:
        return values[n].astype(np.float32), usable, saturated
    to_old = np.eye(4)
    to_old[1:3, 3] = -plan.shifts[n]
    placed: list[Any] = []

    def keep(_: int, moved: Floats32, known: Bools, sample: Sampler) -> None:
        placed.extend((moved, known, sample(saturated[None]) > 0))

    canvas = plan.geometry.shape[1:]
    interpolate(values[n][None], usable[None], to_old, (1, *canvas), keep)
    # Between pixel centres only: beyond the outermost ones nothing was measured.
    rows, columns = (
        np.abs(np.arange(size) - shift - (stored - 1) / 2) <= (stored - 1) / 2 + 1e-3
        for size, shift, stored in zip(canvas, plan.shifts[n], usable.shape, strict=True)
    )
    return placed[0], placed[1] & rows[:, None] & columns, placed[2]
