"""Measurements that a person placed on a slice, as plain data; numbers come from `measure`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hounsview.errors import ArgumentError
from hounsview.viewstate import checks
from hounsview.viewstate.checks import Point
from hounsview.viewstate.parts import PLANES, Part

POINTS_OF: Final = {"probe": 1, "ruler": 2, "angle": 3, "rectangle": 2, "ellipse": 2}
"""Kinds, and how many points each has."""


@dataclass(frozen=True)
class Measurement(Part):
    """One measurement.

    Parameters
    ----------
    kind : str
        ``"probe"``, ``"ruler"``, ``"angle"``, ``"rectangle"`` or ``"ellipse"``.
    points : sequence of (x, y, z) float, LPS mm
        Probe: the place. Ruler: both ends. Angle: an end, the vertex, the other end.
        Rectangle and ellipse: opposite corners of the box around it, its sides along the
        plane's rows and columns.
    plane : str
        The plane it was drawn on: the region of interest lies in it.
    oblique : (pitch, roll, yaw) float, degrees
        How that plane was turned then; see `hounsview.planes.plane_axes`.
    text : str
        What a person wrote beside it.
    """

    kind: str
    points: tuple[Point, ...] = field(metadata={"key": "points_lps_mm"})
    plane: str = "axial"
    oblique: tuple[float, float, float] = field(
        default=(0.0, 0.0, 0.0), metadata={"key": "oblique_degrees"}
    )
    text: str = ""

    def __post_init__(self) -> None:
        kind = checks.one_of(self.kind, POINTS_OF, "measurement kind")
        points = checks.all_of(
            self.points, object, f"points of a {kind}", max(POINTS_OF.values())
        )
        if len(points) != POINTS_OF[kind]:
            msg = f"a {kind} has {POINTS_OF[kind]} points, not {len(points)}"
            raise ArgumentError(msg)
        self._check(
            points=tuple(checks.point(p, f"{kind} point") for p in points),
            plane=checks.one_of(self.plane, PLANES, "measurement plane"),
            oblique=checks.numbers(self.oblique, 3, "oblique (pitch, roll, yaw) degrees", 360),
            text=checks.text(self.text, "measurement text"),
        )
