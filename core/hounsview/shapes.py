"""Shapes with known HU at every point: what the phantoms are painted with.

A shape gives the signed distance from its surface (mm, negative inside; approximate for
ellipsoids and tubes, which only sets how soft their edge is). Shapes are painted one
over the other, each with an edge that falls off over `EDGE_MM`, as a scanner blurs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Distance = Callable[[Floats, Floats, Floats], Floats]
Point = Sequence[float]

EDGE_MM: Final = 1.6


@dataclass(frozen=True)
class Shape:
    """One painted shape.

    Parameters
    ----------
    low, high : (3,) mm, LPS
        A box that holds the shape.
    distance : callable
        (x, y, z) arrays that broadcast, mm LPS -> signed distance in mm.
    hu : float, or callable of (x, y, z) -> HU
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    distance: Distance
    hu: float | Distance

    def value(self, x: Floats, y: Floats, z: Floats) -> Floats | float:
        """Return the HU of the shape at points."""
        return self.hu(x, y, z) if callable(self.hu) else self.hu

    def but_for(self, other: Shape) -> Shape:
        """Return this shape without what lies in another one."""
        return Shape(
            self.low,
            self.high,
            lambda x, y, z: np.maximum(self.distance(x, y, z), -other.distance(x, y, z)),
            self.hu,
        )

    def within(self, other: Shape) -> Shape:
        """Return the part of this shape that lies in another one."""
        return Shape(
            self.low,
            self.high,
            lambda x, y, z: np.maximum(self.distance(x, y, z), other.distance(x, y, z)),
            self.hu,
        )


def paint(
    shapes: Iterable[Shape], x: Floats, y: Floats, z: Floats, background: float
) -> npt.NDArray[np.float32]:
    """Return (k, j, i) float32 HU on a grid along the patient axes.

    Parameters
    ----------
    shapes : iterable of Shape
        Later ones over earlier ones.
    x, y, z : (i,), (j,), (k,) mm, rising
    background : float, HU
    """
    hu = np.full((len(z), len(y), len(x)), background, np.float32)
    x, y, z = (np.asarray(axis, np.float32) for axis in (x, y, z))
    for shape in shapes:
        i, j, k = (
            slice(*np.searchsorted(axis, (low - EDGE_MM, high + EDGE_MM)))
            for axis, low, high in zip((x, y, z), shape.low, shape.high, strict=True)
        )
        if any(part.start == part.stop for part in (i, j, k)):
            continue
        # A few slices at a time, so that the intermediate arrays stay small.
        for start in range(k.start, k.stop, 8):
            slab = slice(start, min(start + 8, k.stop))
            at = (x[None, None, i], y[None, j, None], z[slab, None, None])
            _blend(hu[slab, j, i], shape, *at)
    return hu


def hu_at(shapes: Iterable[Shape], points: npt.ArrayLike, background: float) -> Floats:
    """Return HU at (..., 3) points, LPS mm: what `paint` gives where a voxel centre lies."""
    at = np.asarray(points, np.float32)
    x, y, z = at[..., 0], at[..., 1], at[..., 2]
    hu = np.full(x.shape, background, np.float32)
    for shape in shapes:
        inside = np.ones(x.shape, bool)
        for axis, low, high in zip((x, y, z), shape.low, shape.high, strict=True):
            inside &= (axis >= low - EDGE_MM) & (axis <= high + EDGE_MM)
        if inside.any():
            part = hu[inside]
            _blend(part, shape, x[inside], y[inside], z[inside])
            hu[inside] = part
    return hu


def _blend(hu: Floats, shape: Shape, x: Floats, y: Floats, z: Floats) -> None:
    cover = np.clip(0.5 - shape.distance(x, y, z) / EDGE_MM, 0, 1)
    hu += cover * (shape.value(x, y, z) - hu)


def ellipsoid(centre: Point, radii: Point, hu: float | Distance) -> Shape:
    """Return an ellipsoid along the patient axes."""
    (cx, cy, cz), (rx, ry, rz) = centre, radii

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        u, v, w = (x - cx) / rx, (y - cy) / ry, (z - cz) / rz
        return _scaled((u, v, w), (rx, ry, rz))

    return Shape(_minus(centre, radii), _plus(centre, radii), distance, hu)


