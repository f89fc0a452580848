"""Will it print? Watertight, in one piece, thick enough, and small enough for the bed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.geometry import Geometry
from hounsview.surfaces.mesh import Mesh

Bed = tuple[float, float, float]

_SMALLEST_ISLAND_ML: Final = 1e-6


@dataclass(frozen=True)
class PrintCheck:
    """What a printer's operator must know of a mesh.

    Parameters
    ----------
    is_watertight : bool
    islands, cavities : int
        Pieces, and closed hollows inside them, that would be printed apart or stay filled
        with powder.
    size_mm : (x, y, z) float
    volume_ml, area_cm2 : float
    thin_ml : float, optional
        How much of the mask is thinner than `thinner_than_mm`: an estimate at the voxels'
        resolution. None where no mask was given.
    thinner_than_mm : float
    """

    is_watertight: bool
    islands: int
    cavities: int
    size_mm: tuple[float, float, float]
    volume_ml: float
    area_cm2: float
    thin_ml: float | None
    thinner_than_mm: float

    def values(self) -> dict[str, str]:
        """Return what a table shows: name -> value with its unit."""
        thin = {}
        if self.thin_ml is not None:
            name = f"thinner than {self.thinner_than_mm:g} mm (estimate)"
            thin = {name: f"{self.thin_ml:.2f} ml"}
        return {
            "watertight": "yes" if self.is_watertight else "NO",
            "pieces": str(self.islands),
            "closed cavities": str(self.cavities),
            "size": " x ".join(f"{mm:.1f}" for mm in self.size_mm) + " mm",
            "volume": f"{self.volume_ml:.2f} ml",
            "area": f"{self.area_cm2:.1f} cm²",
            **thin,
        }


def check_print(
    mesh: Mesh,
    *,
    mask: npt.NDArray[Any] | None = None,
    geometry: Geometry | None = None,
    thinner_than_mm: float = 1.0,
) -> PrintCheck:
    """Return what matters for printing a mesh.

    Parameters
    ----------
    mesh : Mesh
    mask : (k, j, i) bool, optional
        What the mesh was made of, for parts that are too thin.
    geometry : Geometry, optional
        Of the mask.
    thinner_than_mm : float
    """
    pieces = mesh.islands_ml
    thin = None
    if mask is not None and geometry is not None:
        thin = thin_ml(mask, geometry, thinner_than_mm)
    x, y, z = (float(mm) for mm in mesh.size)
    return PrintCheck(
        mesh.is_watertight,
        int((pieces > _SMALLEST_ISLAND_ML).sum()),
        int((pieces < -_SMALLEST_ISLAND_ML).sum()),
        (x, y, z),
        mesh.volume_ml,
        mesh.area_cm2,
        thin,
        thinner_than_mm,
    )


def thin_ml(mask: npt.NDArray[Any], geometry: Geometry, thinner_than_mm: float) -> float:
    """Return how much of a mask no ball of that diameter fits into, ml: an estimate.

    By distances: to the nearest voxel outside, which must be a radius where a ball's centre
    may lie, then to the nearest such centre. The thickness is good to half a voxel, being
    even or odd in voxels; the sharpest corners of what is thick may count as thin.

    Raises
    ------
    ArgumentError
        If the thickness is not above 0, or the shapes differ.
    """
    if thinner_than_mm <= 0 or mask.shape != geometry.shape:
        msg = f"a thickness above 0 mm and a mask on its grid are needed, not {thinner_than_mm}"
        raise ArgumentError(msg)
    filled = np.pad(np.asarray(mask) > 0, 1)
    spacing = geometry.spacing
    radius = thinner_than_mm / 2
    least = radius + min(spacing) / 4
    centres = filled & (_distances(~filled, spacing, least) >= least)
    if not centres.any():
        thin = filled
    else:
        reach = radius + min(spacing) / 2
        reached = _distances(centres, spacing, reach) <= reach
        thin = filled & ~reached
    return float(np.count_nonzero(thin) * np.prod(spacing) / 1000)


def fit_bed(mesh: Mesh, bed: Bed) -> tuple[Mesh, float]:
    """Return a mesh that fits a printer's bed, standing on it, and the factor it was scaled by.

    Turned so that its longest side lies along the longest of the bed, in quarter turns; made
    smaller only where it must be (the factor is below 1 then); moved so that the box begins
    at 0, 0, 0.

    Parameters
    ----------
    mesh : Mesh
    bed : (x, y, z) float, mm

    Raises
    ------
    ArgumentError
        If a side of the bed is not above 0, or the mesh is empty.
    """
    sides = np.asarray(bed, float)
    if sides.shape != (3,) or not (sides > 0).all() or not len(mesh.points):
        msg = f"a bed has three sides above 0 mm and something to stand on it, not {bed}"
        raise ArgumentError(msg)
    turn = np.zeros((4, 4))
    order_of_mesh, order_of_bed = np.argsort(mesh.size), np.argsort(sides)
    turn[order_of_bed, order_of_mesh] = 1
    turn[3, 3] = 1
    if np.linalg.det(turn[:3, :3]) < 0:
        turn[0] *= -1  # a turn, never a mirror: a left hand must stay one
    turned = mesh.moved(turn)
    factor = min(1.0, float((sides / np.maximum(turned.size, 1e-9)).min()))
    placed = np.diag([factor, factor, factor, 1.0])
    placed[:3, 3] = -turned.box[0] * factor
    return turned.moved(placed), factor


def _distances(
    where: npt.NDArray[np.bool_], spacing: tuple[float, float, float], farthest: float
) -> npt.NDArray[np.float32]:
    """Return (k, j, i) mm from each voxel's centre to the nearest that is True.

    Exact up to `farthest`; what is farther than that away has any greater number. Squared
    distances are least sums along one axis after the other (Felzenszwalb and Huttenlocher,
    Theory of Computing 8, 2012, 415-428), tried for the few steps that matter.
    """
    squared = np.where(where, np.float32(0), np.float32(np.inf))
    for axis, mm in enumerate(spacing):
        along = np.moveaxis(squared, axis, 0)
        nearest = along.copy()
        for steps in range(1, min(int(farthest / mm) + 1, len(along) - 1) + 1):
            more = np.float32((steps * mm) ** 2)
            np.minimum(nearest[steps:], along[:-steps] + more, out=nearest[steps:])
            np.minimum(nearest[:-steps], along[steps:] + more, out=nearest[:-steps])
        squared = np.ascontiguousarray(np.moveaxis(nearest, 0, axis))
    return np.sqrt(squared)
