"""Where things of an opened volume lie in its panes: what the tools ask."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hounsview.frames import crosshair_of, plane_frame
from hounsview.viewstate import Measurement
from hounsview.viewstate.checks import Point
from hounsview.volume import Volume
from hounsview_vizapp.panes import step
from hounsview_vizapp.state import ViewerState
from hounsview_vizapp.tools.hits import nearest_handle

Pixel = tuple[float, float]
Size = tuple[int, int]


class Places:
    """Patient points and pixels of the panes of one volume, as its state shows them.

    Parameters
    ----------
    volume : Volume
    state : ViewerState
    """

    def __init__(self, volume: Volume, state: ViewerState) -> None:
        self.volume = volume
        self.state = state
        self._sizes: dict[str, Size] = {}
        self._mm_per_pixel_3d = 1.0  # of the 3D pane's last frame, at a zoom of 1

    def crosshair(self) -> Point:
        """Return the crosshair, LPS mm."""
        return as_point(crosshair_of(self.volume.geometry, self.state.value))

    def point_at(self, pane: str, at: Pixel, size: Size) -> Point:
        """Return the patient point, LPS mm, that a pixel of a plane shows."""
        frame = plane_frame(self.volume.geometry, self.state.value, pane, size)
        return as_point(frame.to_patient(at))

    def pixel_of(self, pane: str, point: Point, size: Size) -> Pixel:
        """Return the pixel (row, column) of a plane that a patient point falls on."""
        return plane_frame(self.volume.geometry, self.state.value, pane, size).to_pixel(point)

    def is_on_plane(self, pane: str, point: Point) -> bool:
        """Return whether a plane, as it is shown now, goes through a patient point."""
        frame = plane_frame(self.volume.geometry, self.state.value, pane, self.size_of(pane))
        return frame.shows(Measurement("probe", (point,), pane, self.state.oblique))

    def mm_per_pixel(self, pane: str, size: Size) -> float:
        """Return the size of a pixel of a pane."""
        if pane == "3d":
            # At a zoom of 1, as the last frame had it.
            return self._mm_per_pixel_3d / self.state.value.camera.zoom
        return plane_frame(self.volume.geometry, self.state.value, pane, size).mm_per_pixel

    def size_of(self, pane: str) -> Size:
        """Return the (rows, columns) in which a pane was shown last."""
        return self._sizes.get(pane, (512, 512))

    def scrolled(self, pane: str, count: int) -> Point:
        """Return the crosshair so many slices along."""
        moved = step(self.volume, self.state.value, pane, count)
        return moved.crosshair or self.crosshair()

    def hit(self, pane: str, at: Pixel, size: Size, within: float) -> tuple[int, int] | None:
        """Return (measurement, point) of the handle near a pixel; point -1 for its line."""
        frame = plane_frame(self.volume.geometry, self.state.value, pane, size)
        nearest: tuple[float, int, int] | None = None
        for index, measurement in enumerate(self.state.measurements):
            if not frame.shows(measurement):
                continue
            handles = [frame.to_pixel(point) for point in measurement.points]
            found = nearest_handle(handles, at, measurement.kind, within)
            if found[0] <= within and (nearest is None or found[0] < nearest[0]):
                nearest = (found[0], index, found[1])
        return None if nearest is None else nearest[1:]


def as_point(values: npt.ArrayLike) -> Point:
    """Return (x, y, z) as floats."""
    x, y, z = (float(value) for value in np.asarray(values, float))
    return x, y, z
