"""A surface as triangles in the patient, and what can be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError

Floats = npt.NDArray[np.float64]
Triangles = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in the patient; normals by the right-hand rule, outwards.

    Parameters
    ----------
    points : (n, 3) float64, LPS mm
    triangles : (m, 3) int32
        Indices of points.
    name : str
        What it is the surface of; goes into files.

    Raises
    ------
    ArgumentError
        If shapes do not fit, or an index is outside.
    """

    points: Floats
    triangles: Triangles
    name: str = "surface"

    def __post_init__(self) -> None:
        points = np.ascontiguousarray(self.points, np.float64)
        triangles = np.ascontiguousarray(self.triangles, np.int32)
        if points.ndim != 2 or points.shape[1] != 3 or triangles.shape[1:] != (3,):
            msg = f"a mesh has (n, 3) points and (m, 3) triangles, not {points.shape} and "
            raise ArgumentError(msg + f"{triangles.shape}")
        if triangles.size and not 0 <= triangles.min() <= triangles.max() < len(points):
            msg = f"a triangle names a point outside 0..{len(points) - 1}"
            raise ArgumentError(msg)
        points.flags.writeable = triangles.flags.writeable = False
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "triangles", triangles)

    @cached_property
    def volume_ml(self) -> float:
        """Enclosed volume, ml: the sum of signed tetrahedra (divergence theorem)."""
        return float(self._tetrahedra.sum()) / 1000

    @cached_property
    def area_cm2(self) -> float:
        """Area of all triangles, cm^2."""
        return float(np.linalg.norm(self._crosses, axis=1).sum()) / 200

    @cached_property
    def box(self) -> tuple[Floats, Floats]:
        """(low, high) corners, LPS mm; zeros when it is empty."""
        if not len(self.points):
            return np.zeros(3), np.zeros(3)
        return self.points.min(axis=0), self.points.max(axis=0)

    @property
    def size(self) -> Floats:
        """(3,) extent along x, y, z in mm."""
        low, high = self.box
        return high - low

    @cached_property
    def is_watertight(self) -> bool:
        """Whether each edge belongs to two triangles that run along it in opposite ways."""
        a, b = self._edges
        if not len(a):
            return False
        count = len(self.points)
        forth = np.sort(a.astype(np.int64) * count + b)
        back = np.sort(b.astype(np.int64) * count + a)
        return bool((forth == back).all() and (np.diff(forth) > 0).all())

    @cached_property
    def island_of_triangle(self) -> npt.NDArray[np.int64]:
        """(m,) number of the connected piece that each triangle belongs to, from 0."""
        root = np.arange(len(self.points))
        while True:
            # Each triangle hooks the roots of its corners to the least of them.
            of_corner = root[self.triangles]
            least = of_corner.min(axis=1)
            if (of_corner == least[:, None]).all():
                break
            for corner in range(3):
                np.minimum.at(root, of_corner[:, corner], least)
            while (root != root[root]).any():
                root = root[root]
        _, numbers = np.unique(least, return_inverse=True)
        return np.asarray(numbers, np.int64)

    @property
    def islands_ml(self) -> Floats:
        """Enclosed volume of each connected piece, ml; a cavity inside counts below 0."""
        return np.bincount(self.island_of_triangle, weights=self._tetrahedra) / 1000

    def without_islands(self, least_ml: float) -> Mesh:
        """Return the mesh without pieces that enclose less than `least_ml`, cavities too."""
        small = np.abs(self.islands_ml) < least_ml
        if not small.any():
            return self
        return self.part(~small[self.island_of_triangle])

    def part(self, kept: npt.NDArray[np.bool_]) -> Mesh:
        """Return the mesh of some of its triangles, (m,) bool, and the points they need."""
        triangles = self.triangles[kept]
        used, places = np.unique(triangles, return_inverse=True)
        return Mesh(self.points[used], places.reshape(-1, 3).astype(np.int32), self.name)

    def moved(self, matrix: npt.ArrayLike) -> Mesh:
        """Return the mesh under a (4, 4) affine map; a mirror keeps normals outwards."""
        affine = np.asarray(matrix, float)
        points = self.points @ affine[:3, :3].T + affine[:3, 3]
        mirrored = np.linalg.det(affine[:3, :3]) < 0
        return Mesh(points, self.triangles[:, ::-1] if mirrored else self.triangles, self.name)

    def to_vtk(self) -> Any:
        """Return vtkPolyData, LPS mm."""
        from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
        from vtkmodules.vtkCommonCore import vtkPoints
        from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

        points = vtkPoints()
        points.SetData(numpy_to_vtk(self.points, deep=1))
        cells = vtkCellArray()
        offsets = 3 * np.arange(len(self.triangles) + 1, dtype=np.int64)
        corners = self.triangles.ravel().astype(np.int64)
        cells.SetData(
            numpy_to_vtkIdTypeArray(offsets, deep=1), numpy_to_vtkIdTypeArray(corners, deep=1)
        )
        poly = vtkPolyData()
        poly.SetPoints(points)
        poly.SetPolys(cells)
        return poly

    @classmethod
    def from_vtk(cls, poly: Any, name: str = "surface") -> Mesh:
        """Return the mesh of vtkPolyData that holds triangles alone."""
        from vtkmodules.util.numpy_support import vtk_to_numpy

        if not poly.GetNumberOfPolys():
            return cls(np.zeros((0, 3)), np.zeros((0, 3), np.int32), name)
        corners = vtk_to_numpy(poly.GetPolys().GetConnectivityArray())
        points = vtk_to_numpy(poly.GetPoints().GetData())
        return cls(points.astype(np.float64), corners.reshape(-1, 3).astype(np.int32), name)

    @cached_property
    def vertex_normals(self) -> Floats:
        """(n, 3) unit normals at the points, weighted by the area of their triangles."""
        normals = np.zeros_like(self.points)
        for corner in range(3):
            np.add.at(normals, self.triangles[:, corner], self._crosses)
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        np.divide(normals, lengths, out=normals, where=lengths > 0)
        return normals

    @cached_property
    def _crosses(self) -> Floats:
        a, b, c = (self.points[self.triangles[:, n]] for n in range(3))
        crosses: Floats = np.cross(b - a, c - a)
        return crosses

    @cached_property
    def _tetrahedra(self) -> Floats:
        """(m,) signed volume of each triangle with the middle of the box, mm^3."""
        low, high = self.box
        apart = self.points[self.triangles[:, 0]] - (low + high) / 2
        signed: Floats = np.einsum("ij,ij->i", apart, self._crosses) / 6
        return signed

    @property
    def _edges(self) -> tuple[Triangles, Triangles]:
        first = self.triangles.T.ravel()
        return first, self.triangles[:, [1, 2, 0]].T.ravel()

    def __repr__(self) -> str:
        x, y, z = self.size
        return (
            f"Mesh({self.name!r}, {len(self.triangles):,} triangles, "
            f"{x:.1f} x {y:.1f} x {z:.1f} mm, {self.volume_ml:.2f} ml)"
        )
