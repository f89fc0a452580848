"""From a mask or a HU level to a mesh.

A mask becomes a field of how much of each cell it fills, smoothed a little; the surface is
where that field crosses a half, moved along its normals until it encloses what the mask
encloses. So steps of voxels go, and the volume stays. The grid of the field is chosen so that
it has about twice the triangles that are wanted; quadric decimation does the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.geometry import Geometry
from hounsview.surfaces.mesh import Floats, Mesh
from hounsview.volume import AIR_HU, Validity, Volume

Mask = npt.NDArray[Any]
Cells = tuple[int, int, int]
"""(k, j, i) voxels in one cell of the field."""

_TRIANGLES_PER_CELL_AREA: Final = 2.6
"""Triangles that FlyingEdges makes for each squared cell length of a surface."""
_MORE_THAN_WANTED: Final = 2.2
_SMOOTH: Final = 0.8
"""SD of the smoothing of the field, in cells: less than a voxel's step needs."""
_FARTHEST: Final = 0.5
"""The surface is moved by no more than this share of a cell to keep its volume."""


def from_mask(
    mask: Mask,
    geometry: Geometry,
    *,
    target: int | None = 300_000,
    smooth: bool = True,
    least_ml: float = 0.0,
    name: str = "surface",
) -> Mesh:
    """Return the surface of a mask, closed also where the mask meets the edge of the grid.

    Parameters
    ----------
    mask : (k, j, i) bool or uint8
        On the grid of `geometry`, of any orientation, sheared ones too.
    geometry : Geometry
    target : int, optional
        About how many triangles at most; None: as many as the grid gives.
    smooth : bool
        Whether the steps between voxels are taken away.
    least_ml : float
        Pieces that enclose less, and cavities, are dropped.
    name : str

    Returns
    -------
    Mesh
        Watertight; normals outwards; its volume that of the mask within the share of a cell
        by which it could be moved.

    Raises
    ------
    ArgumentError
        If shapes do not fit, the mask is empty, or `target` is below 100.
    """
    filled = _checked(mask, geometry, target)
    volume_mm3 = np.count_nonzero(filled) * abs(float(np.linalg.det(geometry.affine[:3, :3])))

    def make(cells: Cells) -> Mesh:
        field, to_index = _means(filled.view(np.uint8), cells, 0.0)
        if smooth:
            _blur(field)
        return _isosurface(field, 0.5).moved(geometry.affine @ to_index)

    mesh, cells = _near_target(make, filled, geometry, target)
    if smooth and len(mesh.triangles):
        mesh = _keeping_volume(mesh, volume_mm3, cells, geometry)
    return _named(mesh.without_islands(least_ml) if least_ml > 0 else mesh, name)


def from_level(
    volume: Volume,
    hu: float,
    *,
    mask: Mask | None = None,
    target: int | None = 300_000,
    least_ml: float = 0.0,
    name: str = "surface",
) -> Mesh:
    """Return the surface where a volume crosses a HU level; higher values are inside.

    Parameters
    ----------
    volume : Volume
        Of unit "HU". Padding is outside.
    hu : float
    mask : (k, j, i) bool, optional
        What lies outside of it counts as air.
    target, least_ml, name
        As for `from_mask`.

    Raises
    ------
    NotHounsfieldError
        If the unit is not HU.
    ArgumentError
        If the level occurs nowhere, or an argument is off.
    """
    volume.require_hu("a surface at a HU level")
    outside = None if volume.valid is None else volume.valid & np.uint8(Validity.PADDING) > 0
    if mask is not None:
        beyond = ~_checked(mask, volume.geometry, target)
        outside = beyond if outside is None else outside | beyond
    inside = volume.hu >= hu
    if outside is not None:
        inside &= ~outside
    if not inside.any():
        msg = f"nothing here is {hu:g} HU or more: the values go up to {volume.hu.max():g} HU"
        raise ArgumentError(msg)
    air = min(AIR_HU, hu - 1)
    values = volume.hu
    if outside is not None:
        values = np.where(outside, values.dtype.type(air), values)

    def make(cells: Cells) -> Mesh:
        field, to_index = _means(values, cells, air)
        return _isosurface(field, hu).moved(volume.geometry.affine @ to_index)

    mesh, _ = _near_target(make, inside, volume.geometry, target)
    return _named(mesh.without_islands(least_ml) if least_ml > 0 else mesh, name)


def _checked(mask: Mask, geometry: Geometry, target: int | None) -> npt.NDArray[np.bool_]:
    if mask.shape != geometry.shape:
        msg = f"a mask of shape {mask.shape} does not lie on a grid of shape {geometry.shape}"
        raise ArgumentError(msg)
    if target is not None and target < 100:
        msg = f"a surface needs at least 100 triangles, not {target}"
        raise ArgumentError(msg)
    filled: npt.NDArray[np.bool_] = mask if mask.dtype == bool else mask > 0
    if not filled.any():
        msg = "the mask is empty: it has no surface"
        raise ArgumentError(msg)
    return filled


def _near_target(
    make: Callable[[Cells], Mesh],
    filled: npt.NDArray[np.bool_],
    geometry: Geometry,
    target: int | None,
) -> tuple[Mesh, Cells]:
    """Return a mesh of at most about `target` triangles, and the cells it was made with."""
    if target is None:
        return make((1, 1, 1)), (1, 1, 1)
    for more in (_MORE_THAN_WANTED, 0.75):
        cells = _cells(filled, geometry, more * target)
        mesh = _simplified(make(cells), target)
        if len(mesh.triangles) <= 1.1 * target:
            break
    return mesh, cells