def column(
    centre: tuple[float, float],
    radii: tuple[float, float],
    z_range: tuple[float, float],
    hu: float | Distance,
    *,
    power: float = 2.0,
) -> Shape:
    """Return an upright column with an elliptic cross-section; boxier with more power."""
    (cx, cy), (rx, ry), (bottom, top) = centre, radii, z_range

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        u, v = np.abs((x - cx) / rx), np.abs((y - cy) / ry)
        if power == 2:
            across = _scaled((u, v), (rx, ry))
        else:
            across = ((u**power + v**power) ** (1 / power) - 1) * min(rx, ry)
        solid: Floats = np.maximum(across, np.maximum(bottom - z, z - top))
        return solid

    return Shape((cx - rx, cy - ry, bottom), (cx + rx, cy + ry, top), distance, hu)


def capsule(
    start: Point, end: Point, radius: float, hu: float | Distance, *, end_radius: float = -1.0
) -> Shape:
    """Return a rod with round ends, which may taper to `end_radius`."""
    last = radius if end_radius < 0 else end_radius
    a, b = np.asarray(start, np.float32), np.asarray(end, np.float32)
    along = b - a
    length2 = max(float(along @ along), 1e-6)
    dx, dy, dz = (float(n) for n in along)

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        px, py, pz = x - a[0], y - a[1], z - a[2]
        t = np.clip((px * dx + py * dy + pz * dz) / np.float32(length2), 0, 1)
        apart = np.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2 + (pz - t * dz) ** 2)
        solid: Floats = apart - (radius + t * (last - radius))
        return solid

    thick = max(radius, last)
    low, high = np.minimum(a, b) - thick, np.maximum(a, b) + thick
    return Shape(_triple(low), _triple(high), distance, hu)


def path(points: Sequence[Point], radii: Sequence[float], hu: float | Distance) -> list[Shape]:
    """Return a bent rod through points, with a radius at each of them."""
    return [
        capsule(a, b, ra, hu, end_radius=rb)
        for a, b, ra, rb in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True)
    ]


def box(low: Point, high: Point, hu: float | Distance) -> Shape:
    """Return a box along the patient axes."""
    (x0, y0, z0), (x1, y1, z1) = low, high

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        across = np.maximum(np.maximum(x0 - x, x - x1), np.maximum(y0 - y, y - y1))
        solid: Floats = np.maximum(across, np.maximum(z0 - z, z - z1))
        return solid

    return Shape((x0, y0, z0), (x1, y1, z1), distance, hu)


def trough(
    centre: tuple[float, float],
    radii: tuple[float, float],
    half_width: float,
    z_range: tuple[float, float],
    hu: float,
) -> Shape:
    """Return a bent slab below an axis along z: a patient table, a head rest."""
    (cx, cy), (inner, outer), (bottom, top) = centre, radii, z_range

    def distance(x: Floats, y: Floats, z: Floats) -> Floats:
        radius = np.sqrt((x - cx) ** 2 + (y - cy) ** 2)
        across = np.maximum(np.maximum(inner - radius, radius - outer), cy - y)
        across = np.maximum(across, np.abs(x - cx) - half_width)
        solid: Floats = np.maximum(across, np.maximum(bottom - z, z - top))
        return solid

    low = cy + np.sqrt(max(inner**2 - half_width**2, 0))
    return Shape(
        (cx - half_width, low, bottom), (cx + half_width, cy + outer, top), distance, hu
    )


def _scaled(parts: tuple[Floats, ...], radii: tuple[float, ...]) -> Floats:
    """Return the distance from an ellipse or ellipsoid, right to first order at its surface."""
    squares = sum((p * p for p in parts), np.float32(0))
    steepness = sum(
        (p * p / np.float32(r * r) for p, r in zip(parts, radii, strict=True)), np.float32(0)
    )
    k0 = np.sqrt(squares)
    # At the centre the quotient is 0 / 0; the smallest radius is near enough there.
    away: Floats = k0 * (k0 - 1) / np.sqrt(np.maximum(steepness, 1e-12)) - (k0 == 0) * min(
        radii
    )
    return away


def _minus(a: Point, b: Point) -> tuple[float, float, float]:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _plus(a: Point, b: Point) -> tuple[float, float, float]:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _triple(values: Any) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z
