"""The three slice planes in a scene: polygons through the crosshair, with what lies there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from hounsview.geometry import Geometry
from hounsview.planes import plane_axes
from hounsview.viewstate import PLANES, ViewState
from hounsview.windows import Window
from hounsview_vizapp import drawing
from hounsview_vizapp.rendering.pyramid import Level

Floats = npt.NDArray[np.float64]

_CORNERS: Final = np.array([[k, j, i] for k in (0, 1) for j in (0, 1) for i in (0, 1)])
_EDGES: Final = [
    (a, b) for a in range(8) for b in range(a) if np.abs(_CORNERS[a] - _CORNERS[b]).sum() == 1
]


def section(geometry: Geometry, point: Floats, normal: Floats) -> Floats:
    """Return where a plane cuts the outer faces of a grid: (n, 3) LPS mm, in their order.

    Parameters
    ----------
    geometry : Geometry
    point, normal : (3,) float64, LPS
        Of the plane.

    Returns
    -------
    (n, 3) float64
        Corners of a convex polygon, 3 to 6 of them; none where the plane misses the grid.
    """
    corners = geometry.to_patient(_CORNERS * np.asarray(geometry.shape) - 0.5)
    apart = (corners - point) @ normal
    found = [
        corners[a] + (corners[b] - corners[a]) * apart[a] / (apart[a] - apart[b])
        for a, b in _EDGES
        if (apart[a] < 0) != (apart[b] < 0)
    ]
    if len(found) < 3:
        return np.empty((0, 3))
    polygon = np.array(found)
    spokes = polygon - polygon.mean(axis=0)
    across = spokes[0] / np.linalg.norm(spokes[0])
    angles = np.arctan2(spokes @ np.cross(normal, across), spokes @ across)
    ordered: Floats = polygon[np.argsort(angles)]
    return ordered


@dataclass(frozen=True, eq=False)
class Cut:
    """One plane through a level.

    Parameters
    ----------
    polygon : (n, 3) float64, LPS mm
    texture_at : (n, 2) float64
        Where each corner lies in the picture: 0 to 1 to the right and down.
    picture : (rows, columns) uint8
        The windowed values.
    """

    polygon: Floats
    texture_at: Floats
    picture: npt.NDArray[np.uint8]


def cut(
    level: Level,
    box: Geometry,
    plane: str,
    point: Floats,
    window: Window,
    oblique: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Cut | None:
    """Return a plane of a level within a box, or None where it misses the box.

    Parameters
    ----------
    level : Level
    box : Geometry
        Its outer faces are the box.
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    point : (3,) float64, LPS mm
        The plane goes through it.
    window : Window
    oblique : (pitch, roll, yaw) float, degrees
    """
    right, down = plane_axes(plane, oblique)
    polygon = section(box, point, np.cross(right, down))
    if not len(polygon):
        return None
    step = min(level.geometry.spacing)
    on_plane = np.stack([(polygon - point) @ right, (polygon - point) @ down], axis=1)
    low, high = on_plane.min(axis=0), on_plane.max(axis=0)
    columns, rows = np.maximum(2, np.ceil((high - low) / step)).astype(int)
    pixel = (high - low) / (columns, rows)
    first = point + (low[0] + pixel[0] / 2) * right + (low[1] + pixel[1] / 2) * down
    to_index = level.geometry.inverse[:3, :3]
    values = _sampled(
        level.hu,
        level.geometry.to_index(first),
        (to_index @ down * pixel[1], to_index @ right * pixel[0]),
        (int(rows), int(columns)),
    )
    return Cut(polygon, (on_plane - low) / (high - low), window.apply(values))


def _sampled(
    hu: npt.NDArray[Any], first: Floats, steps: tuple[Floats, Floats], size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Return (rows, columns) values, interpolated trilinearly, from an index (k, j, i) on.

    `steps` are the changes of index from row to row and from column to column.
    """
    down, right = steps
    rows, columns = np.arange(size[0])[:, None], np.arange(size[1])[None, :]
    at = [
        np.clip(first[axis] + rows * down[axis] + columns * right[axis], 0, hu.shape[axis] - 1)
        for axis in range(3)
    ]
    low = [np.minimum(np.floor(place).astype(np.intp), max(size - 2, 0))
           for place, size in zip(at, hu.shape, strict=True)]  # fmt: skip
    share = [(place - base).astype(np.float32) for place, base in zip(at, low, strict=True)]
    total = np.zeros(size, np.float32)
    for corner in np.ndindex(2, 2, 2):
        index = tuple(
            np.minimum(base + step, hu.shape[axis] - 1)
            for axis, (base, step) in enumerate(zip(low, corner, strict=True))
        )
        weight = np.ones(size, np.float32)
        for part, step in zip(share, corner, strict=True):
            weight *= part if step else 1 - part
        total += weight * hu[index]
    return total


class Planes:
    """The three planes in a scene, and what they show now.

    Parameters
    ----------
    renderer : vtkRenderer
    """

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self._actors: list[Any] = []
        self._shows: tuple[Any, ...] | None = None

    def show(self, state: ViewState, level: Level, box: Geometry, point: Floats) -> None:
        """Put the planes through a point (LPS mm) into the picture, or none of them.

        They reach as far as a box: around the body, air says nothing and hides much.
        """
        if not state.show_planes:
            self.remove()
            return
        shows = (id(level), tuple(point), state.oblique, state.window)
        if shows == self._shows:
            return
        self.remove()
        for plane in PLANES:
            made = cut(level, box, plane, point, state.window, state.oblique)
            if made is not None:
                self._actors += [_textured(made), _outline(made, drawing.PLANE_COLORS[plane])]
        for actor in self._actors:
            self._renderer.AddActor(actor)
        self._shows = shows

    def remove(self) -> None:
        """Take the planes out of the picture."""
        for actor in self._actors:
            self._renderer.RemoveActor(actor)
            actor.ReleaseGraphicsResources(self._renderer.GetRenderWindow())
        self._actors = []
        self._shows = None


def _polygon(made: Cut, *, closed_line: bool) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    shape, points, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(made.polygon, deep=True))
    order = [*range(len(made.polygon)), *([0] if closed_line else [])]
    cells.InsertNextCell(len(order), order)
    shape.SetPoints(points)
    if closed_line:
        shape.SetLines(cells)
    else:
        shape.SetPolys(cells)
    return shape


def _textured(made: Cut) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkTexture

    shape = _polygon(made, closed_line=False)
    places = made.texture_at * (1, -1) + (0, 1)  # textures count from the bottom
    shape.GetPointData().SetTCoords(numpy_to_vtk(places.astype(np.float32), deep=True))
    image = vtkImageData()
    image.SetDimensions(made.picture.shape[1], made.picture.shape[0], 1)
    picture = cv2.cvtColor(made.picture[::-1], cv2.COLOR_GRAY2RGB)
    image.GetPointData().SetScalars(numpy_to_vtk(picture.reshape(-1, 3), deep=True))
    texture = vtkTexture()
    texture.SetInputData(image)
    texture.InterpolateOn()
    texture.EdgeClampOn()
    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(shape)
    actor.SetMapper(mapper)
    actor.SetTexture(texture)
    actor.GetProperty().LightingOff()
    return actor


def _outline(made: Cut, color: drawing.Color) -> Any:
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    mapper, actor = vtkPolyDataMapper(), vtkActor()
    mapper.SetInputData(_polygon(made, closed_line=True))
    actor.SetMapper(mapper)
    actor.GetProperty().SetColor(*(channel / 255 for channel in color))
    actor.GetProperty().SetLineWidth(1.5)
    actor.GetProperty().LightingOff()
    return actor
