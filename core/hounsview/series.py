"""A `Series`: one stack of slices as it was found, with what is known before loading."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from hounsview.dicom.decoding import LOSSY, read_frame, stored_values
from hounsview.dicom.frames import Frame, Other
from hounsview.dicom.pixelbytes import pixel_problem
from hounsview.errors import ArgumentError, HounsviewError, error_of, name_files
from hounsview.findings import Finding, Report, Severity
from hounsview.grids import Plan, plan_grid
from hounsview.hounsfield import (
    AS_STORED,
    CT_CLASSES,
    UNSPECIFIED_TYPES,
    convert,
    is_localizer,
    not_ct,
    not_hu,
    pixel_format_problem,
)
from hounsview.stacking import Stack, along_normal, distances, places

Kind = Literal["volume", "single", "localizer", "not CT"]


@dataclass(frozen=True, eq=False)
class Series:
    """One stack: slices that form one regular grid, or a reason why they do not.

    Parameters
    ----------
    number : int
        From 1, in the order of `Scan.series`.
    key : str
        Unique in its scan and the same at every scan of the same files.
    series_uid : str
        SeriesInstanceUID; several stacks may share it, and it may be empty.
    kind : str
        ``"volume"``, ``"single"`` (one slice), ``"localizer"`` or ``"not CT"``.
    report : Report
        What the headers tell; loading may add to it.
    files : tuple of Path
        Every file of the stack, dropped duplicates too.
    frames : tuple of Frame
        At distinct places, sorted along the normal; empty when there is no image.
    """

    number: int
    key: str
    series_uid: str
    kind: Kind
    report: Report
    files: tuple[Path, ...]
    description: str = ""
    modality: str = ""
    frames: tuple[Frame, ...] = field(default=(), repr=False)
    plan: Plan | None = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """(slices, rows, columns) of the volume to come; None when refused."""
        return self.plan.geometry.shape if self.plan and self.plan.geometry else None

    @property
    def spacing(self) -> tuple[float, float, float] | None:
        """(k, j, i) mm of the volume to come; None when refused."""
        return self.plan.geometry.spacing if self.plan and self.plan.geometry else None

    def preview(
        self, n: int = 3
    ) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]]:
        """Return `n` slices spread over the stack, for a first look while the rest loads.

        Returns
        -------
        list of (hu, position)
            `hu` : (rows, columns) float32, HU, padding at -1024; `position` : (3,)
            patient point of its first pixel, LPS mm. Unreadable slices are passed over.

        Raises
        ------
        ArgumentError
            If `n` is less than 1.
        HounsviewError
            If the series is refused.
        """
        if n < 1:
            msg = f"a preview has at least 1 slice, not {n}"
            raise ArgumentError(msg)
        refusals = self.report.of(Severity.REFUSAL)
        if refusals:
            raise error_of(refusals[0], self.report)
        last = len(self.frames) - 1
        chosen = sorted({round(x) for x in np.linspace(0, last, min(n, last + 1) + 2)[1:-1]})
        return [
            (_preview_slice(frame), np.asarray(frame.position, float))
            for frame in (self.frames[k] for k in chosen)
            if not pixel_problem(frame)
        ]


def _preview_slice(frame: Frame) -> npt.NDArray[np.float32]:
    cells, precision = read_frame(frame)
    converted = convert(cells, frame, as_stored=False, precision=precision)
    return np.where(converted.padding, -1024, converted.values).astype(np.float32)


def series_of_stack(stack: Stack) -> Series:
    """Return the series of a stack, judged by its headers."""
    frames = along_normal(stack.frames)
    first = frames[0]
    findings: list[Finding] = []
    frames = _without_copies(frames, findings)
    findings += _about_identity(frames)
    kind, refusal = _kind(frames)
    plan = None
    if refusal is not None:
        findings.append(refusal)
    else:
        findings += _contract(frames)
        described = all(finding.code != "PIXEL_FORMAT" for finding in findings)
        plan = _plan(frames) if described else Plan(None)
        findings += plan.findings
        findings += _about_thickness(frames, plan)
    return Series(
        number=0,
        key=_key(stack, frames),
        series_uid=first.series_uid,
        kind=kind,
        report=Report().adding(findings),
        files=tuple(dict.fromkeys(frame.path for frame in stack.frames)),
        description=first.describing.get("SeriesDescription", ""),
        modality=first.modality,
        frames=tuple(frames),
        plan=plan,
    )


def series_of_others(others: Sequence[Other]) -> Series:
    """Return the entry for files without slices that share a reason."""
    first = others[0]
    files = tuple(other.path for other in others)
    code = "NOT_CT" if first.is_dicom else "NOT_DICOM"
    message = first.reason if len(files) > 1 else f"{first.path.name}: {first.reason}"
    names = "\n".join(sorted(str(path) for path in files))
    return Series(
        number=0,
        key=f"other-{_digest(names)}",
        series_uid=first.series_uid,
        kind="not CT",
        report=Report((Finding(code, message, files),)),
        files=files,
        description=first.description,
        modality=first.modality,
    )


def without_hu(series: Series) -> Series:
    """Return the series judged as stored values: a grid is all that it must be."""
    kept = [f for f in series.report.findings if f.code not in _HU_CODES]
    frames = list(series.frames)
    plan = series.plan
    problem = next(filter(None, map(pixel_format_problem, frames)), None)
    if problem is not None:
        kept.append(problem)
    elif plan is None and frames:
        plan = _plan(frames)
        kept += plan.findings
    message = "stored values were asked for: no unit, no rescale"
    kept.append(Finding("STORED_VALUES", message))
    return replace(series, report=Report().adding(kept), plan=plan)


_HU_CODES = frozenset(
    "NOT_CT NOT_HU LOCALIZER RESCALE_MISSING RESCALE_INVALID RESCALE_TYPE_ASSUMED "
    "RESCALE_VARIES MODALITY_LUT_APPLIED PIXEL_FORMAT SOP_CLASS_UNKNOWN".split()
)


def _kind(frames: Sequence[Frame]) -> tuple[Kind, Finding | None]:
    """Return the kind, and the finding that rules the stack out before any geometry."""
    first = frames[0]
    reason = not_ct(first)
    files = tuple(frame.path for frame in frames)
    if reason:
        return "not CT", Finding("NOT_CT", f"{first.name}: {reason}", files, action=AS_STORED)
    if is_localizer(first):
        message = f"{first.name}: a localizer (ImageType {'/'.join(first.image_type)})"
        return "localizer", Finding(
            "LOCALIZER", message, files, "ImageType (0008,0008)", "It is left out of volumes."
        )
    return ("single" if len(frames) == 1 else "volume"), None


def _contract(frames: Sequence[Frame]) -> list[Finding]:
    """Return what stands between these frames and HU, and how their rescale was taken."""
    found: list[Finding] = []
    first_ones = {id(frame.common): frame for frame in reversed(frames)}.values()
    for check in (pixel_format_problem, not_hu):
        bad = {id(f.common): finding for f in first_ones if (finding := check(f))}
        if bad:
            broken = [frame for frame in frames if id(frame.common) in bad]
            finding = bad[id(broken[0].common)]
            files = tuple(dict.fromkeys(frame.path for frame in broken))
            message = finding.message
            if len(frames) > 1:
                message += f" ({len(broken)} of {len(frames)} slices)"
            return [replace(finding, message=message, files=files)]
    first = frames[0].rescale
    rescales = [frame.rescale for frame in first_ones]
    unsaid = {one.type for one in rescales if one.type in UNSPECIFIED_TYPES}
    if unsaid:
        said = "US (unspecified)" if "US" in unsaid else "absent"
        message = f"RescaleType is {said}: HU are assumed, as CT images are defined"
        found.append(Finding("RESCALE_TYPE_ASSUMED", message, tag="RescaleType (0028,1054)"))
    if any(one.lut is not None for one in rescales):
        message = "a Modality LUT takes the place of slope and intercept"
        found.append(Finding("MODALITY_LUT_APPLIED", message))
    if any((one.slope, one.intercept) != (first.slope, first.intercept) for one in rescales):
        slopes = sorted({one.slope or 0 for one in rescales})
        intercepts = sorted({one.intercept or 0 for one in rescales})
        message = (
            f"the rescale differs between slices: slopes {slopes[0]:g} to {slopes[-1]:g}, "
            f"intercepts {intercepts[0]:g} to {intercepts[-1]:g}"
        )
        done = "Each slice was converted by its own."
        found.append(Finding("RESCALE_VARIES", message, action=done))
    return found


def _about_identity(frames: Sequence[Frame]) -> list[Finding]:
    """Return what is said about files, identifiers and compression."""
    first = frames[0]
    found = []
    bare = tuple(frame.path for frame in frames if not frame.has_preamble)
    if bare:
        message = f"{len(bare)} file(s) without preamble or file meta: {name_files(bare)}"
        found.append(Finding("NO_PREAMBLE", message, bare))
    if not first.series_uid:
        message = "SeriesInstanceUID is empty: grouped by folder, number and description"
        tag = "SeriesInstanceUID (0020,000E)"
        found.append(Finding("NO_SERIES_UID", message, tag=tag))
    unknown = [f for f in frames if f.sop_class not in CT_CLASSES]
    if unknown and not not_ct(first):
        message = f"SOP class {unknown[0].sop_class!r} is not known; Modality CT was believed"
        files = tuple(frame.path for frame in unknown)
        found.append(Finding("SOP_CLASS_UNKNOWN", message, files, "SOPClassUID (0008,0016)"))
    references = {f.frame_of_reference for f in frames}
    if len(references) > 1:
        message = f"the slices name {len(references)} frames of reference, one each"
        action = "They were taken as one."
        tag = "FrameOfReferenceUID (0020,0052)"
        found.append(Finding("FRAME_OF_REFERENCE_VARIES", message, tag=tag, action=action))
    found += _about_concatenation(frames)
    lossy = tuple(f.path for f in frames if f.lossy or f.transfer_syntax in LOSSY)
    if lossy:
        message = "compressed with loss: HU differ from what the scanner measured"
        found.append(Finding("LOSSY", message, lossy))
    return found


def _about_concatenation(frames: Sequence[Frame]) -> list[Finding]:
    """Return a warning where parts of an enhanced instance are missing (PS3.3 C.7.6.16.1.1)."""
    parts: dict[str, dict[str, Path]] = {}
    totals: dict[str, int] = {}
    for frame in frames:
        uid, total = frame.fact("ConcatenationUID"), frame.fact("InConcatenationTotalNumber")
        if uid:
            parts.setdefault(uid, {})[frame.fact("InConcatenationNumber")] = frame.path
            totals[uid] = max(totals.get(uid, 0), int(total) if total.isdecimal() else 0)
    found = []
    for uid, there in parts.items():
        if totals[uid] > len(there):
            message = (
                f"{len(there)} of {totals[uid]} parts of one multi-frame instance are here "
                f"(InConcatenationNumber {', '.join(sorted(there))})"
            )
            tag = "InConcatenationTotalNumber (0020,9163)"
            action = "Get the missing files."
            files = tuple(there.values())
            found.append(Finding("CONCATENATION_INCOMPLETE", message, files, tag, action))
    return found


def _about_thickness(frames: Sequence[Frame], plan: Plan) -> list[Finding]:
    if plan.geometry is None or len(frames) < 2:
        return []
    step = plan.geometry.spacing[0]
    given = {t for frame in frames if (t := frame.thickness) is not None and t > 0}
    if not given or all(abs(t - step) <= 0.01 * step for t in given):
        return []
    said = f"{min(given):g}" if len(given) == 1 else f"{min(given):g} to {max(given):g}"
    message = f"SliceThickness is {said} mm, the slices lie {step:.4g} mm apart"
    done = "The spacing comes from the positions."
    return [
        Finding("THICKNESS_DIFFERS", message, tag="SliceThickness (0018,0050)", action=done)
    ]


def _plan(frames: Sequence[Frame]) -> Plan:
    same_place = _same_place(frames)
    if same_place is not None:
        return Plan(None, findings=(same_place,))
    return plan_grid(frames, _unreadable(frames))


def _unreadable(frames: Sequence[Frame]) -> frozenset[int]:
    return frozenset(n for n, frame in enumerate(frames) if pixel_problem(frame))


def _groups(frames: Sequence[Frame]) -> list[list[int]]:
    along = distances(frames)
    if along is None:
        return [[n] for n in range(len(frames))]
    return places(along)


def _without_copies(frames: list[Frame], findings: list[Finding]) -> list[Frame]:
    """Return the frames without identical copies at one place."""
    kept: list[Frame] = []
    dropped: list[tuple[Frame, str]] = []
    for group in _groups(frames):
        # Readable ones first: a broken copy of a slice gives way to a whole one.
        first, *others = sorted((frames[n] for n in group), key=pixel_problem)
        kept.append(first)
        marks = _fingerprint(first) if others else b""
        for other in others:
            problem = pixel_problem(other)
            broken_copy = problem and other.sop_instance_uid == first.sop_instance_uid
            if _fingerprint(other) != marks and not broken_copy:
                kept.append(other)
                continue
            same = f"it {problem}" if broken_copy else "same place, same pixels"
            dropped.append((other, f"{other.name} repeats {first.name}: {same}"))
    if dropped:
        message = "; ".join(reason for _, reason in dropped[:3])
        if len(dropped) > 3:
            message += f" and {len(dropped) - 3} more"
        files = tuple(frame.path for frame, _ in dropped)
        done = f"{len(dropped)} cop{'y was' if len(dropped) == 1 else 'ies were'} dropped."
        findings.append(Finding("DUPLICATE_DROPPED", message, files, action=done))
    return kept


def _fingerprint(frame: Frame) -> bytes:
    """Return a digest of stored values and of all that decides their HU and place.

    The transfer syntax does not matter: archives send a slice once so and once so.
    """
    digest = hashlib.blake2b()
    meaning = (frame.format, frame.rescale, frame.padding, frame.position)
    digest.update(repr(meaning).encode())
    digest.update(repr(frame.rescale.lut).encode())
    try:
        cells, precision = read_frame(frame)
        digest.update(stored_values(cells, frame.format, precision).tobytes())
    except (HounsviewError, OSError):
        # An unreadable slice equals nothing, itself least of all.
        digest.update(f"{frame.path}{frame.index}".encode())
    return digest.digest()


def _same_place(frames: Sequence[Frame]) -> Finding | None:
    groups = _groups(frames)
    crowded = [group for group in groups if len(group) > 1]
    if not crowded:
        return None
    a, b = (frames[n] for n in crowded[0][:2])
    files = tuple(frames[n].path for group in crowded for n in group)
    if len(groups) == 1:
        message = f"all {len(frames)} slices lie at one place: a series in time, not a volume"
        return Finding(
            "SAME_POSITION", message, files, action=AS_STORED.replace("Load", "Look")
        )
    message = (
        f"{a.name} and {b.name} lie at the same place and differ ({len(crowded)} of "
        f"{len(groups)} places hold more than one slice)"
    )
    way_out = "Remove the wrong ones, or load a folder with one of them."
    return Finding("DUPLICATE_DIFFERS", message, files, action=way_out)


def _key(stack: Stack, frames: Sequence[Frame]) -> str:
    names = sorted(f"{f.sop_instance_uid or f.path.name}:{f.index}" for f in frames)
    return f"{frames[0].series_uid or 'no-uid'}#{_digest(' '.join(names))}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
