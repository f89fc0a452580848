"""`scan`: what a folder holds, from headers alone."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hounsview.errors import CancelledError, PathNotFoundError
from hounsview.findings import Finding
from hounsview.headers import Frame, Other, read_frames
from hounsview.series import Kind, Series, series_of_others, series_of_stack
from hounsview.stacking import Stack, stacks_of

Progress = Callable[[int, int, str], object]
"""Called as ``progress(done, total, what)``; returning False cancels."""

_ORDER: dict[Kind, int] = {"volume": 0, "single": 1, "localizer": 2, "not CT": 3}


@dataclass(frozen=True, eq=False)
class Scan:
    """What was found under a path.

    Parameters
    ----------
    path : Path
    series : list of Series
        Volumes first, then single slices, localizers, and what is not CT.
    damaged : tuple of Other
        Files that may have been slices and cannot be read.
    """

    path: Path
    series: list[Series]
    damaged: tuple[Other, ...] = ()

    def __repr__(self) -> str:
        kinds = Counter(series.kind for series in self.series)
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "nothing"
        return f"Scan({str(self.path)!r}: {counts})"


def scan(path: str | os.PathLike[str], *, progress: Progress | None = None) -> Scan:
    """Return what is under a path: every stack of slices, and every file that is none.

    Parameters
    ----------
    path : path-like
        A folder (read with everything below it) or one file. Links out of the folder
        are not followed.
    progress : callable, optional
        ``progress(done, total, what)``; returning False cancels.

    Raises
    ------
    PathNotFoundError
        If there is no such file or folder.
    CancelledError
        If `progress` returned False.
    """
    root = Path(path)
    if not root.exists():
        msg = f"{root}: no such file or folder"
        raise PathNotFoundError(msg, files=[root])
    files = sorted(_files(root)) if root.is_dir() else [root]
    frames: list[Frame] = []
    others: list[Other] = []
    for done, file in enumerate(files):
        tell(progress, done, len(files), f"reading {file.name}")
        found = read_frames(file)
        if isinstance(found, Other):
            others.append(found)
        else:
            frames += found
    tell(progress, len(files), len(files), "sorting")
    damaged = tuple(other for other in others if other.damaged)
    series = _series_of_frames(frames) + _series_of_files(others)
    series.sort(key=lambda one: (_ORDER[one.kind], _series_number(one), one.key))
    numbered = [replace(one, number=n) for n, one in enumerate(series, start=1)]
    return Scan(root, [_with_neighbours(one, numbered, damaged) for one in numbered], damaged)


def tell(progress: Progress | None, done: int, total: int, what: str) -> None:
    """Call a progress callback.

    Raises
    ------
    CancelledError
        If it returned False.
    """
    if progress is not None and progress(done, total, what) is False:
        msg = f"cancelled at {done} of {total} ({what})"
        raise CancelledError(msg)


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            file = Path(parent) / name
            if not file.is_symlink() or file.resolve().is_relative_to(folder.resolve()):
                yield file


def _series_of_frames(frames: list[Frame]) -> list[Series]:
    pairs = [(stack, series_of_stack(stack)) for stack in stacks_of(frames)]
    # A localizer or a screen under the same UID is left out, which is no split.
    shared = Counter(
        stack.series for stack, series in pairs if series.kind in ("volume", "single")
    )
    return [
        _split_off(series, stack, shared[stack.series])
        if series.kind in ("volume", "single") and shared[stack.series] > 1
        else series
        for stack, series in pairs
    ]


def _split_off(series: Series, stack: Stack, siblings: int) -> Series:
    by = f" by {stack.distinct_by}" if stack.distinct_by else ""
    message = f"one of {siblings} stacks under one SeriesInstanceUID, told apart{by}"
    action = "Each is a volume of its own: choose with series=."
    found = Finding("SERIES_SPLIT", message, action=action)
    return replace(series, report=series.report.adding([found]))


def _series_of_files(others: list[Other]) -> list[Series]:
    alike: dict[tuple[str, str], list[Other]] = defaultdict(list)
    for other in others:
        alike[(other.series_uid, other.reason)].append(other)
    return [series_of_others(group) for group in alike.values()]


def _series_number(series: Series) -> tuple[int, str, tuple[float, ...]]:
    if not series.frames:
        return 0, series.description, ()
    first = series.frames[0]
    number = first.describing.get("SeriesNumber", "")
    return (
        (int(number) if number.lstrip("-").isdigit() else 0),
        series.series_uid,
        first.position,
    )


def _with_neighbours(
    series: Series, all_series: list[Series], damaged: tuple[Other, ...]
) -> Series:
    """Return a volume that also tells what was left out beside it."""
    if series.kind not in ("volume", "single"):
        return series
    found = []
    for other in all_series:
        if other.kind == "localizer" and other.series_uid == series.series_uid:
            message = f"{len(other.frames)} localizer image(s) of the same series were left out"
            found.append(Finding("LEFT_OUT", message, other.files))
    folders = {file.parent for file in series.files}
    beside = [other for other in damaged if other.path.parent in folders]
    if beside:
        files = tuple(other.path for other in beside)
        reasons = "; ".join(f"{other.path.name}: {other.reason}" for other in beside[:3])
        more = f" and {len(beside) - 3} more" if len(beside) > 3 else ""
        message = f"{len(beside)} file(s) beside it cannot be read ({reasons}{more})"
        action = "If a slice was among them, it is missing here."
        found.append(Finding("UNREADABLE_FILE", message, files, action=action))
    return replace(series, report=series.report.adding(found))
