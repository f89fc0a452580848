"""From a bone mask to 300,000 triangles, against VTK's filters used one after the other.

    .venv/bin/python benchmarks/surfaces.py

The thorax phantom with noise, 512 x 512 x 400. The peer is what a VTK user writes: flying
edges, windowed sinc smoothing, quadric decimation (fast-simplification).
"""

from __future__ import annotations

import time

import numpy as np
from fast_simplification import simplify
from series import thorax
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkSMPTools
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import (
    vtkFlyingEdges3D,
    vtkTriangleFilter,
    vtkWindowedSincPolyDataFilter,
)

import hounsview as hv
from hounsview import surfaces

SPACING = (0.75, 0.7, 0.7)
TARGET = 300_000


def plain(mask: np.ndarray) -> surfaces.Mesh:
    image = vtkImageData()
    image.SetDimensions(*mask.shape[::-1])
    image.SetSpacing(*SPACING[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(mask.ravel().view(np.uint8)))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.5)
    edges.ComputeNormalsOff()
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(edges.GetOutputPort())
    smooth.SetNumberOfIterations(15)
    smooth.SetPassBand(0.1)
    triangles = vtkTriangleFilter()
    triangles.SetInputConnection(smooth.GetOutputPort())
    triangles.Update()
    made = triangles.GetOutput()
    points = vtk_to_numpy(made.GetPoints().GetData())
    corners = vtk_to_numpy(made.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    share = 1 - TARGET / len(corners)
    points, corners = simplify(
        points.astype(np.float64), corners.astype(np.int32), target_reduction=share
    )
    return surfaces.Mesh(points, corners)


def main() -> None:
    vtkSMPTools.SetBackend("STDThread")
    hu = thorax(400)
    geometry = hv.Geometry.from_parts(hu.shape, spacing=SPACING)
    mask = hu > 200
    wanted = np.count_nonzero(mask) * np.prod(SPACING) / 1000
    print("| how | s | triangles | watertight | volume over the mask's |")
    print("| --- | --- | --- | --- | --- |")
    for name, make in (
        ("hounsview.surfaces.from_mask", lambda: surfaces.from_mask(mask, geometry)),
        ("flying edges, windowed sinc, quadric", lambda: plain(mask)),
    ):
        seconds = []
        for _ in range(3):
            begin = time.perf_counter()
            mesh = make()
            seconds.append(time.perf_counter() - begin)
        said = "yes" if mesh.is_watertight else "no"
        share = abs(mesh.volume_ml) / wanted
        faces = f"{len(mesh.triangles):,}"
        print(f"| {name} | {min(seconds):.2f} | {faces} | {said} | {share:.4f} |")


if __name__ == "__main__":
    main()
