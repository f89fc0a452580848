"""The opacity of a transfer function as a curve whose points a person moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hounsview.presets import OpacityPoints

REACH: Final = 13.5
"""Points of the screen, across and along together, from which a point is taken hold of."""
_LOWEST_HU, _HIGHEST_HU = -10_000.0, 60_000.0


@dataclass(frozen=True)
class CurveArea:
    """Where a curve is drawn: `low` to `high` HU across, opacity 0 at the `bottom`."""

    low: float
    high: float
    left: float
    top: float
    right: float
    bottom: float

    def place_of(self, hu: float, opacity: float) -> tuple[float, float]:
        """Return the (x, y) of a value."""
        share = (hu - self.low) / (self.high - self.low)
        x = self.left + share * (self.right - self.left)
        return x, self.bottom - opacity * (self.bottom - self.top)

    def value_at(self, x: float, y: float) -> tuple[float, float]:
        """Return the (HU, opacity) at a place; opacity is kept within 0 and 1."""
        share = (x - self.left) / (self.right - self.left)
        opacity = (self.bottom - y) / (self.bottom - self.top)
        return self.low + share * (self.high - self.low), min(max(opacity, 0.0), 1.0)


class Curve:
    """Points (HU, opacity), without the shift, and the one that is picked."""

    def __init__(self) -> None:
        self.points: list[tuple[float, float]] = []
        self.shift = 0.0
        self.picked: int | None = None

    def show(self, points: OpacityPoints, shift: float) -> None:
        """Take other points; the picked one stays picked where there still is one."""
        self.points = [(hu, opacity) for hu, opacity in points]
        self.shift = shift
        if self.picked is not None and self.picked >= len(points):
            self.picked = None

    def places(self, area: CurveArea) -> list[tuple[float, float]]:
        """Return where the points are drawn, (x, y)."""
        return [area.place_of(hu + self.shift, opacity) for hu, opacity in self.points]

    def near(self, area: CurveArea, at: Sequence[float], reach: float = REACH) -> int | None:
        """Return the point near (x, y), or None."""
        far = [abs(x - at[0]) + abs(y - at[1]) for x, y in self.places(area)]
        nearest = min(range(len(far)), key=far.__getitem__, default=None)
        return nearest if nearest is not None and far[nearest] <= reach else None

    def value_at(self, area: CurveArea, at: Sequence[float]) -> tuple[float, float]:
        """Return the (HU, opacity) at (x, y), the shift taken off."""
        hu, opacity = area.value_at(at[0], at[1])
        return hu - self.shift, opacity

    def move_to(self, index: int, hu: float, opacity: float) -> None:
        """Move a point, kept between its neighbours."""
        low = self.points[index - 1][0] + 1 if index else _LOWEST_HU
        last = index + 1 == len(self.points)
        high = _HIGHEST_HU if last else self.points[index + 1][0] - 1
        self.points[index] = (min(max(hu, low), high), min(max(opacity, 0.0), 1.0))

    def add(self, hu: float, opacity: float) -> bool:
        """Add a point and pick it; return whether there was room."""
        if any(abs(hu - other) < 1 for other, _ in self.points):
            return False
        self.points = sorted([*self.points, (hu, opacity)])
        self.picked = self.points.index((hu, opacity))
        return True

    def add_beside(self) -> bool:
        """Add a point half-way to the next one, or beyond the last."""
        if not self.points:
            return False
        at = len(self.points) - 1 if self.picked is None else self.picked
        if at + 1 == len(self.points):
            return self.add(self.points[at][0] + 100, self.points[at][1])
        (a, low), (b, high) = self.points[at], self.points[at + 1]
        return self.add((a + b) / 2, (low + high) / 2)

    def remove_picked(self) -> bool:
        """Remove the picked point; return whether it could go: one stays."""
        if self.picked is None or len(self.points) < 2:
            return False
        del self.points[self.picked]
        self.picked = None
        return True

    def pick_next(self) -> None:
        """Pick the next point."""
        if self.points:
            self.picked = 0 if self.picked is None else (self.picked + 1) % len(self.points)
