"""Along the normal: from the distances of slices to evenly spaced planned slices.

The rules (steps between neighbours, nothing else is asked):

- Even within 1 % of the step: as it is.
- Some steps 2 or 3 times the regular one, at most 10 % of all places empty: lost
  slices, filled from their neighbours.
- Other steps, each at most 3 times the target: resampled to the target, the smallest
  step that occurs at least three times.
- Anything else is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.dicom.frames import Frame
from hounsview.dicom.pixelbytes import pixel_problem
from hounsview.errors import name_files
from hounsview.findings import Finding
from hounsview.stacking import is_even

Floats = npt.NDArray[np.float64]

EVEN_SHARE: Final = 0.01
LOST_SHARE: Final = 0.10
LARGEST_GAP: Final = 3
_THINNEST_MM, _THICKEST_MM = 1e-3, 1e3


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


class RefusedError(Exception):
    """These slices are not one grid; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def along_the_normal(
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
    # A nanometre is below what any position says, and above what the fit adds.
    step, start = (round(float(x), 9) for x in np.polyfit(number, along, 1))
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
    if thickness is None or not _THINNEST_MM < thickness < _THICKEST_MM:
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
        raise RefusedError(_all_unreadable(frames))
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
            raise RefusedError(
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
        f"{len(files)} of {len(frames)} slices cannot be read and {made} of {len(slices)} "
        f"would have to be filled, more than a tenth: {name_files(files)}"
    )
    raise RefusedError(
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
            f"{frames[k].name} {pixel_problem(frames[k]) or 'cannot be decoded'}",
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
    first = f"{frames[0].name} {pixel_problem(frames[0]) or 'cannot be decoded'}"
    message = f"no slice can be read: {first}"
    if len(frames) > 1:
        message += f" ({len(frames)} slices: {name_files(files)})"
    return Finding("PIXELS_UNDECODABLE", message, files)


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
        raise RefusedError(_all_unreadable([frames[k] for k in sorted(unreadable)]))
    step, slices, start = along_the_normal(
        [frames[k] for k in kept], along[kept], frozenset(), findings
    )
    findings += _lost_to_damage(frames, sorted(unreadable))
    numbered = []
    for planned in slices:
        parts = tuple((kept[n], weight) for n, weight in planned.parts)
        spans = any(parts[0][0] < n < parts[-1][0] for n in unreadable)
        numbered.append(PlannedSlice(parts, planned.lost or spans))
    return step, numbered, start


def _resampled(
    frames: Sequence[Frame], along: Floats, findings: list[Finding]
) -> tuple[float, list[PlannedSlice], float]:
    """Return an even grid at the target step, blended from uneven slices."""
    steps = np.diff(along)
    target = _target_step(steps)
    largest = int(np.argmax(steps))
    if target is None or steps[largest] > LARGEST_GAP * target * (1 + EVEN_SHARE):
        raise RefusedError(_uneven(frames, steps, target))
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


def geometry_finding(kind: str, message: str, frame: Frame, tag: str) -> Finding:
    """Return a refusal about a tag of one frame; `kind` is MISSING or INVALID."""
    way_out = "Nothing is guessed: correct the tag if you know its value."
    return Finding(f"GEOMETRY_{kind}", message, (frame.path,), tag, way_out)
