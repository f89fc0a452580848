"""Which way the planes of a view lie in the patient, and which slice each one shows.

Pictures are in the radiological convention, whatever way the array was stored: axial from
the feet (patient's right on the left, anterior up), coronal from the front (patient's
right on the left, superior up), sagittal from the left (anterior on the left, superior up).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.geometry import Geometry
from hounsview.viewstate import PLANES

Floats = npt.NDArray[np.float64]

_X, _Y, _Z = np.eye(3)
_RIGHT_DOWN: Final = {"axial": (_X, _Y), "coronal": (_X, -_Z), "sagittal": (_Y, -_Z)}
NORMAL: Final = {"axial": 2, "coronal": 1, "sagittal": 0}
"""The patient axis (0 x, 1 y, 2 z) that stands on each plane while it is not turned."""
_ONWARD: Final = {"axial": _Z, "coronal": -_Y, "sagittal": _X}

ALIGNED_WITHIN: Final = 1e-3
"""Largest part of a unit axis that may point along another patient axis: 0.5 mm in 500."""
_RISING: Final = "LPS"
_FALLING: Final = "RAI"
_SECOND_LETTER: Final = 0.26
"""A direction gets a second letter from 15 degrees off the first one's axis."""
_TIE: Final = 1e-6


@dataclass(frozen=True)
class ShownSlice:
    """The slice of an array that a plane shows.

    Parameters
    ----------
    axis : int
        The array axis across the plane: 0 k, 1 j, 2 i.
    index : int
        The nearest slice on that axis; beyond the ends, the last one.
    inside : bool
        Whether the plane goes through that slice.
    """

    axis: int
    index: int
    inside: bool


def plane_axes(
    plane: str, oblique: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> tuple[Floats, Floats]:
    """Return where the columns and the rows of a plane's picture rise.

    Parameters
    ----------
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    oblique : (pitch, roll, yaw) float, degrees
        Turns about the patient's x, y and z axis, one after the other, right-handed.

    Returns
    -------
    right, down : (3,) float64, unit vectors, LPS

    Raises
    ------
    ArgumentError
        If there is no such plane.

    Examples
    --------
    >>> [axis.tolist() for axis in plane_axes("coronal")]
    [[1.0, 0.0, 0.0], [-0.0, -0.0, -1.0]]
    """
    if plane not in PLANES:
        msg = f"plane {plane!r} must be one of {', '.join(PLANES)}"
        raise ArgumentError(msg)
    right, down = _RIGHT_DOWN[plane]
    if not any(oblique):
        return right, down
    turn = rotation(oblique)
    return turn @ right, turn @ down


def rotation(degrees: tuple[float, float, float]) -> Floats:
    """Return (3, 3): turns about x, then y, then z of the patient (LPS), right-handed."""
    (a, b, c), (d, e, f) = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, a, -d], [0, d, a]])
    about_y = np.array([[b, 0, e], [0, 1, 0], [-e, 0, b]])
    about_z = np.array([[c, -f, 0], [f, c, 0], [0, 0, 1]])
    turn: Floats = about_z @ about_y @ about_x
    return turn


def degrees_of(turn: Floats) -> tuple[float, float, float]:
    """Return the (pitch, roll, yaw) whose `rotation` is `turn`; pitch and yaw -180 to 180.

    Where roll is 90 or -90 the other two are not unique, and yaw is 0.

    Parameters
    ----------
    turn : (3, 3) float64
        A proper rotation.

    Examples
    --------
    >>> degrees_of(rotation((10.0, 20.0, 30.0)))
    (10.0, 20.0, 30.0)
    """
    roll = np.arcsin(np.clip(-turn[2, 0], -1, 1))
    if abs(turn[2, 0]) < 1 - 1e-9:
        pitch = np.arctan2(turn[2, 1], turn[2, 2])
        yaw = np.arctan2(turn[1, 0], turn[0, 0])
    else:
        # sin(roll) = s = +-1 leaves turn[0, 1] = s sin(pitch) and turn[1, 1] = cos(pitch).
        pitch = np.arctan2(-np.sign(turn[2, 0]) * turn[0, 1], turn[1, 1])
        yaw = 0.0
    found = np.round(np.degrees([pitch, roll, yaw]), 9) + 0.0
    return float(found[0]), float(found[1]), float(found[2])


def turned_about(
    oblique: tuple[float, float, float], axis: npt.ArrayLike, degrees: float
) -> tuple[float, float, float]:
    """Return (pitch, roll, yaw) after one more turn about a patient axis, right-handed.

    Parameters
    ----------
    oblique : (pitch, roll, yaw) float, degrees
    axis : (3,) float, LPS
        Of any length above 0.
    degrees : float
    """
    x, y, z = np.asarray(axis, float) / np.linalg.norm(np.asarray(axis, float))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    # Rodrigues' formula.
    more = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return degrees_of(more @ rotation(oblique))


