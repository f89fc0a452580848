"""`scan`: what a folder holds, from headers alone."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hounsview.dicom.files import Found, files_in, files_in_zip, files_of_index
from hounsview.dicom.frames import Frame, Other
from hounsview.dicom.headers import HeaderReader
from hounsview.dicom.zips import members_of
from hounsview.errors import (
    ArgumentError,
    DamagedFileError,
    LimitError,
    PathNotFoundError,
    name_files,
)
from hounsview.findings import Finding
from hounsview.progress import Progress as Progress
from hounsview.progress import tell as tell
from hounsview.series import Kind, Series, series_of_others, series_of_stack
from hounsview.stacking import Stack, stacks_of

Place = str | os.PathLike[str]

_ORDER: dict[Kind, int] = {"volume": 0, "single": 1, "localizer": 2, "not CT": 3}


@dataclass(frozen=True, eq=False)
class Scan:
    """What was found under a path.

    Parameters
    ----------
    path : Path
        Of several paths, the innermost folder that holds them all.
    series : list of Series
        Volumes first, then single slices, localizers, and what is not CT.
    damaged : tuple of Other
        Files that may have been slices and cannot be read.
    passed_over : int
        Links, FIFOs and devices: never opened.
    """

    path: Path
    series: list[Series]
    damaged: tuple[Other, ...] = ()
    passed_over: int = 0

    def __repr__(self) -> str:
        kinds = Counter(series.kind for series in self.series)
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "nothing"
        return f"Scan({str(self.path)!r}: {counts})"


def scan(path: Place | Sequence[Place], *, progress: Progress | None = None) -> Scan:
    """Return what is under a path: every stack of slices, and every file that is none.

    Parameters
    ----------
    path : path-like, or sequence of path-like
        A folder (read with everything below it), a file, a zip, a file in a zip
        (``scan.zip/series/IM1``), or a DICOMDIR. Links in a folder are not followed.
        Several paths are taken together, and nothing that lies beside them.
    progress : callable, optional
        ``progress(done, total, what)``; returning False cancels.

    Raises
    ------
    PathNotFoundError
        If there is no such file or folder.
    ArgumentError
        If `path` is an empty sequence.
    CancelledError
        If `progress` returned False.
    """
    roots = _named(path)
    found = _Gathering(progress, expected=len(roots))
    for root in roots:
        found.read_under(root)
    tell(progress, found.total, found.total, "sorting")
    damaged = tuple(other for other in found.others if other.damaged)
    series = _series_of_frames(found.frames) + _series_of_files(found.others)
    series.sort(key=lambda one: (_ORDER[one.kind], _series_number(one), one.key))
    numbered = [replace(one, number=n) for n, one in enumerate(series, start=1)]
    neighbours = [_with_neighbours(one, numbered, damaged) for one in numbered]
    return Scan(_common(roots), neighbours, damaged, found.passed_over)


def _named(path: Place | Sequence[Place]) -> list[Path]:
    """Return the paths that were named, each once."""
    several = [path] if isinstance(path, str | os.PathLike) else path
    roots = list(dict.fromkeys(map(Path, several)))
    if not roots:
        msg = "no path was named: an empty sequence"
        raise ArgumentError(msg)
    return roots


def _common(roots: Sequence[Path]) -> Path:
    if len(roots) == 1:
        return roots[0]
    try:
        return Path(os.path.commonpath([root.absolute().parent for root in roots]))
    except ValueError:  # on several drives of Windows
        return roots[0].parent


class _Gathering:
    """Frames and other files, as they are read one after the other."""

    def __init__(self, progress: Progress | None, *, expected: int) -> None:
        self.frames: list[Frame] = []
        self.others: list[Other] = []
        self.passed_over = 0
        self.total = expected
        self._done = 0
        self._seen: set[str] = set()
        self._progress = progress
        self._reader = HeaderReader()

    def read_under(self, root: Path) -> None:
        """Read what lies under a path that the caller named."""
        if root.is_dir():
            self.total -= 1
            self.read_all(files_in(root))
        elif root.exists():
            self.read_one_named(root)
        elif any(parent.is_file() for parent in root.parents):
            self.read_in_zip(root)
        else:
            msg = f"{root}: no such file or folder"
            raise PathNotFoundError(msg, files=[root])

    def read_all(self, found: Found) -> None:
        """Read what lies in a folder, or is named by an index."""
        self.passed_over += found.passed_over
        self.others += [Other(path, why, damaged=True) for path, why in found.unreadable]
        files = [file for file in found.files if self._is_new(file)]
        self.total += len(files)
        for file in files:
            self._keep(self._read(file))

    def read_one_named(self, file: Path) -> None:
        """Read the one file that the caller named; of a DICOMDIR, the files it names."""
        if not self._is_new(file):
            return
        only = self._read(file)
        if isinstance(only, Other) and only.holds == "index":
            named = files_of_index(file)
            if named.files or named.unreadable:
                self.read_all(named)
                return
        self._keep(only)

    def read_in_zip(self, path: Path) -> None:
        """Read what the caller named inside a zip: a file, or a folder with all below it."""
        try:
            below = files_in_zip(path)
        except (DamagedFileError, LimitError, OSError) as error:
            self.others.append(Other(path, str(error), damaged=True))
            return
        if below.files in ([], [path]):
            self.read_one_named(path)
        else:
            self.total -= 1
            self.read_all(below)

    def _is_new(self, file: Path) -> bool:
        """Return whether a file was not yet read; a folder and a file in it may be named."""
        place = os.path.abspath(file)  # noqa: PTH100, Path.absolute keeps ".."
        new = place not in self._seen
        self._seen.add(place)
        return new

    def _read(self, file: Path) -> tuple[Frame, ...] | Other:
        tell(self._progress, self._done, self.total, f"reading {file.name}")
        self._done += 1
        return self._reader.read(file)

    def _keep(self, found: tuple[Frame, ...] | Other) -> None:
        if not isinstance(found, Other):
            self.frames += found
        elif found.holds == "zip":
            self._read_zip(found.path)
        else:
            self.others.append(found)

    def _read_zip(self, path: Path) -> None:
        """Read the members of a zip; one without DICOM in it is one entry, not many."""
        try:
            members = members_of(path)
        except (DamagedFileError, LimitError) as error:
            self.others.append(Other(path, str(error), damaged=True))
            return
        except OSError as error:
            reason = f"a zip that cannot be read: {error.strerror or error}"
            self.others.append(Other(path, reason, damaged=True))
            return
        before = len(self.frames), len(self.others)
        self.total += len(members)
        for member in members:
            self._keep(self._read(member))
        inside = self.others[before[1] :]
        if len(self.frames) == before[0] and not any(o.is_dicom or o.damaged for o in inside):
            self.others[before[1] :] = [Other(path, "a zip without DICOM files")]


def _series_of_frames(frames: list[Frame]) -> list[Series]:
    pairs = [(stack, series_of_stack(stack)) for stack in stacks_of(frames)]
    # A localizer or a screen under the same UID is left out, which is no split.
    siblings: dict[Hashable, list[Series]] = defaultdict(list)
    for stack, series in pairs:
        if series.kind in ("volume", "single"):
            siblings[stack.series].append(series)
    return [
        _split_off(series, stack, siblings[stack.series])
        if series.kind in ("volume", "single") and len(siblings[stack.series]) > 1
        else series
        for stack, series in pairs
    ]


def _split_off(series: Series, stack: Stack, siblings: list[Series]) -> Series:
    by = f" by {stack.distinct_by}" if stack.distinct_by else ""
    others = [one for one in siblings if one is not series]
    listed = ", ".join(f"{len(one.frames)} x {one.files[0].name} ..." for one in others[:3])
    if all(len(one.frames) == 1 for one in others):
        listed = name_files([one.files[0] for one in others], limit=3)
    message = (
        f"one of {len(siblings)} stacks under one SeriesInstanceUID, told apart{by}; "
        f"beside it: {listed}"
    )
    files = tuple(file for one in others for file in one.files)
    action = "Each is a volume of its own: choose with series=."
    found = Finding("SERIES_SPLIT", message, files, action=action)
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
