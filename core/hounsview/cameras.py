"""Where the 3D picture is seen from: pure functions of (what is shown, camera, size)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.geometry import Geometry
from hounsview.viewstate import Camera

Floats = npt.NDArray[np.float64]

_MARGIN: Final = 1.08
_STEEP: Final = 1e-6
_ZOOMS: Final = (0.05, 200.0)


@dataclass(frozen=True, eq=False)
class Aim:
    """A parallel camera.

    Parameters
    ----------
    focus : (3,) float64, LPS mm
        Shown in the middle of the picture.
    towards, up : (3,) float64
        Unit vectors: from the patient to the camera, and up in the picture.
    half_height : float, mm
        From the middle of the picture to its upper edge.
    depth : float, mm
        No part of what is shown is farther from its middle.
    """

    focus: Floats
    towards: Floats
    up: Floats
    half_height: float
    depth: float

    @property
    def right(self) -> Floats:
        """(3,) unit vector: right in the picture."""
        right: Floats = np.cross(-self.towards, self.up)
        return right

    def mm_per_pixel(self, rows: int) -> float:
        """Return how many mm one pixel of a picture of so many rows shows."""
        return 2 * self.half_height / rows

    def to_pixel(self, point: npt.ArrayLike, size: tuple[int, int]) -> tuple[float, float]:
        """Return (row, column), not rounded, where a patient point (LPS mm) is shown."""
        apart = (np.asarray(point, float) - self.focus) / self.mm_per_pixel(size[0])
        row = (size[0] - 1) / 2 - float(apart @ self.up)
        return row, (size[1] - 1) / 2 + float(apart @ self.right)

    def apply(self, renderer: Any) -> None:
        """Turn the camera of a vtkRenderer."""
        view = renderer.GetActiveCamera()
        view.SetParallelProjection(True)
        view.SetFocalPoint(*self.focus)
        view.SetPosition(*(self.focus + self.towards * 2 * self.depth))
        view.SetViewUp(*self.up)
        view.SetParallelScale(self.half_height)
        renderer.ResetCameraClippingRange()


def aim_at(shown: Geometry, camera: Camera, size: tuple[int, int]) -> Aim:
    """Return the aim at which what fills a box fits the picture at zoom 1, from all sides.

    Parameters
    ----------
    shown : Geometry
        Its outer faces are the box, around something round.
    camera : Camera
    size : (rows, columns)
        Of the picture, px.
    """
    towards, up = view_axes(camera)
    right = np.cross(-towards, up)
    # The picture moves right and down when the camera moves left and up.
    focus = shown.centre - camera.pan[0] * right + camera.pan[1] * up
    half_height = _fitting(shown, camera.elevation, size) / camera.zoom
    depth = float(2 * np.linalg.norm(_halves(shown)) + np.linalg.norm(camera.pan))
    return Aim(focus, towards, up, half_height, depth)


def camera_at(shown: Geometry, aim: Aim, size: tuple[int, int]) -> Camera:
    """Return the camera that has an aim; the way back from `aim_at`.

    A roll about the line of sight, which our camera has not, is left out; what lies beyond
    the limits of `Camera` is brought to them.

    Parameters
    ----------
    shown : Geometry
    aim : Aim
        Its focus may be any point on the line of sight.
    size : (rows, columns)
    """
    x, y, z = aim.towards
    elevation = float(np.degrees(np.arcsin(np.clip(z, -1, 1))))
    if np.hypot(x, y) > _STEEP:
        azimuth = float(np.degrees(np.arctan2(x, -y)))
    else:  # From above or below, only the upper edge says how it is turned.
        sign = 1.0 if z > 0 else -1.0
        azimuth = float(np.degrees(np.arctan2(-sign * aim.up[0], sign * aim.up[1])))
    towards, up = view_axes(Camera(azimuth, elevation))
    apart = aim.focus - shown.centre
    right = np.cross(-towards, up)
    zoom = _fitting(shown, elevation, size) / max(aim.half_height, 1e-6)
    return Camera(
        azimuth=azimuth,
        elevation=elevation,
        zoom=float(np.clip(zoom, *_ZOOMS)),
        pan=(float(-apart @ right), float(apart @ up)),
    )


def _fitting(shown: Geometry, elevation: float, size: tuple[int, int]) -> float:
    """Return half the height, mm, of the picture that shows all of a box at zoom 1."""
    half = _halves(shown)
    # A body is round enough that its width is the same from all sides; so the picture
    # does not grow and shrink while it turns.
    half_width = max(half[0], half[1])
    turn = np.radians(elevation)
    half_height = half[2] * np.cos(turn) + half_width * abs(np.sin(turn))
    return float(_MARGIN * max(half_height, half_width * size[0] / size[1]))


def _halves(shown: Geometry) -> Floats:
    """Return (3,) mm along the patient axes from the middle of a box to its faces."""
    edges = shown.direction * (np.asarray(shown.shape) * shown.spacing)
    halves: Floats = 0.5 * np.abs(edges).sum(axis=1)
    return halves


def view_axes(camera: Camera) -> tuple[Floats, Floats]:
    """Return unit vectors, LPS: from the patient to the camera, and up in the picture."""
    a, e = np.radians(camera.azimuth), np.radians(camera.elevation)
    towards = np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
    up = np.array([-np.sin(a) * np.sin(e), np.cos(a) * np.sin(e), np.cos(e)])
    return towards, up


def edge_letters(camera: Camera) -> str:
    """Return the patient directions at the top, bottom, left and right of the picture."""
    towards, up = view_axes(camera)
    right = np.cross(-towards, up)
    return letter_of(up) + letter_of(-up) + letter_of(-right) + letter_of(right)


def letter_of(direction: npt.ArrayLike) -> str:
    """Return the letter of the patient direction that a vector (LPS) is closest to."""
    values = np.asarray(direction, float)
    axis = int(np.argmax(np.abs(values)))
    return "LPS"[axis] if values[axis] > 0 else "RAI"[axis]
