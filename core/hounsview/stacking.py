"""Which frames belong together: from all frames of a folder to stacks, one grid each.

Hard keys (orientation, matrix, spacing, kernel, phase ...) always tell stacks apart.
Soft keys (acquisition, times, thickness ...) do so only where frames would otherwise
lie at the same place or between each other: scanners also number plain series by them.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hounsview.dicom.frames import Frame
from hounsview.hounsfield import is_localizer, not_ct

Floats = npt.NDArray[np.float64]

ORIENTATION_TOLERANCE: Final = 2e-4
SPACING_TOLERANCE: Final = 1e-4
SAME_PLACE_SHARE: Final = 0.01
"""Frames closer than this share of the usual step lie at the same place."""

_SOFT: Final = (
    "AcquisitionNumber",
    "AcquisitionDateTime",
    "AcquisitionTime",
    "FrameReferenceDateTime",
    "TriggerTime",
    "SliceThickness",
    "ReconstructionDiameter",
    "ContentTime",
)


_LENGTHS: Final = ("SliceThickness", "ReconstructionDiameter")
_MAY_BE_MADE_UP: Final = frozenset({"study", "frame of reference", "temporal position"})
"""What some writers and anonymisers number anew in every slice: then it says nothing."""


@dataclass(frozen=True)
class Stack:
    """Frames of one series that agree in every hard key.

    Parameters
    ----------
    frames : tuple of Frame
        Along the normal where that is known, else as they came.
    series : hashable
        Equal for stacks that claim to be one series.
    distinct_by : str
        What told it apart from the other stacks of its series; "" when alone.
    """

    frames: tuple[Frame, ...]
    series: Hashable
    distinct_by: str = ""


def stacks_of(frames: Iterable[Frame]) -> list[Stack]:
    """Return the stacks that frames form; every frame is in exactly one."""
    by_series: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        by_series[series_key(frame)].append(frame)
    return [stack for key, members in by_series.items() for stack in _split(key, members)]


def series_key(frame: Frame) -> Hashable:
    """Return what one series shares: its UID; where that is empty, folder and number."""
    if frame.series_uid:
        return frame.series_uid
    number = frame.describing.get("SeriesNumber", "")
    description = frame.describing.get("SeriesDescription", "")
    return (str(frame.path.parent), number, description, frame.modality)


def _split(series: Hashable, members: Sequence[Frame]) -> list[Stack]:
    # Every hard key is a fact of `Common`: frames that share one are asked once.
    alike: dict[int, list[Frame]] = defaultdict(list)
    for frame in members:
        alike[id(frame.common)].append(frame)
    first_ones = [frames[0] for frames in alike.values()]
    groups: list[tuple[list[Frame], set[str]]] = [(first_ones, set())]
    for reason, key in _hard_keys(first_ones):
        if reason in _MAY_BE_MADE_UP and _all_differ(members, key):
            continue
        divided: list[tuple[list[Frame], set[str]]] = []
        for group, reasons in groups:
            parts = _divide(group, key)
            added = {reason} if len(parts) > 1 else set()
            divided += [(part, reasons | added) for part in parts]
        groups = divided
    stacks = []
    for chosen, reasons in groups:
        group = [frame for one in chosen for frame in alike[id(one.common)]]
        parts, why = _split_soft(along_normal(group))
        added = {why} if why else set()
        told_apart = ", ".join(sorted(reasons | added)) if len(groups) > 1 or why else ""
        stacks += [Stack(tuple(part), series, told_apart) for part in parts]
    return stacks


def _divide(frames: Sequence[Frame], key: Callable[[Frame], Hashable]) -> list[list[Frame]]:
    parts: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        parts[key(frame)].append(frame)
    return list(parts.values())


def _all_differ(frames: Sequence[Frame], key: Callable[[Frame], Hashable]) -> bool:
    """Return whether a key has a value of its own for every frame of several."""
    values = Counter(key(frame) for frame in frames)
    return len(frames) > 2 and len(values) == len(frames)


def _hard_keys(members: Sequence[Frame]) -> list[tuple[str, Callable[[Frame], Hashable]]]:
    orientation = _rounded([f.orientation for f in members], ORIENTATION_TOLERANCE)
    spacing = _rounded([f.pixel_spacing for f in members], SPACING_TOLERANCE)

    def fact(keyword: str) -> Callable[[Frame], Hashable]:
        return lambda frame: _normal(frame.fact(keyword))

    return [
        ("patient", lambda f: f.patient_id),
        ("study", lambda f: f.common.study_uid),
        ("not CT", lambda f: (not_ct(f), f.modality) if not_ct(f) else ""),
        ("localizer", is_localizer),
        ("image type", lambda f: f.image_type[:3]),
        ("orientation", lambda f: orientation[f.orientation]),
        ("matrix size", lambda f: (f.format.rows, f.format.columns)),
        ("pixel spacing", lambda f: spacing[f.pixel_spacing]),
        ("frame of reference", lambda f: f.frame_of_reference),
        ("kernel", fact("ConvolutionKernel")),
        ("tube voltage", fact("KVP")),
        ("temporal position", fact("TemporalPositionIdentifier")),
        ("temporal position", fact("TemporalPositionIndex")),
        ("cardiac phase", fact("NominalPercentageOfCardiacPhase")),
        ("stack", fact("StackID")),
    ]


def _normal(value: str) -> str:
    """Return a value as it compares: numbers by their size, not their spelling."""
    try:
        return f"{float(value):g}"
    except ValueError:
        return value


def _rounded(
    values: Iterable[tuple[float, ...]], tolerance: float
) -> dict[tuple[float, ...], int]:
    """Return for each tuple the number of the first one that it is close to."""
    kinds: list[tuple[float, ...]] = []
    numbers: dict[tuple[float, ...], int] = {}
    for value in values:
        if value in numbers:
            continue
        for number, kind in enumerate(kinds):
            if len(kind) == len(value) and np.allclose(
                kind, value, rtol=0, atol=tolerance, equal_nan=True
            ):
                numbers[value] = number
                break
        else:
            numbers[value] = len(kinds)
            kinds.append(value)
    return numbers


def normal_of(orientation: Sequence[float]) -> Floats | None:
    """Return the unit normal, row x column, of an orientation; None if there is none."""
    if len(orientation) != 6 or not np.isfinite(orientation).all():
        return None
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    lengths = np.linalg.norm(orientation[:3]) * np.linalg.norm(orientation[3:])
    if length <= 1e-3 * lengths or length == 0:
        return None
    unit: Floats = normal / length
    return unit


def distances(frames: Sequence[Frame]) -> Floats | None:
    """Return (n,) mm along the normal of the first frame; None where it is unknown."""
    if any(len(frame.position) != 3 for frame in frames):
        return None
    positions = np.array([frame.position for frame in frames], float)
    normal = normal_of(frames[0].orientation)
    if normal is None or not np.isfinite(positions).all():
        return None
    along: Floats = positions @ normal
    return along


def along_normal(frames: Sequence[Frame]) -> list[Frame]:
    """Return frames in the order of their positions along the normal (never by number)."""
    along = distances(frames)
    if along is None:
        return list(frames)
    # Sorted once by name and once, stably, by place: names decide between equal places.
    by_name = sorted(range(len(frames)), key=lambda n: (str(frames[n].path), frames[n].index))
    order = sorted(by_name, key=along.tolist().__getitem__)
    return [frames[n] for n in order]


def places(along: Floats) -> list[list[int]]:
    """Return indices of sorted distances, grouped where they lie at the same place.

    >>> places(np.array([0.0, 0.0, 2.5, 5.0, 5.00001]))
    [[0, 1], [2], [3, 4]]
    """
    steps = np.diff(along)
    apart = steps[steps > 1e-3]
    tolerance = max(1e-3, SAME_PLACE_SHARE * float(np.median(apart))) if apart.size else 1e-3
    groups = [[0]]
    for n, step in enumerate(steps, start=1):
        if step > tolerance:
            groups.append([])
        groups[-1].append(n)
    return groups


def _split_soft(frames: list[Frame]) -> tuple[list[list[Frame]], str]:
    """Return parts without two frames at one place, and the key that told them apart."""
    along = distances(frames)
    if along is None or len(frames) < 2:
        return [frames], ""
    groups = places(along)
    several = max(len(group) for group in groups)
    if len(groups) == 1:
        return [frames], ""
    if several == 1:
        return _split_interleaved(frames, along)
    keywords = (*_SOFT, "ImageType")
    for chosen in (*((one,) for one in keywords), *itertools.combinations(keywords, 2)):
        parts = _parts_by(frames, *chosen)
        if len(parts) == several and all(_no_place_twice(part) for part in parts):
            smallest = min(len(part) for part in parts)
            if smallest >= 2 or len(groups) <= 2:
                return parts, " and ".join(chosen)
    ranked = _parts_by_instance_rank(frames, groups)
    return (ranked, "InstanceNumber") if ranked else ([frames], "")


def _parts_by(frames: Sequence[Frame], *keywords: str) -> list[list[Frame]]:
    def value(frame: Frame, keyword: str) -> Hashable:
        if keyword == "ImageType":
            return frame.image_type
        if keyword == "SeriesNumber":
            return frame.describing.get(keyword, "")
        said = frame.fact(keyword)
        return _normal(said) if keyword in _LENGTHS else said

    return _divide(frames, lambda frame: tuple(value(frame, k) for k in keywords))


def _no_place_twice(frames: Sequence[Frame]) -> bool:
    along = distances(frames)
    return along is not None and all(len(group) == 1 for group in places(along))


def _split_interleaved(frames: list[Frame], along: Floats) -> tuple[list[list[Frame]], str]:
    """Return acquisitions that lie between each other as parts: each even alone.

    Also where all together are even: half a step apart they would pass for one stack.
    """
    for keyword in (*_SOFT, "SeriesNumber", "ImageType"):
        parts = _parts_by(frames, keyword)
        if not 1 < len(parts) <= len(frames) // 3:
            continue
        inside = [distances(part) for part in parts]
        if all(d is not None and is_even(d) for d in inside) and _overlap(inside):
            return parts, keyword
    return [frames], ""


def _overlap(parts: Sequence[Floats | None]) -> bool:
    """Return whether each part of sorted distances reaches into some other part."""
    extents = [(d[0], d[-1]) for d in parts if d is not None]
    return all(
        any(a is not b and a[0] < b[1] and b[0] < a[1] for b in extents) for a in extents
    )


def is_even(along: Floats, tolerance: float = SAME_PLACE_SHARE) -> bool:
    """Return whether sorted distances are evenly spaced within a share of the step."""
    if len(along) < 3:
        return True
    number = np.arange(len(along))
    step, start = np.polyfit(number, along, 1)
    return bool(np.abs(along - (start + step * number)).max() <= tolerance * abs(step))


def _parts_by_instance_rank(
    frames: Sequence[Frame], groups: Sequence[Sequence[int]]
) -> list[list[Frame]]:
    """Return phases told apart by InstanceNumber alone; empty where that is a guess.

    Every place must hold the same number of frames, and the phases must follow each
    other as blocks of numbers or take turns at every place.
    """
    several = len(groups[0])
    if several < 2 or any(len(group) != several for group in groups):
        return []
    try:
        numbers = np.array(
            [[int(frames[n].own_facts["InstanceNumber"]) for n in g] for g in groups]
        )
    except (KeyError, ValueError):
        return []
    ranked = np.sort(numbers, axis=1)
    if (np.diff(ranked, axis=1) <= 0).any():
        return []
    blocks = bool((ranked.max(axis=0)[:-1] < ranked.min(axis=0)[1:]).all())
    turns = bool((np.diff(ranked, axis=1) == 1).all())
    if not blocks and not turns:
        return []
    order = np.argsort(numbers, axis=1)
    return [
        [frames[group[order[place, rank]]] for place, group in enumerate(groups)]
        for rank in range(several)
    ]
