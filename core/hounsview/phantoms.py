"""Analytic CT phantoms: HU are known at every patient point, so pictures can be wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview import head, thorax
from hounsview.errors import ArgumentError
from hounsview.geometry import Geometry
from hounsview.shapes import Floats, Shape, column, ellipsoid, hu_at, paint
from hounsview.volume import Volume

_AIR_HU: Final = -1000.0
_LARGEST: Final = 1 << 29

RODS: Final = MappingProxyType(
    {
        "air": (-1000.0, (0.0, -60.0)),
        "lung": (-800.0, (42.0, -42.0)),
        "polyethylene": (-100.0, (60.0, 0.0)),
        "solid water": (50.0, (42.0, 42.0)),
        "acrylic": (120.0, (0.0, 60.0)),
        "acetal": (340.0, (-42.0, 42.0)),
        "bone": (700.0, (-60.0, 0.0)),
        "PTFE": (990.0, (-42.0, -42.0)),
    }
)
"""Rods of the "hu-rods" phantom: HU, and the (x, y) of the axis in mm, LPS."""

ROD_RADIUS_MM: Final = 12.0
BALL_AT: Final = (30.0, -85.0, 30.0)
"""A steel-like ball at left, anterior, superior: no two orientations look alike."""


def _rods() -> list[Shape]:
    along = (-50.0, 50.0)
    return [
        column((0, 0), (100, 100), along, 0.0),
        *(column(at, (ROD_RADIUS_MM,) * 2, along, hu) for hu, at in RODS.values()),
        ellipsoid(BALL_AT, (5, 5, 5), 2000.0),
    ]


@dataclass(frozen=True)
class _Phantom:
    shapes: Callable[[], list[Shape]]
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    spacing: tuple[float, float, float]
    description: str
    body_part: str


_PHANTOMS: Final = {
    "thorax": _Phantom(
        thorax.shapes, (-210, -150, -160), (210, 155, 160), (2.0, 1.0, 1.0),
        "Thorax phantom", "CHEST",
    ),
    "head": _Phantom(
        head.shapes, (-115, -130, -125), (115, 140, 132), (1.0, 0.8, 0.8),
        "Head phantom", "HEAD",
    ),
    "hu-rods": _Phantom(
        _rods, (-119, -119, -60), (119, 119, 60), (2.0, 1.0, 1.0), "HU rods", "PHANTOM",
    ),
}  # fmt: skip


def phantom(
    name: str = "thorax", *, spacing: Sequence[float] | None = None, noise: float = 0.0
) -> Volume:
    """Return a phantom as a volume, axial, head first, supine.

    Parameters
    ----------
    name : {"thorax", "head", "hu-rods"}
    spacing : (k, j, i) mm, optional
        Of the voxels; each phantom has its own default.
    noise : float
        Standard deviation in HU of added noise, the same at every call.

    Returns
    -------
    Volume
        int16; without noise, every voxel is `phantom_hu` at its centre, rounded.

    Raises
    ------
    ArgumentError
        If there is no such phantom, or spacing or noise are no sensible numbers.
    """
    recipe = _recipe(name)
    step = np.asarray(recipe.spacing if spacing is None else spacing, float)
    if step.shape != (3,) or not np.isfinite(step).all() or (step <= 0).any():
        msg = f"spacing must be three positive numbers in mm (k, j, i), not {spacing}"
        raise ArgumentError(msg)
    if not 0 <= noise < 10_000:
        msg = f"noise is a standard deviation from 0 to 10000 HU, not {noise}"
        raise ArgumentError(msg)
    low, high = np.array(recipe.low), np.array(recipe.high)
    shape = np.maximum(1, np.floor((high - low)[::-1] / step + 1e-6)).astype(np.int64) + 1
    if shape.prod() > _LARGEST:
        msg = f"spacing {tuple(step)} mm gives {shape.prod():,} voxels, more than {_LARGEST:,}"
        raise ArgumentError(msg)
    geometry = Geometry.from_parts(
        [int(n) for n in shape], spacing=step.tolist(), origin=recipe.low
    )
    x, y, z = (low[axis] + step[2 - axis] * np.arange(shape[2 - axis]) for axis in range(3))
    hu = paint(recipe.shapes(), x, y, z, _AIR_HU)
    if noise:
        hu += np.random.default_rng(7).normal(0, noise, hu.shape).astype(np.float32)
    return Volume(
        np.rint(hu).astype(np.int16),
        geometry,
        attributes={
            "Modality": "CT",
            "SeriesDescription": recipe.description,
            "BodyPartExamined": recipe.body_part,
            "PatientPosition": "HFS",
            "Manufacturer": "hounsview",
        },
    )


def phantom_hu(name: str, points: npt.ArrayLike) -> Floats:
    """Return the HU of a phantom at patient points.

    Parameters
    ----------
    name : {"thorax", "head", "hu-rods"}
    points : (..., 3) float
        LPS mm.

    Returns
    -------
    (...) float32
        HU; -1000 outside.
    """
    return hu_at(_recipe(name).shapes(), points, _AIR_HU)


def _recipe(name: str) -> _Phantom:
    if name not in _PHANTOMS:
        msg = f"there is no phantom {name!r}; there are: {', '.join(_PHANTOMS)}"
        raise ArgumentError(msg)
    return _PHANTOMS[name]