def _cells(filled: npt.NDArray[np.bool_], geometry: Geometry, triangles: float) -> Cells:
    """Return (k, j, i) voxels in a cell, so that the surface has about so many triangles."""
    spacing = np.asarray(geometry.spacing)
    across = np.prod(spacing) / spacing
    faces = [np.count_nonzero(np.diff(filled, axis=axis)) for axis in range(3)]
    # A plane of any slant crosses 1.5 times its area in faces of voxels on average.
    area = float(np.dot(faces, across)) / 1.5
    length = math.sqrt(_TRIANGLES_PER_CELL_AREA * area / triangles)
    k, j, i = (
        int(np.clip(round(length / mm), 1, max(1, size // 2)))
        for mm, size in zip(spacing, filled.shape, strict=True)
    )
    return k, j, i


def _means(
    values: npt.NDArray[Any], cells: Cells, outside: float
) -> tuple[npt.NDArray[np.float32], Floats]:
    """Return means over cells with a border of `outside`, and (4, 4): (i, j, k) -> index.

    Cells that the far ends fill in part take `outside` for the rest, so that nothing is cut.
    """
    import cv2

    counts = [-(-size // cell) for size, cell in zip(values.shape, cells, strict=True)]
    field = np.full([count + 2 for count in counts], outside, np.float32)
    fk, fj, fi = cells
    plane = np.full((counts[1] * fj, counts[2] * fi), outside, np.float32)
    for k in range(counts[0]):
        block = values[k * fk : (k + 1) * fk]
        mean = block[0].astype(np.float32) if fk == 1 else block.sum(0, dtype=np.float32)
        if fk > 1:
            mean = (mean + (fk - len(block)) * outside) / fk
        plane[: mean.shape[0], : mean.shape[1]] = mean
        small = plane
        if (fj, fi) != (1, 1):
            small = cv2.resize(plane, (counts[2], counts[1]), interpolation=cv2.INTER_AREA)
        field[k + 1, 1:-1, 1:-1] = small
    to_index = np.zeros((4, 4))
    for axis, cell in enumerate(cells):
        to_index[axis, 2 - axis] = cell
        to_index[axis, 3] = (cell - 1) / 2 - cell
    to_index[3, 3] = 1
    return field, to_index


def _blur(field: npt.NDArray[np.float32]) -> None:
    """Smooth a field in place by a Gaussian of `_SMOOTH` cells."""
    import cv2

    for plane in field:
        cv2.GaussianBlur(plane, (0, 0), _SMOOTH, dst=plane, borderType=cv2.BORDER_REPLICATE)
    reach = 2
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SMOOTH) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    before = [field[0].copy() for _ in range(reach)]
    last = len(field) - 1
    for k in range(len(field)):
        after = [field[min(k + n, last)] for n in range(1, reach + 1)]
        parts = [*before, field[k], *after]
        before = [*before[1:], field[k].copy()]
        field[k] = sum(w * part for w, part in zip(weights, parts, strict=True))


def _isosurface(field: npt.NDArray[np.float32], value: float) -> Mesh:
    """Return the surface in (i, j, k) of the field, normals to lower values."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkSMPTools
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    vtkSMPTools.SetBackend("STDThread")
    image = vtkImageData()
    image.SetDimensions(*field.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(field.ravel(), deep=0))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, value)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    edges.Update()
    return Mesh.from_vtk(edges.GetOutput())


def _simplified(mesh: Mesh, target: int | None) -> Mesh:
    """Return a mesh of about `target` triangles, by quadric decimation.

    Where decimation would tear it, the finer mesh is kept.
    """
    if target is None or len(mesh.triangles) <= target:
        return mesh
    share = 1 - target / len(mesh.triangles)
    fewer = _decimated(mesh, share)
    return fewer if fewer.is_watertight or not mesh.is_watertight else mesh


def _decimated(mesh: Mesh, share: float) -> Mesh:
    try:
        from fast_simplification import simplify
    except ImportError:  # such as in 3D Slicer
        return _decimated_by_vtk(mesh, share)
    centre = mesh.points.mean(axis=0)
    points, triangles = simplify(
        mesh.points - centre, np.array(mesh.triangles), target_reduction=share
    )
    return Mesh(points + centre, triangles, mesh.name)


def _decimated_by_vtk(mesh: Mesh, share: float) -> Mesh:
    from vtkmodules.vtkFiltersCore import vtkQuadricDecimation

    decimation = vtkQuadricDecimation()
    decimation.SetInputData(mesh.to_vtk())
    decimation.SetTargetReduction(share)
    decimation.VolumePreservationOn()
    decimation.Update()
    return Mesh.from_vtk(decimation.GetOutput(), mesh.name)


def _keeping_volume(mesh: Mesh, volume_mm3: float, cells: Cells, geometry: Geometry) -> Mesh:
    """Return the mesh moved along its normals until it encloses a volume."""
    farthest = _FARTHEST * min(np.asarray(cells) * geometry.spacing)
    moved = 0.0
    for _ in range(3):
        way = (volume_mm3 - 1000 * mesh.volume_ml) / (100 * mesh.area_cm2)
        way = float(np.clip(moved + way, -farthest, farthest)) - moved
        moved += way
        mesh = Mesh(mesh.points + way * mesh.vertex_normals, mesh.triangles, mesh.name)
    return mesh


def _named(mesh: Mesh, name: str) -> Mesh:
    return Mesh(mesh.points, mesh.triangles, name)
