"""What the tools must know of the panes that they work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hounsview.viewstate.checks import Point
from hounsview_vizapp.state import ViewerState

Pixel = tuple[float, float]
Size = tuple[int, int]


@dataclass(frozen=True)
class Draft:
    """A measurement that is being made.

    Parameters
    ----------
    kind : str
    pane : str
        The plane it is drawn on.
    oblique : (pitch, roll, yaw) float, degrees
    points : tuple of (x, y, z) float, LPS mm
        Those that are set.
    """

    kind: str
    pane: str
    oblique: tuple[float, float, float]
    points: tuple[Point, ...]


class Scenery(Protocol):
    """An opened volume, as the tools see it."""

    state: ViewerState
    tool: str
    selected: int | None
    """Index of the measurement that a person picked."""
    draft: Draft | None
    active_pane: str

    def point_at(self, pane: str, at: Pixel, size: Size) -> Point:
        """Return the patient point, LPS mm, that a pixel of a plane shows."""
        ...

    def pixel_of(self, pane: str, point: Point, size: Size) -> Pixel:
        """Return the pixel (row, column) of a plane that a patient point falls on."""
        ...

    def is_on_plane(self, pane: str, point: Point) -> bool:
        """Return whether a plane, as it is shown now, goes through a patient point."""
        ...

    def mm_per_pixel(self, pane: str, size: Size) -> float:
        """Return the size of a pixel of a pane."""
        ...

    def size_of(self, pane: str) -> Size:
        """Return the (rows, columns) in which a pane was shown last."""
        ...

    def scrolled(self, pane: str, count: int) -> Point:
        """Return the crosshair so many slices along."""
        ...

    def crosshair(self) -> Point:
        """Return the crosshair, in the middle where the state has none."""
        ...

    def hit(self, pane: str, at: Pixel, size: Size, within: float) -> tuple[int, int] | None:
        """Return (measurement, point) of the handle near a pixel; point -1 for its line."""
        ...

    def toggle_cine(self) -> None:
        """Let the active pane run through its slices, or stop it."""
        ...

    def cancel_drag(self) -> None:
        """End a drag where it stands."""
        ...
