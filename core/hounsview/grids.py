"""From the positions of slices to one regular grid: as it is, repaired, or refused.

Along the normal `hounsview.spacing` decides. Slices displaced in their own plane in
proportion to the distance (a tilted gantry) are moved back onto an orthogonal grid.
Anything else is refused. Nothing is taken from InstanceNumber, SliceLocation or
SpacingBetweenSlices, nor, but for a lone slice, from SliceThickness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.dicom.frames import Frame
from hounsview.errors import GeometryError
from hounsview.findings import Finding
from hounsview.geometry import Geometry
from hounsview.spacing import (
    PlannedSlice,
    RefusedError,
    along_the_normal,
    geometry_finding,
)
from hounsview.stacking import normal_of

Floats = npt.NDArray[np.float64]

_STRAY_MM, _STRAY_PIXELS = 0.1, 0.1
_LARGEST_CANVAS: Final = 3.0
_SMALLEST_MM, _LARGEST_MM, _FARTHEST_MM = 1e-6, 1e4, 1e7
_SKEW_REFUSED_PIXELS, _SKEW_SAID_PIXELS = 1.0, 0.1


@dataclass(frozen=True)
class Plan:
    """How frames become a regular grid.

    Parameters
    ----------
    geometry : Geometry or None
        None when refused.
    slices : tuple of PlannedSlice
        One for each k.
    shifts : (frames, 2) float64, or None
        Where pixel (0, 0) of each frame lies on the grid's canvas, in (rows, columns);
        None when every frame fills the canvas.
    findings : tuple of Finding
    """

    geometry: Geometry | None
    slices: tuple[PlannedSlice, ...] = ()
    shifts: Floats | None = None
    findings: tuple[Finding, ...] = field(default=())


def plan_grid(frames: Sequence[Frame], unreadable: frozenset[int] = frozenset()) -> Plan:
    """Return how frames at distinct places, sorted along the normal, become one grid.

    Parameters
    ----------
    frames : sequence of Frame
    unreadable : frozenset of int
        Numbers of frames whose pixels cannot be read: their places are known, they
        are filled like lost slices.
    """
    findings: list[Finding] = []
    try:
        row, column = _plane(frames, findings)
        spacing = _pixel_spacing(frames)
        positions = _positions(frames)
        normal = np.cross(row, column)
        along = positions @ normal
        step, slices, start = along_the_normal(frames, along, unreadable, findings)
        in_plane = np.stack([positions @ column, positions @ row], axis=1) / spacing
        shifts, canvas = _in_plane(frames, along, in_plane, spacing, findings)
    except RefusedError as refused:
        return Plan(None, findings=(*findings, refused.finding))
    corner = in_plane[0] * spacing if shifts is None else in_plane.min(axis=0) * spacing
    origin = start * normal + corner[0] * column + corner[1] * row
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = step * normal, spacing[0] * column
    affine[:3, 2], affine[:3, 3] = spacing[1] * row, origin
    try:
        geometry = Geometry((len(slices), *canvas), affine)
    except GeometryError as error:
        tag = "ImagePositionPatient (0020,0032)"
        message = f"{frames[0].name}: no grid comes out of its geometry: {error}"
        finding = geometry_finding("INVALID", message, frames[0], tag)
        return Plan(None, findings=(*findings, finding))
    return Plan(geometry, tuple(slices), shifts, tuple(findings))


def _plane(frames: Sequence[Frame], findings: list[Finding]) -> tuple[Floats, Floats]:
    """Return the unit directions of a row and of a column, made exactly orthogonal."""
    tag = "ImageOrientationPatient (0020,0037)"
    first = frames[0]
    given = np.asarray(first.orientation, float)
    if given.shape != (6,):
        what = "is missing" if not first.orientation else f"has {given.size} values, not 6"
        raise RefusedError(
            geometry_finding(
                "MISSING", f"{first.name}: ImageOrientationPatient {what}", first, tag
            )
        )
    text = "\\".join(f"{value:g}" for value in given)
    if normal_of(first.orientation) is None:
        message = f"{first.name}: ImageOrientationPatient {text} names no plane"
        raise RefusedError(geometry_finding("INVALID", message, first, tag))
    lengths = np.linalg.norm(given.reshape(2, 3), axis=1)
    row, column = given[:3] / lengths[0], given[3:] / lengths[1]
    # How far, in pixels, the last row lies beside where right angles would put it.
    skew = abs(row @ column) * int(first.format.rows or 0)
    if skew > _SKEW_SAID_PIXELS:
        angle = np.degrees(np.arccos(row @ column))
        message = (
            f"{first.name}: rows and columns stand at {angle:.2f} degrees, not 90 "
            f"(ImageOrientationPatient {text})"
        )
        if skew > _SKEW_REFUSED_PIXELS:
            raise RefusedError(geometry_finding("INVALID", message, first, tag))
        done = "They were taken as orthogonal."
        findings.append(Finding("ORIENTATION_NOT_UNIT", message, (first.path,), tag, done))
    if np.abs(lengths - 1).max() > 1e-2:
        message = (
            f"{first.name}: the directions in ImageOrientationPatient {text} have lengths "
            f"{lengths[0]:.4g} and {lengths[1]:.4g}, not 1"
        )
        done = "They were taken as directions alone."
        findings.append(Finding("ORIENTATION_NOT_UNIT", message, (first.path,), tag, done))
    # Which of the two gives way does not matter within the tolerance; the row stays.
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def _pixel_spacing(frames: Sequence[Frame]) -> Floats:
    tag = "PixelSpacing (0028,0030)"
    first = frames[0]
    spacing = np.asarray(first.pixel_spacing, float)
    if spacing.size == 0:
        message = f"{first.name}: PixelSpacing is missing, and 1 mm would be a guess"
        raise RefusedError(geometry_finding("MISSING", message, first, tag))
    if spacing.shape != (2,) or not ((spacing > _SMALLEST_MM) & (spacing < _LARGEST_MM)).all():
        text = "\\".join(f"{value:g}" for value in spacing)
        message = f"{first.name}: PixelSpacing {text} mm is not two positive numbers"
        raise RefusedError(geometry_finding("INVALID", message, first, tag))
    return spacing


def _positions(frames: Sequence[Frame]) -> Floats:
    tag = "ImagePositionPatient (0020,0032)"
    for frame in frames:
        position = np.asarray(frame.position, float)
        if position.size == 0:
            message = f"{frame.name}: ImagePositionPatient is missing"
            raise RefusedError(geometry_finding("MISSING", message, frame, tag))
        if position.shape != (3,) or not (np.abs(position) < _FARTHEST_MM).all():
            text = "\\".join(f"{value:g}" for value in position)
            message = f"{frame.name}: ImagePositionPatient {text} is not three finite numbers"
            raise RefusedError(geometry_finding("INVALID", message, frame, tag))
    return np.asarray([frame.position for frame in frames], float)


def _in_plane(
    frames: Sequence[Frame],
    along: Floats,
    in_plane: Floats,
    spacing: Floats,
    findings: list[Finding],
) -> tuple[Floats | None, tuple[int, int]]:
    """Return where each frame lies on the canvas, in pixels, and the canvas (rows, columns)."""
    layout = frames[0].format
    size = (int(layout.rows or 0), int(layout.columns or 0))
    stray = np.maximum(_STRAY_MM / spacing, _STRAY_PIXELS)
    offset = in_plane - in_plane[0]
    if len(frames) < 2 or (np.abs(offset) <= stray).all():
        return None, size
    per_mm = np.polyfit(along, offset, 1)
    off_line = np.abs(offset - np.outer(along, per_mm[0]) - per_mm[1])
    if (off_line > stray).any():
        raise RefusedError(_displaced(frames, offset * spacing, off_line))
    shifts = in_plane - in_plane.min(axis=0)
    grown = [int(np.ceil(extra - 1e-3)) for extra in shifts.max(axis=0)]
    canvas = (size[0] + grown[0], size[1] + grown[1])
    if canvas[0] > _LARGEST_CANVAS * size[0] or canvas[1] > _LARGEST_CANVAS * size[1]:
        raise RefusedError(_displaced(frames, offset * spacing, off_line))
    angle = np.degrees(np.arctan(np.linalg.norm(per_mm[0] * spacing)))
    message = (
        f"the slices are sheared by {angle:.2f} degrees: a tilted gantry, each slice is moved "
        f"in its plane by {np.linalg.norm(per_mm[0] * spacing):.4g} mm per mm"
    )
    said = frames[0].fact("GantryDetectorTilt")
    if said:
        message += f" (GantryDetectorTilt says {said})"
    done = "Moved onto an orthogonal grid and marked RESAMPLED."
    tag = "ImagePositionPatient (0020,0032)"
    findings.append(Finding("GANTRY_TILT", message, tag=tag, action=done))
    return shifts, canvas


def _displaced(frames: Sequence[Frame], offset: Floats, off_line: Floats) -> Finding:
    worst = int(np.argmax(off_line.max(axis=1)))
    frame = frames[worst]
    message = (
        f"{frame.name} lies {np.linalg.norm(offset[worst]):.4g} mm beside {frames[0].name} in "
        "the plane of the slices, and not in line with the others: these are not one grid"
    )
    tag = "ImagePositionPatient (0020,0032)"
    return geometry_finding("INVALID", message, frame, tag)
