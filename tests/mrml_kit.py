"""What the tests of `hounsview.mrml` share; skips where slicer-core is absent."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import hounsview as hv

needs_slicer = pytest.mark.skipif(
    # Another project has a package named "slicer" too.
    find_spec("slicer_core") is None,
    reason="slicer-core is not installed (hounsview[slicer])",
)


def volume_on(affine: Any, shape: tuple[int, int, int] = (4, 5, 6), **more: Any) -> hv.Volume:
    """A volume in which every voxel has another value."""
    hu = (np.arange(np.prod(shape)) - 1024).astype(np.int16).reshape(shape)
    return hv.Volume(hu, hv.Geometry(shape, affine), **more)


def turned(seed: int) -> np.ndarray:
    """An oblique affine, right- or left-handed by the seed; (k, j, i) -> LPS mm."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = axes * [2.5, 0.7, 0.6]
    affine[:3, 3] = rng.normal(size=3) * 200
    return affine


def same(a: hv.Volume, b: hv.Volume) -> None:
    """Both volumes say the same."""
    assert a.hu.dtype == b.hu.dtype
    assert np.array_equal(a.hu, b.hu)
    assert a.geometry.is_close(b.geometry, tolerance=1e-9)
    assert a.unit == b.unit
    assert dict(a.attributes) == dict(b.attributes)
    assert (a.valid is None) == (b.valid is None)
    if a.valid is not None and b.valid is not None:
        assert np.array_equal(a.valid, b.valid)
    assert [f.code for f in a.report.findings] == [f.code for f in b.report.findings]