def plane_onward(plane: str, oblique: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Floats:
    """Return (3,) the unit vector, LPS, in which a plane's slices are counted.

    Axial planes are counted towards superior, coronal ones towards anterior, sagittal ones
    towards the patient's left; turned planes turn it with them.
    """
    onward: Floats = rotation(oblique) @ _ONWARD[plane]
    return onward


def is_aligned(geometry: Geometry) -> bool:
    """Return whether each array axis follows a patient axis within `ALIGNED_WITHIN`."""
    parts = np.sort(np.abs(geometry.direction), axis=0)
    return bool(parts[1].max() < ALIGNED_WITHIN)


def nearest_voxel(geometry: Geometry, point: npt.ArrayLike) -> tuple[int, int, int]:
    """Return the index (k, j, i) of the voxel nearest to a patient point, LPS mm.

    It may lie outside the grid. Half-way points go to the higher patient coordinate, not
    to the higher index: no answer depends on which way the array was stored.

    Examples
    --------
    >>> grid = Geometry.from_parts((4, 4, 4), spacing=(1, 1, 1))
    >>> nearest_voxel(grid, (0.5, 1.4, 2.6))
    (3, 1, 1)
    """
    k, j, i = (
        math.floor(at + 0.5 + _TIE) if letter in _RISING else math.ceil(at - 0.5 - _TIE)
        for at, letter in zip(geometry.to_index(point), geometry.orientation, strict=True)
    )
    return k, j, i


def slice_at(geometry: Geometry, plane: str, point: npt.ArrayLike) -> ShownSlice:
    """Return the slice that a plane through a patient point (LPS mm) shows.

    For arrays along the patient axes: what is left of a tilt is not looked at, so that a
    plane has one slice wherever on it the point lies. Pictures and numbers both take it
    from here.
    """
    normal = NORMAL[plane]
    pair = _RISING[normal] + _FALLING[normal]
    axis = next(n for n, letter in enumerate(geometry.orientation) if letter in pair)
    on_axis = geometry.centre
    on_axis[normal] = np.asarray(point, float)[normal]
    nearest, count = nearest_voxel(geometry, on_axis)[axis], geometry.shape[axis]
    return ShownSlice(axis, min(max(nearest, 0), count - 1), 0 <= nearest < count)


def shown_voxel(geometry: Geometry, plane: str, point: npt.ArrayLike) -> tuple[int, int, int]:
    """Return the index (k, j, i) of the voxel at a patient point in the slice `slice_at` shows.

    What is left of a tilt moves a far corner by more than a thin slice; the nearest voxel
    would then be of another slice. It may lie outside the grid.
    """
    normal = NORMAL[plane]
    axis, on_axis = slice_at(geometry, plane, point).axis, geometry.centre
    on_axis[normal] = np.asarray(point, float)[normal]
    index = list(nearest_voxel(geometry, point))
    index[axis] = nearest_voxel(geometry, on_axis)[axis]
    return index[0], index[1], index[2]


def slice_middle(geometry: Geometry, shown: ShownSlice) -> Floats:
    """Return (3,) the patient point in the middle of a slice, LPS mm."""
    at = (np.asarray(geometry.shape) - 1) / 2
    at[shown.axis] = shown.index
    return geometry.to_patient(at)


def slice_step(geometry: Geometry, direction: npt.ArrayLike) -> float:
    """Return the mm along a unit direction within which one array index rises by 1.

    The spacing of the slices where the direction stands on them.
    """
    return float(1 / np.abs(geometry.inverse[:3, :3] @ np.asarray(direction, float)).max())


def direction_letters(direction: npt.ArrayLike) -> str:
    """Return where a unit vector (LPS) points to, such as ``"A"`` or ``"AL"``.

    >>> direction_letters((0.0, -1.0, 0.0)), direction_letters((0.5, -0.866, 0.0))
    ('A', 'AL')
    """
    parts = np.asarray(direction, float)
    first, second = np.argsort(-np.abs(parts), kind="stable")[:2]
    letters = _letter(parts, first)
    return letters + (_letter(parts, second) if abs(parts[second]) > _SECOND_LETTER else "")


def patient_text(point: npt.ArrayLike) -> str:
    """Return a patient point (LPS mm) in letters, without signs.

    >>> patient_text((12.34, -40.0, 120.5))
    'L 12.3  A 40.0  S 120.5 mm'
    """
    parts = np.round(np.asarray(point, float), 1)
    return "  ".join(f"{_letter(parts, n)} {abs(parts[n]):.1f}" for n in range(3)) + " mm"


def _letter(parts: Floats, axis: int) -> str:
    return _RISING[axis] if parts[axis] >= 0 else _FALLING[axis]
