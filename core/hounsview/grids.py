"""From the positions of slices to one regular grid: as it is, repaired, or refused.

The rules (distances along the normal, steps between neighbours):

- Even within 1 % of the step: the grid as it is.
- Some steps 2 or 3 times the regular one, at most 10 % of all places empty: lost
  slices, filled from their neighbours.
- Other steps, each at most 3 times the target: resampled to the target, the smallest
  step that occurs at least three times.
- Slices displaced in their own plane in proportion to the distance (a tilted gantry,
  PS3.3 C.8.2.1.1.1 leaves it to the positions): moved back onto an orthogonal grid.
- Anything else is refused. Nothing is taken from InstanceNumber, SliceLocation,
  SliceThickness or SpacingBetweenSlices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.errors import name_files
from hounsview.findings import Finding
from hounsview.geometry import Geometry
from hounsview.headers import Frame
from hounsview.stacking import SAME_PLACE_SHARE, is_even, normal_of

Floats = npt.NDArray[np.float64]

EVEN_SHARE: Final = 0.01
LOST_SHARE: Final = 0.10
LARGEST_GAP: Final = 3
_STRAY_MM, _STRAY_PIXELS = 0.1, 0.1
_LARGEST_CANVAS: Final = 3.0


@dataclass(frozen=True)
class PlannedSlice:
    """One slice of the grid to make.

    Parameters
    ----------
    parts : tuple of (frame number, weight)
        What to blend; the numbers count the frames that were planned with.
    lost : bool
        Whether no slice was stored (or readable) here.
    """

    parts: tuple[tuple[int, float], ...]
    lost: bool = False


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


class _RefusedError(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


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
        step, slices, start = _along_normal(frames, along, unreadable, findings)
        in_plane = np.stack([positions @ column, positions @ row], axis=1) / spacing
        shifts, canvas = _in_plane(frames, along, in_plane, spacing, findings)
    except _RefusedError as refused:
        return Plan(None, findings=(*findings, refused.finding))
    corner = in_plane[0] * spacing if shifts is None else in_plane.min(axis=0) * spacing
    origin = start * normal + corner[0] * column + corner[1] * row
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = step * normal, spacing[0] * column
    affine[:3, 2], affine[:3, 3] = spacing[1] * row, origin
    geometry = Geometry((len(slices), *canvas), affine)
    return Plan(geometry, tuple(slices), shifts, tuple(findings))


def _plane(frames: Sequence[Frame], findings: list[Finding]) -> tuple[Floats, Floats]:
    """Return the unit directions of a row and of a column, made exactly orthogonal."""
    tag = "ImageOrientationPatient (0020,0037)"
    first = frames[0]
    given = np.asarray(first.orientation, float)
    if given.shape != (6,):
        what = "is missing" if not first.orientation else f"has {given.size} values, not 6"
        raise _RefusedError(
            _geometry("MISSING", f"{first.name}: ImageOrientationPatient {what}", first, tag)
        )
    text = "\\".join(f"{value:g}" for value in given)
    if normal_of(first.orientation) is None:
        message = f"{first.name}: ImageOrientationPatient {text} names no plane"
        raise _RefusedError(_geometry("INVALID", message, first, tag))
    lengths = np.linalg.norm(given.reshape(2, 3), axis=1)
    row, column = given[:3] / lengths[0], given[3:] / lengths[1]
    if abs(row @ column) > 5e-3:
        angle = np.degrees(np.arccos(row @ column))
        message = (
            f"{first.name}: rows and columns stand at {angle:.2f} degrees, not 90 "
            f"(ImageOrientationPatient {text})"
        )
        raise _RefusedError(_geometry("INVALID", message, first, tag))
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
        raise _RefusedError(_geometry("MISSING", message, first, tag))
    if spacing.shape != (2,) or not np.isfinite(spacing).all() or (spacing <= 0).any():
        text = "\\".join(f"{value:g}" for value in spacing)
        message = f"{first.name}: PixelSpacing {text} mm is not two positive numbers"
        raise _RefusedError(_geometry("INVALID", message, first, tag))
    return spacing


def _positions(frames: Sequence[Frame]) -> Floats:
    tag = "ImagePositionPatient (0020,0032)"
    for frame in frames:
        position = np.asarray(frame.position, float)
        if position.size == 0:
            message = f"{frame.name}: ImagePositionPatient is missing"
            raise _RefusedError(_geometry("MISSING", message, frame, tag))
        if position.shape != (3,) or not np.isfinite(position).all():
            text = "\\".join(f"{value:g}" for value in position)
            message = f"{frame.name}: ImagePositionPatient {text} is not three finite numbers"
            raise _RefusedError(_geometry("INVALID", message, frame, tag))
    return np.asarray([frame.position for frame in frames], float)


def _along_normal(
    frames: Sequence[Frame],
    along: Floats,
    unreadable: frozenset[int],
    findings: list[Finding],
) -> tuple[float, list[PlannedSlice], float]:
    """Return the step in mm, the planned slices, and the distance of the first one."""
    if len(frames) == 1:
        return _single(frames[0], findings), [PlannedSlice(((0, 1.0),))], float(along[0])
    steps = np.diff(along)
    regular = float(np.median(steps))
    if len(along) > 2 and not is_even(along, EVEN_SHARE):
        counts = _whole_steps(along, regular)
        if counts is None:
            if unreadable:
                return _without_unreadable(frames, along, unreadable, findings)
            return _resampled(frames, along, findings)
    else:
        counts = np.ones(len(steps), int)
    number = np.concatenate([[0], np.cumsum(counts)])
    step, start = (float(x) for x in np.polyfit(number, along, 1))
    stray = float(np.abs(along - (start + step * number)).max())
    if stray > 1e-3 * step:
        message = (
            f"slices stray by up to {1000 * stray:.0f} um from an even step of {step:.4g} mm"
        )
        findings.append(Finding("POSITION_JITTER", message, action="Taken as even."))
    slices = _filled(frames, number, unreadable, step, findings)
    first = min(int(n) for k, n in enumerate(number) if k not in unreadable)
    return step, slices, start + step * first


def _single(frame: Frame, findings: list[Finding]) -> float:
    tag = "SliceThickness (0018,0050)"
    thickness = frame.thickness
    if thickness is None or not np.isfinite(thickness) or thickness <= 0:
        said = "missing" if thickness is None else f"{thickness:g} mm"
        message = f"{frame.name}: a lone slice whose SliceThickness is {said}"
        action = "1 mm was taken: trust no volume and no length across it."
        findings.append(Finding("THICKNESS_ASSUMED", message, (frame.path,), tag, action))
        return 1.0
    message = f"a lone slice; {thickness:g} mm along the normal come from SliceThickness"
    findings.append(Finding("SINGLE_SLICE", message, (frame.path,), tag))
    return thickness


def _whole_steps(along: Floats, regular: float) -> npt.NDArray[np.int64] | None:
    """Return each step as 1, 2 or 3 regular ones; None where the rule does not hold."""
    steps = np.diff(along)
    counts = np.rint(steps / regular).astype(np.int64)
    if counts.min() < 1 or counts.max() > LARGEST_GAP:
        return None
    lost = int((counts - 1).sum())
    if lost > LOST_SHARE * (len(along) + lost):
        return None
    if (np.abs(steps / regular - counts) > EVEN_SHARE * counts).any():
        return None
    return counts


def _filled(
    frames: Sequence[Frame],
    number: npt.NDArray[np.int64],
    unreadable: frozenset[int],
    step: float,
    findings: list[Finding],
) -> list[PlannedSlice]:
    """Return one planned slice for each place, empty ones blended from both sides."""
    there = {int(n): k for k, n in enumerate(number) if k not in unreadable}
    if not there:
        raise _RefusedError(_all_unreadable(frames))
    ends = [k for k in sorted(unreadable) if not min(there) < number[k] < max(there)]
    if ends:
        findings.append(_at_the_end(frames, ends))
    slices = []
    for place in range(min(there), max(there) + 1):
        if place in there:
            slices.append(PlannedSlice(((there[place], 1.0),)))
            continue
        below = max(n for n in there if n < place)
        above = min(n for n in there if n > place)
        if above - below > LARGEST_GAP:
            raise _RefusedError(
                _gap(frames[there[below]], frames[there[above]], (above - below) * step, step)
            )
        share = (place - below) / (above - below)
        slices.append(
            PlannedSlice(((there[below], 1 - share), (there[above], share)), lost=True)
        )
    findings += _lost(frames, number, step)
    findings += _lost_to_damage(frames, sorted(unreadable - set(ends)))
    _check_lost_share(frames, slices, number, unreadable)
    return slices


def _check_lost_share(
    frames: Sequence[Frame],
    slices: Sequence[PlannedSlice],
    number: npt.NDArray[np.int64],
    unreadable: frozenset[int],
) -> None:
    """Refuse when more than a tenth would be made up; one unreadable slice always may."""
    made = sum(s.lost for s in slices)
    allowed = max(LOST_SHARE * len(slices), 1)
    if not unreadable or made <= allowed:
        return
    files = tuple(frames[k].path for k in sorted(unreadable))
    message = (
        f"{made} of {len(slices)} slices are lost or unreadable, more than a tenth: "
        f"{name_files(files)}"
    )
    raise _RefusedError(
        Finding("PIXELS_UNDECODABLE", message, files, action="Get these files again.")
    )


def _lost(frames: Sequence[Frame], number: npt.NDArray[np.int64], step: float) -> list[Finding]:
    found = []
    for k in (int(n) for n in np.flatnonzero(np.diff(number) > 1)):
        missing = int(number[k + 1] - number[k]) - 1
        a, b = frames[k], frames[k + 1]
        message = (
            f"{missing} slice{'s are' if missing > 1 else ' is'} missing between {a.name} and "
            f"{b.name}: they lie {(missing + 1) * step:.4g} mm apart, the others {step:.4g} mm"
        )
        done = "Filled from both neighbours and marked FILLED."
        found.append(Finding("SLICE_LOST", message, (a.path, b.path), action=done))
    return found


def _lost_to_damage(frames: Sequence[Frame], numbers: Sequence[int]) -> list[Finding]:
    done = "Filled from both neighbours and marked FILLED."
    return [
        Finding(
            "SLICE_UNREADABLE",
            f"{frames[k].name}: its pixels cannot be read",
            (frames[k].path,),
            action=done,
        )
        for k in numbers
    ]


def _at_the_end(frames: Sequence[Frame], numbers: Sequence[int]) -> Finding:
    files = tuple(frames[k].path for k in numbers)
    message = f"unreadable at the end of the stack: {name_files(files)}"
    return Finding("END_SLICE_UNREADABLE", message, files, action="The volume is shorter.")


def _all_unreadable(frames: Sequence[Frame]) -> Finding:
    files = tuple(frame.path for frame in frames)
    return Finding("PIXELS_UNDECODABLE", f"no slice can be read: {name_files(files)}", files)


def _gap(below: Frame, above: Frame, gap: float, step: float) -> Finding:
    message = (
        f"{below.name} and {above.name} lie {gap:.4g} mm apart, the others {step:.4g} mm: "
        "too much is missing between them"
    )
    return Finding("UNEVEN_BEYOND_REPAIR", message, (below.path, above.path))


def _without_unreadable(
    frames: Sequence[Frame],
    along: Floats,
    unreadable: frozenset[int],
    findings: list[Finding],
) -> tuple[float, list[PlannedSlice], float]:
    """Return the uneven grid of the readable slices alone, numbered as before."""
    kept = [k for k in range(len(frames)) if k not in unreadable]
    if len(kept) < 2:
        raise _RefusedError(_all_unreadable([frames[k] for k in sorted(unreadable)]))
    step, slices, start = _along_normal(
        [frames[k] for k in kept], along[kept], frozenset(), findings
    )
    findings += _lost_to_damage(frames, sorted(unreadable))
    numbered = [
        PlannedSlice(tuple((kept[n], weight) for n, weight in s.parts), s.lost) for s in slices
    ]
    return step, numbered, start


def _resampled(
    frames: Sequence[Frame], along: Floats, findings: list[Finding]
) -> tuple[float, list[PlannedSlice], float]:
    """Return an even grid at the target step, blended from uneven slices."""
    steps = np.diff(along)
    target = _target_step(steps)
    largest = int(np.argmax(steps))
    if target is None or steps[largest] > LARGEST_GAP * target * (1 + EVEN_SHARE):
        raise _RefusedError(_uneven(frames, steps, target))
    count = int(np.floor((along[-1] - along[0]) / target + 0.01)) + 1
    slices = []
    for distance in along[0] + target * np.arange(count):
        above = int(np.clip(np.searchsorted(along, distance), 1, len(along) - 1))
        share = (distance - along[above - 1]) / (along[above] - along[above - 1])
        if share < EVEN_SHARE:
            parts = ((above - 1, 1.0),)
        elif share > 1 - EVEN_SHARE:
            parts = ((above, 1.0),)
        else:
            parts = ((above - 1, float(1 - share)), (above, float(share)))  # type: ignore[assignment]
        slices.append(PlannedSlice(parts))
    message = (
        f"the slices lie unevenly: {_listed(steps)}; the widest step is between "
        f"{frames[largest].name} and {frames[largest + 1].name}"
    )
    done = f"Resampled to {target:.4g} mm and marked RESAMPLED."
    files = (frames[largest].path, frames[largest + 1].path)
    findings.append(Finding("UNEVEN_SPACING", message, files, action=done))
    return target, slices, float(along[0])


def _target_step(steps: Floats) -> float | None:
    """Return the smallest step that occurs at least three times (within 1 %).

    >>> _target_step(np.array([4, 4.01, 1.08, 4, 7, 7, 7]))
    4.0
    """
    for step in np.sort(steps):
        alike = steps[np.abs(steps - step) <= EVEN_SHARE * step]
        if len(alike) >= 3:
            return float(np.median(alike))
    return None


def _uneven(frames: Sequence[Frame], steps: Floats, target: float | None) -> Finding:
    widest = int(np.argmax(steps))
    a, b = frames[widest], frames[widest + 1]
    reason = (
        "no step occurs three times"
        if target is None
        else f"a step is more than {LARGEST_GAP} times the usual {target:.4g} mm"
    )
    message = (
        f"the slices lie too unevenly for one grid ({reason}): {_listed(steps)}; the widest "
        f"step, {steps[widest]:.4g} mm, is between {a.name} and {b.name}"
    )
    way_out = "Load an even part of the files on its own, or get the missing slices."
    return Finding("UNEVEN_BEYOND_REPAIR", message, (a.path, b.path), action=way_out)


def _listed(steps: Floats) -> str:
    """Return steps for a message: each kind and how often it occurs."""
    kinds: list[list[float]] = []
    for step in steps:
        for kind in kinds:
            if abs(kind[0] - step) <= EVEN_SHARE * kind[0]:
                kind[1] += 1
                break
        else:
            kinds.append([float(step), 1])
    shown = ", ".join(f"{int(n)} x {step:.4g} mm" for step, n in kinds[:6])
    return shown if len(kinds) <= 6 else f"{shown} and {len(kinds) - 6} other steps"


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
    if len(frames) < 3 or (off_line > stray).any():
        raise _RefusedError(_displaced(frames, offset * spacing, off_line))
    shifts = in_plane - in_plane.min(axis=0)
    grown = [int(np.ceil(extra - 1e-3)) for extra in shifts.max(axis=0)]
    canvas = (size[0] + grown[0], size[1] + grown[1])
    if canvas[0] > _LARGEST_CANVAS * size[0] or canvas[1] > _LARGEST_CANVAS * size[1]:
        raise _RefusedError(_displaced(frames, offset * spacing, off_line))
    angle = np.degrees(np.arctan(np.linalg.norm(per_mm[0] * spacing)))
    message = (
        f"the slices are sheared by {angle:.2f} degrees: a tilted gantry, each slice is moved "
        f"in its plane by {np.linalg.norm(per_mm[0] * spacing):.4g} mm per mm"
    )
    said = frames[0].facts.get("GantryDetectorTilt")
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
    return _geometry("INVALID", message, frame, tag)


def _geometry(kind: str, message: str, frame: Frame, tag: str) -> Finding:
    way_out = "Nothing is guessed: correct the tag if you know its value."
    return Finding(f"GEOMETRY_{kind}", message, (frame.path,), tag, way_out)


__all__ = ["SAME_PLACE_SHARE", "Plan", "PlannedSlice", "plan_grid"]
