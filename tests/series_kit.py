"""Small CT series for tests: those of the traps, and what must be in a volume of them."""

from __future__ import annotations

from typing import Any

import numpy as np

import hounsview as hv
from hounsview.traps.slices import (
    AXIAL,
    COLUMNS,
    ORIGIN,
    ROWS,
    SLICES,
    SPACING,
    STEP,
    known_hu,
    make_slice,
    pixel_points,
    positions,
    save,
    stored_of,
    write_series,
)

__all__ = [
    "AXIAL", "COLUMNS", "ORIGIN", "ROWS", "SLICES", "SPACING", "STEP", "check_voxels",
    "expected_hu", "known_hu", "make_slice", "pixel_points", "positions",
    "save", "stored_of", "write_series",
]  # fmt: skip

MADE = hv.Validity.FILLED | hv.Validity.RESAMPLED


def expected_hu(volume: Any) -> np.ndarray:
    """Known HU at the patient point that a volume claims for each voxel."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in volume.shape), indexing="ij"), -1)
    return known_hu(volume.geometry.to_patient(index))


def check_voxels(volume: hv.Volume) -> None:
    """Every voxel holds the known HU of the patient point that the volume claims for it."""
    valid = np.zeros(volume.shape, np.uint8) if volume.valid is None else volume.valid
    error = np.abs(volume.hu - expected_hu(volume))
    padding = (valid & hv.Validity.PADDING) > 0
    made = ((valid & MADE) > 0) & ~padding
    measured = ~padding & ~made
    assert (volume.hu[padding] == -1024).all()
    for k in range(volume.shape[0]):
        step = max(source.slope for source in volume.source(k))
        rounded = 0.5 * (step if step == step else 1) + 1e-3
        assert error[k][measured[k]].max(initial=0) <= rounded
        assert error[k][made[k]].max(initial=0) <= rounded + 0.5
    assert measured.sum() + made.sum() > 0.5 * valid.size
