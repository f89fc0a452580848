"""Surfaces as vtkMRMLModelNode, and back: LPS here, RAS there, normals outwards in both."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from hounsview.anatomy import Color
from hounsview.errors import ArgumentError
from hounsview.mrml.application import slicer
from hounsview.surfaces import Mesh

# Half a turn about z and no mirror: triangles keep their sense.
_TO_RAS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])


def model_node(
    mesh: Mesh,
    scene: Any,
    *,
    name: str = "",
    color: Color = (0.93, 0.87, 0.75),
    opacity: float = 1.0,
) -> Any:
    """Return a new vtkMRMLModelNode with the surface at its place in the patient.

    Parameters
    ----------
    mesh : Mesh
        Points LPS mm; the node's are RAS.
    scene : vtkMRMLScene
    name : str
        The mesh's own when left out.
    color : (red, green, blue) float
        0 to 1.
    opacity : float
        0 to 1.

    Raises
    ------
    ArgumentError
        If slicer-core is not there.
    """
    slicer()
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", name or mesh.name)
    node.SetAndObservePolyData(mesh.moved(_TO_RAS).to_vtk())
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(*color)
    display.SetOpacity(opacity)
    return node


def mesh_of(node: Any) -> Mesh:
    """Return the Mesh of a vtkMRMLModelNode; points RAS there, LPS mm here.

    Raises
    ------
    ArgumentError
        If it holds anything but triangles, or nothing.
    """
    poly = node.GetPolyData()
    count = 0 if poly is None else poly.GetNumberOfPolys()
    if not count or poly.GetPolys().GetNumberOfConnectivityIds() != 3 * count:
        msg = f"the model {node.GetName()} is not made of triangles"
        raise ArgumentError(msg)
    return Mesh.from_vtk(poly, node.GetName()).moved(_TO_RAS)
