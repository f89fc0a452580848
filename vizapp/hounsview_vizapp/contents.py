"""What lies under a path, as a front end lists it: each entry with a way to load it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import hounsview as hv
from hounsview.findings import Finding, Report, Severity, Status
from hounsview.geometry import Geometry
from hounsview.loading import load_series
from hounsview.series import Series
from hounsview.sessions import Source
from hounsview.volume import Volume

Tell = Callable[[int, int, str], object]


@dataclass(frozen=True)
class Entry:
    """One line of the list.

    Parameters
    ----------
    number : int
    title, detail : str
        What it is; size and spacing.
    kind : str
        As `hounsview.Series.kind`, or ``"image file"``, ``"phantom"``.
    report : Report
    source : Source
        For session files.
    load : callable
        Takes a progress callback and returns the volume.
    preview : callable, optional
        Takes a count and returns so many one-slice volumes.
    slices : int
    """

    number: int
    title: str
    detail: str
    kind: str
    report: Report
    source: Source
    load: Callable[[Tell | None], Volume]
    preview: Callable[[int], list[Volume]] | None = None
    slices: int = 0

    @property
    def can_be_shown(self) -> bool:
        """Whether a picture of it can be made."""
        return self.kind in ("volume", "single", "image file", "phantom") and (
            self.report.status != Status.REFUSED
        )


def contents(
    path: str | os.PathLike[str], tell: Tell | None = None, *, unit: str | None = None
) -> list[Entry]:
    """Return what lies under a path: a folder, file, zip, DICOMDIR or image file.

    Parameters
    ----------
    path : path-like
    tell : callable, optional
        Progress.
    unit : str, optional
        What the values of an image file are that does not say it.

    Raises
    ------
    HounsviewError
        What `hounsview.scan` raises.
    """
    if unit is not None or hv.is_image_file(path):
        return [_image_entry(Path(path), unit)]
    scan = hv.scan(path, progress=tell)
    return [_series_entry(Path(path), series) for series in scan.series]


def phantom_entry(name: str = "thorax") -> Entry:
    """Return the entry of a built-in phantom."""
    return Entry(
        1, f"{name.capitalize()} phantom", "built in, no patient", "phantom", Report(),
        Source(phantom=name), lambda _: hv.phantom(name),
    )  # fmt: skip


def loaded_entry(volume: Volume, source: Source) -> Entry:
    """Return the entry of a volume that is loaded already."""
    spacing = " x ".join(f"{mm:.4g}" for mm in volume.geometry.spacing)
    detail = f"{' x '.join(map(str, volume.shape))}, {spacing} mm"
    title = volume.attributes.get("SeriesDescription") or volume.attributes.get(
        "Modality", "CT"
    )
    return Entry(1, title, detail, "volume", volume.report, source, lambda _: volume)


def first_to_show(entries: list[Entry], series: str | None = None) -> Entry | None:
    """Return the entry that a person most likely wants: the volume with the most slices.

    With `series`, only of those with this number, key or SeriesInstanceUID.
    """
    shown = [entry for entry in entries if entry.can_be_shown]
    if series is not None:
        names = [(str(e.number), e.source.series_key, e.source.series_uid) for e in shown]
        shown = [e for e, known in zip(shown, names, strict=True) if series in known]
    return max(shown, key=lambda e: (e.kind != "single", e.slices), default=None)


def in_plain_words(finding: Finding) -> str:
    """Return a finding as sentences: what, and what was done or can be."""
    said = sentence_case(finding.message.rstrip("."))
    return f"{said}. {finding.action}" if finding.action else f"{said}."


def sentence_case(text: str) -> str:
    """Return a text with its first letter in capitals, unless it begins with a file's name."""
    first = text.split(" ", 1)[0]
    return text if "." in first.rstrip(".,:") else text[:1].upper() + text[1:]


def to_be_told(report: Report) -> list[Finding]:
    """Return what a person must know before looking: all but notes, the gravest first."""
    order = (Severity.REFUSAL, Severity.REPAIR, Severity.WARNING)
    return [f for severity in order for f in report.findings if f.severity == severity]


def _series_entry(path: Path, series: Series) -> Entry:
    spacing = series.spacing or ()
    detail = ", ".join(
        filter(
            None,
            (
                " x ".join(map(str, series.shape or ())) or f"{len(series.files)} files",
                " x ".join(f"{mm:.4g}" for mm in spacing) + " mm" if spacing else "",
                "" if series.kind == "volume" else series.kind,
            ),
        )
    )
    source = Source(
        str(path.absolute()), series_uid=_line(series.series_uid), series_key=_line(series.key)
    )
    return Entry(
        series.number, series.description or series.modality or "no description", detail,
        series.kind, series.report, source,
        lambda tell: load_series(series, progress=tell), partial(_preview, series),
        (series.shape or (0,))[0],
    )  # fmt: skip


def _image_entry(path: Path, unit: str | None) -> Entry:
    return Entry(
        1, path.name, "image file", "image file", Report(),
        Source(str(path.absolute()), unit=unit),
        lambda tell: hv.load(path, unit=unit, progress=tell), None, 1,
    )  # fmt: skip


def _preview(series: Series, count: int) -> list[Volume]:
    """Return slices spread over a series as volumes of one slice each, in their places."""
    plan = series.plan
    if plan is None or plan.geometry is None:
        return []
    volumes = []
    for hu, position in series.preview(count):
        shape = (1, *hu.shape)
        affine = plan.geometry.affine.copy()
        affine[:3, 3] = position
        volumes.append(Volume(np.ascontiguousarray(hu[None]), Geometry(shape, affine)))
    return volumes


def _line(text: str) -> str:
    return text if text.isprintable() and len(text) <= 200 else ""
