"""Which way the planes of a view lie in the patient.

Pictures are in the radiological convention, whatever way the array was stored: axial from
the feet (patient's right on the left, anterior up), coronal from the front (patient's
right on the left, superior up), sagittal from the left (anterior on the left, superior up).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import ArgumentError
from hounsview.viewstate import PLANES

Floats = npt.NDArray[np.float64]

_X, _Y, _Z = np.eye(3)
_RIGHT_DOWN: Final = {"axial": (_X, _Y), "coronal": (_X, -_Z), "sagittal": (_Y, -_Z)}
NORMAL: Final = {"axial": 2, "coronal": 1, "sagittal": 0}
"""The patient axis (0 x, 1 y, 2 z) that stands on each plane while it is not turned."""


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
