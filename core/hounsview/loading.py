"""`load` and `load_all`: from a path to volumes in Hounsfield units."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeGuard

from hounsview.dicom.frames import Frame
from hounsview.errors import (
    AmbiguousSeriesError,
    ArgumentError,
    DamagedFileError,
    GeometryError,
    HounsviewError,
    LimitError,
    NoSeriesError,
    NotHounsfieldError,
    PixelDataError,
    RepairNeededError,
    SeriesNotFoundError,
    UnsupportedSyntaxError,
    error_of,
)
from hounsview.findings import Finding, Report, Severity
from hounsview.grids import Plan, plan_grid
from hounsview.images.importing import check_alone, is_image_file, read_image
from hounsview.limits import get_limits, in_words
from hounsview.reading import StackValues, read_stack, stored_again
from hounsview.repairs import carry_out, is_identity
from hounsview.scanning import Place, Progress, Scan, scan
from hounsview.series import Series, without_hu
from hounsview.volume import AIR_HU, SliceSource, Volume

Policy = Literal["repair", "strict"]


@dataclass(frozen=True)
class LoadResult:
    """What `load_all` returns.

    Parameters
    ----------
    volumes : list of Volume
        Every stack that could be read, in the order of `Scan.series`.
    refused : list of Series
        Every other entry; each report holds the reason.
    """

    volumes: list[Volume]
    refused: list[Series]


def load(
    path: Place | Sequence[Place],
    *,
    series: int | str | None = None,
    policy: Policy = "repair",
    progress: Progress | None = None,
    as_stored: bool = False,
    unit: str | None = None,
) -> Volume:
    """Return the CT volume under a path, in Hounsfield units.

    Parameters
    ----------
    path : path-like, or sequence of path-like
        A folder, a file, a zip, a path into a zip, a DICOMDIR (see `hounsview.scan`), or an
        image file (see `hounsview.read_image`). Several paths are DICOM, taken together.
    series : int or str, optional
        Number, key or SeriesInstanceUID of a `Series`; needed when there are several
        volumes.
    policy : {"repair", "strict"}
        Whether a repair that is marked and reported is welcome, or refused.
    progress : callable, optional
        ``progress(done, total, what)``; returning False cancels.
    as_stored : bool
        Return stored values (`Volume.unit` is "stored") without any claim to HU; also
        for MR, PET and whatever else is a stack of slices.
    unit : str, optional
        For an image file that does not say it: what the values are, such as ``"HU"``.

    Raises
    ------
    PathNotFoundError, NotDicomError, NoSeriesError, SeriesNotFoundError
        If there is nothing to load.
    ImageFormatError
        If an image file is damaged, or no single volume of plain numbers.
    AmbiguousSeriesError
        If several volumes are there; it lists them.
    NotHounsfieldError, GeometryError, PixelDataError, UnsupportedSyntaxError, LimitError
        If the series cannot become a right volume; the message names the file.
    RepairNeededError
        With ``policy="strict"``, if it would need a repair.
    CancelledError
        If `progress` returned False.
    """
    _check_policy(policy)
    if _is_one(path) and (is_image_file(path) or unit is not None):
        check_alone(path, series=series, as_stored=as_stored)
        image = read_image(path, unit=unit, progress=progress)
        _refuse(image.report, policy)
        return image
    if unit is not None:
        msg = f"unit={unit!r} is for one image file: several paths are read as DICOM"
        raise ArgumentError(msg)
    chosen = _choose(scan(path, progress=progress), series, as_stored)
    return load_series(chosen, policy=policy, progress=progress, as_stored=as_stored)


def load_all(
    path: Place | Sequence[Place],
    *,
    policy: Policy = "repair",
    progress: Progress | None = None,
    as_stored: bool = False,
) -> LoadResult:
    """Return every stack under a path that can be read, and every entry that cannot.

    An image file (see `hounsview.read_image`) is one volume, or raises what reading it does.

    Raises
    ------
    PathNotFoundError
        If there is no such file or folder.
    CancelledError
        If `progress` returned False.
    """
    _check_policy(policy)
    if _is_one(path) and is_image_file(path):
        return LoadResult([load(path, policy=policy, progress=progress)], [])
    volumes: list[Volume] = []
    refused: list[Series] = []
    for series in scan(path, progress=progress).series:
        wanted = series.kind in ("volume", "single") or (as_stored and series.frames)
        if not wanted:
            refused.append(series)
            continue
        try:
            volumes.append(
                load_series(series, policy=policy, progress=progress, as_stored=as_stored)
            )
        except (NotHounsfieldError, GeometryError, PixelDataError) as error:
            refused.append(replace(series, report=error.report))
        except (RepairNeededError, UnsupportedSyntaxError, LimitError) as error:
            refused.append(replace(series, report=error.report))
    return LoadResult(volumes, refused)


def load_series(
    series: Series,
    *,
    policy: Policy = "repair",
    progress: Progress | None = None,
    as_stored: bool = False,
) -> Volume:
    """Return the volume of one entry of a scan; see `load`."""
    _check_policy(policy)
    judged = without_hu(series) if as_stored else series
    _refuse(judged.report, policy)
    plan, frames = judged.plan, judged.frames
    if plan is None or plan.geometry is None:
        message = f"{series.key} holds no stack of slices"
        raise NoSeriesError(message, report=judged.report, files=series.files)
    _refuse(judged.report.adding(_beyond_limit(judged)), policy)
    used = {part for planned in plan.slices for part, _ in planned.parts}
    known = frozenset(range(len(frames))) - used
    try:
        stack = read_stack(frames, known, as_stored=as_stored, progress=progress)
    except UnsupportedSyntaxError as error:
        raise _with_report(error, "SYNTAX_UNSUPPORTED", judged.report) from error
    report = judged.report.adding(stack.findings)
    if stack.unreadable:
        plan, report = _replanned(frames, known, stack, report)
        _refuse(report, policy)
    return _assembled(plan, frames, stack, report, as_stored)


def _is_one(path: Place | Sequence[Place]) -> TypeGuard[Place]:
    return isinstance(path, str | os.PathLike)


def _check_policy(policy: str) -> None:
    if policy not in ("repair", "strict"):
        msg = f"policy is 'repair' or 'strict', not {policy!r}"
        raise ArgumentError(msg)


def _beyond_limit(series: Series) -> list[Finding]:
    """Return a refusal when the volume would take more memory than is allowed."""
    assert series.shape is not None
    slices = max(series.shape[0], len(series.frames))
    rows, columns = series.shape[1:]
    # int16 values and a byte of validity; float32 is twice the first.
    needed, limit = slices * rows * columns * 3, get_limits().volume_bytes
    if needed <= limit:
        return []
    message = (
        f"{slices:,} slices of {rows:,} x {columns:,} need {in_words(needed)}, and the limit "
        f"is {in_words(limit)}"
    )
    way_out = "Load a part of the files, or raise it: hounsview.set_limits(volume_bytes=...)."
    return [Finding("LIMIT_EXCEEDED", message, series.files, action=way_out)]


def _refuse(report: Report, policy: str) -> None:
    """Raise what a report forbids to load."""
    refusals = report.of(Severity.REFUSAL)
    if refusals:
        raise error_of(refusals[0], report)
    repairs = report.of(Severity.REPAIR)
    if policy == "strict" and repairs:
        first = repairs[0]
        finding = Finding(
            "REPAIR_NOT_ALLOWED",
            f"policy='strict' allows no repair, and one is needed: {first.message}",
            first.files,
            first.tag,
            "Load with policy='repair' to have it made and marked.",
        )
        raise error_of(finding, report)


def _with_report(error: HounsviewError, code: str, report: Report) -> HounsviewError:
    finding = Finding(code, str(error), error.files)
    return type(error)(str(error), report=report.adding([finding]), files=error.files)


def _replanned(
    frames: Sequence[Frame], known: frozenset[int], stack: StackValues, report: Report
) -> tuple[Plan, Report]:
    """Return the plan without slices that turned out unreadable, and what it adds."""
    if len(frames) - len(known) == len(stack.unreadable):
        reason = next(iter(stack.unreadable.values()))
        files = tuple(frames[n].path for n in sorted(stack.unreadable))
        return Plan(None), report.adding([Finding("PIXELS_UNDECODABLE", reason, files)])
    plan = plan_grid(frames, known | frozenset(stack.unreadable))
    reasons = [
        replace(finding, message=stack.unreadable[n])
        for finding in plan.findings
        if finding.code == "SLICE_UNREADABLE"
        for n in stack.unreadable
        if frames[n].path in finding.files and frames[n].name in finding.message
    ]
    others = [f for f in plan.findings if f.code != "SLICE_UNREADABLE"]
    return plan, report.adding([*others, *reasons])


def _assembled(
    plan: Plan, frames: Sequence[Frame], stack: StackValues, report: Report, as_stored: bool
) -> Volume:
    assert plan.geometry is not None
    values, valid = stack.values, stack.valid
    plan_changes = not is_identity(plan, len(frames))
    if plan_changes:
        outside = 0 if as_stored else AIR_HU
        values, valid = carry_out(plan, values, valid, outside)
    return Volume(
        hu=values,
        geometry=plan.geometry,
        valid=valid if stack.marked or plan_changes else None,
        sources=[
            [_source(frames[n], weight) for n, weight in planned.parts]
            for planned in plan.slices
        ],
        report=report,
        unit="stored" if as_stored else "HU",
        attributes=frames[0].describing,
    )


def _source(frame: Frame, weight: float) -> SliceSource:
    rescale = frame.rescale
    return SliceSource(
        file=frame.path,
        sop_instance_uid=frame.sop_instance_uid,
        frame=frame.index,
        slope=float("nan") if rescale.slope is None else rescale.slope,
        intercept=float("nan") if rescale.intercept is None else rescale.intercept,
        weight=weight,
        read_stored=partial(stored_again, frame.path, frame.index),
    )


def _choose(found: Scan, wanted: int | str | None, as_stored: bool) -> Series:
    """Return the series to load.

    Raises
    ------
    SeriesError
        If it is not there, or not the only one.
    """
    if wanted is not None:
        return _choose_named(found, wanted)
    for kind in ("volume", "single"):
        candidates = [series for series in found.series if series.kind == kind]
        if candidates:
            return _only(found, candidates)
    stored = [series for series in found.series if series.frames and series.kind != "localizer"]
    if as_stored and stored:
        return _only(found, [replace(series, report=Report()) for series in stored])
    raise _nothing(found)


def _choose_named(found: Scan, wanted: int | str) -> Series:
    matching = [
        series
        for series in found.series
        if wanted in (series.number, series.key, series.series_uid)
    ]
    if isinstance(wanted, bool) or not matching:
        known = ", ".join(f"{s.number} ({s.kind})" for s in found.series[:10])
        msg = f"{found.path} holds no series {wanted!r}; there are: {known or 'none'}"
        raise SeriesNotFoundError(msg)
    return _only(found, [s for s in matching if s.kind in ("volume", "single")] or matching)


def _only(found: Scan, candidates: Sequence[Series]) -> Series:
    """Return the one candidate that can be meant; the rest are refused and said."""
    readable = [series for series in candidates if not series.report.of(Severity.REFUSAL)]
    if len(candidates) == 1 or not readable:
        return candidates[0]
    refused = [series for series in candidates if series not in readable]
    if len(readable) == 1 and all(
        series.series_uid != readable[0].series_uid for series in refused
    ):
        reasons = "; ".join(str(s.report.of(Severity.REFUSAL)[0].message) for s in refused)
        files = tuple(file for series in refused for file in series.files)
        note = Finding(
            "LEFT_OUT", f"beside it, {len(refused)} series refused: {reasons}", files
        )
        return replace(readable[0], report=readable[0].report.adding([note]))
    raise _ambiguous(found, candidates)


def _ambiguous(found: Scan, candidates: Sequence[Series]) -> AmbiguousSeriesError:
    lines = [
        f"  {s.number}: {s.description or 'no description'}, {len(s.frames)} slices, "
        f"{s.report.status} (key {s.key})"
        for s in candidates[:20]
    ]
    if len(candidates) > 20:
        lines.append(f"  and {len(candidates) - 20} more")
    msg = (
        f"{found.path} holds {len(candidates)} volumes. Say which, with series= and a number "
        "or a key:\n" + "\n".join(lines)
    )
    report = Report().adding(f for series in candidates for f in series.report.findings)
    error = AmbiguousSeriesError(msg, report=report)
    error.series = list(candidates)
    return error


def _nothing(found: Scan) -> HounsviewError:
    report = Report().adding(f for series in found.series for f in series.report.findings)
    if len(found.series) == 1:
        only = found.series[0]
        finding = only.report.of(Severity.REFUSAL)[0]
        damaged = any(other.path in only.files for other in found.damaged)
        return (
            DamagedFileError.of(finding, only.report)
            if damaged
            else error_of(finding, only.report)
        )
    reasons = [
        f"  {s.report.findings[0].message} ({len(s.files)} file(s))" for s in found.series
    ]
    listed = "\n".join(reasons[:10]) or "  no files at all"
    if found.passed_over:
        listed += f"\n  {found.passed_over} link(s) or special file(s), which are not opened"
    msg = f"{found.path} holds no CT slices. What is there:\n{listed}"
    return NoSeriesError(
        msg, report=report, files=[file for s in found.series for file in s.files]
    )
