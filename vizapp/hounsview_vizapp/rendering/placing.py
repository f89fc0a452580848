"""Levels as VTK images, and the matrix that puts them into the patient."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hounsview.geometry import Geometry
from hounsview_vizapp.rendering.pyramid import Level


def image_of(level: Level) -> tuple[Any, Any]:
    """Return a level as vtkImageData (i, j, k) and the matrix that puts it in the patient.

    The image keeps spacing and lies at 0; the (4, 4) matrix turns and moves it to LPS mm
    and has determinant 1, because the axes of a level rise to S, P and L. The image shares
    the level's memory and keeps it alive.
    """
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    image = vtkImageData()
    image.SetDimensions(*level.hu.shape[::-1])
    image.SetSpacing(*level.geometry.spacing[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(level.hu.ravel(), deep=False))
    return image, matrix_of(placement(level.geometry))


def placement(geometry: Geometry) -> npt.NDArray[np.float64]:
    """Return (4, 4): mm along i, j, k from the first voxel -> LPS mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = geometry.direction[:, ::-1]
    matrix[:3, 3] = geometry.origin
    return matrix


def matrix_of(values: npt.NDArray[np.float64]) -> Any:
    """Return (4, 4) numbers as vtkMatrix4x4."""
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    matrix = vtkMatrix4x4()
    matrix.DeepCopy(values.ravel().tolist())
    return matrix


def clip_planes(low: tuple[float, ...], high: tuple[float, ...]) -> list[Any]:
    """Return six vtkPlanes, in the patient, that keep what lies in a box along its axes."""
    from vtkmodules.vtkCommonDataModel import vtkPlane

    planes = []
    for axis in range(3):
        for corner, sign in ((low, 1.0), (high, -1.0)):
            plane = vtkPlane()
            plane.SetOrigin(*corner)
            plane.SetNormal(*(sign * np.eye(3)[axis]))
            planes.append(plane)
    return planes


def cut_mapper(mapper: Any, planes: list[Any]) -> None:
    """Cut away from a volume or a surface what lies behind vtkPlanes."""
    mapper.RemoveAllClippingPlanes()
    for plane in planes:
        mapper.AddClippingPlane(plane)
