"""Traps that lie in where slices are: orientation, steps, gaps, tilt, several stacks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from hounsview.traps.recipes import Build, clean
from hounsview.traps.slices import (
    AXIAL,
    ORIGIN,
    SLICES,
    STEP,
    make_slice,
    per_slice,
    positions,
    save,
    write_series,
)

CORONAL: Final = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL: Final = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def oriented(orientation: Sequence[float], **changes: Any) -> Build:
    """Return what writes a series of an ImageOrientationPatient."""

    def build(folder: Path) -> None:
        places = positions(orientation=orientation)
        write_series(folder, places, ImageOrientationPatient=list(orientation), **changes)

    return build


def thickness(folder: Path) -> None:
    """Write a series whose distances are told by its positions alone."""
    write_series(folder, SliceThickness=5.0, SpacingBetweenSlices=-0.7, SliceLocation=0)


def jitter(folder: Path) -> None:
    """Write a series whose positions were rounded at the nanometre."""
    rng = np.random.default_rng(3)
    write_series(folder, [p + rng.uniform(-5e-6, 5e-6, 3) for p in positions()])


def missing(*numbers: int) -> Build:
    """Return what writes 20 slices without those numbers."""

    def build(folder: Path) -> None:
        write_series(folder, [p for n, p in enumerate(positions(20)) if n not in numbers])

    return build


def spacing_doubles(folder: Path) -> None:
    """Write eight slices every 2 mm and then five every 4 mm."""
    offsets = [*range(8), *range(9, 18, 2)]
    write_series(folder, [np.add(ORIGIN, [0, 0, STEP * k]) for k in offsets])


def localizer_inside(folder: Path) -> None:
    """Write a series with its scout under the same SeriesInstanceUID."""
    clean(folder)
    scout = make_slice(
        (0, -100, 0), 0, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
    )  # fmt: skip
    save(scout, folder / "a_scout.dcm")


def tilted(degrees: float, offsets: Sequence[float] | None = None) -> Build:
    """Return what writes slices tilted by an angle about x, the table moving along z."""

    def build(folder: Path) -> None:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        steps = [STEP * k for k in range(SLICES)] if offsets is None else offsets
        places = [np.add(ORIGIN, [0, 0, step]) for step in steps]
        write_series(folder, places, ImageOrientationPatient=[1, 0, 0, 0, c, s])

    return build


def two_series(folder: Path) -> None:
    """Write two series into one folder."""
    write_series(folder / "a", SeriesInstanceUID="1.2.7.1", SeriesNumber=1)
    moved = positions(origin=(40, 50, 60))
    write_series(folder / "b", moved, SeriesInstanceUID="1.2.7.2", SeriesNumber=2)


def two_phases(**differing: tuple[Any, Any]) -> Build:
    """Return what writes two phases at the same places, and which tags differ in them."""

    def build(folder: Path) -> None:
        for phase in (0, 1):
            tags = {keyword: values[phase] for keyword, values in differing.items()}
            numbers = range(1 + phase * SLICES, 1 + (phase + 1) * SLICES)
            change = per_slice(InstanceNumber=numbers.__getitem__)
            write_series(folder / str(phase), change=change, **tags)

    return build


def mixed(orientation: Sequence[float] = AXIAL, **tags: Any) -> Build:
    """Return what writes two stacks under one series UID, one with other tags."""

    def build(folder: Path) -> None:
        clean(folder / "a")
        places = positions(orientation=orientation, origin=(3, 4, 5))
        write_series(folder / "b", places, ImageOrientationPatient=list(orientation), **tags)

    return build
