"""Slices of a volume as a reader of CT expects them, whatever way the array was stored.

The convention is that of `hounsview.planes`; everything here needs numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.geometry import Geometry
from hounsview.planes import (
    NORMAL,
    Floats,
    ShownSlice,
    direction_letters,
    is_aligned,
    nearest_voxel,
    patient_text,
    plane_axes,
    slice_at,
    slice_middle,
)
from hounsview.volume import Validity, Volume
from hounsview.windows import Window

Picture = npt.NDArray[np.uint8]

NOT_MEASURED: Final = (24, 28, 36)
"""RGB of padding and of everything outside the volume: slate, not the black of air."""
_FILLED_COLOR: Final = (255, 186, 73)
_LARGEST_SIDE: Final = 4096


@dataclass(frozen=True, eq=False)
class OrthogonalSlice:
    """One slice of a volume, turned for display.

    Parameters
    ----------
    hu : (rows, columns) int16 or float32, in the volume's unit
        A read-only view of the volume's array, not a copy.
    valid : (rows, columns) uint8, optional
        Bits of `Validity`, likewise; None when every voxel of the volume is a plain
        measured one.
    spacing : (row, column) mm
        From one row to the next, and from one column to the next.
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    axis : int
        The array axis across the slice: 0 k, 1 j, 2 i.
    index : int
        Which slice of that axis it is.
    position : (3,) float64
        The patient point in the middle of the slice, LPS mm.
    right, down : (3,) float64
        Unit vectors, LPS: where the columns and the rows rise.
    """

    hu: npt.NDArray[Any]
    valid: npt.NDArray[np.uint8] | None
    spacing: tuple[float, float]
    plane: str
    axis: int
    index: int
    position: Floats
    right: Floats
    down: Floats


def orthogonal_slice(
    volume: Volume, plane: str, at: npt.ArrayLike | None = None
) -> OrthogonalSlice:
    """Return the stored slice nearest to a plane, turned as it is read.

    Axial: the patient's right on the left, anterior on top. Coronal: right on the left,
    superior on top. Sagittal: anterior on the left, superior on top. So it is in all 48
    ways in which an array can be stored.

    Nothing is interpolated: of a volume whose axes are oblique to the patient it is the
    slice along the array that lies nearest to the plane, turned by less than 90 degrees
    from it; `right` and `down` say how it lies. Where the array follows the patient axes
    it is the slice that the viewer shows.

    Parameters
    ----------
    volume : Volume
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    at : (x, y, z) float, LPS mm, optional
        A patient point in the slice; the middle of the volume when left out.

    Returns
    -------
    OrthogonalSlice

    Raises
    ------
    ArgumentError
        If there is no such plane, or the plane at this point lies outside the volume.

    Examples
    --------
    >>> import hounsview as hv
    >>> liver = hv.orthogonal_slice(hv.phantom("hu-rods"), "axial", at=(0, 0, -20))
    >>> liver.hu.shape, liver.spacing, liver.axis, liver.position.tolist()
    ((239, 239), (1.0, 1.0), 0, [0.0, 0.0, -20.0])
    """
    geometry = volume.geometry
    right, down = plane_axes(plane)
    letters = "LPS"[NORMAL[plane]] + direction_letters(down) + direction_letters(right)
    order, flips = geometry.axes_to(letters)
    shown = _slice_through(geometry, plane, order[0], at)
    steps = [-1 if flip else 1 for flip in flips]
    spacing, direction = geometry.spacing, geometry.direction
    return OrthogonalSlice(
        hu=_turned(volume.hu, shown, order, steps),
        valid=None if volume.valid is None else _turned(volume.valid, shown, order, steps),
        spacing=(spacing[order[1]], spacing[order[2]]),
        plane=plane,
        axis=shown.axis,
        index=shown.index,
        position=slice_middle(geometry, shown),
        right=direction[:, order[2]] * steps[2],
        down=direction[:, order[1]] * steps[1],
    )


def _slice_through(
    geometry: Geometry, plane: str, axis: int, at: npt.ArrayLike | None
) -> ShownSlice:
    point = geometry.centre if at is None else np.asarray(at, float)
    if point.shape != (3,) or not np.isfinite(point).all():
        msg = f"a patient point has three finite numbers (x, y, z) in mm, not {at!r}"
        raise ArgumentError(msg)
    if is_aligned(geometry):
        shown = slice_at(geometry, plane, point)
    else:
        index, count = nearest_voxel(geometry, point)[axis], geometry.shape[axis]
        shown = ShownSlice(axis, index, 0 <= index < count)
    if not shown.inside:
        ends = (
            slice_middle(geometry, ShownSlice(axis, n, inside=True))
            for n in (0, geometry.shape[axis] - 1)
        )
        first, last = (patient_text(end) for end in ends)
        msg = (
            f"the {plane} plane at {patient_text(point)} lies outside the volume, whose "
            f"slices across it have their middles from {first} to {last}"
        )
        raise ArgumentError(msg)
    return shown


def _turned(
    array: npt.NDArray[Any], shown: ShownSlice, order: tuple[int, int, int], steps: list[int]
) -> npt.NDArray[Any]:
    stored = array[(slice(None),) * shown.axis + (shown.index,)]
    if order[1] > order[2]:
        stored = stored.T
    return stored[:: steps[1], :: steps[2]]


def thumbnail(
    volume: Volume,
    plane: str,
    window: Window,
    *,
    side: int = 160,
    at: npt.ArrayLike | None = None,
) -> Picture:
    """Return a small picture of one slice, with mm in both directions alike.

    What was not measured (padding, and values that are not finite) is slate, not the black
    of air, and enters no grey value; filled slices are hatched.

    Parameters
    ----------
    volume : Volume
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    window : Window
    side : int
        Of the picture's longer side, px.
    at : (x, y, z) float, LPS mm, optional
        As for `orthogonal_slice`.

    Returns
    -------
    (rows, columns, 3) uint8 RGB

    Raises
    ------
    ArgumentError
        As `orthogonal_slice`, or if the side is not 1 to 4096 px.
    """
    if not 1 <= side <= _LARGEST_SIDE:
        msg = f"the side of a thumbnail is 1 to {_LARGEST_SIDE} px, not {side}"
        raise ArgumentError(msg)
    return drawn(orthogonal_slice(volume, plane, at), window, side)


def drawn(shown: OrthogonalSlice, window: Window, side: int) -> Picture:
    """Return what `thumbnail` returns, of a slice that is already there."""
    sides = [n * mm for n, mm in zip(shown.hu.shape, shown.spacing, strict=True)]
    rows, columns = (max(1, round(side * mm / max(sides))) for mm in sides)
    usable = np.isfinite(shown.hu)
    if shown.valid is not None:
        usable &= (shown.valid & np.uint8(Validity.PADDING)) == 0
    share = _averaged(usable.astype(float), (rows, columns))
    mean = _averaged(np.where(usable, shown.hu, 0).astype(float), (rows, columns))
    mean /= np.maximum(share, 1e-6)
    picture = np.repeat(window.apply(mean)[..., None], 3, axis=2)
    if shown.valid is not None:
        _hatch(picture, shown.valid)
    picture[share < 0.5 - 1e-6] = NOT_MEASURED
    return picture


def _averaged(values: Floats, size: tuple[int, int]) -> Floats:
    """Return the mean of what lies under each pixel of a (rows, columns) picture.

    Shares of pixels count as such. By running sums, not by a product of matrices: that
    waits for threads of a busy machine many times as long as it works.
    """
    for new in size:
        old = len(values)
        sums = np.vstack([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
        edges = np.linspace(0, old, new + 1)
        whole = np.minimum(edges.astype(int), old - 1)
        until = sums[whole] + (edges - whole)[:, None] * values[whole]
        values = (np.diff(until, axis=0) * (new / old)).T
    return values


def _hatch(picture: Picture, valid: npt.NDArray[np.uint8]) -> None:
    """Lay diagonal lines over what was filled, as the viewer's panes do."""
    row, column = (
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(picture.shape, valid.shape, strict=False)
    )
    filled = (valid[np.ix_(row, column)] & np.uint8(Validity.FILLED)) > 0
    down, across = np.ogrid[: filled.shape[0], : filled.shape[1]]
    lines = filled & ((down + across) % 6 < 2)
    tint = 0.35 * picture[lines] + 0.65 * np.array(_FILLED_COLOR)
    picture[lines] = np.rint(tint).astype(np.uint8)
