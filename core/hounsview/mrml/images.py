"""Arrays (k, j, i) and vtkImageData: the same memory order, i fastest."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.mrml.application import vtk_module


def fill_image(image: Any, values: npt.NDArray[Any], start: tuple[int, int, int]) -> Any:
    """Return vtkImageData filled with a copy of an array; spacing 1, origin 0.

    Parameters
    ----------
    image : vtkImageData
        A new one, or one of its subclasses.
    values : (k, j, i) int16, float32 or uint8
    start : (k, j, i) int
        Extent index of the first value.
    """
    support = vtk_module("util.numpy_support")
    extent: list[int] = []
    for first, size in zip(reversed(start), reversed(values.shape), strict=True):
        extent += [first, first + size - 1]
    image.SetExtent(extent)
    scalars = support.numpy_to_vtk(np.ascontiguousarray(values).ravel(), deep=1)
    scalars.SetName("ImageScalars")
    image.GetPointData().SetScalars(scalars)
    return image


def array_of_image(image: Any, name: str) -> npt.NDArray[Any]:
    """Return a (k, j, i) view of the scalars of vtkImageData.

    Raises
    ------
    ArgumentError
        If there are none, or a voxel holds several numbers.
    """
    scalars = None if image is None else image.GetPointData().GetScalars()
    if scalars is None or not scalars.GetNumberOfTuples():
        msg = f"{name} holds no voxels"
        raise ArgumentError(msg)
    if scalars.GetNumberOfComponents() != 1:
        count = scalars.GetNumberOfComponents()
        msg = f"{name} holds {count} numbers in each voxel, and a CT volume holds one"
        raise ArgumentError(msg)
    support = vtk_module("util.numpy_support")
    shape = tuple(reversed(image.GetDimensions()))
    array: npt.NDArray[Any] = support.vtk_to_numpy(scalars).reshape(shape)
    return array


def start_of_image(image: Any) -> tuple[int, int, int]:
    """Return the (k, j, i) extent index of the first value of vtkImageData."""
    extent = image.GetExtent()
    return extent[4], extent[2], extent[0]
